"""Runs the tool calls of one dialogue: checks first, environment second, one result for each."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import TypeAdapter

from schemas.goals import Beginning, BehaviourPlan, RowChange
from schemas.messages import Message, ToolResult
from schemas.rows import DialogueTaskRow, ToolsetRow
from schemas.stateless import Scenario
from schemas.tools import Side, Tool
from schemas.vocabulary import ARMS, Effect
from turnwright.environments.base import Base, Fault
from turnwright.environments.faults import SPOILING, FaultCounter, spoil_result
from turnwright.environments.threads import run_blocking
from turnwright.models.reply import ModelReply
from turnwright.rollout.arguments import BadArguments, check_by_side, error_result
from turnwright.rollout.prefix import Prefix
from turnwright.tools.toolsets import read_tools
from turnwright.validation.documents import read_document
from turnwright.validation.values import values_equal


class NotReproduced(Exception):
    """A stored dialogue cannot be gone on from: its calls do not lead to where they led."""


_PLAN = TypeAdapter(BehaviourPlan | None)
_FAULT = TypeAdapter(Fault)


def offer_tools(toolset: ToolsetRow, task: DialogueTaskRow) -> tuple[Tool, ...]:
    """The tools that are offered in the dialogue of a task: those of its toolset but for the ones taken away."""
    removed = set(list_removed(task, toolset))
    tools = read_tools(toolset)
    return tuple(tool for tool in tools if tool.name not in removed) if removed else tools


def list_removed(task: DialogueTaskRow, toolset: ToolsetRow | None = None) -> list[str]:
    """Names of the toolset's tools that the dialogue goes without, sorted; with a scenario, all that it leaves out."""
    if task.scenario != "null" and toolset is not None:
        kept = set(Scenario.model_validate_json(task.scenario).tools)
        return sorted(tool.name for tool in read_tools(toolset) if tool.name not in kept)
    plan = read_behaviour(task)
    return sorted(plan.detail["tools"]) if plan is not None and plan.name == "removed_tool" else []


def read_policy(task: DialogueTaskRow) -> str | None:
    """The rule that stands in the assistant's system prompt of this dialogue alone, or none."""
    plan = read_behaviour(task)
    # A domain has its policy in the system prompt anyway: its plans name none.
    return plan.detail.get("policy") or None if plan is not None and plan.name == "forbidden_action" else None


def read_behaviour(task: DialogueTaskRow) -> BehaviourPlan | None:
    """What is to happen in the dialogue, or none."""
    return None if task.behaviour_plan == "null" else _PLAN.validate_json(task.behaviour_plan)


def read_beginning(task: DialogueTaskRow) -> Beginning | None:
    """The messages that the dialogue of a task starts from, or none."""
    return None if task.beginning == "null" else Beginning.model_validate_json(task.beginning)


def planned_fault(plan: BehaviourPlan | None) -> Fault | None:
    """The failure that code is to make, for a `tool_fault` plan."""
    if plan is None or plan.name != "tool_fault":
        return None
    return _FAULT.validate_python({key: plan.detail[key] for key in ("tool", "kind", "times") if key in plan.detail})


@dataclass(frozen=True)
class Answer:
    """What one call gave."""

    result: ToolResult
    effect: Effect | None
    """None for a tool that is not offered."""
    fault: bool
    """The error was made by code."""
    replies: tuple[ModelReply, ...] = ()
    """What models said for it."""
    repaired: int = 0
    """Malformed replies among them that a repair call mended."""


class CallRunner(Protocol):
    """Answers the calls of one dialogue while it runs."""

    async def answer(self, name: str, arguments: str, messages: Sequence[Message], side: Side = "assistant") -> Answer:
        """Answers one call of a side; `messages` is the conversation up to it. Never raises for what it did wrong."""
        ...

    async def restore(self, start: Prefix) -> None:
        """Reaches the state that a stored beginning had led to; before the first call.

        Raises:
            NotReproduced: its calls give other results than they gave.
        """
        ...

    async def final_state(self) -> tuple[str, list[RowChange]]:
        """Digest of the state, and the rows that differ from the base."""
        ...

    async def close(self) -> None:
        """Gives up what it holds."""
        ...


