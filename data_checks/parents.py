"""The tables that a stage's rows refer to, read once, by column."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from schemas.rows import TableRef
from turnwright.storage.tables import read_columns

_REPAIRED = {"dialogues": "repaired_dialogues", "verdicts": "repaired_verdicts"}
"""Tables that are read together with another one: a repaired dialogue is a dialogue."""


class Parents:
    """Look-ups by row id in tables of earlier stages. A table that was not given has none."""

    def __init__(self, tables: Mapping[str, TableRef]) -> None:
        self._tables = tables
        self._columns: dict[tuple[str, str], dict[str, Any]] = {}

    def has(self, *tables: str) -> bool:
        """Whether all of these tables were given."""
        return all(table in self._tables for table in tables)

    def column(self, table: str, name: str) -> Mapping[str, Any]:
        """Row id -> value of one column."""
        key = (table, name)
        if key not in self._columns:
            self._columns[key] = {
                row["id"]: row[name]
                for part in dict.fromkeys((table, _REPAIRED.get(table, table)))
                if part in self._tables
                for row in read_columns(self._tables[part], part, ["id", name])
            }
        return self._columns[key]

    def ids(self, table: str) -> Mapping[str, Any]:
        """Row ids of a table."""
        return self.column(table, "id")

    @cached_property
    def rows(self) -> dict[str, int]:
        """Table -> number of rows."""
        return {table: reference.rows for table, reference in self._tables.items()}
