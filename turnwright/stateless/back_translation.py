"""What a recovered plan has to give back (TC, back-translate): every literal that the request says, in a valid plan."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from schemas.goals import PlannedCall
from schemas.tools import Tool
from turnwright.stateless.acceptance import check_plan
from turnwright.stateless.plans import EarlierCall, Problem, find_sinks, list_literals, list_references
from turnwright.stateless.request_checks import list_required
from turnwright.validation.values import values_equal


def check_recovered(
    recovered: Sequence[PlannedCall],
    planned: Sequence[PlannedCall],
    tools: Mapping[str, Tool],
    earlier: Sequence[EarlierCall],
    *,
    most: int,
) -> list[Problem]:
    """Everything that forbids taking a recovered plan for ground truth: the rules of any plan, and `lost_literal`.

    The recovered plan may take another way, as long as nothing that was said is lost.
    """
    problems = check_plan(recovered, tools, earlier, most=most)
    given = [leaf for _, leaf in list_required(recovered)]
    for name, value in list_required(planned):
        if not any(_same(value, other) for other in given):
            problems.append(Problem("lost_literal", f"{name} = {value!r} is in no call"[:300]))
    return problems


def find_hidden_again(
    recovered: Sequence[PlannedCall], planned: Sequence[PlannedCall], hidden: frozenset[str]
) -> frozenset[str]:
    """Ids of the recovered calls that the request did not ask for.

    A call is hidden where the planned call that it stands for was: the one of the same tool that shares most literals.
    One that stands for none came in because another call needs it, and is hidden unless it is a sink.
    """
    left = list(planned)
    sinks = {call.id for call in find_sinks(recovered)}
    found: set[str] = set()
    for call in recovered:
        same = [other for other in left if other.tool == call.tool]
        match = max(same, key=lambda other: _count_shared(call, other), default=None)
        if match is not None:
            left.remove(match)
        if call.id not in sinks and (match is None or match.id in hidden):
            found.add(call.id)
    return frozenset(found)


def find_literal(calls: Sequence[PlannedCall], value: Any) -> tuple[str, str] | None:
    """Call and parameter of the first literal that is a value; none where no call has it."""
    places = ((call.id, name, given) for call in calls for name, given in list_literals(call))
    return next(((identifier, name) for identifier, name, given in places if _same(value, given)), None)


def is_same_plan(one: Sequence[PlannedCall], other: Sequence[PlannedCall]) -> bool:
    """Whether two plans make the same calls: tools, literals by value, and which calls feed which, in any order."""
    if len(one) != len(other):
        return False
    left = list(other)
    for call in one:
        match = next((candidate for candidate in left if _is_same_call(call, candidate, one, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _is_same_call(
    call: PlannedCall, candidate: PlannedCall, one: Sequence[PlannedCall], other: Sequence[PlannedCall]
) -> bool:
    if call.tool != candidate.tool or call.sources.keys() != candidate.sources.keys():
        return False
    tools = {each.id: each.tool for each in one}, {each.id: each.tool for each in other}
    references = [
        sorted((name, known.get(identifier, identifier), field) for name, identifier, field in list_references(each))
        for each, known in zip((call, candidate), tools, strict=True)
    ]
    if references[0] != references[1]:
        return False
    theirs = dict(list_literals(candidate))
    return all(_same(value, theirs.get(name)) for name, value in list_literals(call))


def _count_shared(call: PlannedCall, other: PlannedCall) -> int:
    theirs = dict(list_literals(other))
    return sum(_same(value, theirs[name]) for name, value in list_literals(call) if name in theirs)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.casefold().split()) == " ".join(other.casefold().split())
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = cast("list[Any]", one), cast("list[Any]", other)
        return len(ours) == len(theirs) and all(_same(left, right) for left, right in zip(ours, theirs, strict=True))
    return values_equal(one, other)
