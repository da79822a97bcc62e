"""What is counted in one dialogue. Gates and statistics count here, so that their figures agree."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from turnwright.statistics.information import find_empty_turns


@dataclass(frozen=True)
class DialogueFigures:
    """Counts of one dialogue, by the definitions of UO, appendix B."""

    turns: int
    """User, assistant and tool messages."""
    steps: tuple[int, ...]
    """For each user request, the sequential tool-use iterations spent on it."""
    calls: int
    """Tool calls; several in one message are several calls and one step."""
    empty_turns: int
    """Turns that carry neither new information nor a call, the closing ones included."""
    empty_before_closing: int
    """The same without the turns after the last request that still said something new."""
    first_user_message: str

    @property
    def requests(self) -> int:
        """User messages."""
        return len(self.steps)

    @property
    def tool_steps(self) -> tuple[int, ...]:
        """Steps of the requests that reached the tools: the samples of a step mean."""
        return tuple(steps for steps in self.steps if steps)


def read_messages(text: str) -> list[dict[str, Any]]:
    """The message list of a `messages` column.

    Raises:
        ValueError: the text is no JSON list.
    """
    try:
        messages = orjson.loads(text)
    except orjson.JSONDecodeError:
        # Slower, but it takes half surrogate pairs and NaN, which dialogues made elsewhere may hold.
        messages = json.loads(text)
    if not isinstance(messages, list):
        raise ValueError("messages is not a list")
    return messages  # pyright: ignore[reportUnknownVariableType]


def count_steps(messages: Sequence[dict[str, Any]]) -> tuple[int, ...]:
    """Steps spent on each user message: assistant messages with at least one call before the next user message.

    Calls made together count once, because they are one iteration: the model sees no result between them.
    """
    steps: list[int] = []
    for message in messages:
        if message["role"] == "user":
            steps.append(0)
        elif message["role"] == "assistant" and message.get("tool_calls") and steps:
            steps[-1] += 1
    return tuple(steps)


def measure_dialogue(messages: Sequence[dict[str, Any]]) -> DialogueFigures:
    """Counts one dialogue.

    Raises:
        KeyError: a message has no role.
    """
    roles = Counter(message["role"] for message in messages)
    empty = find_empty_turns(messages)
    closing = _find_closing(messages, empty)
    return DialogueFigures(
        turns=roles["user"] + roles["assistant"] + roles["tool"],
        steps=count_steps(messages),
        calls=sum(len(message.get("tool_calls") or ()) for message in messages),
        empty_turns=len(empty),
        empty_before_closing=sum(1 for index in empty if index < closing),
        first_user_message=_read_first(messages),
    )


def _read_first(messages: Sequence[dict[str, Any]]) -> str:
    text = next((str(message["content"]) for message in messages if message["role"] == "user"), "")
    return text.encode("utf-8", "replace").decode()


def _find_closing(messages: Sequence[dict[str, Any]], empty: Sequence[int]) -> int:
    """Index from which on every turn is empty: thanks, you're welcome."""
    silent = set(empty)
    index = len(messages)
    while index > 0 and index - 1 in silent:
        index -= 1
    return index
