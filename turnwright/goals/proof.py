"""Proof: a plan is run from the start before a model call is spent on its dialogue.

What holds afterwards: every call runs; each reference is in the result that it names, in the one row that the person
can mean; no fact could have been said before a call was made; each write changes the state, none takes it back to where
it was before, and leaving one out gives another end or a plan that does not run; each look-up is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.goals import RowChange
from schemas.tools import ParameterBinding, SqlTool
from turnwright.environments.base import Environment, SqlBase
from turnwright.goals.drafts import Draft, DraftCall
from turnwright.goals.identification import singles_out
from turnwright.goals.keys import Keys, result_rows
from turnwright.goals.plans import PlanRejected
from turnwright.goals.words import comparable, same_value


@dataclass(frozen=True)
class Proof:
    """What running a plan gave."""

    results: dict[str, Any]
    """Result of each call, by id."""
    start_digest: str
    goal_digest: str
    goal_changes: tuple[RowChange, ...]


def prove_plan(draft: Draft, tools: Sequence[SqlTool], keys: Keys, base: SqlBase, *, seed: str) -> Proof:
    """Runs a plan in fresh environments.

    Raises:
        PlanRejected: it does not hold; the reason names the rule and the call.
    """
    _check_references(draft)
    _check_literals(draft, keys)
    results: dict[str, Any] = {}
    environment = base.open(tools, seed=seed, reference_time=draft.reference_time)
    try:
        start = environment.state_digest()
        digests = [start]
        for call in draft.calls:
            results[call.id] = _run(environment, call, draft, results)
            digest = environment.state_digest()
            if call.tool.effect == "write":
                if digest == digests[-1]:
                    raise PlanRejected("no_effect", f"{call.id} ({call.tool.name}) changes nothing")
                if digest in digests:
                    raise PlanRejected("undone", f"{call.id} ({call.tool.name}) takes back what an earlier call did")
                digests.append(digest)
            elif digest != digests[-1]:
                raise PlanRejected("read_writes", f"{call.id} ({call.tool.name}) only reads but changed the state")
        changes = tuple(environment.changes())
    finally:
        environment.close()
    _check_facts(draft, results)
    for call in draft.calls:
        if call.tool.effect == "write":
            _check_necessary(draft, call, tools, base, seed, digests[-1])
    return Proof(results, start, digests[-1], changes)


def _run(environment: Environment, call: DraftCall, draft: Draft, results: dict[str, Any]) -> Any:
    for name, source in call.sources.items():
        if source.kind == "result":
            _check_reference(call, name, next(other for other in draft.calls if other.id == source.call), results)
    result = environment.call(call.tool.name, call.arguments)
    if result.error is not None:
        raise PlanRejected("call_failed", f"{call.id} ({call.tool.name}) gave {result.error.kind}")
    return result.value


def _check_reference(call: DraftCall, name: str, earlier: DraftCall, results: dict[str, Any]) -> None:
    field = call.sources[name].field or ""
    argument: Any = call.arguments[name]
    value = argument[0] if isinstance(argument, list) else argument  # pyright: ignore[reportUnknownVariableType]
    found = [row.get(field) for row in result_rows(results[earlier.id])]
    if not any(other is not None and same_value(other, value) for other in found):
        raise PlanRejected("reference", f"{call.id} wants {name} from {earlier.id}, whose result does not have it")
    if not singles_out(results[earlier.id], earlier.tool, earlier.details, field, value):
        raise PlanRejected(
            "ambiguous", f"{call.id} wants one {name} from {earlier.id}, and the person can mean several"
        )


def _check_references(draft: Draft) -> None:
    earlier: set[str] = set()
    used: set[str] = set()
    for objective in draft.objectives:
        if not objective.goals:
            raise PlanRejected("no_goal", "an objective has no call that the person asks for")
        for call in objective.calls:
            if set(call.sources) != set(call.arguments):
                raise PlanRejected("sources", f"{call.id} does not say where each argument comes from")
            for source in call.sources.values():
                if source.kind == "result" and source.call not in earlier:
                    raise PlanRejected("forward_reference", f"{call.id} refers to {source.call}, which has not run")
                used |= {source.call} if source.call else set()
            earlier.add(call.id)
    for call in draft.calls:
        if call.lookup and call.id not in used:
            raise PlanRejected("idle_lookup", f"no call uses what {call.id} ({call.tool.name}) finds")
        if call.lookup and call.tool.effect == "write":
            raise PlanRejected("lookup_writes", f"{call.id} ({call.tool.name}) is a look-up but writes")


def _check_literals(draft: Draft, keys: Keys) -> None:
    for call in draft.calls:
        bindings = {binding.name: binding for binding in call.tool.bindings}
        for name, source in call.sources.items():
            binding = bindings.get(name)
            if source.kind == "user" and binding is not None and keys.is_hidden(binding.table, binding.column):
                raise PlanRejected("surrogate_key", f"{call.id} takes the key {name} from the person")
            if source.kind == "user" and not any(detail.parameter == name for detail in call.details):
                raise PlanRejected("unsaid", f"{call.id} takes {name} from the person, who is not told it")
            if (
                source.kind == "result"
                and binding is not None
                and _is_known(draft, call.arguments[name], binding, keys)
            ):
                raise PlanRejected("known_key", f"{call.id} looks up {name}, which the person knows")


def _is_known(draft: Draft, value: Any, binding: ParameterBinding, keys: Keys) -> bool:
    if binding.table is None or binding.column is None:
        return False
    group = keys.group(binding.table, binding.column)
    return any(
        same_value(detail.value, value)
        for call in draft.calls
        for detail in call.details
        if detail.table is not None and detail.column is not None and keys.group(detail.table, detail.column) == group
    )


def _check_facts(draft: Draft, results: dict[str, Any]) -> None:
    said: list[Any] = []
    for number, objective in enumerate(draft.objectives, start=1):
        said += [known.value for known in objective.known]
        found = {
            comparable(value)
            for call in objective.goals
            for row in result_rows(results[call.id])
            for value in row.values()
        }
        for fact in objective.facts:
            if fact.value is None or fact.value == "":
                raise PlanRejected("empty_fact", f"task {number}: {fact.label} is empty")
            if comparable(fact.value) not in found:
                raise PlanRejected("fact_missing", f"task {number}: {fact.label} is in no result")
            if any(same_value(fact.value, value) for value in said):
                raise PlanRejected("met_at_start", f"task {number}: the person knows the {fact.label} already")
        if not objective.facts and all(goal.tool.effect == "read" for goal in objective.goals):
            raise PlanRejected("nothing_to_reach", f"task {number} neither tells nor changes anything")


def _check_necessary(
    draft: Draft, left_out: DraftCall, tools: Sequence[SqlTool], base: SqlBase, seed: str, goal: str
) -> None:
    """Runs the plan without one write.

    Raises:
        PlanRejected: it still runs and ends in the same state.
    """
    environment = base.open(tools, seed=seed, reference_time=draft.reference_time)
    try:
        results: dict[str, Any] = {}
        for call in draft.calls:
            if call.id == left_out.id:
                results[call.id] = None
                continue
            try:
                results[call.id] = _run(environment, call, draft, results)
            except PlanRejected:
                return
        if environment.state_digest() == goal:
            raise PlanRejected("needless_write", f"the end is the same without {left_out.id} ({left_out.tool.name})")
    finally:
        environment.close()
