"""The database of the catalog: where it is, how it is opened, and that its tables are those of this version."""

import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

URL_VARIABLE: Final = "TURNWRIGHT_CATALOG_URL"
"""Environment variable with the SQLAlchemy URL of the catalog; without it there is one in each runs folder."""
FILE_NAME: Final = "catalog.sqlite"
HEAD: Final = "0001"
"""The revision whose tables this version reads and writes."""
_BUSY_SECONDS = 30.0
"""How long a process waits for another one that writes a SQLite catalog."""
_LOCK = 0x7475_726E
"""Number of the PostgreSQL advisory lock that writers hold."""


class CatalogError(Exception):
    """The catalog cannot be used. The message never holds a password."""


def choose_url(runs: Path) -> URL:
    """Where the catalog of a runs folder is: what the environment says, or a file in the folder's store.

    Raises:
        CatalogError: the environment variable holds no URL.
    """
    given = os.environ.get(URL_VARIABLE, "")
    if not given:
        return URL.create("sqlite", database=str(runs.resolve() / "store" / FILE_NAME))
    try:
        url = make_url(given)
    except ArgumentError:
        raise CatalogError(f"{URL_VARIABLE} holds no SQLAlchemy URL, as postgresql://user@host/name") from None
    if url.get_backend_name() == "postgresql" and "+" not in url.drivername:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise CatalogError(f"{URL_VARIABLE}: a catalog is kept in sqlite or postgresql, not in {url.drivername}")
    return url


def open_engine(url: URL) -> Engine:
    """An engine on a catalog whose tables are there, made or migrated where they were not. Safe for many processes.

    Raises:
        CatalogError: it cannot be reached or written, or a newer version of turnwright made it.
    """
    try:
        if url.get_backend_name() == "sqlite":
            engine = _open_sqlite(url)
        else:
            engine = create_engine(url, pool_size=1, max_overflow=4, pool_pre_ping=True)
        if _read_revision(engine) != HEAD:
            _migrate(engine)
    except (SQLAlchemyError, OSError) as error:
        raise CatalogError(f"the catalog {url.render_as_string()} cannot be used: {say(error)}") from error
    return engine


def take_turn(connection: Connection) -> None:
    """Waits until no other transaction writes the catalog; holds until the end of this one."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def say(error: Exception) -> str:
    """The first line of what a database driver says, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:300]


def _open_sqlite(url: URL) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    def set_up(connection: Any, _record: Any) -> None:
        # Transactions are begun below: the driver's own would leave the making of tables outside of them.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    def begin(connection: Connection) -> None:
        # The right to write is taken at once: two that read first and then both want to write would block each other.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin)
    return engine


def _read_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine) -> None:
    # Imported here: a catalog that is as it should be needs none of it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    with engine.begin() as connection:
        take_turn(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, HEAD)
        except CommandError as error:
            raise CatalogError(f"the catalog was made by another version of turnwright: {error}") from error
