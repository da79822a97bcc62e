"""The cell that hostile SQL runs in on SQLite.

A statement gets only what its tool needs. The authorizer is an allow-list over what SQLite is about to do, whatever the
text looks like; the watch stops what runs too long or takes too much memory; limits of the connection bound how large
a value or a statement may grow. Everything else (ATTACH, PRAGMA, DDL, transactions, loading, files) is not on the list.
"""

import re
import resource
import sqlite3
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.messages import ToolError
from turnwright.environments.base import Execution
from turnwright.environments.determinism import compute_natively
from turnwright.environments.values import decode_text, json_value, unique_names

MOST_VALUE_BYTES = 4 * 2**20
"""Longest text or blob that a statement may read or make."""
MOST_FETCHED_BYTES = 8 * 2**20
"""Most bytes of values that are taken from one statement."""
_GROWTH_KILOBYTES = 768 * 1024
"""How far a statement may push the process's peak memory."""
_WIDEST_FIELD = 1000
"""Characters that one field of `printf` may take."""
_STEPS_PER_CHECK = 500
_STEPS_PER_SECOND = 20_000_000
"""Steps of the virtual machine for each second of the time limit. Counted, so that a statement that is too expensive is
stopped at the same place on every machine, give or take one check: a statement that a connection keeps counts on from
where its last run ended. The clock is the second bound."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MOST_VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 64,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 32,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}

ALLOWED_FUNCTIONS = frozenset(
    """
    abs char coalesce concat concat_ws format glob hex ifnull iif instr length like lower ltrim max min nullif
    octet_length printf quote replace round rtrim sign substr substring trim typeof unhex unicode upper likely
    unlikely likelihood avg count group_concat string_agg sum total median percentile row_number rank dense_rank
    percent_rank cume_dist ntile lag lead first_value last_value nth_value acos acosh asin asinh atan atan2 atanh
    ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power radians sin sinh sqrt tan tanh trunc
    date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp random
    randomblob json json_array json_array_length json_extract json_insert json_object json_patch json_quote
    json_remove json_replace json_set json_type json_valid json_group_array json_group_object -> ->> json_each
    json_tree match bm25 highlight snippet matchinfo offsets regexp
    """.split()
)
"""Functions of tool statements. Not on it: whatever reads files, loads code or tells of the connection."""

_TABLE_FUNCTIONS = frozenset(["json_each", "json_tree"])
_HARMLESS_PRAGMAS = frozenset(["data_version", "page_size"])
"""Read by full-text tables for themselves."""
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
_READ_WORDS = frozenset(["select", "with", "values"])
_WRITE_WORDS = frozenset(["insert", "update", "delete", "replace", "with"])
_WRITES = frozenset([sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE])


@dataclass(frozen=True)
class Territory:
    """What of a database a tool may touch. Names are in lower case."""

    readable: frozenset[str]
    """Tables and views that a read may name."""
    tables: frozenset[str]
    """All tables that hold a user's rows, whether offered to tools or not: triggers and foreign keys may need them."""
    views: frozenset[str]
    shadows: Mapping[str, str]
    """Table kept by a virtual table -> that virtual table."""
    modules: frozenset[str]
    """Table-valued functions and other modules that are tables by themselves."""


