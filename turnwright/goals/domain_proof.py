"""Proof of a plan over a stateful domain: it is run from the start before a model call is spent on it.

What holds afterwards: every call runs and gives what it gave when it was drawn; each fact is in a result and is news to
the person; reads change nothing, each write changes the state, none takes it back to where it was, and leaving one out
gives another end or a plan that does not run. Where policy forbids what is asked for, the plan writes nothing, and
doing it all the same would either be refused by the tool or change the state.
"""

from collections.abc import Sequence
from typing import Any

from schemas.tools import DomainTool
from turnwright.environments.domain import DomainBase, DomainEnvironment
from turnwright.goals.domain_values import find_path
from turnwright.goals.drafts import Draft, DraftCall, DraftObjective
from turnwright.goals.plans import PlanRejected
from turnwright.goals.proof import Proof
from turnwright.goals.words import same_value


def prove_domain_plan(
    draft: Draft[DomainTool], tools: Sequence[DomainTool], base: DomainBase, *, seed: str, given: bool = False
) -> Proof:
    """Runs a plan in fresh environments.

    Args:
        draft: the plan.
        tools: all that are offered, those of the user's side included.
        base: where it starts.
        seed: of the slot.
        given: the plan is a task that the domain brought along: its facts may be worked out from results, and it may
            hold calls that are not needed.

    Raises:
        PlanRejected: it does not hold; the reason names the rule and the call.
    """
    environment = base.open(tools, seed=seed, reference_time=draft.reference_time)
    results: dict[str, Any] = {}
    start = environment.state_digest()
    digests = [start]
    for objective in draft.objectives:
        _check_forbidden(draft, objective, environment, base)
        for call in objective.calls:
            results[call.id] = _run(environment, call)
            digest = environment.state_digest()
            if call.tool.effect == "read" and digest != digests[-1]:
                raise PlanRejected("read_writes", f"{call.id} ({call.tool.name}) only reads but changed the state")
            if call.tool.effect == "write":
                if digest == digests[-1]:
                    raise PlanRejected("no_effect", f"{call.id} ({call.tool.name}) changes nothing")
                if digest in digests and not given:
                    raise PlanRejected("undone", f"{call.id} ({call.tool.name}) takes back what an earlier call did")
                digests.append(digest)
    if not given:
        _check_facts(draft, results)
        for call in draft.calls:
            if call.tool.effect == "write":
                _check_necessary(draft, call, tools, base, seed, digests[-1])
    return Proof(results, start, digests[-1], tuple(environment.changes()))


def _run(environment: DomainEnvironment, call: DraftCall[DomainTool]) -> Any:
    result = environment.call(call.tool.name, call.arguments)
    if result.error is not None:
        raise PlanRejected("call_failed", f"{call.id} ({call.tool.name}) gave {result.error.kind}")
    if result.value != call.result:
        raise PlanRejected("other_result", f"{call.id} ({call.tool.name}) gives another result than when it was drawn")
    return result.value


def _check_facts(draft: Draft[DomainTool], results: dict[str, Any]) -> None:
    said: list[Any] = []
    for number, objective in enumerate(draft.objectives, start=1):
        said += [known.value for known in objective.known]
        for fact in objective.facts:
            if fact.value is None or fact.value == "":
                raise PlanRejected("empty_fact", f"task {number}: {fact.label} is empty")
            if not any(_holds(results[call.id], fact.value) for call in objective.calls):
                raise PlanRejected("fact_missing", f"task {number}: {fact.label} is in no result")
            if any(same_value(fact.value, value) for value in said):
                raise PlanRejected("met_at_start", f"task {number}: the person knows the {fact.label} already")
        forbidden = draft.behaviour is not None and draft.behaviour.name == "forbidden_action"
        reads = all(goal.tool.effect == "read" for goal in objective.goals)
        if reads and not objective.facts and not (forbidden and _is_about(draft, number - 1)):
            raise PlanRejected("nothing_to_reach", f"task {number} neither tells nor changes anything")


def _holds(result: Any, value: Any) -> bool:
    """Whether a result has a value; an amount may stand there as what is paid or as what is given back."""
    if find_path(result, value) is not None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and find_path(result, -value) is not None


def _is_about(draft: Draft[DomainTool], position: int) -> bool:
    return draft.behaviour is not None and draft.behaviour.objective == position


def _check_forbidden(
    draft: Draft[DomainTool], objective: DraftObjective[DomainTool], environment: DomainEnvironment, base: DomainBase
) -> None:
    plan = draft.behaviour
    if plan is None or plan.name != "forbidden_action" or draft.objectives[plan.objective] is not objective:
        return
    if any(call.tool.effect == "write" for call in objective.calls):
        raise PlanRejected("forbidden_writes", "the task that policy forbids has a call that writes")
    trial = base.open(base.domain.tools, seed="", reference_time=draft.reference_time)
    for write in environment.log:
        trial.call(write.tool, write.arguments)
    before = trial.state_digest()
    result = trial.call(str(plan.detail["tool"]), plan.detail["arguments"])
    if result.error is not None and result.error.kind in ("unknown_tool", "invalid_arguments"):
        raise PlanRejected("not_tempting", f"{plan.detail['tool']} cannot be called so: {result.error.message}")
    if result.error is None and trial.state_digest() == before:
        raise PlanRejected("harmless", f"{plan.detail['tool']} would change nothing")


def _check_necessary(
    draft: Draft[DomainTool],
    left_out: DraftCall[DomainTool],
    tools: Sequence[DomainTool],
    base: DomainBase,
    seed: str,
    goal: str,
) -> None:
    """Runs the plan without one write.

    Raises:
        PlanRejected: it still runs and ends in the same state.
    """
    environment = base.open(tools, seed=seed, reference_time=draft.reference_time)
    for call in draft.calls:
        if call.id != left_out.id and environment.call(call.tool.name, call.arguments).error is not None:
            return
    if environment.state_digest() == goal:
        raise PlanRejected("needless_write", f"the end is the same without {left_out.id} ({left_out.tool.name})")
