"""What an SQLite database says of itself, and of its values."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from schemas.databases import ForeignKey
from turnwright.environments.sandbox import Watch
from turnwright.environments.sqlite_layout import Layout, quote_name, read_layout
from turnwright.sources.columns import ColumnFacts, Kind
from turnwright.sources.structure import FoundColumn, FoundTable, UnreadableTableError

MOST_STUDIED: Final = 100_000
"""Rows of a table that facts are counted over."""
_MOST_SEEN = 400
_COLUMNS_AT_ONCE = 40
_SECONDS = 10.0
"""Longest time that one look at a table or view may take."""


class SqliteReader:
    """Reads a connection to a database that nobody else writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._layout: Layout = read_layout(connection)

    def list_tables(self) -> Sequence[FoundTable]:
        """Tables, virtual tables and views; without what SQLite and virtual tables keep for themselves."""
        found: list[FoundTable] = []
        for name in sorted(self._layout.tables):
            found.append(self._find_table(name))
        for name in sorted(self._layout.views):
            try:
                columns = self._pragma("table_xinfo", name)
            except UnreadableTableError:
                continue
            listed = tuple(FoundColumn(str(row[1]), str(row[2]), True, False, False) for row in columns)
            found.append(FoundTable(name, True, listed, (), ()))
        return sorted((table for table in found if table.columns), key=lambda table: table.name)

    def count_rows(self, table: FoundTable) -> int:
        """Rows of a table or view."""
        return int(self._rows(f"SELECT count(*) FROM {quote_name(table.name)}")[0][0])  # noqa: S608

    def study_columns(self, table: FoundTable) -> dict[str, ColumnFacts]:
        """Facts of each column, over the first rows."""
        facts: dict[str, ColumnFacts] = {}
        origin = f"(SELECT * FROM {quote_name(table.name)} LIMIT {MOST_STUDIED})"  # noqa: S608
        for start in range(0, len(table.columns), _COLUMNS_AT_ONCE):
            names = [column.name for column in table.columns[start : start + _COLUMNS_AT_ONCE]]
            parts = ["count(*)"]
            for name in map(quote_name, names):
                parts += [f"count({name})", f"count(DISTINCT {name})"]
                parts += [f"total(typeof({name}) = '{stored}')" for stored in ("integer", "real", "text", "blob")]
            (row,) = self._rows(f"SELECT {', '.join(parts)} FROM {origin}")  # noqa: S608
            for index, name in enumerate(names):
                filled, distinct, integers, reals, texts, blobs = map(int, row[1 + 6 * index : 7 + 6 * index])
                kinds: dict[Kind, int] = {"integer": integers, "number": reals, "string": texts, "binary": blobs}
                seen = () if blobs else self._see_values(origin, name)
                facts[name] = ColumnFacts(int(row[0]), filled, distinct, kinds, seen)
        return facts

    def list_values(self, table: FoundTable, column: str, most: int) -> list[Any]:
        """Distinct values over all rows, sorted, at most `most` + 1."""
        name = quote_name(column)
        rows = self._rows(
            f"SELECT DISTINCT {name} FROM {quote_name(table.name)} WHERE {name} IS NOT NULL LIMIT {most + 1}"  # noqa: S608
        )
        return sorted((row[0] for row in rows), key=lambda value: (isinstance(value, str), value))

    def read_row(self, table: FoundTable, position: int) -> tuple[Any, ...]:
        """The row at a position of the stored order."""
        names = ", ".join(quote_name(column.name) for column in table.columns)
        rows = self._rows(f"SELECT {names} FROM {quote_name(table.name)} LIMIT 1 OFFSET {position}")  # noqa: S608
        if not rows:
            raise UnreadableTableError(f"{table.name} has no row {position}")
        return tuple(rows[0])

    def _see_values(self, origin: str, column: str) -> tuple[Any, ...]:
        name = quote_name(column)
        rows = self._rows(
            f"SELECT DISTINCT {name} COLLATE BINARY FROM {origin}"  # noqa: S608
            f" WHERE {name} IS NOT NULL ORDER BY 1 LIMIT {_MOST_SEEN}"
        )
        return tuple(row[0] for row in rows)

    def _find_table(self, name: str) -> FoundTable:
        stored = self._layout.tables[name]
        unique: set[str] = set()
        for _, index, is_unique, _origin, partial in self._pragma("index_list", name):
            parts = self._pragma("index_info", str(index))
            if is_unique and not partial and len(parts) == 1:
                unique.add(str(parts[0][2]))
        columns = tuple(
            FoundColumn(
                name=str(row[1]),
                type=str(row[2] or ""),
                nullable=not row[3] and not row[5],
                unique=str(row[1]) in unique,
                writable=row[6] == 0 and name not in self._layout.virtual,
            )
            for row in self._pragma("table_xinfo", name)
            if row[6] != 1
        )
        return FoundTable(name, False, columns, stored.key, self._find_foreign_keys(name))

    def _find_foreign_keys(self, name: str) -> tuple[ForeignKey, ...]:
        tables = {table.lower(): table for table in self._layout.tables}
        own = {column.lower(): column for column in self._layout.tables[name].columns}
        grouped: dict[int, list[tuple[Any, ...]]] = {}
        for row in self._pragma("foreign_key_list", name):
            grouped.setdefault(int(row[0]), []).append(row)
        keys: list[ForeignKey] = []
        for rows in grouped.values():
            rows.sort(key=lambda row: row[1])
            parent = tables.get(str(rows[0][2]).lower())
            if parent is None:
                continue
            stored = self._layout.tables[parent]
            theirs = {column.lower(): column for column in stored.columns}
            implicit = all(row[4] is None for row in rows)
            named = stored.key if implicit else tuple(theirs.get(str(row[4]).lower(), "") for row in rows)
            if not all(named):
                # A key that names a column its table lacks is most likely meant for the table's own key.
                named = stored.key
            columns = tuple(own.get(str(row[3]).lower(), "") for row in rows)
            if len(named) == len(columns) and all(named) and all(columns):
                keys.append(ForeignKey(columns=columns, table=parent, referred=named))
        return tuple(sorted(keys, key=lambda key: (key.columns, key.table, key.referred)))

    def _pragma(self, pragma: str, name: str) -> list[tuple[Any, ...]]:
        return self._rows(f"PRAGMA {pragma}({quote_name(name)})")

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            with _bounded(self._connection):
                return self._connection.execute(sql).fetchall()
        except sqlite3.Error as problem:
            raise UnreadableTableError(str(problem)) from None


@contextmanager
def _bounded(connection: sqlite3.Connection) -> Generator[None]:
    connection.set_progress_handler(Watch(_SECONDS).tick, 500)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)
