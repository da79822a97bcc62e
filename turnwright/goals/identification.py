"""Which row of a result the person means: the values that they name have to single it out."""

from collections.abc import Sequence
from typing import Any

from schemas.databases import Table
from schemas.tools import KeyPath, SqlTool
from turnwright.goals.drafts import Detail, DraftCall
from turnwright.goals.keys import Keys, result_rows, shows_column
from turnwright.goals.values import is_sayable
from turnwright.goals.words import name_column, naming_column, same_value
from turnwright.tools.key_roles import name_field


def identify_row(
    call: DraftCall, field: str, value: Any, table: Table, via: KeyPath, keys: Keys
) -> tuple[Detail, ...] | None:
    """The details by which the person's words single out the row with this key in the result, or none.

    Args:
        call: the look-up.
        field: of its result, that holds the key.
        value: of the key.
        table: whose row it is, `via` the keys by which the tool reaches it.
        via: see `table`.
        keys: of the database.

    Where the call's own details leave several rows, the row's name in the result is added: the person knows it.
    """
    rows = [row for row in result_rows(call.result) if same_value(row.get(field), value)]
    if not rows:
        return None
    if singles_out(call.result, call.tool, call.details, field, value):
        return call.details
    column = table.column(naming_column(table) or "")
    if column is None:
        return None
    output = next((output for output in call.tool.outputs if shows_column(output, table.name, column.name, via)), None)
    if output is None or not is_sayable(rows[0].get(output.name)):
        return None
    label, short = name_field(table, column, keys.role(via)), name_column(table, column)
    extra = Detail(label, short, rows[0][output.name], None, table.name, column.name, "=", via)
    details = (*call.details, extra)
    return details if singles_out(call.result, call.tool, details, field, value) else None


def meant_rows(result: Any, tool: SqlTool, details: Sequence[Detail]) -> list[dict[str, Any]]:
    """Rows of a result that have exactly the values which the person named."""
    rows = result_rows(result)
    if len(rows) <= 1:
        return rows
    for detail in details:
        if detail.operator not in ("=", "like") or detail.column is None or detail.table is None:
            continue
        for output in tool.outputs:
            if shows_column(output, detail.table, detail.column, detail.via):
                rows = [row for row in rows if same_value(row.get(output.name), detail.value)]
    return rows


def singles_out(result: Any, tool: SqlTool, details: Sequence[Detail], field: str, value: Any) -> bool:
    """Whether all rows that the person can mean have `value` in `field`, and there is one."""
    rows = meant_rows(result, tool, details)
    return bool(rows) and all(same_value(row.get(field), value) for row in rows)
