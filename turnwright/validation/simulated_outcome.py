"""Outcome of a dialogue without state: the writes that were planned were made, and no others.

There is no final state to compare, so the calls that changed something stand for it, by what the person gave: values
that were looked up differ from one simulation to the next.
"""

from collections.abc import Iterator
from typing import Any

from schemas.findings import Finding
from schemas.goals import PlannedCall
from schemas.messages import CallRecord
from turnwright.rollout.arguments import parse_json_object
from turnwright.validation.outcome import Outcome
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import values_equal


def compare_simulated(trajectory: Trajectory) -> Outcome:
    """Holds the successful writes against the planned ones; reads never cost, in any order and number.

    A planned write counts as made where a successful call of its tool has the values that the user gave. One whose
    tool failed by a fault that code made, and never worked afterwards, is excused: then the reaction counts. Without
    planned calls there is nothing to compare: `unavailable`.
    """
    planned = [call for objective in trajectory.objectives for call in objective.calls]
    if not planned:
        return Outcome("unavailable", ())
    findings = [*_compare_writes(trajectory, planned), *_check_reads(trajectory, planned)]
    if any(finding.blocks for finding in findings):
        return Outcome("mismatch", tuple(findings))
    excused = any(finding.code == "missing_change" for finding in findings)
    return Outcome("unavailable" if excused else "match", tuple(findings))


def _compare_writes(trajectory: Trajectory, planned: list[PlannedCall]) -> Iterator[Finding]:
    left = [record for record in trajectory.calls if record.effect == "write" and record.rows_changed]
    writes = [call for call in planned if _effect(trajectory, call.tool) == "write"]
    for call in writes:
        found = next((record for record in left if _is_made(call, record)), None)
        if found is not None:
            left.remove(found)
            continue
        tries = [record for record in trajectory.calls if record.tool == call.tool]
        excused = bool(tries) and tries[-1].fault
        yield Finding(
            layer="outcome",
            code="missing_change",
            explanation=f"never done: {call.tool} with {_given(call)}",
            message=tries[-1].message if tries else None,
            fault="assistant",
            blocks=not excused,
        )
    for record in left:
        yield Finding(
            layer="outcome",
            code="unplanned_change",
            explanation=f"not asked for: {record.tool} with {record.arguments[:200]}",
            message=record.message,
            fault="assistant",
            blocks=True,
        )


def _check_reads(trajectory: Trajectory, planned: list[PlannedCall]) -> Iterator[Finding]:
    """`missing_call`: a planned look-up was not made; it blocks where nothing was looked up at all."""
    worked = {record.tool for record in trajectory.calls if record.error is None}
    faulty = {record.tool for record in trajectory.calls if record.fault}
    for call in planned:
        if _effect(trajectory, call.tool) == "read" and not call.lookup and call.tool not in worked | faulty:
            yield Finding(
                layer="outcome",
                code="missing_call",
                explanation=f"{call.tool} was never called",
                message=None,
                fault="assistant",
                blocks=not worked and not faulty,
            )


def _is_made(call: PlannedCall, record: CallRecord) -> bool:
    if record.tool != call.tool:
        return False
    try:
        arguments = parse_json_object(record.arguments)
    except ValueError:
        return False
    return all(_same(value, arguments.get(name)) for name, value in _given(call).items())


def _given(call: PlannedCall) -> dict[str, Any]:
    """The arguments whose values the user knows."""
    return {
        name: value
        for name, value in call.arguments.items()
        if name in call.sources and call.sources[name].kind == "user"
    }


def _same(planned: Any, actual: Any) -> bool:
    if isinstance(planned, str) and isinstance(actual, str):
        return " ".join(planned.casefold().split()) == " ".join(actual.casefold().split())
    return values_equal(planned, actual)


def _effect(trajectory: Trajectory, name: str) -> str | None:
    tool = trajectory.by_name.get(name)
    return tool.effect if tool else None
