"""PostgreSQL: each call is one short transaction that replays the dialogue's log, does its statement, and is undone.

Nothing is held while a model thinks, and nothing ever stays on the server: no row, no sequence value, no role. Tool
statements run as the role of the config, or as a throw-away role made inside the same transaction, or, where the login
may not make one, with the login's own rights behind the judgement of environments/postgres_statements.py.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, LiteralString, TypeVar, cast

import psycopg
from psycopg.sql import SQL, Composable, Identifier

from schemas.databases import Database
from schemas.goals import RowChange
from schemas.messages import ToolError
from schemas.sources import SqlSource
from schemas.tools import Tool
from turnwright.environments.base import EnvironmentLimits, Execution, Fault
from turnwright.environments.binding import BindingError, check_parameters
from turnwright.environments.determinism import FIXED_TIME, sqlite_time
from turnwright.environments.postgres_errors import is_transient
from turnwright.environments.postgres_layout import Layout, read_layout
from turnwright.environments.postgres_roles import assume_role
from turnwright.environments.postgres_rows import as_texts, error_or_raise, fetch_rows, refuse_clock_word
from turnwright.environments.postgres_statements import (
    Pinning,
    RefusedError,
    Statement,
    check_clock_words,
    parse_statement,
    pin_insert,
    render_statement,
)
from turnwright.environments.state import LoggedEnvironment, State, Write, refuse_size
from turnwright.environments.values import exact_value, json_value, pair_rows, sort_changes
from turnwright.sources.errors import SourceError
from turnwright.sources.locators import locate
from turnwright.sources.postgres_reader import PostgresReader, digest_content, find_schema
from turnwright.sources.postgres_server import Connection, borrow, open_engine

T = TypeVar("T")

CONNECTIONS = 8
_ATTEMPTS = 8
_LOCK_MILLISECONDS = 2000
_TEMPORARY_FILES = "256MB"


@dataclass(frozen=True)
class _Done:
    """One statement that ran inside a transaction."""

    execution: Execution
    tables: tuple[str, ...] = ()
    """Tables whose rows it wrote, through triggers and cascades too."""


class PostgresBase:
    """A database on a server, as it was when its seed was collected."""

    def __init__(
        self, database: Database, source: SqlSource, position: int, digest: str, limits: EnvironmentLimits
    ) -> None:
        """Connects, and looks whether the content is still the seed's.

        Raises:
            SourceError: the server cannot be reached or read, or the content has changed.
        """
        self.digest = digest
        self.dialect = "postgres"
        self._limits = limits
        self._place = locate(source, position)
        self._engine = open_engine(self._place, source.schema_name, CONNECTIONS)
        held, connection = borrow(self._engine, self._place)
        try:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._schema = find_schema(connection, source, self._place)
            reader = PostgresReader(connection, self._schema)
            if digest_content(reader, database) != digest:
                raise SourceError(
                    f"{self._place.title}: its content has changed since the seed was collected",
                    "run collect-seeds again",
                )
            self._layout: Layout = read_layout(connection, reader, self._schema, source.role)
        except psycopg.Error as problem:
            raise self._broken(problem) from None
        finally:
            connection.rollback()
            held.close()
        readable = frozenset(table.name for table in database.tables)
        schema = self._schema

        @lru_cache(maxsize=512)
        def parse(sql: str, writes: bool) -> Statement:
            return parse_statement(sql, writes=writes, readable=readable, schema=schema)

        self._parse = parse

    def open(
        self, tools: Sequence[Tool], *, seed: str, reference_time: str, fault: Fault | None = None
    ) -> LoggedEnvironment:
        """A fresh environment; holds no connection."""
        return LoggedEnvironment(self, tools, State(seed, reference_time), self._limits, fault)

    def run(self, sql: str, parameters: Mapping[str, Any], *, writes: bool = False, limit: int = 100) -> Execution:
        """One statement in the sandbox, on the base's state, undone afterwards.

        Raises:
            SourceError: the server is gone.
        """
        try:
            bound = check_parameters(parameters)
        except BindingError as problem:
            return Execution(error=ToolError(kind="invalid_arguments", message=f"{problem}."))
        state = State("0", FIXED_TIME)
        if writes:
            return self.write(state, sql, bound)
        return self.read(state, sql, bound, limit)

    def read(self, state: State, sql: str, parameters: Mapping[str, Any], limit: int) -> Execution:
        """Runs a statement that cannot write, on the replayed state."""
        try:
            statement = self._parse(sql, False)
        except RefusedError as refusal:
            return Execution(error=refusal.error)
        word = check_clock_words(parameters)
        if word is not None:
            return refuse_clock_word(word)

        def work(connection: Connection) -> Execution:
            self._assume_role(connection, state, statement)
            self._replay(connection, state)
            connection.execute("SET TRANSACTION READ ONLY")
            try:
                return fetch_rows(connection, render_statement(statement.tree), as_texts(parameters), limit)
            except psycopg.Error as problem:
                return Execution(error=error_or_raise(problem))

        return self._transact(work)

    def write(self, state: State, sql: str, parameters: Mapping[str, Any]) -> Execution:
        """Runs a statement that may write; logs it if it changed something and kept within bounds."""
        try:
            statement = self._parse(sql, True)
        except RefusedError as refusal:
            return Execution(error=refusal.error)
        word = check_clock_words(parameters)
        if word is not None:
            return refuse_clock_word(word)

        def work(connection: Connection) -> _Done:
            self._assume_role(connection, state, statement)
            self._replay(connection, state)
            try:
                return self._change(connection, state, len(state.log), statement, parameters)
            except RefusedError as refusal:
                return _Done(Execution(error=refusal.error))
            except psycopg.Error as problem:
                return _Done(Execution(error=error_or_raise(problem)))

        done = self._transact(work)
        if done.execution.error is None and (done.execution.rows_changed or done.tables):
            tables = {*done.tables, *([statement.target] if statement.target else [])}
            state.log.append(Write(sql, dict(parameters), tuple(sorted(tables))))
        return done.execution

    def changes(self, state: State) -> list[RowChange]:
        """Rows that differ from the base, in canonical order."""
        if not state.log:
            return []
        touched = [name for name in state.touched if name in self._layout.tables]

        def work(connection: Connection) -> list[RowChange]:
            copies = {name: f"turnwright_{index}" for index, name in enumerate(touched)}
            for name, copy in copies.items():
                origin = Identifier(self._schema, name)
                connection.execute(
                    SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT * FROM {}").format(Identifier(copy), origin)
                )
            self._assume_role(connection, state, None)
            self._replay(connection, state)
            connection.execute("RESET ROLE")
            found: list[RowChange] = []
            for name, copy in copies.items():
                old, new = Identifier("pg_temp", copy), Identifier(self._schema, name)
                before = self._rows_only_in(connection, name, old, new)
                after = self._rows_only_in(connection, name, new, old)
                found.extend(pair_rows(name, self._layout.tables[name].primary_key, before, after))
            return sort_changes(found)

        return self._transact(work)

    def release(self, state: State) -> None:
        """Nothing is held for a state."""

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def _broken(self, problem: psycopg.Error) -> SourceError:
        text = (problem.diag.message_primary or type(problem).__name__).splitlines()[0]
        return SourceError(f"{self._place.title}: the server failed: {text}", "check the server and the login's rights")

    def _transact(self, work: Callable[[Connection], T]) -> T:
        """Does `work` in a transaction that is always undone; again, if another dialogue stood in the way.

        Raises:
            SourceError: the server is gone, or stays busy.
        """
        for attempt in range(_ATTEMPTS):
            held, connection = borrow(self._engine, self._place)
            try:
                self._settle(connection)
                return work(connection)
            except psycopg.Error as problem:
                if not is_transient(problem):
                    raise self._broken(problem) from None
            finally:
                if not connection.closed:
                    connection.rollback()
                held.close()
            time.sleep(0.01 * 2**attempt)
        raise SourceError(f"{self._place.title}: rows stay locked by somebody else", "stop what writes to the database")

    def _settle(self, connection: Connection) -> None:
        milliseconds = int(self._limits.statement_seconds * 1000)
        settings = {"statement_timeout": f"{milliseconds}", "lock_timeout": f"{min(milliseconds, _LOCK_MILLISECONDS)}"}
        if self._layout.superuser:
            settings["temp_file_limit"] = _TEMPORARY_FILES
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", (name, value))

    def _assume_role(self, connection: Connection, state: State, statement: Statement | None) -> None:
        statements = [self._parse(write.sql, True) for write in state.log]
        if statement is not None:
            statements.append(statement)
        assume_role(connection, self._layout, self._schema, statements)

    def _replay(self, connection: Connection, state: State) -> None:
        for position, write in enumerate(state.log):
            done = self._change(connection, state, position, self._parse(write.sql, True), write.parameters)
            if done.execution.error is not None:
                raise RuntimeError(f"a logged write did not repeat: {done.execution.error}")

    def _change(
        self, connection: Connection, state: State, position: int, statement: Statement, parameters: Mapping[str, Any]
    ) -> _Done:
        """Runs one write inside the open transaction.

        Raises:
            RefusedError: a default cannot be pinned.
            psycopg.Error: the statement failed.
        """
        before = self._count_writes(connection)
        text, key = self._prepare_write(connection, state, position, statement)
        cursor = connection.execute(cast(LiteralString, text), as_texts(parameters))
        changed = max(cursor.rowcount, 0)
        if changed > self._limits.written_rows:
            return _Done(refuse_size(changed, self._limits.written_rows))
        inserted = None
        if key and changed == 1:
            row = cursor.fetchone()
            inserted = dict(zip(key, map(json_value, row), strict=True)) if row else None
        after = self._count_writes(connection)
        tables = tuple(sorted(name for name, count in after.items() if count != before.get(name)))
        return _Done(Execution(rows_changed=changed, inserted=inserted), tables)

    def _prepare_write(
        self, connection: Connection, state: State, position: int, statement: Statement
    ) -> tuple[str, tuple[str, ...]]:
        tree = statement.tree.copy()
        target = self._layout.tables.get(statement.target or "")
        tree.set("returning", None)
        if statement.verb != "insert" or target is None:
            return render_statement(tree), ()
        defaults = self._layout.defaults.get(target.name, ())
        counters: dict[str, int] = {}
        for default in defaults:
            if default.kind in ("counter", "always"):
                query = SQL("SELECT coalesce(max({})::bigint, 0) FROM {}").format(
                    Identifier(default.column), Identifier(self._schema, target.name)
                )
                counters[default.column] = int(connection.execute(query).fetchall()[0][0])
        pinning = Pinning(
            reference_time=f"{sqlite_time(state.reference_time)}+00",
            rng=random.Random(f"{state.seed}:{position}"),
            counters=counters,
        )
        plain = Statement(tree, statement.tables, statement.target, statement.verb)
        text = render_statement(pin_insert(plain, [c.name for c in target.columns], defaults, pinning))
        if target.primary_key:
            names = SQL(", ").join(map(Identifier, target.primary_key)).as_string(connection)
            text += " RETURNING " + names.replace("%", "%%")
        return text, target.primary_key

    def _count_writes(self, connection: Connection) -> dict[str, int]:
        rows = connection.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables WHERE schemaname = %s",
            (self._schema,),
        ).fetchall()
        return {str(name): int(count) for name, count in rows if count}

    def _rows_only_in(
        self, connection: Connection, name: str, here: Composable, there: Composable
    ) -> list[dict[str, Any]]:
        columns = [column.name for column in self._layout.tables[name].columns]
        texts = self._layout.compared_as_text.get(name, frozenset())
        listed = SQL(", ").join(
            SQL("{}::text").format(Identifier(column)) if column in texts else Identifier(column) for column in columns
        )
        query = SQL("SELECT {0} FROM {1} EXCEPT ALL SELECT {0} FROM {2}").format(listed, here, there)
        return [dict(zip(columns, map(exact_value, row), strict=True)) for row in connection.execute(query)]
