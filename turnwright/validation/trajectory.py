"""One recorded dialogue with what its validation needs to know: the value that every layer reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import orjson
from pydantic import TypeAdapter

from schemas.goals import BehaviourPlan, Objective, RowChange
from schemas.messages import CallRecord, Message
from schemas.rows import DialogueRow, DialogueTaskRow
from schemas.tools import Tool
from turnwright.rollout.tool_calls import read_behaviour

_CALLS = TypeAdapter(tuple[CallRecord, ...])
_OBJECTIVES = TypeAdapter(tuple[Objective, ...])
_CHANGES = TypeAdapter(tuple[RowChange, ...])


@dataclass(frozen=True)
class Trajectory:
    """A dialogue row and its task, parsed."""

    row: DialogueRow
    task: DialogueTaskRow
    tools: tuple[Tool, ...]

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """All messages, system message first."""
        return tuple(cast("list[Message]", orjson.loads(self.row.messages)))

    @cached_property
    def calls(self) -> tuple[CallRecord, ...]:
        """The executed calls, in order."""
        return _CALLS.validate_json(self.row.calls)

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """What the user was to pursue."""
        return _OBJECTIVES.validate_json(self.task.objectives)

    @cached_property
    def behaviour(self) -> BehaviourPlan | None:
        """What was to happen."""
        return read_behaviour(self.task)

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

    def said_by(self, role: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, str]]:
        """Index and text of what `role` said in prose, from message `start` to before `end`."""
        for index in range(start, len(self.messages) if end is None else end):
            message = self.messages[index]
            if message["role"] == role and message["content"]:
                yield index, message["content"]

    def next_user(self, index: int) -> int:
        """Index of the first user message after `index`, or the number of messages."""
        later = (n for n in range(index + 1, len(self.messages)) if self.messages[n]["role"] == "user")
        return next(later, len(self.messages))

    def calls_between(self, start: int, end: int) -> Sequence[CallRecord]:
        """The calls made by messages from `start` to before `end`."""
        return [record for record in self.calls if start <= record.message < end]