class ToolRunner:
    """Answers the calls of one dialogue on a fresh environment of its own.

    The same calls in the same order give the same answers wherever and whenever they are made: the environment's seed
    and reference time are the task's, and so is the fault. Rollout and replay both go through here. Methods block.
    """

    def __init__(self, base: Base, tools: Sequence[Tool], task: DialogueTaskRow) -> None:
        fault = planned_fault(read_behaviour(task))
        self._fault = fault
        self._reference_time = task.reference_time
        self._lock = threading.Lock()  # a cancelled rollout closes while its last call may still run on its thread
        self._checkers = check_by_side(tools)
        self._faults = FaultCounter(fault)
        self._environment = base.open(
            tools,
            seed=environment_seed(task),
            reference_time=task.reference_time,
            fault=fault if fault is not None and fault.kind not in SPOILING else None,
        )

    def answer(self, name: str, arguments: str, side: Side = "assistant") -> Answer:
        """Runs one call of a side; `arguments` is the text that the model wrote.

        Never raises for what the call did wrong. To the one side the tools of the other do not exist.
        """
        checker = self._checkers[side]
        tool = checker.tools.get(name)
        effect = tool.effect if tool else None
        try:
            checked = checker.check(name, arguments)
        except BadArguments as error:
            return Answer(error_result(error.error), effect, fault=False)
        with self._lock:
            if self._fault is not None and self._fault.kind in SPOILING:
                return self._answer_spoilt(self._fault, name, checked, effect)
            fault = self._faults.strike(name) is not None
            return Answer(self._environment.call(name, checked), effect, fault)

    def _answer_spoilt(self, fault: Fault, name: str, arguments: dict[str, Any], effect: Effect | None) -> Answer:
        """A call of a dialogue in which results are spoilt: only a read that worked can be."""
        result = self._environment.call(name, arguments)
        if effect != "read" or result.error is not None or self._faults.strike(name) is None:
            return Answer(result, effect, fault=False)
        return Answer(spoil_result(result, fault.kind, self._reference_time), effect, fault=True)

    def restore(self, start: Prefix) -> None:
        """Makes the calls of a stored beginning once more. Blocks.

        Raises:
            NotReproduced: one gives another result than it gave.
        """
        for record in start.calls:
            if record.hint:
                continue
            answer = self.answer(record.tool, record.arguments, record.side)
            same = answer.result.text == record.result or values_equal(
                read_document(answer.result.text), read_document(record.result)
            )
            if not same or answer.fault != record.fault:
                raise NotReproduced(f"{record.tool} ({record.call_id}) gives another result than it gave")

    def final_state(self) -> tuple[str, list[RowChange]]:
        """Digest of the state, and the rows that differ from the base."""
        with self._lock:
            return self._environment.state_digest(), self._environment.changes()

    def close(self) -> None:
        """Gives up the environment."""
        with self._lock:
            self._environment.close()


class ExecutedCalls:
    """The calls of a dialogue whose tools really run: a ToolRunner, off the event loop."""

    def __init__(self, runner: ToolRunner) -> None:
        self._runner = runner

    @classmethod
    async def open(cls, base: Base, tools: Sequence[Tool], task: DialogueTaskRow) -> "ExecutedCalls":
        """Opens the dialogue's environment."""
        return cls(await run_blocking(ToolRunner, base, tools, task))

    async def answer(
        self,
        name: str,
        arguments: str,
        messages: Sequence[Message],  # noqa: ARG002
        side: Side = "assistant",
    ) -> Answer:
        """Runs one call; what was said does not matter to it."""
        return await run_blocking(self._runner.answer, name, arguments, side)

    async def restore(self, start: Prefix) -> None:
        """Makes the calls of a stored beginning once more: the state is their log.

        Raises:
            NotReproduced: they give other results than they gave.
        """
        await run_blocking(self._runner.restore, start)

    async def final_state(self) -> tuple[str, list[RowChange]]:
        """Digest of the state, and the rows that differ from the base."""
        return await run_blocking(self._runner.final_state)

    async def close(self) -> None:
        """Gives up the environment."""
        await run_blocking(self._runner.close)


def environment_seed(task: DialogueTaskRow) -> str:
    """What random values in SQL depend on: the slot, so that proof, every trial and replay draw the same."""
    # The dialogues of a set of twins live in the same world.
    slot = task.slot - task.slot % len(ARMS) if task.arm else task.slot
    return f"{task.seed}:{task.toolset_id}:{slot}"
