"""Outcome: the state that was reached against the state that was planned, and the facts that had to reach the user."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.findings import Finding
from schemas.goals import Fact, Objective, RowChange
from schemas.tools import SqlTool
from schemas.vocabulary import Match
from turnwright.validation.readings import SCALES
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import names, states, values_equal

_SCALES = {word: 10 ** SCALES[word] for word in ("thousand", "million", "billion")}


@dataclass(frozen=True)
class Outcome:
    """How far the dialogue reached its goal."""

    match: Match
    """`unavailable` where a fault made by code kept an objective from being met: then the reaction counts."""
    findings: tuple[Finding, ...]


def compare_outcome(trajectory: Trajectory) -> Outcome:
    """Compares rows, not paths: order of rows, extra reads and failed attempts never cost.

    Values are compared by value (25 equals 25.0, float noise is allowed, text keeps its case). In an inserted row a
    column that no planned call supplied (a computed key, a default) may hold another value of the same type, and so may
    a reference to it in another row.
    """
    excused = _excused_objectives(trajectory)
    tables = {
        target
        for position in excused
        for call in trajectory.objectives[position].calls
        for target in _targets_of(trajectory, call.tool)
    }
    findings = list(_compare_changes(trajectory, tables)) + list(_check_facts(trajectory, excused))
    if any(finding.blocks for finding in findings):
        return Outcome("mismatch", tuple(findings))
    return Outcome("unavailable" if findings else "match", tuple(findings))


def _compare_changes(trajectory: Trajectory, excused_tables: set[str]) -> list[Finding]:
    missing, unplanned = match_changes(trajectory.goal_changes, trajectory.changes, _supplied_columns(trajectory))
    findings: list[Finding] = []
    for planned in missing:
        blocks = planned.table not in excused_tables
        asked = _was_asked_for(trajectory, planned)
        findings.append(
            Finding(
                layer="outcome",
                code="missing_change",
                explanation=f"never done: {_show(planned)}",
                message=_last_report(trajectory) if asked else None,
                fault="assistant" if asked else "user_simulator",
                blocks=blocks,
            )
        )
    findings += [
        Finding(
            layer="outcome",
            code="unplanned_change",
            explanation=f"not asked for: {_show(change)}",
            message=_writer_of(trajectory, change),
            fault="assistant",
            blocks=True,
        )
        for change in unplanned
    ]
    return findings


def match_changes(
    planned: Sequence[RowChange], actual: Sequence[RowChange], supplied: dict[str, set[str]]
) -> tuple[list[RowChange], list[RowChange]]:
    """The planned changes that did not happen, and the changes that nobody planned.

    `supplied` has for each table (lower case) the columns that calls give; in inserted rows the others compare by type.
    """
    left = list(actual)
    missing: list[RowChange] = []
    renamed: list[tuple[Any, Any]] = []
    # Inserts first: their computed keys may be referred to by the other rows.
    for change in sorted(planned, key=lambda change: change.before is not None):
        found = next((other for other in left if _same_change(change, other, supplied, renamed)), None)
        if found is None:
            missing.append(change)
            continue
        left.remove(found)
        if change.before is None and change.after is not None and found.after is not None:
            given = supplied.get(change.table.lower(), set(change.after))
            renamed += [(change.after[name], found.after[name]) for name in change.after if name not in given]
    return missing, left


def _same_change(
    planned: RowChange, actual: RowChange, supplied: dict[str, set[str]], renamed: list[tuple[Any, Any]]
) -> bool:
    if planned.table.lower() != actual.table.lower():
        return False
    free: set[str] = set()
    if planned.before is None and planned.after is not None:
        free = set(planned.after) - supplied.get(planned.table.lower(), set(planned.after))
    return _same_row(planned.before, actual.before, set(), renamed) and _same_row(
        planned.after, actual.after, free, renamed
    )


def _same_row(
    planned: dict[str, Any] | None, actual: dict[str, Any] | None, free: set[str], renamed: list[tuple[Any, Any]]
) -> bool:
    if planned is None or actual is None:
        return planned is actual
    if planned.keys() != actual.keys():
        return False
    return all(
        values_equal(value, actual[name])
        or (name in free and type(value) is type(actual[name]))
        or any(values_equal(value, old) and values_equal(actual[name], new) for old, new in renamed)
        for name, value in planned.items()
    )


def _supplied_columns(trajectory: Trajectory) -> dict[str, set[str]]:
    """For each table that planned calls insert into or update, the columns that their parameters fill."""
    supplied: dict[str, set[str]] = {}
    for objective in trajectory.objectives:
        for call in objective.calls:
            tool = trajectory.by_name.get(call.tool)
            if not isinstance(tool, SqlTool) or tool.target is None:
                continue
            columns = supplied.setdefault(tool.target.lower(), set())
            columns.update(
                binding.column
                for binding in tool.bindings
                if binding.column and binding.operator in ("values", "set") and binding.name in call.arguments
            )
    return supplied


def _check_facts(trajectory: Trajectory, excused: set[int]) -> list[Finding]:
    """Each fact must stand in what the assistant said after the user had begun that objective."""
    findings: list[Finding] = []
    begins = begin_objectives(trajectory)
    for position, objective in enumerate(trajectory.objectives):
        begun = begins[position]
        prose = [text for _, text in trajectory.said_by("assistant", begun if begun is not None else 0)]
        for fact in objective.facts:
            if any(states(value, text) for value in _list_forms(fact) for text in prose):
                continue
            findings.append(
                Finding(
                    layer="outcome",
                    code="fact_not_told",
                    explanation=f"the user was never told {fact.label}: {fact.value!r}",
                    message=_last_report(trajectory) if begun is not None else None,
                    fault="assistant" if begun is not None else "user_simulator",
                    blocks=position not in excused,
                )
            )
    return findings


def _list_forms(fact: Fact) -> Iterator[Any]:
    """A fact's value, and what it comes to where its field counts in thousands or more: `budget_million = 15`."""
    yield fact.value
    if isinstance(fact.value, int | float) and not isinstance(fact.value, bool):
        words = fact.label.casefold().split()
        yield from (fact.value * scale for word, scale in _SCALES.items() if word in words or f"{word}s" in words)


