"""A valid dialogue that a defect is planted in, read once for all planters."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from pydantic import TypeAdapter

from schemas.goals import BehaviourPlan, Objective
from schemas.messages import CallRecord, Message
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow
from schemas.stateless import Generation
from schemas.tools import Tool
from schemas.vocabulary import SIMULATED
from turnwright.environments.base import Base
from turnwright.rollout.tool_calls import offer_tools
from turnwright.stateless.goal import read_filled_behaviour, read_generation, read_objectives

_CALLS = TypeAdapter(tuple[CallRecord, ...])
_DEEPEST = 40
"""Levels of a result that are read; what lies deeper is nothing that is told to a person."""


class CannotPlant(Exception):
    """A kind of defect has no place in a dialogue; the message says why."""


@dataclass(frozen=True)
class Leaf:
    """A scalar of a result."""

    field: str
    """Name of the field that it stands in; empty in a bare list."""
    value: Any


@dataclass(frozen=True)
class Subject:
    """A dialogue with everything that it rests on. Nothing of it changes."""

    row: DialogueRow
    task: DialogueTaskRow
    toolset: ToolsetRow
    base: Base | None
    """None where the tools are simulated."""

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages, system message first."""
        return tuple(cast("list[Message]", json.loads(self.row.messages)))

    @cached_property
    def calls(self) -> tuple[CallRecord, ...]:
        """The executed calls in their order."""
        return _CALLS.validate_json(self.row.calls)

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """What the user pursues; in a stateless dialogue, what its turns were planned for."""
        return read_objectives(self.task, self._generation, self.tools)

    @cached_property
    def behaviour(self) -> BehaviourPlan | None:
        """What is to happen in the dialogue."""
        return self.read_behaviour(self.task)

    def read_behaviour(self, task: DialogueTaskRow) -> BehaviourPlan | None:
        """What a form of the task wants to happen; in a stateless dialogue, with what its turn made of it."""
        return read_filled_behaviour(task, self._generation)

    @cached_property
    def _generation(self) -> Generation | None:
        return read_generation(self.row)

    @cached_property
    def tools(self) -> dict[str, Tool]:
        """The assistant's tools by name."""
        return {tool.name: tool for tool in offer_tools(self.toolset, self.task) if tool.side == "assistant"}

    @property
    def simulated(self) -> bool:
        """Whether no environment can answer a call again."""
        return self.row.paradigm in SIMULATED or self.base is None

    @cached_property
    def answers(self) -> tuple[int, ...]:
        """Indexes of the assistant's messages that are prose alone."""
        return tuple(
            index
            for index, message in enumerate(self.messages)
            if message["role"] == "assistant" and not message.get("tool_calls") and message["content"]
        )

    @cached_property
    def requests(self) -> tuple[int, ...]:
        """Indexes of the user's messages."""
        return tuple(index for index, message in enumerate(self.messages) if message["role"] == "user")

    @cached_property
    def closing(self) -> int:
        """Index of the user's last message where it ends the dialogue; else the number of messages."""
        if self.row.paradigm == "task_oriented" or len(self.requests) < 2:
            return len(self.messages)
        return self.requests[-1]

    @cached_property
    def reports(self) -> tuple[int, ...]:
        """The answers before the closing that follow some call."""
        first = min((call.message for call in self.calls), default=len(self.messages))
        return tuple(index for index in self.answers if first < index < self.closing)

    @cached_property
    def planned_tools(self) -> frozenset[str]:
        """Tools of the planned calls that the person asks for, be it in other words."""
        return frozenset(call.tool for item in self.objectives for call in item.calls if not call.lookup)

    @cached_property
    def leaves(self) -> tuple[tuple[Leaf, ...], ...]:
        """The scalars of each call's result."""
        return tuple(tuple(list_leaves(read_json(call.result))) for call in self.calls)

    def leaves_before(self, index: int) -> list[Leaf]:
        """Scalars of the results that the assistant had before a message."""
        return [
            leaf
            for call, found in zip(self.calls, self.leaves, strict=True)
            if call.message < index and not call.error
            for leaf in found
        ]

    @cached_property
    def text(self) -> str:
        """Everything that was said, called, returned or planned: a value that stands in it is not invented."""
        return "\n".join([self.row.messages, self.row.calls, self.task.objectives, self.row.generation])


def read_json(text: str) -> Any:
    """The value of a JSON text; none where it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def list_leaves(value: Any, field: str = "", depth: int = 0) -> Iterator[Leaf]:
    """The scalars of a JSON value, in their order."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from list_leaves(item, key, depth + 1)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from list_leaves(item, field, depth + 1)
    elif value is not None:
        yield Leaf(field, value)
