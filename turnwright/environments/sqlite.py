"""SQLite: a template that is never written, and a copy in memory for each dialogue that has written something.

While a dialogue only reads, it shares one read-only connection to the stored template with the others of its thread.
Its first write makes a copy of its own by deserialising the template. The number of copies that live at once is
bounded; one that is dropped is rebuilt from the dialogue's log.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from schemas.databases import Database
from schemas.goals import RowChange
from schemas.messages import ToolError
from schemas.tools import Tool
from turnwright.environments.base import EnvironmentLimits, Execution, Fault
from turnwright.environments.binding import BindingError, check_parameters
from turnwright.environments.determinism import FIXED_TIME, Pins, pin_functions
from turnwright.environments.sandbox import Guard, Territory, confine, execute_guarded, explain_constraint
from turnwright.environments.sqlite_changes import compare_tables, read_inserted_key
from turnwright.environments.sqlite_layout import Layout, quote_name, read_layout
from turnwright.environments.state import LoggedEnvironment, State, Write, refuse_size
from turnwright.sources.errors import SourceError

MOST_COPIES = 256
"""Most copies that are kept for dialogues which are not running a statement."""
_COPIES_BYTES = 512 * 2**20
_KEPT_STATEMENTS = 64
"""Most prepared statements that a connection for reads keeps; tools' statements come back."""
_ROOM_BYTES = 64 * 2**20
"""How far a dialogue's copy may grow over the template."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One connection with its pinned functions."""

    connection: sqlite3.Connection
    pins: Pins
    guard: Guard | None = None
    """The connection's authorizer where only reads ever run on it."""


@dataclass
class _Copies:
    """Copies that no statement is running on; the one that rested longest goes first."""

    most: int
    resting: OrderedDict[State, Cell] = field(default_factory=OrderedDict[State, Cell])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, state: State) -> Cell | None:
        with self.lock:
            return self.resting.pop(state, None)

    def give_back(self, state: State, cell: Cell) -> None:
        with self.lock:
            self.resting[state] = cell
            dropped = self.resting.popitem(last=False)[1] if len(self.resting) > self.most else None
        if dropped is not None:
            dropped.connection.close()

    def clear(self) -> None:
        with self.lock:
            cells = list(self.resting.values())
            self.resting.clear()
        for cell in cells:
            cell.connection.close()


