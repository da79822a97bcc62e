"""Which rows of a dialogue's SQLite copy differ from the template."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from schemas.goals import RowChange
from turnwright.environments.sqlite_layout import Layout, StoredTable, quote_name
from turnwright.environments.values import exact_value, json_value, pair_rows, sort_changes


def compare_tables(
    connection: sqlite3.Connection, template_uri: str, layout: Layout, touched: Iterable[str]
) -> list[RowChange]:
    """Rows of the tables `touched` that differ between a copy and the template file, in canonical order.

    The template is attached read-only for the moment of the comparison, so that SQLite compares and only differing rows
    reach Python.
    """
    by_name = {name.lower(): table for name, table in layout.tables.items()}
    tables = [by_name[name.lower()] for name in touched if name.lower() in by_name]
    allowed = connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 1)
    connection.execute("ATTACH ? AS template", (template_uri,))
    try:
        changes: list[RowChange] = []
        for table in tables:
            before = _rows_only_in(connection, table, "template", "main")
            after = _rows_only_in(connection, table, "main", "template")
            changes.extend(pair_rows(table.name, table.key, before, after))
        return sort_changes(changes)
    finally:
        connection.execute("DETACH template")
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, allowed)


def _rows_only_in(connection: sqlite3.Connection, table: StoredTable, here: str, there: str) -> list[dict[str, Any]]:
    # Collations are set aside: 'a' that became 'A' is a change, whatever the column compares as.
    names = [f"{quote_name(name)} COLLATE BINARY" for name in table.columns]
    hidden = 0
    if table.rowid and not table.key:
        # Equal rows of a table without key are told apart, so that none of them is lost.
        names.append(table.rowid)
        hidden = 1
    listed = ", ".join(names)
    name = quote_name(table.name)
    cursor = connection.execute(f"SELECT {listed} FROM {here}.{name} EXCEPT SELECT {listed} FROM {there}.{name}")  # noqa: S608
    stop = -1 if hidden else None
    return [dict(zip(table.columns, map(exact_value, row[:stop]), strict=True)) for row in cursor]


def read_inserted_key(connection: sqlite3.Connection, layout: Layout, target: str) -> dict[str, Any] | None:
    """Primary key of the row that the last INSERT made; none for views and for tables without a key or row numbers."""
    table = layout.tables.get(target)
    if table is None or not table.key or table.rowid is None:
        return None
    names = ", ".join(quote_name(name) for name in table.key)
    row = connection.execute(
        f"SELECT {names} FROM {quote_name(table.name)} WHERE {table.rowid} = last_insert_rowid()"  # noqa: S608
    ).fetchone()
    return dict(zip(table.key, map(json_value, row), strict=True)) if row else None
