"""SQL sources: what is in a relational database, and how it is kept so that every run starts from the same content."""

import sqlite3
from dataclasses import dataclass

from schemas.content import canonical_json, content_id
from schemas.databases import Database
from schemas.rows import SeedRow
from schemas.sources import SqlSource
from turnwright.environments.determinism import Pins, pin_functions
from turnwright.environments.values import decode_text
from turnwright.sources.errors import SourceError
from turnwright.sources.initial_state import set_sqlite_state
from turnwright.sources.locators import Location, clean_name, locate
from turnwright.sources.sqlite_file import check_file, read_snapshot
from turnwright.sources.sqlite_reader import SqliteReader
from turnwright.sources.structure import describe_database
from turnwright.storage.store import Store


@dataclass(frozen=True)
class DatabaseReport:
    """What a quick look at a database told."""

    position: int
    locator: str
    dialect: str
    server_version: str
    tables: int
    """Tables and views that can be read."""
    warnings: tuple[str, ...]
    """What works, but less safely or less completely than it could."""

    @property
    def summary(self) -> str:
        """What was found, in a few words."""
        return f"{self.dialect} {self.server_version}, {self.tables} tables and views"


def collect_seed(source: SqlSource, position: int, seed: int, store: Store) -> SeedRow:
    """Reads a database and keeps what dialogues start from. The database is never changed.

    SQLite: the file's content goes into the store (suffix `.sqlite`), and `base_digest` is its SHA-256. PostgreSQL: the
    rows stay on the server, and `base_digest` is computed there over the structure and all rows of the tables read.

    Args:
        source: the source of the config.
        position: its position there, for messages.
        seed: draws the sample rows.
        store: where content is kept.

    Raises:
        SourceError: the source is missing, unreachable, refused, damaged or empty.
    """
    place = locate(source, position)
    name = clean_name(source.name) if source.name else place.name
    if place.dialect == "sqlite":
        content = read_snapshot(place.path, place.title)
        if source.initial_state is not None:
            content = set_sqlite_state(content, source.initial_state, place.title)
        database = _describe_file(content, place, name, source, seed)
        base_digest = store.put_bytes(content, ".sqlite")
    else:
        _refuse_state(source, place)
        from turnwright.sources.postgres_reader import describe_server

        database, base_digest = describe_server(place, name, source, seed)
    _check_content(database, place, source)
    text = canonical_json(database.model_dump())
    identity = {"kind": source.kind, "domain": name, "base": base_digest, "content": text}
    return SeedRow(
        id=content_id("seed", identity),
        kind=source.kind,
        domain=name,
        source=position,
        locator=place.locator,
        base_digest=base_digest,
        dialect=place.dialect,
        content=text,
    )


def check_source(source: SqlSource, position: int = 0) -> DatabaseReport:
    """A quick look: can the source be reached and read, and what about it deserves a warning.

    Raises:
        SourceError: it cannot.
    """
    place = locate(source, position)
    if place.dialect == "sqlite":
        check_file(place.path, place.title)
        content = read_snapshot(place.path, place.title)
        if source.initial_state is not None:
            set_sqlite_state(content, source.initial_state, place.title)
        connection = _open_content(content, place)
        try:
            tables = len(SqliteReader(connection).list_tables())
        finally:
            connection.close()
        if not tables:
            raise _empty(place)
        return DatabaseReport(position, place.locator, place.dialect, sqlite3.sqlite_version, tables, ())
    _refuse_state(source, place)
    from turnwright.sources.postgres_reader import check_server

    version, tables, warnings = check_server(place, source)
    if not tables:
        raise _empty(place)
    return DatabaseReport(position, place.locator, place.dialect, version, tables, warnings)


def _refuse_state(source: SqlSource, place: Location) -> None:
    """The rows of a server stay there: it is never written to, so there is no other state to start from."""
    if source.initial_state is not None:
        raise SourceError(
            f"{place.title}: initial_state is for SQLite; this is {place.dialect}",
            "give the URL of a database that is in that state",
        )


def _open_content(content: bytes, place: Location) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.text_factory = decode_text
    try:
        connection.deserialize(content)
        pin_functions(connection, Pins())
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as problem:
        connection.close()
        raise SourceError(
            f"{place.title}: is damaged: {problem}", "restore it from a copy, or run `.recover`"
        ) from None
    return connection


def _describe_file(content: bytes, place: Location, name: str, source: SqlSource, seed: int) -> Database:
    connection = _open_content(content, place)
    try:
        return describe_database(SqliteReader(connection), name, place.dialect, source.tables, source.sample_rows, seed)
    except sqlite3.DatabaseError as problem:
        raise SourceError(
            f"{place.title}: is damaged: {problem}", "restore it from a copy, or run `.recover`"
        ) from None
    finally:
        connection.close()


def _empty(place: Location) -> SourceError:
    return SourceError(f"{place.title}: the database is empty", "give a database that has tables with rows")


def _check_content(database: Database, place: Location, source: SqlSource) -> None:
    if source.tables:
        missing = [name for name in source.tables if database.table(name) is None]
        if missing:
            raise SourceError(
                f"{place.title}: there is no readable table {', '.join(missing)}", "correct `tables` of this source"
            )
    if not any(table.rows for table in database.tables):
        raise _empty(place)
