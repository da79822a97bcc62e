"""One turn of a stateless dialogue, in the order of TC: plan, hide, request, translate back, execute, summarise.

Beyond TC a turn may leave a value out of its request until the assistant asks for it, or ask for what no tool can do.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.goals import PlannedCall
from schemas.replies import PlanDraft, SummaryDraft
from schemas.stateless import Clarification, TurnPlan
from turnwright.models.errors import ContextOverflow
from turnwright.roles.back_translator import Line
from turnwright.roles.planner import ask_for_plan
from turnwright.roles.requester import ask_for_request
from turnwright.roles.summariser import ask_for_summary
from turnwright.rollout.conversation import join_prose
from turnwright.rollout.tool_calls import CallRunner
from turnwright.stateless.acceptance import check_plan
from turnwright.stateless.back_translation import check_recovered, find_hidden_again, find_literal, is_same_plan
from turnwright.stateless.candidates import Candidate
from turnwright.stateless.declined_turns import speak_in_vain
from turnwright.stateless.error_hints import draw_hints
from turnwright.stateless.exchanges import Said, answer_back, ask_back
from turnwright.stateless.execution import ExecutionFailed, Progress, run_plan
from turnwright.stateless.hiding import draw_hidden
from turnwright.stateless.plan_schema import plan_schema
from turnwright.stateless.plans import Problem, find_sinks, list_references, read_plan
from turnwright.stateless.requests import Plan, Spoken, draw_recovered, draw_request, list_talk
from turnwright.stateless.steps import Steps, Try, TurnFailed
from turnwright.stateless.summaries import check_summary, count_told
from turnwright.stateless.withholding import Withheld, draw_withheld, leave_out, list_withholdable


@dataclass(frozen=True)
class TurnMaker:
    """Makes the turns of a dialogue."""

    steps: Steps

    async def speak(self, turn: int, attempt: int, progress: Progress, said: Said, *, withholds: bool) -> Spoken:
        """Plans a turn and puts it into words (TC, plan to back-translate).

        Args:
            turn: from 0.
            attempt: which try at this turn, from 0; another one draws anew.
            progress: the dialogue so far.
            said: requests and answers so far.
            withholds: whether the request is to leave a value out.

        Raises:
            TurnFailed: a step has no valid candidate; the reasons stand in the account.
            ModelError: no reply could be had.
        """
        steps, place = self.steps, Try(turn, attempt)
        if steps.happens("out_of_scope", turn) or steps.happens("removed_tool", turn):
            return await speak_in_vain(steps, place, progress, said)
        task = steps.task
        rng = random.Random(f"{task.seed}:{task.toolset_id}:{task.reference_time}:{turn}:{attempt}")
        most = max(2, steps.scenario.lengths[turn])
        planned = await self._plan(place, progress, said, most, withholds=withholds)
        hidden, withheld = frozenset[str](), None
        if steps.config.stateless.implicit_calls:
            hidden = draw_hidden(planned, rng, first=turn == 0)
        if withholds:
            able = self._list_withholdable(planned, progress)
            withheld, hidden = draw_withheld(able, planned, hidden, rng, first=turn == 0)
        request = await self._request(place, planned, hidden, said, withheld)
        question = answer = ""
        if withheld is not None:
            question = await ask_back(steps, place, request, withheld, said)
            answer = await answer_back(steps, place, request, question, withheld, said)
        calls, others = planned, list[Plan]()
        if steps.config.stateless.back_translation:
            talk = list_talk(request, question, answer, said if steps.reactive else ())
            calls, others = await self._translate_back(place, planned, request, talk, progress, most)
            hidden = find_hidden_again(calls, planned, hidden)
        calls = tuple(call.model_copy(update={"lookup": call.id in hidden}) for call in calls)
        count = steps.scenario.hints if turn == self.hinted_turn else 0
        hints = draw_hints(calls, others, steps.tools, progress.earlier, count, rng) if count else ()
        return Spoken(
            request,
            calls,
            () if is_same_plan(planned, calls) else planned,
            hints,
            None if withheld is None else _tell_clarification(withheld, calls, question, answer),
        )

    @property
    def hinted_turn(self) -> int:
        """The turn into which wrong calls are put: drawn with the scenario's own chance."""
        return random.Random(f"{self.steps.task.id}:hints").randrange(len(self.steps.scenario.lengths))

    async def perform(
        self, turn: int, attempt: int, spoken: Spoken, progress: Progress, runner: CallRunner
    ) -> tuple[Progress, TurnPlan]:
        """Carries out what was asked for and tells the outcome (TC, execute and summarise).

        Raises:
            TurnFailed: a call cannot be made, or no summary is valid; the reasons stand in the account.
            ModelError: no reply could be had.
        """
        account, place = self.steps.account, Try(turn, attempt)
        conversation = progress.conversation.add_user(spoken.request)
        if spoken.clarification is not None:
            conversation = conversation.add_assistant(spoken.clarification.question)
            conversation = conversation.add_user(spoken.clarification.answer)
        parallel = self.steps.task.behaviour == "parallel_calls"
        account.candidates["execution"] = account.candidates.get("execution", 0) + 1
        try:
            self._check_length(spoken, progress)
            done = await run_plan(
                replace(progress, conversation=conversation),
                spoken.calls,
                self.steps.tools,
                runner,
                spoken.hints,
                count=account.count,
                parallel=parallel,
            )
        except (ExecutionFailed, ContextOverflow) as failure:
            overflow = Problem("context_overflow", str(failure))
            problem = failure.problem if isinstance(failure, ExecutionFailed) else overflow
            account.reject(turn, "execution", attempt, 0, [problem])
            raise TurnFailed("execution") from failure
        summary = spoken.refused or await self._summarise(place, spoken, progress, done)
        plan = TurnPlan(
            calls=spoken.calls,
            planned=spoken.planned,
            request=spoken.request,
            summary=summary,
            hints=spoken.hints,
            clarification=spoken.clarification,
            refusal=spoken.refusal,
        )
        return replace(done, conversation=done.conversation.add_assistant(summary)), plan

    def _check_length(self, spoken: Spoken, progress: Progress) -> None:
        """A turn that would go beyond `limits.turns` is not begun.

        Raises:
            ExecutionFailed: it would.
        """
        most = self.steps.config.limits.turns
        asked = 2 if spoken.clarification is not None else 0
        coming = 2 + asked + 2 * (len(spoken.calls) + len(spoken.hints))
        if progress.conversation.turns + coming > most:
            raise ExecutionFailed(Problem("turn_limit", f"the dialogue would have more than {most} turns"))

    async def _plan(self, place: Try, progress: Progress, said: Said, most: int, *, withholds: bool) -> Plan:
        steps = self.steps
        messages = ask_for_plan(
            list(steps.tools.values()),
            steps.scenario.links,
            steps.persona,
            steps.task.reference_time,
            [request for request, _ in said],
            progress.earlier,
            steps.scenario.values,
            most,
        )

        def read(draft: PlanDraft) -> Candidate[Plan]:
            plan = read_plan(draft, steps.tools, progress.earlier)
            problems = [*plan.problems, *check_plan(plan.calls, steps.tools, progress.earlier, most=most)]
            if withholds and not problems and not self._list_withholdable(plan.calls, progress):
                problems.append(Problem("nothing_to_withhold", "no literal that is needed and that nothing gives away"))
            references = sum(len(list_references(call)) for call in plan.calls)
            # As long as the turn may be, and closely knit.
            return Candidate(plan.calls, tuple(problems), (len(plan.calls), references))

        schema = plan_schema(list(steps.tools.values()), progress.earlier, least=2, most=most)
        best, _ = await steps.draw(
            "planner", messages, read, stage="plan", place=place, remaining=4, fields={"calls": schema}
        )
        return best

    def _list_withholdable(self, calls: Sequence[PlannedCall], progress: Progress) -> list[Withheld]:
        messages = progress.conversation.messages
        return list_withholdable(calls, self.steps.tools, self.steps.scenario.links, messages)

    async def _request(
        self, place: Try, planned: Sequence[PlannedCall], hidden: frozenset[str], said: Said, withheld: Withheld | None
    ) -> str:
        steps = self.steps
        told = planned if withheld is None else [leave_out(call, withheld) for call in planned]
        asked = [call for call in told if call.id not in hidden]
        sinks = {call.id for call in find_sinks(planned)}
        asked.sort(key=lambda call: call.id not in sinks)  # what the user is after in the end comes first
        kept_back = [call for call in told if call.id in hidden]
        now = steps.task.reference_time
        messages = ask_for_request(asked, kept_back, steps.tools, steps.persona, now, said, reactive=steps.reactive)
        return await draw_request(steps, place, messages, asked, kept_back, steps.tools, said, withheld=withheld)

    async def _translate_back(
        self, place: Try, planned: Plan, request: str, talk: Sequence[Line], progress: Progress, most: int
    ) -> tuple[Plan, list[Plan]]:
        """The recovered plan, and what the other candidates made of the request."""
        steps = self.steps
        # What the planner was held to, the translator need not know better: another way may take a call more.
        bound = max(most, len(planned) + 1)

        def read(draft: PlanDraft) -> Candidate[Plan]:
            plan = read_plan(draft, steps.tools, progress.earlier)
            problems = check_recovered(plan.calls, planned, steps.tools, progress.earlier, most=bound)
            same = is_same_plan(plan.calls, planned)
            return Candidate(plan.calls, (*plan.problems, *problems), (float(same), -len(plan.calls)))

        return await draw_recovered(steps, place, request, talk, progress, bound, read)

    async def _summarise(self, place: Try, spoken: Spoken, before: Progress, done: Progress) -> str:
        made, tools = done.earlier[len(before.earlier) :], self.steps.tools
        messages = ask_for_summary(spoken.asked, made)

        def read(draft: SummaryDraft) -> Candidate[str]:
            text = join_prose(draft.summary)
            return Candidate(text, tuple(check_summary(text, tools)), (count_told(text, made), -float(len(text))))

        best, _ = await self.steps.draw("summariser", messages, read, stage="summary", place=place, remaining=1)
        return best


def _tell_clarification(withheld: Withheld, calls: Sequence[PlannedCall], question: str, answer: str) -> Clarification:
    """The clarification, by the call of the ground truth that has the value."""
    call, parameter = find_literal(calls, withheld.value) or (withheld.call, withheld.parameter)
    return Clarification(
        call=call,
        parameter=parameter,
        label=withheld.label,
        value=withheld.value,
        question=question,
        answer=answer,
    )
