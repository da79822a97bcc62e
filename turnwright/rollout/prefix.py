"""The beginning of a stored dialogue, whole enough to go on from: messages, calls, and whether the user was done."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import TypeAdapter

from schemas.messages import CallRecord, Message
from schemas.rows import DialogueRow
from schemas.simulation import LedgerNotice
from turnwright.environments.faults import SPOILING
from turnwright.rollout.conversation import Conversation

_CALLS = TypeAdapter(tuple[CallRecord, ...])
_NOTICES = TypeAdapter(tuple[LedgerNotice, ...])
_QUESTION_MARKS = "?？؟"


class NoPrefix(ValueError):
    """A stored dialogue that cannot be gone on from there; the message says why."""


@dataclass(frozen=True)
class Prefix:
    """What was said and done before one message of a dialogue: the snapshot that a repair begins with.

    The state is no part of it: it is what the calls give, in their order, on a fresh environment.
    """

    messages: tuple[Message, ...]
    """Byte for byte those of the dialogue; every call among them has its result."""
    calls: tuple[CallRecord, ...]
    """The calls that were made before it, of both sides, in order."""
    early_completions: tuple[int, ...] = ()
    closed: bool = False
    """The last user message ended the dialogue: only the assistant's last word is missing."""
    notices: tuple[LedgerNotice, ...] = field(default=())
    """What the tool simulator had got wrong by then."""

    @property
    def calls_of_request(self) -> int:
        """Calls of the assistant for the last user message."""
        made = 0
        for message in reversed(self.messages):
            if message["role"] == "user":
                break
            made += len(message.get("tool_calls", ()))
        return made


def cut_prefix(dialogue: DialogueRow, message: int) -> Prefix:
    """What stands before a message, or before an earlier one where the dialogue cannot go on from that.

    A result is made again together with the message that called for it. A result of a simulated tool that was spoilt on
    purpose does not tell what the simulator knew, so the dialogue is cut before the call.

    Raises:
        NoPrefix: the system message is missing, the index lies outside the dialogue, or nothing is left to be said.
    """
    messages: list[Message] = orjson.loads(dialogue.messages)
    calls = _CALLS.validate_json(dialogue.calls)
    end = len(messages) - (dialogue.ending == "task_complete")
    if not messages or messages[0]["role"] != "system" or not 1 <= message <= end:
        raise NoPrefix(f"there is nothing to go on from before message {message} of {len(messages)}")
    place = _step_back(messages, message)
    if dialogue.paradigm != "user_oriented_executed":
        spoilt = [record.message for record in calls if record.fault and record.error in SPOILING]
        place = _step_back(messages, min([place, *spoilt]))
    # Of the user's side a record names the message that asked for the call; it was made for the message after that.
    kept = tuple(one for one in calls if one.message + (1 if one.side == "user" else 0) < place)
    closed = _is_closed(dialogue, messages, place)
    # Whether a mark that counted came too early is seen again from the answer to it.
    noted = max(index for index in range(place) if index == 0 or messages[index]["role"] == "user") if closed else place
    return Prefix(
        messages=tuple(messages[:place]),
        calls=kept,
        early_completions=tuple(index for index in dialogue.early_completions if index < noted),
        closed=closed,
        notices=_NOTICES.validate_json(dialogue.notices),
    )


def _step_back(messages: Sequence[Message], place: int) -> int:
    """The last place at or before one where every call that was made has all its results."""
    while place > 1:
        asked = place - 1
        while messages[asked]["role"] == "tool" and asked > 1:
            asked -= 1
        called = [call["id"] for call in messages[asked].get("tool_calls", ())]
        answered = [message.get("tool_call_id") for message in messages[asked + 1 : place]]
        if called == answered:
            return place
        place = asked
    return place


def _is_closed(dialogue: DialogueRow, messages: Sequence[Message], place: int) -> bool:
    """Whether the last user message before a place counted as the end when it was said.

    The mark itself stands in no message. It counted where nothing of the user came after it, and where the assistant
    needed a tool to answer it, so that the dialogue went on.
    """
    users = [index for index, message in enumerate(messages) if message["role"] == "user"]
    before = [index for index in users if index < place]
    if not before or dialogue.paradigm == "task_oriented":
        return False
    last = before[-1]
    if last in dialogue.early_completions:
        reported = Conversation(tuple(messages[:last])).outcome_reported
        return reported and not any(mark in (messages[last]["content"] or "") for mark in _QUESTION_MARKS)
    return last == users[-1] and dialogue.ending == "task_complete"
