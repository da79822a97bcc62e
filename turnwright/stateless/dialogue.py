"""Generates one stateless dialogue, turn by turn, and rescues it to its last complete turn where one fails (TC)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

import prompts
from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.goals import Persona
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow
from schemas.stateless import Closing, Generation, Scenario, TurnPlan
from schemas.tools import Tool
from schemas.vocabulary import Ending
from turnwright.environments.base import Base
from turnwright.models.models import Models
from turnwright.roles import assistant
from turnwright.rollout.behaviours import behaviour_occurred
from turnwright.rollout.conversation import Conversation
from turnwright.rollout.prefix import Prefix
from turnwright.rollout.simulated_calls import SimulatedCalls
from turnwright.rollout.tool_calls import ExecutedCalls, list_removed, offer_tools, read_behaviour
from turnwright.stateless.behaviours import fill_behaviour
from turnwright.stateless.candidates import Account
from turnwright.stateless.exchanges import close
from turnwright.stateless.execution import Progress
from turnwright.stateless.objectives import state_objectives
from turnwright.stateless.steps import Steps, Try, TurnFailed
from turnwright.stateless.turns import Spoken, TurnMaker
from turnwright.tools.toolsets import read_tools

_CLOSING_TURNS = 2
"""Messages with which a reactive user's dialogue ends."""


async def simulate_stateless(
    task: DialogueTaskRow,
    toolset: ToolsetRow,
    base: Base | None,
    models: Models,
    config: RunConfig,
    trial: int = 0,
) -> DialogueRow:
    """One dialogue of a stateless task; `trial` tells repeated ones apart.

    Plans are always made against simulated tools. The executed arm of twins (`base` is given) then carries out the very
    same plans and requests on the database: its model calls up to there are those of its twin, and cost nothing twice.

    A turn is tried `stateless.attempts` times; then the dialogue ends with the turn before it. Without any complete
    turn the row has the ending `generation_failed`. What is not the dialogue's own doing is raised:

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
        SourceError: the environment's database could not be reached.
    """
    tools = offer_tools(toolset, task)
    rollout = _Rollout(task, tools, _find_removed(task, toolset), models, config, trial)
    try:
        await rollout.generate()
        if base is not None:
            await rollout.execute(base)
        return await rollout.make_row(toolset)
    finally:
        await rollout.close()


def _find_removed(task: DialogueTaskRow, toolset: ToolsetRow) -> Tool | None:
    """The tool that a request is planned for although it is not offered (removed_tool)."""
    plan = read_behaviour(task)
    if plan is None or plan.name != "removed_tool":
        return None
    return next(tool for tool in read_tools(toolset) if tool.name == plan.detail["tools"][0])


