"""What an SQLite file holds, as SQLite itself sees it: tables, views, keys, and the tables that virtual tables keep."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass


def quote_name(name: str) -> str:
    """A name as SQL writes it, whatever it holds. Text that is put together of such names and constants is safe SQL."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class StoredTable:
    """What a comparison of rows needs to know of a table."""

    name: str
    columns: tuple[str, ...]
    """Stored and generated columns; hidden ones of virtual tables are left out."""
    key: tuple[str, ...]
    """Primary key columns in the order of the key."""
    rowid: str | None
    """A name under which the row number can be read, or none: WITHOUT ROWID, or all three names are columns."""


@dataclass(frozen=True)
class Layout:
    """The tables of a file."""

    tables: Mapping[str, StoredTable]
    views: tuple[str, ...]
    virtual: tuple[str, ...]
    """Virtual tables; they are among `tables` too."""
    shadows: Mapping[str, str]
    """Shadow table -> virtual table, both in lower case."""
    modules: frozenset[str]
    """Modules that this SQLite has, in lower case; some are tables by themselves."""


def read_layout(connection: sqlite3.Connection) -> Layout:
    """The layout of the file behind a connection; tables whose module is missing are left out.

    Raises:
        sqlite3.Error: it is not a database.
    """
    listed = [
        (str(name), str(kind), bool(without))
        for schema, name, kind, _columns, without, _strict in connection.execute("PRAGMA table_list").fetchall()
        if schema == "main" and not str(name).lower().startswith("sqlite_")
    ]
    listed.sort()
    virtual = [name for name, kind, _ in listed if kind == "virtual"]
    tables: dict[str, StoredTable] = {}
    for name, kind, without in listed:
        if kind not in ("table", "virtual"):
            continue
        try:
            tables[name] = _read_table(connection, name, without)
        except sqlite3.OperationalError:
            if kind != "virtual":
                raise
    return Layout(
        tables=tables,
        views=tuple(name for name, kind, _ in listed if kind == "view"),
        virtual=tuple(name for name in virtual if name in tables),
        shadows={name.lower(): _owner(name, virtual) for name, kind, _ in listed if kind == "shadow"},
        modules=frozenset(str(row[0]).lower() for row in connection.execute("PRAGMA module_list").fetchall()),
    )


def _read_table(connection: sqlite3.Connection, name: str, without_rowid: bool) -> StoredTable:
    found = connection.execute(f"PRAGMA table_xinfo({quote_name(name)})").fetchall()
    columns = tuple(str(row[1]) for row in found if row[6] != 1)
    key = tuple(str(row[1]) for row in sorted((row for row in found if row[5]), key=lambda row: row[5]))
    taken = {column.lower() for column in columns}
    free = [alias for alias in ("rowid", "_rowid_", "oid") if alias not in taken]
    return StoredTable(name, columns, key, None if without_rowid or not free else free[0])


def _owner(shadow: str, virtual: list[str]) -> str:
    owners = [name for name in virtual if shadow.lower().startswith(name.lower() + "_")]
    return max(owners, key=len, default=shadow).lower()
