"""One turn of a stateless dialogue, in the order of TC: plan, hide, request, translate back, execute, summarise."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from schemas.config import RunConfig
from schemas.goals import Persona, PlannedCall
from schemas.messages import Message
from schemas.replies import PlanDraft, RequestDraft, SummaryDraft
from schemas.rows import DialogueTaskRow
from schemas.stateless import ErrorHint, GenerationStage, Scenario, TurnPlan
from schemas.tools import Tool
from turnwright.models.errors import ContextOverflow
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.roles.back_translator import ask_for_calls, translate_back
from turnwright.roles.planner import ask_for_plan, plan_turn
from turnwright.roles.requester import ask_for_request, write_request
from turnwright.roles.summariser import ask_for_summary, summarise
from turnwright.rollout.conversation import replace_surrogates
from turnwright.rollout.tool_calls import CallRunner
from turnwright.stateless.acceptance import check_plan
from turnwright.stateless.back_translation import check_recovered, find_hidden_again, is_same_plan
from turnwright.stateless.candidates import Account, Candidate, draw_candidates
from turnwright.stateless.error_hints import draw_hints
from turnwright.stateless.execution import ExecutionFailed, Progress, run_plan
from turnwright.stateless.hiding import draw_hidden
from turnwright.stateless.plans import Problem, find_sinks, list_references, read_plan
from turnwright.stateless.request_checks import check_request
from turnwright.stateless.summaries import check_summary, count_told

V = TypeVar("V")

_DRAWS_A_TRY = 100
"""Room for draw indexes: attempts and trials never share one."""


class TurnFailed(Exception):
    """No candidate of a step was valid."""

    def __init__(self, stage: GenerationStage) -> None:
        super().__init__(stage)
        self.stage: GenerationStage = stage


@dataclass(frozen=True)
class Spoken:
    """A turn before anything is carried out: what is said, and the calls that answer it."""

    request: str
    calls: tuple[PlannedCall, ...]
    planned: tuple[PlannedCall, ...]
    """As the planner had it; empty where it is the same."""
    hints: tuple[ErrorHint, ...]


@dataclass(frozen=True)
class TurnMaker:
    """What all turns of a dialogue have in common."""

    task: DialogueTaskRow
    scenario: Scenario
    persona: Persona
    tools: Mapping[str, Tool]
    """Those that are offered, by name."""
    models: Models
    config: RunConfig
    trial: int
    account: Account

    async def speak(self, turn: int, attempt: int, progress: Progress, said: Sequence[tuple[str, str]]) -> Spoken:
        """Plans a turn and puts it into words (TC, plan to back-translate).

        Args:
            turn: from 0.
            attempt: which try at this turn, from 0; another one draws anew.
            progress: the dialogue so far.
            said: requests and answers so far.

        Raises:
            TurnFailed: a step has no valid candidate; the reasons stand in the account.
            ModelError: no reply could be had.
        """
        rng = random.Random(f"{self.task.seed}:{self.task.toolset_id}:{self.task.reference_time}:{turn}:{attempt}")
        most = max(2, self.scenario.lengths[turn])
        planned = await self._plan(turn, attempt, progress, said, most)
        hidden = frozenset[str]()
        if self.config.stateless.implicit_calls:
            hidden = draw_hidden(planned, rng, first=turn == 0)
        request = await self._request(turn, attempt, planned, hidden, said)
        calls, others = planned, list[tuple[PlannedCall, ...]]()
        if self.config.stateless.back_translation:
            calls, others = await self._translate_back(turn, attempt, planned, request, progress, most)
            hidden = find_hidden_again(calls, planned, hidden)
        calls = tuple(call.model_copy(update={"lookup": call.id in hidden}) for call in calls)
        count = self.scenario.hints if turn == self.hinted_turn else 0
        hints = draw_hints(calls, others, self.tools, progress.earlier, count, rng) if count else ()
        return Spoken(request, calls, () if is_same_plan(planned, calls) else planned, hints)

    @property
    def hinted_turn(self) -> int:
        """The turn into which wrong calls are put: drawn with the scenario's own chance."""
        return random.Random(f"{self.task.id}:hints").randrange(len(self.scenario.lengths))

    async def perform(
        self, turn: int, attempt: int, spoken: Spoken, progress: Progress, runner: CallRunner
    ) -> tuple[Progress, TurnPlan]:
        """Carries out what was asked for and tells the outcome (TC, execute and summarise).

        Raises:
            TurnFailed: a call cannot be made, or no summary is valid; the reasons stand in the account.
            ModelError: no reply could be had.
        """
        start = replace(progress, conversation=progress.conversation.add_user(spoken.request))
        parallel = self.task.behaviour == "parallel_calls"
        self.account.candidates["execution"] = self.account.candidates.get("execution", 0) + 1
        try:
            self._check_length(spoken, progress)
            done = await run_plan(
                start, spoken.calls, self.tools, runner, spoken.hints, count=self.account.count, parallel=parallel
            )
        except (ExecutionFailed, ContextOverflow) as failure:
            overflow = Problem("context_overflow", str(failure))
            problem = failure.problem if isinstance(failure, ExecutionFailed) else overflow
            self.account.reject(turn, "execution", attempt, 0, [problem])
            raise TurnFailed("execution") from failure
        summary = await self._summarise(turn, attempt, spoken, progress, done)
        plan = TurnPlan(
            calls=spoken.calls, planned=spoken.planned, request=spoken.request, summary=summary, hints=spoken.hints
        )
        return replace(done, conversation=done.conversation.add_assistant(summary)), plan

    def _check_length(self, spoken: Spoken, progress: Progress) -> None:
        """A turn that would go beyond `limits.turns` is not begun.

        Raises:
            ExecutionFailed: it would.
        """
        coming = 2 + 2 * (len(spoken.calls) + len(spoken.hints))
        if progress.conversation.turns + coming > self.config.limits.turns:
            text = f"the dialogue would have more than {self.config.limits.turns} turns"
            raise ExecutionFailed(Problem("turn_limit", text))

    async def _plan(
        self, turn: int, attempt: int, progress: Progress, said: Sequence[tuple[str, str]], most: int
    ) -> tuple[PlannedCall, ...]:
        messages = ask_for_plan(
            list(self.tools.values()),
            self.scenario.links,
            self.persona,
            self.task.reference_time,
            [request for request, _ in said],
            progress.earlier,
            self.scenario.values,
            most,
        )

        def read(draft: PlanDraft) -> Candidate[tuple[PlannedCall, ...]]:
            plan = read_plan(draft, self.tools, progress.earlier)
            problems = (*plan.problems, *check_plan(plan.calls, self.tools, progress.earlier, most=most))
            references = sum(len(list_references(call)) for call in plan.calls)
            # As long as the turn may be, and closely knit.
            return Candidate(plan.calls, problems, (len(plan.calls), references))

        best, _ = await self._draw(plan_turn, messages, read, stage="plan", turn=turn, attempt=attempt, remaining=4)
        return best

    async def _request(
        self,
        turn: int,
        attempt: int,
        planned: Sequence[PlannedCall],
        hidden: frozenset[str],
        said: Sequence[tuple[str, str]],
    ) -> str:
        asked = [call for call in planned if call.id not in hidden]
        sinks = {call.id for call in find_sinks(planned)}
        asked.sort(key=lambda call: call.id not in sinks)  # what the user is after in the end comes first
        kept_back = [call for call in planned if call.id in hidden]
        now = self.task.reference_time
        messages = ask_for_request(asked, kept_back, self.tools, self.persona, now, said)
        earlier = {request.strip() for request, _ in said}

        def read(draft: RequestDraft) -> Candidate[str]:
            text = " ".join(replace_surrogates(draft.request).split())
            problems = check_request(text, asked, kept_back, self.tools, first=turn == 0, now=now)
            if text in earlier:
                problems.append(Problem("repeated_request", "the same was said before"))
            return Candidate(text, tuple(problems), (-float(len(text)),))

        best, _ = await self._draw(
            write_request, messages, read, stage="request", turn=turn, attempt=attempt, remaining=3
        )
        return best

    async def _translate_back(
        self,
        turn: int,
        attempt: int,
        planned: tuple[PlannedCall, ...],
        request: str,
        progress: Progress,
        most: int,
    ) -> tuple[tuple[PlannedCall, ...], list[tuple[PlannedCall, ...]]]:
        """The recovered plan, and what the other candidates made of the request."""
        # What the planner was held to, the translator need not know better: another way may take a call more.
        bound = max(most, len(planned) + 1)
        messages = ask_for_calls(list(self.tools.values()), self.scenario.links, request, progress.earlier, bound)

        def read(draft: PlanDraft) -> Candidate[tuple[PlannedCall, ...]]:
            plan = read_plan(draft, self.tools, progress.earlier)
            problems = check_recovered(plan.calls, planned, self.tools, progress.earlier, most=bound)
            same = is_same_plan(plan.calls, planned)
            return Candidate(plan.calls, (*plan.problems, *problems), (float(same), -len(plan.calls)))

        return await self._draw(
            translate_back, messages, read, stage="back_translation", turn=turn, attempt=attempt, remaining=2
        )

    async def _summarise(self, turn: int, attempt: int, spoken: Spoken, before: Progress, done: Progress) -> str:
        made = done.earlier[len(before.earlier) :]
        messages = ask_for_summary(spoken.request, made)

        def read(draft: SummaryDraft) -> Candidate[str]:
            text = " ".join(replace_surrogates(draft.summary).split())
            return Candidate(text, tuple(check_summary(text, self.tools)), (count_told(text, made), -float(len(text))))

        best, _ = await self._draw(summarise, messages, read, stage="summary", turn=turn, attempt=attempt, remaining=1)
        return best

    async def _draw(
        self,
        ask: Callable[..., Awaitable[StructuredReply[Any]]],
        messages: Sequence[Message],
        read: Callable[[Any], Candidate[V]],
        *,
        stage: GenerationStage,
        turn: int,
        attempt: int,
        remaining: float,
    ) -> tuple[V, list[V]]:
        """The best valid candidate of a step, and what the others said.

        Raises:
            TurnFailed: none is valid; the reasons stand in the account.
            ModelError: no reply could be had.
        """
        drawn = await draw_candidates(
            lambda draw: ask(
                self.models, messages, draw=self._number(attempt, draw), unit=self.task.id, remaining=remaining
            ),
            read,
            account=self.account,
            turn=turn,
            stage=stage,
            attempt=attempt,
            count=self.config.stateless.candidates,
        )
        if drawn.best is None:
            raise TurnFailed(stage)
        return drawn.best, list(drawn.others)

    def _number(self, attempt: int, draw: int) -> int:
        """The draw index of a call: trials, attempts and candidates never share one."""
        return (self.trial * _DRAWS_A_TRY) + attempt * self.config.stateless.candidates + draw