def begin_objectives(trajectory: Trajectory) -> list[int | None]:
    """For each objective the index of the user message that begins it; None where the user never came to it.

    It begins where the user first says one of its details that no earlier objective has; one without details of its own
    begins with the objective before it, because nothing tells the two apart.
    """
    begins: list[int | None] = []
    earlier: list[Any] = []
    first = next((index for index, _ in trajectory.said_by("user")), None)
    for objective in trajectory.objectives:
        own = [
            detail.value
            for detail in objective.known_details
            if not any(values_equal(detail.value, value) for value in earlier)
        ]
        earlier += own
        telling = [value for value in own if value not in (None, "") and not isinstance(value, bool)]
        if not begins or not telling:
            begins.append(begins[-1] if begins else first)
            continue
        said = (index for index, text in trajectory.said_by("user") if any(states(v, text) for v in telling))
        begins.append(next(said, None))
    return begins


def _excused_objectives(trajectory: Trajectory) -> set[int]:
    """Objectives that need a tool which failed by a fault made by code and never worked afterwards."""
    broken: set[str] = set()
    for record in trajectory.calls:
        if record.fault:
            broken.add(record.tool)
        elif record.error is None:
            broken.discard(record.tool)
    return {
        position
        for position, objective in enumerate(trajectory.objectives)
        if any(call.tool in broken for call in objective.calls)
    }


def _was_asked_for(trajectory: Trajectory, planned: RowChange) -> bool:
    """Whether the user said a detail of an objective that writes the table: if not, the user is to blame."""
    for position, objective in enumerate(trajectory.objectives):
        if _writes(trajectory, objective, planned.table) and begin_objectives(trajectory)[position] is not None:
            details = [detail.value for detail in objective.known_details]
            texts = [text for _, text in trajectory.said_by("user")]
            if not details or all(any(names(value, text) for text in texts) for value in details if _is_telling(value)):
                return True
    return False


def _is_telling(value: Any) -> bool:
    return value not in (None, "") and not isinstance(value, bool)


def _writes(trajectory: Trajectory, objective: Objective, table: str) -> bool:
    targets = (target for call in objective.calls for target in _targets_of(trajectory, call.tool))
    return any(target.lower() == table.lower() for target in targets)


def _targets_of(trajectory: Trajectory, name: str) -> set[str]:
    """Tables that a tool of that name may write: of a domain's tool, any whose rows differ in plan or dialogue."""
    tool = trajectory.by_name.get(name)
    if isinstance(tool, SqlTool):
        return {tool.target} if tool.target is not None else set()
    if tool is None or tool.effect == "read":
        return set()
    return {change.table for change in (*trajectory.goal_changes, *trajectory.changes)}


def _writer_of(trajectory: Trajectory, change: RowChange) -> int | None:
    """Index of the message that last wrote the table: the one that left the row as it is."""
    wrote = [
        record.message
        for record in trajectory.calls
        if record.rows_changed
        and change.table.lower() in {target.lower() for target in _targets_of(trajectory, record.tool)}
    ]
    return wrote[-1] if wrote else None


def _last_report(trajectory: Trajectory) -> int | None:
    """Index of the assistant's last prose before the user's last message: where the outcome should have been told."""
    users = [index for index, _ in trajectory.said_by("user")]
    reports = [index for index, _ in trajectory.said_by("assistant", end=users[-1] if users else None)]
    return reports[-1] if reports else None


def _show(change: RowChange) -> str:
    if change.before is None:
        return f"row added to {change.table}: {_shorten(change.after)}"
    if change.after is None:
        return f"row removed of {change.table}: {_shorten(change.before)}"
    after = change.after
    changed = {name: [value, after.get(name)] for name, value in change.before.items() if after.get(name) != value}
    return f"row changed in {change.table}: {_shorten(changed)} of {_shorten(change.before)}"


def _shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:199] + "…"
