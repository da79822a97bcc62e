"""What answers tool calls: a base that every dialogue of a domain starts from, and one environment per dialogue.

The state of an environment is the base's digest plus the ordered log of its writes. A live connection is only a cache
of that, so a snapshot costs nothing and replay, branching and restart are one mechanism.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from schemas.config import RunConfig
from schemas.databases import Database
from schemas.goals import RowChange
from schemas.messages import ToolError, ToolResult
from schemas.rows import SeedRow
from schemas.sources import Source, SqlSource
from schemas.tools import Tool
from turnwright.sources.errors import SourceError
from turnwright.storage.store import Store

FaultKind = Literal["timeout", "unavailable", "rate_limit", "http_500", "malformed", "partial", "stale"]


@dataclass(frozen=True)
class Fault:
    """A failure made by code: the first `times` calls of `tool` give `kind` and leave the state as it is.

    `malformed`, `partial` and `stale` are made of a result that the environment gave (environments/faults.py), so an
    environment itself is only given the other kinds.
    """

    tool: str
    kind: FaultKind
    times: int = 1


@dataclass(frozen=True)
class EnvironmentLimits:
    """Bounds on one statement and on one result."""

    list_limit: int
    """Most rows of a list result."""
    written_rows: int
    """Most rows that one write may change; one more and the write is undone."""
    result_bytes: int
    """Most bytes of one result's JSON text."""
    statement_seconds: float
    """Longest time that one statement may run."""


def limits_of(config: RunConfig) -> EnvironmentLimits:
    """The bounds that a run's configuration sets."""
    return EnvironmentLimits(
        list_limit=config.tools.list_limit,
        written_rows=config.tools.written_rows,
        result_bytes=config.limits.result_bytes,
        statement_seconds=config.limits.statement_seconds,
    )


@dataclass(frozen=True)
class Execution:
    """What one statement did. Rows hold JSON scalars (environments/values.py says how a stored value becomes one)."""

    rows: tuple[dict[str, Any], ...] = ()
    columns: tuple[str, ...] = ()
    """Names of the result's columns, in order; a repeated name gets `_2`, `_3`, …"""
    rows_changed: int = 0
    """Rows that the statement itself changed, without those of triggers and cascades."""
    inserted: dict[str, Any] | None = None
    """Primary key of the row, where exactly one was inserted and its table has one."""
    truncated: bool = False
    """There were more rows than asked for."""
    error: ToolError | None = None
    """Set where the statement had no effect."""


class Environment(Protocol):
    """One dialogue's own copy of the state. Used by one caller at a time, from any thread."""

    def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Runs one tool. Blocks; never raises for what the call did wrong."""
        ...

    def state_digest(self) -> str:
        """Digest of the content: the base's own until a row differs, and again once none does."""
        ...

    def changes(self) -> list[RowChange]:
        """Rows that differ from the base, in a canonical order."""
        ...

    def close(self) -> None:
        """Gives up what the environment holds. The log stays, so it may be used again."""
        ...


class Base(Protocol):
    """The state that every dialogue of a domain starts from. Thread-safe; opened once per process and seed."""

    @property
    def digest(self) -> str:
        """Digest of the whole content."""
        ...

    def open(self, tools: Sequence[Tool], *, seed: str, reference_time: str, fault: Fault | None = None) -> Environment:
        """A fresh environment. `reference_time` (ISO 8601) counts as now, `seed` feeds what SQL calls random."""
        ...

    def close(self) -> None:
        """Gives up what it holds."""
        ...


class SqlBase(Base, Protocol):
    """The content of a relational database."""

    @property
    def dialect(self) -> str:
        """Sqlglot's name: `sqlite` or `postgres`."""
        ...

    def run(self, sql: str, parameters: Mapping[str, Any], *, writes: bool = False, limit: int = 100) -> Execution:
        """One statement in the sandbox, on the base's state, undone afterwards. For code that verifies tools."""
        ...


def open_base(seed_row: SeedRow, source: Source, store: Store, config: RunConfig) -> Base:
    """Opens the state that a seed describes: an SqlBase for a database, a DomainBase for a stateful domain.

    Raises:
        SourceError: the stored copy is gone, the server cannot be reached, or its content is no longer the seed's.
    """
    if seed_row.kind == "domain":
        from turnwright.sources.domain import open_domain_base

        return open_domain_base(seed_row, store, config)
    return open_sql_base(seed_row, source, store, config)


def open_sql_base(seed_row: SeedRow, source: Source, store: Store, config: RunConfig) -> SqlBase:
    """Opens the database that a seed describes.

    Raises:
        SourceError: as `open_base`.
    """
    database = Database.model_validate_json(seed_row.content)
    limits = limits_of(config)
    if seed_row.dialect == "sqlite":
        from turnwright.environments.sqlite import SqliteBase

        return SqliteBase(database, store.find(seed_row.base_digest, ".sqlite"), seed_row.base_digest, limits)
    if seed_row.dialect == "postgres" and isinstance(source, SqlSource):
        from turnwright.environments.postgres import PostgresBase

        return PostgresBase(database, source, seed_row.source, seed_row.base_digest, limits)
    raise SourceError(
        f"{seed_row.domain}: no environment runs the dialect {seed_row.dialect}", "use SQLite or PostgreSQL"
    )
