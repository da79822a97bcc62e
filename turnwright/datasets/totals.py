"""The `run.json` of a version: what its runs were told and used, together, so that every reader of runs can read it."""

from collections.abc import Mapping
from typing import Any, cast

_ADDED = ("usage", "usage_by_stage", "timings", "ledger", "dialogues")
"""Figures that add up; everything else is the last run's."""
_OF_ONE_RUN = ("stages", "estimate", "offline", "error", "dataset", "tables", "exports")


def add_records(before: Mapping[str, Any] | None, run: Mapping[str, Any]) -> dict[str, Any]:
    """The records of a version and of the run that adds to it, as one."""
    record = {name: value for name, value in run.items() if name not in _OF_ONE_RUN}
    if before is None:
        return record
    record["started"] = before.get("started", run.get("started"))
    for name in _ADDED:
        record[name] = _add(before.get(name), run.get(name))
    return record


def _add(one: Any, other: Any) -> Any:
    """Numbers are added, mappings field by field; a number and nothing known are nothing known."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        left, right = cast("Mapping[str, Any]", one), cast("Mapping[str, Any]", other)
        return {
            name: _add(left[name], right[name]) if name in left and name in right else left.get(name, right.get(name))
            for name in {**left, **right}
        }
    if isinstance(one, Mapping):
        return cast("Mapping[str, Any]", one)
    if isinstance(other, Mapping):
        return cast("Mapping[str, Any]", other)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one + other
    return None
