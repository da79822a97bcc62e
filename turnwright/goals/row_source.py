"""Real rows of a domain, for plans to aim at."""

import random
import threading
from collections import deque
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from sqlglot import exp

from schemas.databases import Column, Database, Table
from turnwright.environments.base import SqlBase
from turnwright.goals.keys import Keys
from turnwright.tools.sql_statement import quote_identifier, render_statement

POOL = 240
"""Most rows of a table that targets are drawn from."""
_WINDOWS = 12
"""A larger table's pool is made of so many stretches of neighbouring rows, spread over the whole table."""
_CHILDREN = 6
_HOPS = 3
_REMEMBERED = 2_000
"""Most answers of `RowSource.find` that are kept: what a run holds must not grow with its dialogues."""


class RowSource:
    """Rows of a base's state before any dialogue. The same base gives the same rows, whoever asks first."""

    def __init__(self, base: SqlBase, database: Database) -> None:
        self.base = base
        self.keys = Keys(database)
        self._pools: dict[str, list[dict[str, Any]]] = {}
        self._related: dict[tuple[str, tuple[tuple[str, Any], ...]], list[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._statements: dict[tuple[str, int, int, tuple[str, ...]], str] = {}

    def pool(self, table: Table) -> list[dict[str, Any]]:
        """Up to `POOL` rows of a table, without its binary columns."""
        if table.name not in self._pools:
            self._pools[table.name] = self._read_pool(table)
        return self._pools[table.name]

    def draw(self, table: Table, rng: random.Random) -> dict[str, Any] | None:
        """One row of the pool, or none where the table is empty."""
        rows = self.pool(table)
        return rng.choice(rows) if rows else None

    def find(self, table: Table, values: dict[str, Any]) -> list[dict[str, Any]]:
        """A few rows with these values (column -> value), in a stable order."""
        key = (table.name, tuple(sorted(values.items())))
        found = self._related.get(key)
        if found is None:
            found = self._select(table, _CHILDREN, 0, values)
            with self._lock:  # plans are drawn on several threads
                if len(self._related) >= _REMEMBERED:
                    del self._related[next(iter(self._related))]
                self._related[key] = found
        return found

    def connected(self, table: Table, row: dict[str, Any], wanted: Table, rng: random.Random) -> dict[str, Any] | None:
        """A row of `wanted` that belongs to `row` through at most three foreign keys, in either direction."""
        if table.name == wanted.name:
            return row
        queue: deque[tuple[Table, dict[str, Any], int]] = deque([(table, row, 0)])
        seen = {table.name}
        while queue:
            here, current, hops = queue.popleft()
            for there, columns in self._links(here):
                values = {theirs: current.get(ours) for ours, theirs in columns}
                if there.name in seen or any(value is None for value in values.values()):
                    continue
                found = self.find(there, values)
                if not found:
                    continue
                seen.add(there.name)
                chosen = rng.choice(found)
                if there.name == wanted.name:
                    return chosen
                if hops + 1 < _HOPS:
                    queue.append((there, chosen, hops + 1))
        return None

    def _links(self, table: Table) -> list[tuple[Table, list[tuple[str, str]]]]:
        links: list[tuple[Table, list[tuple[str, str]]]] = []
        for key in table.foreign_keys:
            parent = self.keys.table(key.table)
            if parent is not None:
                links.append((parent, list(zip(key.columns, key.referred, strict=True))))
        for other in self.keys.database.tables:
            for key in other.foreign_keys:
                if key.table.lower() == table.name.lower() and other.name != table.name:
                    links.append((other, list(zip(key.referred, key.columns, strict=True))))
        return links

    def _read_pool(self, table: Table) -> list[dict[str, Any]]:
        if table.rows <= POOL:
            return self._select(table, POOL, 0, {})
        size, rows = POOL // _WINDOWS, list[dict[str, Any]]()
        for window in range(_WINDOWS):
            rows += self._select(table, size, window * (table.rows - size) // (_WINDOWS - 1), {})
        return rows

    def _select(self, table: Table, limit: int, offset: int, values: dict[str, Any]) -> list[dict[str, Any]]:
        statement = (table.name, limit, offset, tuple(values))
        if statement not in self._statements:
            self._statements[statement] = self._write_statement(table, limit, offset, values)
        parameters = {f"v{number}": value for number, value in enumerate(values.values())}
        execution = self.base.run(self._statements[statement], parameters, limit=limit)
        return [dict(row) for row in execution.rows]

    def _write_statement(self, table: Table, limit: int, offset: int, compared: Iterable[str]) -> str:
        dialect = self.base.dialect
        columns = [column for column in table.columns if column.writable or not _is_binary(column)]
        names = [exp.column(quote_identifier(column.name, dialect)) for column in columns]
        order = [exp.column(quote_identifier(name, dialect)) for name in table.primary_key] or names
        query = exp.select(*names).from_(exp.table_(quote_identifier(table.name, dialect))).order_by(*order)
        for number, name in enumerate(compared):
            query = query.where(
                exp.EQ(this=exp.column(quote_identifier(name, dialect)), expression=exp.Placeholder(this=f"v{number}"))
            )
        return render_statement(query.limit(limit).offset(offset), dialect)


def _is_binary(column: Column) -> bool:
    return any(word in column.type.lower() for word in ("blob", "binary", "bytea", "image"))


_sources: WeakKeyDictionary[SqlBase, RowSource] = WeakKeyDictionary()
_lock = threading.Lock()


def row_source(base: SqlBase, database: Database) -> RowSource:
    """The row source of a base, made once; the rows of a base never change."""
    with _lock:
        if base not in _sources:
            _sources[base] = RowSource(base, database)
        return _sources[base]
