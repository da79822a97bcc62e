"""The state of one dialogue: a seed, a reference time and the ordered log of its writes."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from schemas.goals import RowChange
from schemas.messages import ToolError, ToolResult
from schemas.tools import SqlTool, Tool
from turnwright.environments.base import EnvironmentLimits, Execution, Fault
from turnwright.environments.binding import BindingError, bind_arguments
from turnwright.environments.faults import FaultCounter
from turnwright.environments.values import digest_state, json_text


@dataclass(frozen=True)
class Write:
    """One statement that changed something, as it ran."""

    sql: str
    parameters: Mapping[str, Any]
    tables: tuple[str, ...]
    """Tables that it may have changed."""


@dataclass(eq=False)
class State:
    """Everything that determines an environment's content, over a given base."""

    seed: str
    reference_time: str
    log: list[Write] = field(default_factory=list[Write])

    @property
    def touched(self) -> tuple[str, ...]:
        """Tables that the log may have changed, sorted."""
        return tuple(sorted({table for write in self.log for table in write.tables}))


class Engine(Protocol):
    """What a dialect does for an environment. Thread-safe, but a state is used by one caller at a time."""

    @property
    def digest(self) -> str:
        """Digest of the base."""
        ...

    def read(self, state: State, sql: str, parameters: Mapping[str, Any], limit: int) -> Execution:
        """Runs a statement that cannot write."""
        ...

    def write(self, state: State, sql: str, parameters: Mapping[str, Any]) -> Execution:
        """Runs a statement that may write, and appends it to the log if it did and kept within bounds."""
        ...

    def changes(self, state: State) -> list[RowChange]:
        """Rows that differ from the base, in canonical order."""
        ...

    def release(self, state: State) -> None:
        """Forgets what is cached of a state."""
        ...


def refuse_size(changed: int, most: int) -> Execution:
    """What becomes of a write that changed more rows than it may; the caller has undone it."""
    message = f"This would change {changed} rows; at most {most} are allowed. Nothing was changed."
    return Execution(error=ToolError(kind="refused", message=message))


def make_error(kind: Any, message: str) -> ToolResult:
    """A result that says why there is none."""
    return _error_result(ToolError(kind=kind, message=message))


def _error_result(error: ToolError) -> ToolResult:
    value = {"error": error.kind, "message": error.message}
    return ToolResult(text=json_text(value), value=value, error=error)


class LoggedEnvironment:
    """An environment over any engine: faults, binding, and the shapes of results."""

    def __init__(
        self,
        engine: Engine,
        tools: Sequence[Tool],
        state: State,
        limits: EnvironmentLimits,
        fault: Fault | None = None,
    ) -> None:
        self._engine = engine
        self._tools = {tool.name: tool for tool in tools if isinstance(tool, SqlTool)}
        self._state = state
        self._limits = limits
        self._faults = FaultCounter(fault)
        self._lock = threading.Lock()
        self._known: tuple[int, list[RowChange]] = (0, [])

    def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Runs one tool. Blocks; never raises for what the call did wrong."""
        with self._lock:
            found = self._tools.get(tool)
            if found is None:
                return make_error("unknown_tool", f"There is no tool named {tool}.")
            fault = self._faults.strike(tool)
            if fault is not None:
                return _error_result(fault)
            try:
                bound = bind_arguments(found, arguments)
            except BindingError as problem:
                return make_error("invalid_arguments", f"{problem}.")
            if found.effect == "write":
                return self._change(found, self._engine.write(self._state, bound.sql, bound.parameters))
            limit = 1 if found.returns == "row" else self._limits.list_limit
            return self._answer(found, self._engine.read(self._state, bound.sql, bound.parameters, limit))

    def _change(self, tool: SqlTool, execution: Execution) -> ToolResult:
        if execution.error is not None:
            return _error_result(execution.error)
        value: dict[str, Any] = {"rows_changed": execution.rows_changed}
        if tool.verb == "insert" and execution.inserted:
            value["inserted"] = execution.inserted
        return ToolResult(text=json_text(value), value=value, rows_changed=execution.rows_changed)

    def _answer(self, tool: SqlTool, execution: Execution) -> ToolResult:
        if execution.error is not None:
            return _error_result(execution.error)
        if tool.returns == "row":
            if not execution.rows:
                return make_error("not_found", "Nothing was found for these arguments.")
            text = json_text(execution.rows[0])
            if len(text.encode()) > self._limits.result_bytes:
                return make_error("too_large", "The result is too large to be returned.")
            return ToolResult(text=text, value=execution.rows[0])
        rows = list(execution.rows)
        text = json_text(rows)
        if len(text.encode()) < self._limits.result_bytes:
            return ToolResult(text=text, value=rows, truncated=execution.truncated)
        kept = _count_fitting(rows, self._limits.result_bytes)
        if rows and not kept:
            return make_error("too_large", "The result is too large to be returned.")
        truncated = execution.truncated or kept < len(rows)
        return ToolResult(text=json_text(rows[:kept]), value=rows[:kept], truncated=truncated)

    def state_digest(self) -> str:
        """Digest of the content: the base's own until a row differs, and again once none does."""
        return digest_state(self._engine.digest, self.changes())

    def changes(self) -> list[RowChange]:
        """Rows that differ from the base, in canonical order."""
        with self._lock:
            writes, changes = self._known
            if writes != len(self._state.log):
                changes = self._engine.changes(self._state)
                self._known = (len(self._state.log), changes)
            return list(changes)

    def close(self) -> None:
        """Gives up the connection, if there is one. The log stays, so that the environment may be used again."""
        with self._lock:
            self._engine.release(self._state)


def _count_fitting(rows: Sequence[dict[str, Any]], most_bytes: int) -> int:
    size = 2
    for count, row in enumerate(rows):
        size += len(json_text(row).encode()) + 1
        if size > most_bytes:
            return count
    return len(rows)
