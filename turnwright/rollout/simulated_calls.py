"""The calls of a dialogue whose tools a model answers: checks first, then faults, then the simulated environment."""

from collections.abc import Sequence

import orjson

from schemas.config import RunConfig
from schemas.content import digest
from schemas.goals import RowChange
from schemas.messages import CallRecord, Message, ToolResult
from schemas.rows import DialogueTaskRow
from schemas.simulation import LedgerFact, LedgerNotice
from schemas.tools import Side, Tool
from turnwright.environments.faults import SPOILING, FaultCounter, spoil_result
from turnwright.environments.simulation.records import is_within_bounds
from turnwright.models.models import Models
from turnwright.roles.tool_simulator import SimulatorConversation
from turnwright.rollout.arguments import BadArguments, check_by_side, error_result
from turnwright.rollout.prefix import Prefix
from turnwright.rollout.simulated_environment import SimulatedEnvironment
from turnwright.rollout.tool_calls import Answer, NotReproduced, environment_seed, planned_fault, read_behaviour
from turnwright.validation.documents import read_error


class SimulatedCalls:
    """Answers the calls of one dialogue without state but the facts that it has told.

    All chance is in the task's seed and in the draw of the model calls, so a dialogue is rebuilt from the journal.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        task: DialogueTaskRow,
        models: Models,
        config: RunConfig,
        trial: int,
        draw: int | None = None,
    ) -> None:
        """`draw` is the draw index of the model calls, where it is not the trial."""
        self._checkers = check_by_side(tools)
        self._fault = planned_fault(read_behaviour(task))
        self._faults = FaultCounter(self._fault)
        self._task = task
        self._environment = SimulatedEnvironment(
            SimulatorConversation(models, tools, task.id, trial if draw is None else draw),
            seed=f"{environment_seed(task)}:{trial}",
            reference_time=task.reference_time,
            result_bytes=config.limits.result_bytes,
        )
        self._writes: list[tuple[str, str, str]] = []

    @property
    def notices(self) -> tuple[LedgerNotice, ...]:
        """What the simulator got wrong so far."""
        return tuple(self._environment.notices)

    def list_facts(self) -> tuple[LedgerFact, ...]:
        """What is true so far."""
        return self._environment.list_facts()

    async def answer(self, name: str, arguments: str, messages: Sequence[Message], side: Side = "assistant") -> Answer:
        """Answers one call of a side; `messages` is the conversation up to it, with the message that makes the call.

        Raises:
            ContextOverflow: the simulator's conversation has grown too long for its model.
            ModelError: no reply could be had.
        """
        checker = self._checkers[side]
        tool = checker.tools.get(name)
        try:
            checked = checker.check(name, arguments)
        except BadArguments as bad:
            return Answer(error_result(bad.error), tool.effect if tool else None, fault=False)
        assert tool is not None
        spoils = self._fault is not None and self._fault.kind in SPOILING
        if not spoils and (fault := self._faults.strike(name)) is not None:
            return Answer(error_result(fault), tool.effect, fault=True)
        simulated = await self._environment.call(tool, checked, messages)
        result = ToolResult(
            text=simulated.text,
            value=simulated.value,
            error=simulated.error,
            rows_changed=int(simulated.wrote),
        )
        if simulated.wrote:
            self._writes.append((name, arguments, simulated.text))
        spoilt = False
        if self._fault is not None and spoils and tool.effect == "read" and result.error is None:
            spoilt = self._faults.strike(name) is not None
            result = spoil_result(result, self._fault.kind, self._task.reference_time) if spoilt else result
        return Answer(result, tool.effect, spoilt, simulated.replies, simulated.repaired)

    def recall_given(self, messages: Sequence[Message]) -> None:
        """Learns what was answered in a conversation that began elsewhere, so that what follows agrees with it.

        Calls of tools that are not offered, without an answer or with one that is no JSON, tell nothing.
        """
        answers = {
            message.get("tool_call_id"): message["content"] or "" for message in messages if message["role"] == "tool"
        }
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            for call in message.get("tool_calls") or ():
                name, arguments = call["function"]["name"], call["function"]["arguments"]
                checker = self._checkers["assistant"]
                try:
                    checked = checker.check(name, arguments)
                    value = orjson.loads(answers.get(call["id"], ""))
                except (BadArguments, orjson.JSONDecodeError):
                    continue
                if not is_within_bounds(value):
                    continue
                record = CallRecord(
                    message=index,
                    call_id=call["id"],
                    tool=name,
                    arguments=arguments,
                    result=answers[call["id"]],
                    effect=checker.tools[name].effect,
                    error=read_error(value),
                )
                self._environment.recall(checker.tools[name], checked, messages[: index + 1], record)

    async def restore(self, start: Prefix) -> None:
        """Rebuilds what the simulator knows from what it had answered; no model is asked.

        Raises:
            NotReproduced: a fault made by code does not fall on the call on which it fell.
        """
        for record in start.calls:
            if record.hint:
                continue
            tool = self._checkers[record.side].tools.get(record.tool)
            try:
                arguments = self._checkers[record.side].check(record.tool, record.arguments)
            except BadArguments:
                continue
            assert tool is not None
            spoils = self._fault is not None and self._fault.kind in SPOILING
            if spoils and record.fault:
                # What it spoilt nobody knows; whoever keeps such a call keeps the good answer of a later one as well.
                self._faults.strike(record.tool)
                continue
            if (not spoils and self._faults.strike(record.tool) is not None) != record.fault:
                raise NotReproduced(f"{record.tool} ({record.call_id}) fails in another place than it did")
            if record.fault:
                continue
            self._environment.recall(tool, arguments, start.messages[: record.message + 1], record)
            if record.rows_changed:
                self._writes.append((record.tool, record.arguments, record.result))
        known = self._environment.calls_told
        self._environment.notices = [notice for notice in start.notices if notice.call <= known]

    async def final_state(self) -> tuple[str, list[RowChange]]:
        """A digest of the writes, the task's own start where there were none; no rows, because there are none."""
        if not self._writes:
            return self._task.start_digest, []
        return digest(["simulated", self._task.start_digest, self._writes]), []

    async def close(self) -> None:
        """Nothing to give up."""
