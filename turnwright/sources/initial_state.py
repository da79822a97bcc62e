"""The state that dialogues start from where the config gives one beside the source: UO, plug and play.

The state given is one more content of the same database: its structure is that of the source, so that tools and
questions fit either. It is settled when seeds are collected; everything after that knows one base and its digest.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from turnwright.environments.determinism import Pins, pin_functions
from turnwright.sources.errors import SourceError
from turnwright.sources.sqlite_file import read_snapshot

_STRUCTURE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
_MOST_STEPS = 50_000_000
"""Instructions of SQLite's machine that all statements may take together."""
_STEPS = 10_000
_ALLOWED = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_INSERT,
        sqlite3.SQLITE_UPDATE,
        sqlite3.SQLITE_DELETE,
    }
)


def set_sqlite_state(content: bytes, given: str | Sequence[str], title: str) -> bytes:
    """The content that dialogues start from: another file's, or `content` after some writes.

    Args:
        content: of the source's own file.
        given: path of an SQLite file with the same tables, or statements that insert, update or delete rows.
        title: of the source, for messages.

    Raises:
        SourceError: the file cannot be read or has another structure, or a statement is refused or fails.
    """
    if isinstance(given, str):
        other = read_snapshot(Path(given).expanduser(), f"{title}: initial_state {given}")
        if (differing := _compare(content, other, title)) is not None:
            raise SourceError(
                f"{title}: initial_state {given} has another structure: {differing}",
                "give a database with the tables of `url`, with other rows",
            )
        return other
    return _write(content, given, title)


def merge_state(database: Any, patch: Mapping[str, Any]) -> Any:
    """A domain's database with `patch` laid over it: a JSON merge patch (RFC 7386), where null takes a key away."""
    merged: dict[str, Any] = dict(cast("dict[str, Any]", database)) if isinstance(database, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            merged[key] = merge_state(merged.get(key), cast("Mapping[str, Any]", value))
        else:
            merged[key] = value
    return merged


def _compare(content: bytes, other: bytes, title: str) -> str | None:
    first, second = _read_structure(content, title), _read_structure(other, title)
    for name in sorted(first.keys() | second.keys()):
        if name not in second:
            return f"there is no {name}"
        if name not in first:
            return f"{name} is not in the source"
        if first[name] != second[name]:
            return f"{name} is defined in another way"
    return None


def _read_structure(content: bytes, title: str) -> dict[str, str]:
    connection = _open(content, title)
    try:
        found = {f"{kind} {name}": " ".join(str(sql).split()) for kind, name, _, sql in connection.execute(_STRUCTURE)}
    except sqlite3.DatabaseError as problem:
        raise SourceError(f"{title}: is damaged: {problem}", "restore it from a copy, or run `.recover`") from None
    finally:
        connection.close()
    return found


def _write(content: bytes, statements: Sequence[str], title: str) -> bytes:
    connection = _open(content, title)
    hint = "write one INSERT, UPDATE or DELETE on the source's tables as each item of initial_state"
    left = _MOST_STEPS // _STEPS

    def count() -> int:
        nonlocal left
        left -= 1
        return int(left < 0)

    try:
        pin_functions(connection, Pins())
        connection.execute("PRAGMA foreign_keys=ON")
        connection.set_progress_handler(count, _STEPS)
        connection.execute("BEGIN")
        connection.set_authorizer(_authorise)
        for number, statement in enumerate(statements):
            try:
                connection.execute(statement)
            except (sqlite3.Error, sqlite3.Warning, ValueError) as problem:
                raise SourceError(f"{title}: initial_state[{number}] failed: {problem}", hint) from None
        connection.set_authorizer(None)
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as problem:
            raise SourceError(f"{title}: initial_state leaves the tables inconsistent: {problem}", hint) from None
        return connection.serialize()
    finally:
        connection.close()


def _authorise(action: int, first: str | None, second: str | None, third: str | None, fourth: str | None) -> int:
    """Rows may be read and changed; nothing may be attached, created, dropped or set."""
    del second, third, fourth
    hidden = action != sqlite3.SQLITE_READ and (first or "").lower().startswith("sqlite_master")
    return sqlite3.SQLITE_OK if action in _ALLOWED and not hidden else sqlite3.SQLITE_DENY


def _open(content: bytes, title: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.deserialize(content)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as problem:
        connection.close()
        raise SourceError(f"{title}: is damaged: {problem}", "restore it from a copy, or run `.recover`") from None
    return connection