@dataclass
class Guard:
    """The authorizer of one statement, and what it saw."""

    territory: Territory
    writes: bool
    written: dict[str, None] = field(default_factory=dict[str, None])
    """Tables that the statement may write, in the order in which SQLite asked; spelt as SQLite spells them."""
    target: str | None = None
    """Table that an INSERT names itself."""
    denied: str | None = None

    def authorize(
        self, action: int, first: str | None, second: str | None, _database: str | None, by: str | None
    ) -> int:
        """SQLite's callback: allows what is listed and remembers the first thing that is not."""
        if self._allows(action, (first or ""), (second or ""), by):
            return sqlite3.SQLITE_OK
        if self.denied is None:
            self.denied = _describe(action, first, second)
        return sqlite3.SQLITE_DENY

    def _allows(self, action: int, first: str, second: str, by: str | None) -> bool:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return True
        name = first.lower()
        if action == sqlite3.SQLITE_READ:
            return self._allows_read(name, second, by)
        if action == sqlite3.SQLITE_FUNCTION:
            return second.lower() in ALLOWED_FUNCTIONS or (by is not None and second.lower() == "raise")
        if action == sqlite3.SQLITE_PRAGMA:
            return name in _HARMLESS_PRAGMAS and not second and bool(self.territory.shadows)
        if action in _WRITES and self.writes:
            return self._allows_write(action, first, by)
        return False

    def _allows_read(self, name: str, column: str, by: str | None) -> bool:
        land = self.territory
        if name in land.readable or name in _TABLE_FUNCTIONS or name in land.shadows:
            return True
        if name in land.tables:
            # Behind a view or trigger that the tool may use, or for the foreign keys of a write.
            return by is not None or self.writes
        # What is left are names that the statement gave itself, by WITH; SQLite asks for them without a column.
        return not column and not name.startswith(("sqlite_", "pragma_")) and name not in land.modules

    def _allows_write(self, action: int, table: str, by: str | None) -> bool:
        land, name = self.territory, table.lower()
        if name in land.shadows:
            # The full-text module writes these for itself, after the statement named its virtual table.
            return any(seen.lower() == land.shadows[name] for seen in self.written)
        if name not in land.tables and name not in land.views:
            return False
        self.written.setdefault(table)
        if action == sqlite3.SQLITE_INSERT and by is None and self.target is None:
            self.target = table
        return True


def _describe(action: int, first: str | None, second: str | None) -> str:
    if action == sqlite3.SQLITE_FUNCTION:
        return f"the function {second}"
    if action == sqlite3.SQLITE_READ:
        return f"reading {first}"
    if action in _WRITES:
        return f"writing to {first}"
    if action == sqlite3.SQLITE_PRAGMA:
        return "a PRAGMA"
    if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
        return "another database"
    return "that kind of statement"


@dataclass
class Watch:
    """Stops a statement that takes too many steps, too long or too much memory."""

    seconds: float
    expired: bool = False
    swollen: bool = False

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.seconds
        self._checks = int(self.seconds * _STEPS_PER_SECOND / _STEPS_PER_CHECK)
        self._peak: int | None = None
        """Asked for at the second check: most statements end before it, and asking takes longer than they do."""
        self._begun = False

    def tick(self) -> int:
        """SQLite's callback, once in some hundreds of steps; anything but 0 stops the statement."""
        self._checks -= 1
        if self._checks < 0 or time.monotonic() > self._deadline:
            self.expired = True
        elif not self._begun:
            self._begun = True
        elif self._peak is None:
            self._peak = _RECENT_PEAK.read() + _GROWTH_KILOBYTES
        elif self._checks % 4 == 0 and _peak_kilobytes() > self._peak:
            self.swollen = True
        return int(self.expired or self.swollen)


def _peak_kilobytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


class _RecentPeak:
    """The process's peak memory as it was a moment ago: asking takes longer than most statements do.

    A peak only rises, so that what is measured from an older one is stopped no later.
    """

    def __init__(self) -> None:
        self._kilobytes = 0
        self._until = 0.0

    def read(self) -> int:
        """The peak, at most a second old."""
        now = time.monotonic()
        if now > self._until:
            self._kilobytes, self._until = _peak_kilobytes(), now + 1
        return self._kilobytes


_RECENT_PEAK = _RecentPeak()


def confine(connection: sqlite3.Connection) -> None:
    """Sets what holds for every statement of a connection: size limits, no files for temporary results."""
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.text_factory = decode_text
    for limit, value in _LIMITS.items():
        connection.setlimit(limit, value)
    for name in ("printf", "format"):
        connection.create_function(name, -1, _print_narrowly, deterministic=True)


def _print_narrowly(*values: Any) -> Any:
    """`printf` without wide fields: SQLite fills them in a loop that no watch can stop."""
    pattern = str(values[0]) if values else ""
    if "*" in pattern or any(int(width) > _WIDEST_FIELD for width in re.findall(r"\d+", pattern)):
        raise ValueError("field too wide")
    marks = ", ".join("?" * len(values))
    return compute_natively(f"SELECT printf({marks})", values)


def refuse_statement(sql: str, writes: bool) -> ToolError | None:
    """Why a statement may not even be prepared, judged by its first word."""
    match = _FIRST_WORD.match(sql)
    word = match[1].lower() if match else ""
    if word in (_WRITE_WORDS if writes else _READ_WORDS):
        return None
    return ToolError(kind="refused", message="This kind of statement is not allowed here.")