class SqliteBase:
    """A template file in the store, opened read-only, and the copies made of it."""

    def __init__(self, database: Database, template: Path, digest: str, limits: EnvironmentLimits) -> None:
        """Reads the template.

        Raises:
            SourceError: it is gone or cannot be read.
        """
        self.digest = digest
        self.dialect = "sqlite"
        self._limits = limits
        self._uri = f"file:{quote(str(template.absolute()))}?mode=ro&immutable=1"
        try:
            self._template = template.read_bytes()
        except OSError as problem:
            raise SourceError(
                f"the stored copy of {database.name} cannot be read: {problem.strerror}", "run collect-seeds again"
            ) from None
        self._copies = _Copies(max(4, min(MOST_COPIES, _COPIES_BYTES // max(1, len(self._template)))))
        self._local = threading.local()
        self._shared: list[Cell] = []
        self._lock = threading.Lock()
        self._layout: Layout = self._read_layout()
        self._territory = Territory(
            readable=frozenset(table.name.lower() for table in database.tables),
            tables=frozenset(name.lower() for name in self._layout.tables),
            views=frozenset(name.lower() for name in self._layout.views),
            shadows=self._layout.shadows,
            modules=self._layout.modules,
        )

    def open(
        self, tools: Sequence[Tool], *, seed: str, reference_time: str, fault: Fault | None = None
    ) -> LoggedEnvironment:
        """A fresh environment; costs nothing until its first write."""
        return LoggedEnvironment(self, tools, State(seed, reference_time), self._limits, fault)

    def run(self, sql: str, parameters: Mapping[str, Any], *, writes: bool = False, limit: int = 100) -> Execution:
        """One statement in the sandbox, on the base's state, undone afterwards."""
        try:
            bound = check_parameters(parameters)
        except BindingError as problem:
            return Execution(error=ToolError(kind="invalid_arguments", message=f"{problem}."))
        state = State("0", FIXED_TIME)
        if not writes:
            return self.read(state, sql, bound, limit)
        cell: Cell | None = getattr(self._local, "scratch", None)
        if cell is None:
            cell = self._copy()
            self._local.scratch = cell
            with self._lock:
                self._shared.append(cell)
        execution, _ = self._attempt(cell, state, sql, bound, keep=False)
        return execution

    def read(self, state: State, sql: str, parameters: Mapping[str, Any], limit: int) -> Execution:
        """Runs a statement that cannot write, on the dialogue's copy if it has written, else on the shared template."""
        seconds = self._limits.statement_seconds
        if not state.log:
            cell = self._share()
            assert cell.guard is not None, "the shared connection stands under a guard"
            cell.pins.set(state.seed, state.reference_time, 0)
            return execute_guarded(
                cell.connection, sql, parameters, cell.guard, limit=limit, seconds=seconds, standing=True
            )
        guard = Guard(self._territory, writes=False)
        with self._own_copy(state) as cell:
            cell.pins.set(state.seed, state.reference_time, len(state.log))
            cell.connection.execute("PRAGMA query_only=ON")
            try:
                return execute_guarded(cell.connection, sql, parameters, guard, limit=limit, seconds=seconds)
            finally:
                cell.connection.execute("PRAGMA query_only=OFF")

    def write(self, state: State, sql: str, parameters: Mapping[str, Any]) -> Execution:
        """Runs a statement that may write; logs it if it changed something and kept within bounds."""
        with self._own_copy(state) as cell:
            execution, write = self._attempt(cell, state, sql, parameters, keep=True)
        if write is not None:
            state.log.append(write)
        return execution

    def changes(self, state: State) -> list[RowChange]:
        """Rows that differ from the base, in canonical order."""
        if not state.log:
            return []
        with self._own_copy(state) as cell:
            return compare_tables(cell.connection, self._uri, self._layout, state.touched)

    def release(self, state: State) -> None:
        """Drops the dialogue's copy."""
        cell = self._copies.take(state)
        if cell is not None:
            cell.connection.close()

    def close(self) -> None:
        """Closes every connection."""
        self._copies.clear()
        with self._lock:
            cells, self._shared = self._shared, []
        self._local = threading.local()
        for cell in cells:
            cell.connection.close()

    def _attempt(
        self, cell: Cell, state: State, sql: str, parameters: Mapping[str, Any], *, keep: bool
    ) -> tuple[Execution, Write | None]:
        """Runs one write in a transaction, and keeps it if it may stay."""
        cell.pins.set(state.seed, state.reference_time, len(state.log))
        guard = Guard(self._territory, writes=True)
        execution, total = self._run_write(cell.connection, sql, parameters, guard, keep)
        if execution.error is not None and _names_bad_key(execution.error.message):
            # A foreign key that does not point at a key makes every write to its tables fail while keys are enforced;
            # the schema's author never had them enforced.
            cell.connection.execute("PRAGMA foreign_keys=OFF")
            try:
                guard = Guard(self._territory, writes=True)
                execution, total = self._run_write(cell.connection, sql, parameters, guard, keep)
            finally:
                cell.connection.execute("PRAGMA foreign_keys=ON")
        if execution.error is not None or not total or not keep:
            return execution, None
        return execution, Write(sql, dict(parameters), tuple(sorted(guard.written)))

    def _run_write(
        self, connection: sqlite3.Connection, sql: str, parameters: Mapping[str, Any], guard: Guard, keep: bool
    ) -> tuple[Execution, int]:
        connection.execute("BEGIN IMMEDIATE")
        before = connection.total_changes
        try:
            execution = execute_guarded(
                connection, sql, parameters, guard, limit=0, seconds=self._limits.statement_seconds
            )
            if execution.error is not None:
                return execution, 0
            changed: int = connection.execute("SELECT changes()").fetchone()[0]
            total = connection.total_changes - before
            changed = changed if total else 0
            if changed > self._limits.written_rows:
                return refuse_size(changed, self._limits.written_rows), 0
            inserted = None
            if changed == 1 and guard.target is not None:
                inserted = read_inserted_key(connection, self._layout, guard.target)
            if keep:
                connection.execute("COMMIT")
            return Execution(rows_changed=changed, inserted=inserted), total
        except sqlite3.IntegrityError:
            # Keys that are checked at the end of the transaction.
            return Execution(error=ToolError(kind="database", message=explain_constraint("FOREIGN KEY"))), 0
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    @contextmanager
    def _own_copy(self, state: State) -> Generator[Cell]:
        cell = self._copies.take(state)
        if cell is None:
            cell = self._copy()
            self._replay(cell, state)
        try:
            yield cell
        finally:
            self._copies.give_back(state, cell)

    def _replay(self, cell: Cell, state: State) -> None:
        done = State(state.seed, state.reference_time)
        for write in state.log:
            execution, again = self._attempt(cell, done, write.sql, write.parameters, keep=True)
            if again is None:
                raise RuntimeError(f"a logged write did not repeat: {execution.error}")
            done.log.append(again)

    def _copy(self) -> Cell:
        connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=0, uri=True
        )
        connection.deserialize(self._template)
        return self._furnish(connection, len(self._template))

    def _share(self) -> Cell:
        cell: Cell | None = getattr(self._local, "cell", None)
        if cell is None:
            connection = self._connect_template(_KEPT_STATEMENTS)
            connection.execute("PRAGMA query_only=ON")
            bare = self._furnish(connection, 0)
            guard = Guard(self._territory, writes=False)
            connection.set_authorizer(guard.authorize)
            cell = Cell(connection, bare.pins, guard)
            self._local.cell = cell
            with self._lock:
                self._shared.append(cell)
        return cell

    def _read_layout(self) -> Layout:
        connection = self._connect_template(0)
        try:
            confine(connection)
            return read_layout(connection)
        finally:
            connection.close()

    def _connect_template(self, kept: int) -> sqlite3.Connection:
        return sqlite3.connect(
            self._uri, isolation_level=None, check_same_thread=False, cached_statements=kept, uri=True
        )

    def _furnish(self, connection: sqlite3.Connection, size: int) -> Cell:
        confine(connection)
        pins = Pins()
        pin_functions(connection, pins)
        if size:
            (page,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute(f"PRAGMA max_page_count={(size + _ROOM_BYTES) // page + 1}")
        for name in sorted(self._layout.virtual):
            _connect_virtual(connection, name)
        return Cell(connection, pins)


def _connect_virtual(connection: sqlite3.Connection, name: str) -> None:
    """Lets a virtual table's module declare itself before a guard is set: it does so with statements of its own."""
    try:
        connection.execute(f"SELECT 1 FROM {quote_name(name)} LIMIT 0").close()  # noqa: S608
    except sqlite3.Error:
        # Its module is not there, so no statement can use the table either.
        return


def _names_bad_key(message: str) -> bool:
    return "foreign key mismatch" in message or "no such table: main." in message
