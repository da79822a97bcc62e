"""A turn that asks for what no offered tool does (out_of_scope, removed_tool): its ground truth is to call nothing.

That no tool does it is not taken on trust: a fresh call that sees request and tools must find nothing to call.
"""

from collections.abc import Sequence

from schemas.replies import PlanDraft
from schemas.stateless import FieldLink, Refusal
from schemas.tools import Tool
from turnwright.roles.back_translator import Line
from turnwright.roles.planner import ask_for_removed_call
from turnwright.roles.requester import ask_for_request, ask_for_wish
from turnwright.stateless.acceptance import check_removed_call
from turnwright.stateless.candidates import Candidate
from turnwright.stateless.exchanges import Said, decline
from turnwright.stateless.execution import Progress
from turnwright.stateless.plan_schema import plan_schema
from turnwright.stateless.plans import read_plan
from turnwright.stateless.requests import Plan, Spoken, draw_recovered, draw_request, list_talk
from turnwright.stateless.responses import check_declined
from turnwright.stateless.steps import Steps, Try


async def speak_in_vain(steps: Steps, place: Try, progress: Progress, said: Said) -> Spoken:
    """A turn that asks for what no offered tool does, with the assistant's refusal.

    Raises:
        TurnFailed: a step has no valid candidate; the reasons stand in the account.
        ModelError: no reply could be had.
    """
    behaviour, tool = steps.behaviour, steps.removed
    assert behaviour is not None
    wish, now = str(behaviour.detail["request"]), steps.task.reference_time
    planned, known = (), dict(steps.tools)
    if tool is not None:
        links = [FieldLink.model_validate(link) for link in behaviour.detail["links"]]
        planned = await _plan_removed(steps, place, tool, links, progress, said)
        known[tool.name] = tool
        messages = ask_for_request(planned, [], known, steps.persona, now, said, reactive=steps.reactive)
    else:
        messages = ask_for_wish(wish, steps.persona, now, said, reactive=steps.reactive)
    request = await draw_request(steps, place, messages, planned, (), known, said, wish=wish)
    if steps.config.stateless.back_translation:
        talk = list_talk(request, "", "", said if steps.reactive else ())
        await _find_nothing(steps, place, request, talk, progress)
    refused = await decline(steps, place, request, said)
    name = "removed_tool" if tool is not None else "out_of_scope"
    return Spoken(request, (), planned, refusal=Refusal(behaviour=name, wish=wish), refused=refused)


async def _plan_removed(
    steps: Steps, place: Try, tool: Tool, links: Sequence[FieldLink], progress: Progress, said: Said
) -> Plan:
    """The one call of a tool that is not offered."""
    requests = [request for request, _ in said]
    now = steps.task.reference_time
    messages = ask_for_removed_call(tool, links, steps.persona, now, requests, progress.earlier)

    def read(draft: PlanDraft) -> Candidate[Plan]:
        plan = read_plan(draft, {tool.name: tool}, progress.earlier)
        problems = (*plan.problems, *check_removed_call(plan.calls, tool, progress.earlier))
        return Candidate(plan.calls, problems, (float(sum(len(call.sources) for call in plan.calls)),))

    schema = plan_schema([tool], progress.earlier, least=1, most=1)
    best, _ = await steps.draw(
        "planner", messages, read, stage="plan", place=place, remaining=4, fields={"calls": schema}
    )
    return best


async def _find_nothing(steps: Steps, place: Try, request: str, talk: Sequence[Line], progress: Progress) -> None:
    """That a request which is to be declined asks for nothing that a tool does."""

    def read(draft: PlanDraft) -> Candidate[Plan]:
        plan = read_plan(draft, steps.tools, progress.earlier)
        return Candidate(plan.calls, tuple(check_declined(plan.calls)))

    most = max(2, steps.scenario.lengths[place.turn])
    await draw_recovered(steps, place, request, talk, progress, most, read)
