"""Which columns hold the same key: `orders.customer_id` and `customers.id` do, because one refers to the other."""

from collections.abc import Mapping
from typing import Any

from schemas.databases import Column, Database, Table
from schemas.tools import KeyPath, OutputField, ParameterBinding, SqlTool, Tool
from turnwright.tools.key_roles import Key, find_key, name_path

ColumnName = tuple[str, str]
"""Table and column, lower case."""
RowName = tuple[str, KeyPath]
"""Which row of a statement: its table, lower case, and the keys that lead to it."""


class Keys:
    """Columns of one database grouped by the key that they hold, from its single-column references."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._group: dict[ColumnName, ColumnName] = {}
        self._roles: dict[KeyPath, str] = {(): ""}
        self._found: dict[ColumnName, Key | None] = {}
        self._rows: dict[tuple[str, str, KeyPath], RowName] = {}
        for table in database.tables:
            for key in table.foreign_keys:
                for ours, theirs in zip(key.columns, key.referred, strict=True):
                    self._join((table.name.lower(), ours.lower()), (key.table.lower(), theirs.lower()))
            for column in table.columns:
                if column.references is not None:
                    there = (column.references[0].lower(), column.references[1].lower())
                    self._join((table.name.lower(), column.name.lower()), there)
        self._group = {name: self.group(*name) for name in self._group}
        self._tables: dict[str, Table] = {}
        self._places: dict[ColumnName, tuple[Table, Column]] = {}
        for table in database.tables:
            # Of two names that differ in case alone the first counts, as everywhere.
            if self._tables.setdefault(table.name.lower(), table) is table:
                for column in table.columns:
                    self._places.setdefault((table.name.lower(), column.name.lower()), (table, column))

    def table(self, name: str) -> Table | None:
        """The table or view of that name, compared without case, or none."""
        return self._tables.get(name.lower())

    def group(self, table: str, column: str) -> ColumnName:
        """The one name that all columns of the same key share; a column that takes part in no reference is its own."""
        name = (table.lower(), column.lower())
        while self._group.get(name, name) != name:
            name = self._group[name]
        return name

    def _join(self, left: ColumnName, right: ColumnName) -> None:
        one, other = self.group(*left), self.group(*right)
        if one != other:
            self._group[max(one, other)] = min(one, other)

    def place(self, table: str | None, column: str | None) -> tuple[Table, Column] | None:
        """The table and column of a binding or an output, or none where it is computed or unknown."""
        return None if table is None or column is None else self._places.get((table.lower(), column.lower()))

    def key(self, table: Table, column: str) -> Key | None:
        """The key of one of these tables that a column tells or is part of, see `find_key`."""
        name = (table.name.lower(), column.lower())
        if name not in self._found:
            self._found[name] = find_key(table, column)
        return self._found[name]

    def row(self, table: str | None, column: str | None, via: KeyPath) -> RowName:
        """The row that a value of a column names: the one that it points at, else the one that it stands in."""
        if table is None or column is None:
            return "", ()
        asked = (table, column, via)
        if asked not in self._rows:
            self._rows[asked] = self._find_row(table, column, via)
        return self._rows[asked]

    def _find_row(self, table: str, column: str, via: KeyPath) -> RowName:
        place = self.place(table, column)
        if place is None:
            return "", ()
        here, inside = place
        if inside.references is None:
            return here.name.lower(), via
        key = self.key(here, inside.name)
        needed = key is not None and bool(via or key.role)
        return inside.references[0].lower(), (*via, (here.name, inside.name)) if needed else ()

    def role(self, via: KeyPath) -> str:
        """What the row at the end of these keys is called, `from club`; empty where its table says enough."""
        if via not in self._roles:
            self._roles[via] = name_path(via, self.database)
        return self._roles[via]

    def is_hidden(self, table: str | None, column: str | None) -> bool:
        """Whether a column only identifies, so that no person knows its values."""
        place = self.place(table, column)
        return place is not None and place[1].surrogate


def read_column(row: Mapping[str, Any], column: str) -> Any:
    """The value of a column in a row, names compared without case; none where it is missing."""
    if column in row:
        return row[column]
    return next((value for name, value in row.items() if name.lower() == column.lower()), None)


def shows_column(output: OutputField, table: str, column: str, via: KeyPath = ()) -> bool:
    """Whether a field of a result is that column of the row that these keys lead to, names compared without case."""
    names = (output.table or "").lower(), (output.column or "").lower()
    return names == (table.lower(), column.lower()) and output.via == via


def main_binding(tool: SqlTool, parameter: str) -> ParameterBinding | None:
    """What a parameter stands against first of all: what it writes, else the first column that it is compared with."""
    own = [binding for binding in tool.bindings if binding.name == parameter]
    own.sort(key=lambda binding: (binding.operator not in ("set", "values"), binding.column is None))
    return own[0] if own else None


def required_parameters(tool: Tool) -> list[str]:
    """Names of the parameters that each call must give, in the order of the bindings."""
    needed = set(tool.parameters.get("required", []))
    return [name for name in _parameters(tool) if name in needed]


def optional_parameters(tool: Tool) -> list[str]:
    """Names of the parameters that a call may leave out."""
    needed = set(tool.parameters.get("required", []))
    return [name for name in _parameters(tool) if name not in needed]


def _parameters(tool: Tool) -> list[str]:
    # Bindings have an order of their own; the keys of a specification lose theirs in canonical JSON.
    bound = dict.fromkeys(binding.name for binding in tool.bindings) if isinstance(tool, SqlTool) else {}
    return [*bound, *sorted(name for name in tool.parameters.get("properties", {}) if name not in bound)]


def result_rows(value: Any) -> list[dict[str, Any]]:
    """The rows of a successful read: those of a list, or the one object."""
    if isinstance(value, list):
        return [row for row in value if isinstance(row, dict)]  # pyright: ignore[reportUnknownVariableType]
    return [value] if isinstance(value, dict) else []
