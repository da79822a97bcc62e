"""One recorded dialogue with what its validation needs to know: the value that every layer reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import jsonschema_rs
from pydantic import TypeAdapter, ValidationError

from schemas.goals import BehaviourPlan, Objective, RowChange
from schemas.messages import CallRecord, Message
from schemas.rows import DialogueRow, DialogueTaskRow
from schemas.stateless import Generation
from schemas.tools import Tool
from turnwright.stateless.goal import read_filled_behaviour, read_generation, read_objectives
from turnwright.validation.documents import parse_document
from turnwright.validation.phrases import list_spoken
from turnwright.validation.readings import read_spoken

_TEXT = {"type": "string"}
_MESSAGES = jsonschema_rs.validator_for(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["role", "content"],
            "properties": {
                "role": {"enum": ["system", "user", "assistant", "tool"]},
                "content": {"type": ["string", "null"]},
                "reasoning": {"type": ["string", "null"]},
                "tool_call_id": _TEXT,
                "tool_calls": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["id", "function"],
                        "properties": {
                            "id": _TEXT,
                            "function": {
                                "type": "object",
                                "required": ["name", "arguments"],
                                "properties": {"name": _TEXT, "arguments": _TEXT},
                            },
                        },
                    },
                },
            },
        },
    }
)
"""What schemas.messages.Message says, as a schema: pydantic reads no typing.TypedDict on this Python."""
_CALLS = TypeAdapter(tuple[CallRecord, ...])
_CHANGES = TypeAdapter(tuple[RowChange, ...])


class UnreadableDialogue(ValueError):
    """A dialogue row whose messages or calls are not what they should be; the message says where."""


@dataclass(frozen=True)
class Trajectory:
    """A dialogue row and its task, parsed."""

    row: DialogueRow
    task: DialogueTaskRow
    tools: tuple[Tool, ...]

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """All messages, system message first.

        Raises:
            UnreadableDialogue: they are no list of messages.
        """
        try:
            value = parse_document(self.row.messages)
            error = None if _MESSAGES.is_valid(value) else next(iter(_MESSAGES.iter_errors(value)), None)
        except (ValueError, RecursionError) as unreadable:
            raise UnreadableDialogue(f"messages: {str(unreadable)[:300]}") from None
        if error is not None:
            place = ".".join(map(str, error.instance_path))
            raise UnreadableDialogue(f"messages.{place}: {error.message[:300]}")
        return tuple(cast("list[Message]", value))

    @cached_property
    def problem(self) -> str | None:
        """Why the dialogue cannot be judged at all, or none."""
        try:
            if not self.messages:
                return "the dialogue has no messages"
            _ = self.calls
        except UnreadableDialogue as error:
            return str(error)
        return None

    @cached_property
    def calls(self) -> tuple[CallRecord, ...]:
        """The executed calls, in order.

        Raises:
            UnreadableDialogue: they are no list of call records.
        """
        try:
            return _CALLS.validate_json(self.row.calls)
        except ValidationError:
            pass
        try:
            return _CALLS.validate_python(parse_document(self.row.calls))
        except ValueError as error:
            raise UnreadableDialogue(f"calls: {str(error)[:300]}") from None

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """What the user was to pursue; of a stateless dialogue, what its turns were planned for."""
        return read_objectives(self.task, self._generation, self.by_name)

    @cached_property
    def _generation(self) -> Generation | None:
        """How a stateless dialogue came about; none of others."""
        return read_generation(self.row)

    @cached_property
    def behaviour(self) -> BehaviourPlan | None:
        """What was to happen; in a stateless dialogue, with what its turn made of it."""
        return read_filled_behaviour(self.task, self._generation)

    @cached_property
    def changes(self) -> tuple[RowChange, ...]:
        """How the final state differs from the base."""
        return _CHANGES.validate_json(self.row.changes)

    @cached_property
    def goal_changes(self) -> tuple[RowChange, ...]:
        """How it was to differ."""
        return _CHANGES.validate_json(self.task.goal_changes)

    @cached_property
    def by_name(self) -> dict[str, Tool]:
        """The tools offered."""
        return {tool.name: tool for tool in self.tools}

    @cached_property
    def request_of(self) -> tuple[int, ...]:
        """For each message the index of the latest user message at or before it; 0 before the first."""
        latest, requests = 0, list[int]()
        for index, message in enumerate(self.messages):
            latest = index if message["role"] == "user" else latest
            requests.append(latest)
        return tuple(requests)

    @cached_property
    def spoken(self) -> tuple[Sequence[str], ...]:
        """For each message the words of what the user or assistant said in it, whatever their case."""
        # What the user says is read by other rules too.
        readers = {"user": read_spoken, "assistant": list_spoken}
        return tuple(
            readers[message["role"]](message["content"]) if message["role"] in readers and message["content"] else ()
            for message in self.messages
        )

    @cached_property
    def _prose(self) -> dict[str, list[tuple[int, str]]]:
        """By role, index and text of each message that says something."""
        prose: dict[str, list[tuple[int, str]]] = {}
        for index, message in enumerate(self.messages):
            if message["content"]:
                prose.setdefault(message["role"], []).append((index, message["content"]))
        return prose

    def said_by(self, role: str, start: int = 0, end: int | None = None) -> Sequence[tuple[int, str]]:
        """Index and text of what `role` said in prose, from message `start` to before `end`."""
        prose = self._prose.get(role, [])
        if not start and end is None:
            return prose
        return [said for said in prose if start <= said[0] and (end is None or said[0] < end)]

    def next_user(self, index: int) -> int:
        """Index of the first user message after `index`, or the number of messages."""
        later = (n for n in range(index + 1, len(self.messages)) if self.messages[n]["role"] == "user")
        return next(later, len(self.messages))

    def calls_between(self, start: int, end: int) -> Sequence[CallRecord]:
        """The calls made by messages from `start` to before `end`."""
        return [record for record in self.calls if start <= record.message < end]