def execute_guarded(
    connection: sqlite3.Connection,
    sql: str,
    parameters: Mapping[str, Any],
    guard: Guard,
    *,
    limit: int,
    seconds: float,
    standing: bool = False,
) -> Execution:
    """Runs one statement under a guard and a watch; takes at most `limit` rows.

    A `standing` guard is the connection's authorizer already, and stays it: then a statement that the connection
    keeps has been authorized when it was prepared. Setting an authorizer makes SQLite forget what it has prepared.

    Never raises for what the statement did wrong: the error is in the result. A write must stand in a transaction of
    the caller's, who undoes it on an error.
    """
    error = refuse_statement(sql, guard.writes)
    if error is not None:
        return Execution(error=error)
    watch = Watch(seconds)
    guard.denied = None
    if not standing:
        connection.set_authorizer(guard.authorize)
    connection.set_progress_handler(watch.tick, _STEPS_PER_CHECK)
    try:
        return _fetch(connection, sql, parameters, guard, limit)
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError, MemoryError) as problem:
        return Execution(error=explain_problem(problem, guard, watch))
    finally:
        connection.set_progress_handler(None, 0)
        if not standing:
            connection.set_authorizer(None)


def _fetch(
    connection: sqlite3.Connection, sql: str, parameters: Mapping[str, Any], guard: Guard, limit: int
) -> Execution:
    bound = {name: int(value) if isinstance(value, bool) else value for name, value in parameters.items()}
    cursor = connection.execute(sql, bound)
    try:
        columns = unique_names([item[0] for item in cursor.description or ()])
        rows: list[dict[str, Any]] = []
        size = 0
        truncated = False
        for row in cursor:
            size += sum([len(value) if isinstance(value, str | bytes) else 8 for value in row])
            if len(rows) >= limit or size > MOST_FETCHED_BYTES:
                truncated = True
                if guard.writes:
                    # RETURNING: a write is only finished when its rows have been run through.
                    continue
                break
            rows.append(dict(zip(columns, map(json_value, row), strict=True)))
        return Execution(rows=tuple(rows), columns=columns, truncated=truncated)
    finally:
        cursor.close()


def explain_problem(problem: BaseException, guard: Guard, watch: Watch) -> ToolError:
    """A safe, helpful error for what SQLite, or Python's binding to it, complained about."""
    text = str(problem)
    if guard.denied is not None:
        return ToolError(kind="refused", message=f"The statement is not allowed: {guard.denied} is out of bounds.")
    if watch.expired:
        return ToolError(kind="timeout", message="The statement took too long and was stopped. Nothing was changed.")
    if watch.swollen or isinstance(problem, MemoryError) or "too big" in text:
        return ToolError(kind="too_large", message="The statement handles too much data and was stopped.")
    if "one statement at a time" in text or "not authorized" in text or "prohibited" in text:
        return ToolError(kind="refused", message="The statement is not allowed.")
    if "user-defined function" in text:
        return ToolError(kind="refused", message="A function was given a value that is out of bounds.")
    if isinstance(problem, sqlite3.IntegrityError):
        return ToolError(kind="database", message=explain_constraint(text))
    if isinstance(problem, OverflowError | UnicodeError | sqlite3.InterfaceError) or "binding" in text:
        return ToolError(kind="invalid_arguments", message="An argument is missing or cannot be stored.")
    return ToolError(kind="database", message=f"The database refused: {text}.")


_CONSTRAINTS = {
    "UNIQUE": "there is already a row with this {what}",
    "PRIMARY KEY": "there is already a row with this {what}",
    "NOT NULL": "{what} must have a value",
    "CHECK": "a value is not allowed ({what})",
}


def explain_constraint(text: str) -> str:
    """A violated constraint in a sentence; SQLite names the constraint's columns, and no values."""
    match = re.match(r"(UNIQUE|PRIMARY KEY|NOT NULL|CHECK) constraint failed: (.*)", text, re.DOTALL)
    if match:
        return f"Nothing was changed: {_CONSTRAINTS[match[1]].format(what=match[2])}."
    if text.startswith("FOREIGN KEY"):
        return "Nothing was changed: a row that this refers to is missing, or other rows still refer to this one."
    return f"Nothing was changed: {text}."
