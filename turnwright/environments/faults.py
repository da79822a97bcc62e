"""Faults made by code: a model that is asked to fail does not do it reliably."""

from schemas.messages import ToolError
from turnwright.environments.base import Fault, FaultKind

_MESSAGES: dict[FaultKind, str] = {
    "timeout": "The request timed out before the service answered. Nothing was changed.",
    "unavailable": "The service is temporarily unavailable. Nothing was changed.",
    "rate_limit": "Too many requests. Nothing was changed; try again in a moment.",
}


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
        return ToolError(kind=self._fault.kind, message=_MESSAGES[self._fault.kind])
