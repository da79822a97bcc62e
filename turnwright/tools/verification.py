"""Whether a tool holds when it is run: on real rows, in the sandbox, undone afterwards."""

import random
from dataclasses import dataclass
from typing import Any

from schemas.databases import Database
from schemas.messages import ToolError
from schemas.settings import ToolSettings
from schemas.tools import SqlTool
from turnwright.environments.base import Execution, SqlBase
from turnwright.environments.binding import BindingError, bind_arguments
from turnwright.tools.argument_drawing import draw_bindings
from turnwright.tools.rejection import Rejection

BINDINGS = 12
"""Most argument sets that a tool is tried with."""
_ENOUGH = 4
"""Good results after which a read is not tried further: they show the types of computed fields."""


@dataclass(frozen=True)
class Verification:
    """A tool that was seen to work."""

    arguments: dict[str, Any]
    """Arguments of the first good call."""
    result: Any
    """What that call gives, in the form of `Tool.returns`."""
    rows: tuple[dict[str, Any], ...]
    """Rows of all good calls; empty for writes."""


def verify_tool(
    tool: SqlTool, database: Database, base: SqlBase, rng: random.Random, settings: ToolSettings
) -> Verification:
    """Runs a tool with arguments from real rows. Blocks.

    A read must give rows for some arguments, and not just NULLs and zeros. A write must change a row for some
    arguments, and not more rows than the base lets one write change.

    Raises:
        Rejection: it does not hold; the reason has the engine's message where there is one.
    """
    bindings = draw_bindings(tool, database, base, rng, BINDINGS)
    if not bindings:
        raise Rejection("no_arguments", "The tables it reads have no values that its parameters could take.")
    if tool.effect == "write":
        return _verify_write(tool, bindings, base, settings)
    return _verify_read(tool, bindings, base, settings)


def _run(tool: SqlTool, arguments: dict[str, Any], base: SqlBase, limit: int) -> Execution:
    try:
        bound = bind_arguments(tool, arguments)
    except BindingError as error:
        return Execution(error=ToolError(kind="invalid_arguments", message=str(error)))
    return base.run(bound.sql, bound.parameters, writes=tool.effect == "write", limit=limit)


def _verify_read(tool: SqlTool, bindings: list[dict[str, Any]], base: SqlBase, settings: ToolSettings) -> Verification:
    first: tuple[dict[str, Any], Execution] | None = None
    rows: list[dict[str, Any]] = []
    seen = good = 0
    for arguments in bindings:
        execution = _run(tool, arguments, base, settings.list_limit)
        if execution.error is not None:
            raise Rejection("execution", f"Running it failed: {execution.error.message}")
        seen += len(execution.rows)
        if tool.returns == "row" and len(execution.rows) > 1:
            raise Rejection("execution", "It was to give one row and gave several.")
        if not any(_tells(value) for row in execution.rows for value in row.values()):
            continue
        first = first or (arguments, execution)
        rows += execution.rows
        good += 1
        if good >= _ENOUGH:
            break
    if first is None and seen:
        raise Rejection("empty_values", "It gave nothing but NULL and 0; check its joins and what it counts.")
    if first is None:
        raise Rejection("no_rows", f"It gave no rows for {len(bindings)} argument sets drawn from real rows.")
    arguments, execution = first
    result: Any = execution.rows[0] if tool.returns == "row" else list(execution.rows)
    return Verification(arguments, result, tuple(rows))


def _tells(value: Any) -> bool:
    return value is not None and value != 0 and value != ""


def _verify_write(tool: SqlTool, bindings: list[dict[str, Any]], base: SqlBase, settings: ToolSettings) -> Verification:
    problems: list[Rejection] = []
    for arguments in bindings:
        execution = _run(tool, arguments, base, settings.written_rows + 1)
        if execution.error is not None and execution.error.kind == "refused":
            # The base refuses, among other things, to change more rows than one write may.
            problems.append(Rejection("refused", f"{execution.error.message} Pick out rows by their key."))
        elif execution.error is not None:
            problems.append(Rejection("execution", f"Running it failed: {execution.error.message}"))
        elif execution.rows_changed == 0:
            problems.append(Rejection("no_change", "It changed nothing for arguments drawn from real rows."))
        elif tool.verb == "insert" and execution.inserted and any(v is None for v in execution.inserted.values()):
            problems.append(Rejection("null_key", "It inserted a row without a key; give every key column a value."))
        else:
            result: dict[str, Any] = {"rows_changed": execution.rows_changed}
            if execution.inserted is not None:
                result["inserted"] = execution.inserted
            return Verification(arguments, result, ())
    # The reason met most often is the one to tell; of equals the first.
    codes = [problem.code for problem in problems]
    raise max(problems, key=lambda problem: codes.count(problem.code))