class _Rollout:
    """One dialogue while it is made."""

    def __init__(
        self,
        task: DialogueTaskRow,
        tools: Sequence[Tool],
        removed: Tool | None,
        models: Models,
        config: RunConfig,
        trial: int,
    ) -> None:
        self._task = task
        self._tools = tools
        self._models = models
        self._config = config
        self._trial = trial
        self._scenario = Scenario.model_validate_json(task.scenario)
        self._account = Account()
        self._start = Progress(Conversation.start(assistant.system_prompt(task.domain, task.reference_time)))
        self._progress = self._start
        self._plans: list[TurnPlan] = []
        self._spoken: list[Spoken] = []
        self._steps = Steps(
            task=task,
            scenario=self._scenario,
            persona=Persona.model_validate_json(task.persona),
            tools={tool.name: tool for tool in tools if tool.side == "assistant"},
            models=models,
            config=config,
            trial=trial,
            account=self._account,
            behaviour=read_behaviour(task),
            removed=removed,
        )
        self._maker = TurnMaker(self._steps)
        self._closing: Closing | None = None
        self._runner: SimulatedCalls | ExecutedCalls = self._simulate()

    async def generate(self) -> None:
        """Makes the turns, against simulated tools."""
        for turn in range(len(self._scenario.lengths)):
            if not await self._make_turn(turn):
                break
        if self._steps.reactive and self._name_ending()[0] == "task_complete":
            await self._close()

    async def execute(self, base: Base) -> None:
        """Carries out what was planned and said on a database, from the start; a turn that fails there ends it."""
        self._progress, self._plans = self._start, []
        await self._runner.close()
        self._runner = await ExecutedCalls.open(base, self._tools, self._task)
        for turn, spoken in enumerate(self._spoken):
            try:
                await self._perform(turn, 0, spoken)
            except TurnFailed:
                await self._runner.close()
                self._runner = await ExecutedCalls.open(base, self._tools, self._task)
                await self._runner.restore(self._rescue())
                return

    async def make_row(self, toolset: ToolsetRow) -> DialogueRow:
        """The row of what there is."""
        task, conversation = self._task, self._progress.conversation
        generation = Generation(
            turns=tuple(self._plans),
            wanted=len(self._scenario.lengths),
            candidates=dict(sorted(self._account.candidates.items())),
            rejections=tuple(self._account.rejections),
            closing=self._closing,
        )
        plan = fill_behaviour(read_behaviour(task), generation)
        objectives = state_objectives(generation, self._steps.tools)
        final_digest, changes = await self._runner.final_state()
        calls = self._progress.records
        ending, detail = self._name_ending()
        columns: dict[str, Any] = {
            "role": "summariser",
            "model": self._models.name_of("summariser"),
            "prompt_digest": prompts.prompt_digest("summariser"),
            "seed": self._config.seed,
            "model_calls": self._account.model_calls,
            "dialogue_task_id": task.id,
            "toolset_id": toolset.id,
            "seed_id": task.seed_id,
            "domain": task.domain,
            "paradigm": task.paradigm,
            "slot": task.slot,
            "trial": self._trial,
            "difficulty": task.difficulty,
            "behaviour": task.behaviour,
            "behaviour_occurred": behaviour_occurred(plan, objectives, conversation.messages, calls),
            "messages": orjson.dumps(conversation.messages).decode(),
            "calls": canonical_json([record.model_dump(mode="json") for record in calls]),
            "ending": ending,
            "detail": detail,
            "turns": conversation.turns,
            "requests": conversation.requests,
            "steps": conversation.steps,
            "task_count": len(self._plans),
            "final_digest": final_digest,
            "changes": canonical_json([change.model_dump(mode="json") for change in changes]),
            "prompt_tokens": self._account.prompt_tokens,
            "completion_tokens": self._account.completion_tokens,
            "repairs": self._account.repairs,
            "removed_tools": list_removed(task, toolset),
            "generation": canonical_json(generation.model_dump(mode="json")),
            "arm": task.arm,
        }
        if isinstance(self._runner, SimulatedCalls):
            columns |= {
                "facts": canonical_json([fact.model_dump(mode="json") for fact in self._runner.list_facts()]),
                "notices": canonical_json([notice.model_dump(mode="json") for notice in self._runner.notices]),
            }
        return DialogueRow(id=content_id("dialogue", columns), **columns)

    async def close(self) -> None:
        """Gives up the environment."""
        await self._runner.close()

    async def _make_turn(self, turn: int) -> bool:
        """Whether a turn came about, in one of its attempts."""
        for attempt in range(self._config.stateless.attempts):
            try:
                withholds = self._withholds(turn, attempt)
                spoken = await self._maker.speak(turn, attempt, self._progress, self._list_said(), withholds=withholds)
            except TurnFailed:
                continue
            try:
                await self._perform(turn, attempt, spoken)
            except TurnFailed:
                # What the failed turn did must leave no trace: the world is built again from what is kept.
                await self._runner.close()
                self._runner = self._simulate()
                await self._runner.restore(self._rescue())
                continue
            self._spoken.append(spoken)
            return True
        return False

    def _withholds(self, turn: int, attempt: int) -> bool:
        """Whether the request of a try leaves a value out (missing_parameter).

        It is the planned turn, or the first one after it whose plan has a value to leave out: the last try at a turn is
        made without.
        """
        plan = self._steps.behaviour
        if plan is None or plan.name != "missing_parameter" or turn < plan.objective:
            return False
        tries = self._config.stateless.attempts
        return not any(made.clarification for made in self._plans) and (attempt < tries - 1 or tries == 1)

    async def _close(self) -> None:
        """The user closes the dialogue; where they find no words for it, it ends with the last turn."""
        turns = self._config.limits.turns
        if self._progress.conversation.turns + _CLOSING_TURNS > turns:
            return
        for attempt in range(self._config.stateless.attempts):
            try:
                self._closing = await close(self._steps, Try(len(self._plans), attempt), self._list_said())
            except TurnFailed:
                continue
            talk = self._progress.conversation.add_user(self._closing.farewell)
            self._progress = replace(self._progress, conversation=talk.add_assistant(self._closing.goodbye))
            return

    def _list_said(self) -> list[tuple[str, str]]:
        return [exchange for plan in self._plans for exchange in plan.exchanges]

    async def _perform(self, turn: int, attempt: int, spoken: Spoken) -> None:
        self._progress, plan = await self._maker.perform(turn, attempt, spoken, self._progress, self._runner)
        self._plans.append(plan)

    def _simulate(self) -> SimulatedCalls:
        return SimulatedCalls(self._tools, self._task, self._models, self._config, self._trial)

    def _rescue(self) -> Prefix:
        """What is kept: the complete turns."""
        notices = self._runner.notices if isinstance(self._runner, SimulatedCalls) else ()
        return Prefix(messages=self._progress.conversation.messages, calls=self._progress.records, notices=notices)

    def _name_ending(self) -> tuple[Ending, str]:
        if any(plan.refusal is None for plan in self._plans):
            return "task_complete", ""
        last = self._account.rejections[-1] if self._account.rejections else None
        reason = f"{last.stage}.{last.code}: {last.explanation}" if last else "no turn came about"
        what = "no complete turn but the one that is declined" if self._plans else "no complete turn"
        return "generation_failed", f"{what}; {reason}"
