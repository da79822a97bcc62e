"""A conversation as the simulated assistant reads it: what was asked, what was called, what came back."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from turnwright.selfplay.spoken_values import SpokenValue, read_values

TRANSIENT = frozenset({"timeout", "unavailable", "rate_limit", "http_500", "malformed", "partial", "stale"})
"""Kinds of errors that a second try can mend."""


@dataclass(frozen=True)
class Call:
    """One call of the conversation with its result."""

    tool: str
    arguments: dict[str, Any]
    result: Any
    """The result as a value; the text itself where it is not JSON."""

    @property
    def error(self) -> str | None:
        """Kind of the error, or none; text that breaks off inside a JSON document is `malformed`."""
        if isinstance(self.result, str) and self.result.lstrip()[:1] in ("{", "["):
            return "malformed"
        fields = self.fields
        return str(fields["error"]) if "error" in fields else None

    @property
    def fields(self) -> dict[str, Any]:
        """The result where it is one object, otherwise nothing."""
        return cast(dict[str, Any], self.result) if isinstance(self.result, dict) else {}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The records in the result."""
        if self.error is not None or "rows_changed" in self.fields:
            return []
        if isinstance(self.result, list):
            return [row for row in cast(list[Any], self.result) if isinstance(row, dict)]
        lists = [cast(list[Any], value) for value in self.fields.values() if isinstance(value, list) and value]
        if lists and all(isinstance(row, dict) for row in lists[0]):
            return lists[0]
        return [self.fields] if self.fields else []


@dataclass
class Episode:
    """One request of the user with everything said and called for it: questions that come back belong to it."""

    texts: list[str] = field(default_factory=list[str])
    """What the user said, oldest first."""
    questions: list[str] = field(default_factory=list[str])
    """What the assistant asked back."""
    calls: list[Call] = field(default_factory=list[Call])

    @property
    def values(self) -> list[SpokenValue]:
        """What the user named in it, oldest first."""
        return [value for number, text in enumerate(self.texts) for value in read_values(text, number)]

    @property
    def text(self) -> str:
        """All that the user said for it."""
        return "\n".join(self.texts)


def _read_json(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def read_calls(messages: list[dict[str, Any]]) -> list[Call]:
    """The calls made in these messages that have a result, paired by id."""
    results = {message.get("tool_call_id"): message.get("content") for message in messages if message["role"] == "tool"}
    calls: list[Call] = []
    for message in messages:
        made: list[dict[str, Any]] = message.get("tool_calls") or []
        for call in made:
            if call["id"] in results:
                arguments = _read_json(call["function"]["arguments"])
                calls.append(
                    Call(
                        tool=call["function"]["name"],
                        arguments=cast(dict[str, Any], arguments) if isinstance(arguments, dict) else {},
                        result=_read_json(results[call["id"]]),
                    )
                )
    return calls


_BEGINS = re.compile(
    r"\b(?:please|could you|can you|would you(?: please)?|i(?:'d| would) like(?: to)?|i need(?: to)?|i want(?: to)?|"
    r"looking for)\s+"
    r"(?:change|update|set the|add|register|remove|delete|tell me|give me|show me|see|list|look up the|know the|the)\b",
    re.IGNORECASE,
)
"""Requests of their own: after one, the question before it is left open."""
_GOES_ON = re.compile(
    r"^\W*(?:sorry,? i meant|i should have said|actually,? (?:make|i only|i meant)|wait,? no|hold on,? i mixed|"
    r"i meant|no,? i meant)\b"
    r"|\b(?:try (?:it |that )?(?:again|once more)|another try|trying (?:it |that )?again)\b",
    re.IGNORECASE,
)
"""Begins of messages that correct or repeat the request before."""


def read_episodes(messages: list[dict[str, Any]]) -> list[Episode]:
    """The conversation by requests. A user message after a question of the assistant goes on with the same request."""
    episodes: list[Episode] = []
    asked = False
    pending: list[dict[str, Any]] = []
    for message in messages:
        role = message["role"]
        if role == "user":
            content = message.get("content") or ""
            answers = asked and not _BEGINS.search(content)
            if not (episodes and (answers or _GOES_ON.search(content))):
                episodes.append(Episode())
            episodes[-1].texts.append(content)
            asked = False
        elif role in ("assistant", "tool"):
            if not episodes:
                continue
            pending.append(message)
            if role == "tool" or message.get("tool_calls"):
                continue
            episodes[-1].calls += read_calls(pending)
            pending = []
            said = (message.get("content") or "").rstrip()
            asked = said.endswith("?") and not said.endswith(OFFERS)
            if asked:
                episodes[-1].questions.append(said)
    if pending and episodes:
        episodes[-1].calls += read_calls(pending)
    return episodes


OFFERS = ("anything else?", "anything else I can do?", "else I can do for you?", "else you need?", "something else?")
"""Ends of a message that only look like a question about the request."""


def write_arguments(arguments: dict[str, Any]) -> str:
    """Arguments as the text of a call."""
    return json.dumps(arguments, ensure_ascii=False)
