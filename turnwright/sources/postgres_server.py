"""Connections to a PostgreSQL server, and what can go wrong with them."""

from typing import Any, cast

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from turnwright.sources.errors import SourceError
from turnwright.sources.locators import Location

Connection = psycopg.Connection[TupleRow]

CONNECT_SECONDS = 8
_SESSION = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET standard_conforming_strings = on",
    "SET client_encoding = 'UTF8'",
)
"""Settings that change how a value reads as text; fixed, so that digests and results do not depend on the server."""


def open_engine(place: Location, schema: str | None, connections: int) -> Engine:
    """An engine with a small pool. Nothing is connected yet."""
    arguments: dict[str, Any] = {} if "connect_timeout" in place.url.query else {"connect_timeout": CONNECT_SECONDS}
    engine = create_engine(
        place.url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=120,
        pool_pre_ping=True,
        pool_reset_on_return="rollback",
        connect_args=arguments,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        raw: Connection = connection.driver_connection if hasattr(connection, "driver_connection") else connection
        with raw.cursor() as cursor:
            for statement in _SESSION:
                cursor.execute(statement.encode())
            if schema is not None:
                cursor.execute("SELECT set_config('search_path', quote_ident(%s), false)", (schema,))
        raw.commit()

    return engine


def borrow(engine: Engine, place: Location) -> tuple[PoolProxiedConnection, Connection]:
    """A connection of the pool: what is given back by `close()`, and psycopg's own.

    Raises:
        SourceError: the server cannot be reached, or refuses the login.
    """
    try:
        held = engine.raw_connection()
    except DBAPIError as problem:
        raise explain_connection(problem.orig or problem, place) from None
    except (SQLAlchemyError, psycopg.Error) as problem:
        raise explain_connection(problem, place) from None
    raw = held.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return held, cast(Connection, raw)


def explain_connection(problem: BaseException, place: Location) -> SourceError:
    """Why there is no connection, in a sentence of ours: the driver's text may hold more than it should."""
    text = str(problem).lower()
    if "password" in text or "authentication" in text or "pg_hba" in text:
        return SourceError(
            f"{place.title}: the server refuses the login", "check user and password; keep the URL in url_env"
        )
    if "does not exist" in text and "role" in text:
        return SourceError(f"{place.title}: the server refuses the login", "there is no such user; check the URL")
    if "does not exist" in text and "database" in text:
        return SourceError(f"{place.title}: there is no such database on the server", "check the URL's last part")
    if "too many" in text or "remaining connection slots" in text or "queuepool" in text:
        return SourceError(f"{place.title}: the server has no free connection", "close others, or raise its limit")
    return SourceError(f"{place.title}: the server cannot be reached", "check host and port, and that it is running")
