"""Faults made by code: a model that is asked to fail does not do it reliably.

Two families: errors, where the call gives nothing; and spoilt results, made of what the call really gave. A spoilt
result always says what is wrong with it, so that whoever reads it can notice.
"""

import datetime
import json
import math
from typing import Any, cast

from schemas.messages import ToolError, ToolResult
from turnwright.environments.base import Fault, FaultKind

SPOILING: frozenset[FaultKind] = frozenset({"malformed", "partial", "stale"})
"""Kinds that need a result to spoil."""
_MESSAGES: dict[FaultKind, str] = {
    "timeout": "The request timed out before the service answered. Nothing was changed.",
    "unavailable": "The service is temporarily unavailable. Nothing was changed.",
    "rate_limit": "Too many requests. Nothing was changed; try again in a moment.",
    "http_500": "The service answered with HTTP status 500 (internal server error). Nothing was changed.",
    "malformed": "The answer broke off and is no valid JSON.",
}
_OLDNESS = datetime.timedelta(days=9)
_DRIFT = 0.07
"""How far a number of a stale copy is from the present one."""


class FaultCounter:
    """Counts the calls of one dialogue, so that a fault happens on the first ones and then no more."""

    def __init__(self, fault: Fault | None) -> None:
        self._fault = fault
        self._left = fault.times if fault else 0

    def strike(self, tool: str) -> ToolError | None:
        """The error that this call must give instead of running, or none."""
        if self._fault is None or self._left <= 0 or tool != self._fault.tool:
            return None
        self._left -= 1
        kind = self._fault.kind
        return ToolError(kind=kind, message=_MESSAGES.get(kind, "The result could not be had."))


def spoil_result(result: ToolResult, kind: FaultKind, reference_time: str) -> ToolResult:
    """What is given instead of a good result: broken text, a part of the data, or an old copy with other numbers.

    `reference_time` (ISO 8601) is the dialogue's now. Deterministic: the same result is spoilt the same way.
    """
    if kind == "malformed":
        cut = max(1, len(result.text) * 3 // 5)
        text = result.text[:cut].rstrip("]}\"' ")
        text = text if _is_broken(text) else text + "{"
        return ToolResult(text=text, value=text, error=ToolError(kind="malformed", message=_MESSAGES["malformed"]))
    if kind == "partial":
        data, message = _cut_data(result.value)
        return _flag("partial", message, data)
    message = (
        f"The live data could not be reached. This is a copy of {_say_before(reference_time)}; it may be outdated."
    )
    return _flag("stale", message, _age(result.value))


def _flag(kind: FaultKind, message: str, data: Any) -> ToolResult:
    value = {"error": kind, "message": message, "data": data}
    # The json module takes what others refuse, and a tool may return anything: integers of any size, half surrogates.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
    return ToolResult(text=text, value=value, error=ToolError(kind=kind, message=message))


def _is_broken(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return True
    return False


def _cut_data(value: Any) -> tuple[Any, str]:
    """The first half of a list, or of an object's fields; what is missing is said in the message."""
    again = "The rest could not be loaded; try again for all of it."
    if isinstance(value, list):
        rows = cast("list[Any]", value)
        kept = len(rows) // 2
        return rows[:kept], f"Incomplete: {kept} of {len(rows)} entries. {again}"
    if isinstance(value, dict):
        fields = list(cast("dict[str, Any]", value).items())
        kept = (len(fields) + 1) // 2
        return dict(fields[:kept]), f"Incomplete: {kept} of {len(fields)} fields. {again}"
    return None, f"Incomplete: no value. {again}"


def _age(value: Any) -> Any:
    """The same data with other numbers, except where a number is an identifier, a year or a yes or no."""
    if isinstance(value, list):
        return [_age(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: item if _identifies(name) else _age(item) for name, item in fields.items()}
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e15:
        return value
    if isinstance(value, int):
        return value if 1800 <= value <= 2100 else value - max(1, int(abs(value) * _DRIFT))
    return round(value * (1 - _DRIFT), 2)


def _identifies(name: str) -> bool:
    return str(name).lower().endswith(("id", "nr", "no", "number", "code", "key"))


def _say_before(reference_time: str) -> str:
    try:
        now = datetime.datetime.fromisoformat(reference_time)
    except ValueError:
        return "an earlier day"
    return (now - _OLDNESS).date().isoformat()
