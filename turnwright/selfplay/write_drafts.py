"""Drafts of tools that write: one row added, changed or removed."""

# ruff: noqa: S608
# Writing SQL as text is what this player does; nothing here runs it.

from collections.abc import Iterator

from turnwright.selfplay.database_view import ViewTable
from turnwright.selfplay.table_sketch import TableSketch, ToolDraft
from turnwright.tools.naming import snake_case

_MOST_WRITTEN = 9


def draft_update(on: TableSketch) -> Iterator[ToolDraft]:
    """One column of one row."""
    table = on.table
    if table.view or not table.key:
        return
    plain = [
        c for c in table.columns if not c.primary_key and not c.references and not c.surrogate and c not in table.labels
    ]
    chosen = sorted(plain, key=lambda c: (not c.measure, not c.grouping, not c.date, c.long))
    for column in chosen[:3]:
        said = table.label(column)
        yield on.draft(
            f"update_{table.single}_{snake_case(said)}",
            f"Set the {said} of one {table.entity}, chosen by its {on.key_words()}.",
            f"UPDATE {on.quote(table.name)} SET {on.quote(column.name)} = :{_unlike(table.parameter(column), table)}"
            f" WHERE {on.by_key('')}",
        )


def draft_create(on: TableSketch) -> Iterator[ToolDraft]:
    """A new row; an integer key is numbered by the statement."""
    table = on.table
    if table.view or len(table.columns) < 2:
        return
    single = table.key[0] if len(table.key) == 1 else None
    counted = single is not None and single.type == "integer" and not single.references
    others = [column for column in table.columns if not (counted and column == single)]
    written = sorted(others, key=lambda c: (c.nullable, not c.references, c not in table.labels, c.long))
    written = [column for column in others if column in written[:_MOST_WRITTEN]]
    names = [on.quote(column.name) for column in written]
    values = [f":{table.parameter(column)}" for column in written]
    if counted and single is not None:
        names.insert(0, on.quote(single.name))
        values.insert(0, f"(SELECT COALESCE(MAX({on.quote(single.name)}), 0) + 1 FROM {on.quote(table.name)})")
    yield on.draft(
        f"create_{table.single}",
        f"Add a new {table.entity}." + (" Returns its new key." if counted else ""),
        f"INSERT INTO {on.quote(table.name)} ({', '.join(names)}) VALUES ({', '.join(values)})",
        *(parent for _, parent, _ in on.parents),
    )


def draft_delete(on: TableSketch) -> Iterator[ToolDraft]:
    """One row by its key, of a table that nothing refers to."""
    table = on.table
    referred = any(c.references and c.references[0] == table.name for other in on.view.tables for c in other.columns)
    if table.view or not table.key or referred:
        return
    yield on.draft(
        f"delete_{table.single}",
        f"Delete one {table.entity} by its {on.key_words()}.",
        f"DELETE FROM {on.quote(table.name)} WHERE {on.by_key('')}",
    )


def _unlike(parameter: str, table: ViewTable) -> str:
    keys = {table.parameter(column) for column in table.key}
    return f"new_{parameter}" if parameter in keys else parameter
