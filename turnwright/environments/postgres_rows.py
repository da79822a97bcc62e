"""Values into a PostgreSQL statement, and rows out of it."""

from collections.abc import Mapping
from typing import Any, LiteralString, cast

import psycopg

from schemas.messages import ToolError
from turnwright.environments.base import Execution
from turnwright.environments.postgres_errors import explain_problem, is_transient
from turnwright.environments.values import json_value, unique_names
from turnwright.sources.postgres_server import Connection

_MOST_FETCHED_BYTES = 8 * 2**20


def refuse_clock_word(name: str) -> Execution:
    """What becomes of a call whose argument PostgreSQL would read from the clock."""
    return Execution(
        error=ToolError(kind="invalid_arguments", message=f"{name} must be a date or a text, not a word for the clock.")
    )


def as_texts(parameters: Mapping[str, Any]) -> dict[str, str | None]:
    """Every value as text of no type, so that the server gives it the type of what it stands against."""
    return {
        name: None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in parameters.items()
    }


def error_or_raise(problem: psycopg.Error) -> ToolError:
    """What a statement did wrong; raises the problem itself where it is not the statement's."""
    lost = isinstance(problem, psycopg.OperationalError | psycopg.InterfaceError) and problem.sqlstate is None
    if is_transient(problem) or lost:
        raise problem
    return explain_problem(problem)


def fetch_rows(connection: Connection, text: str, parameters: Mapping[str, Any], limit: int) -> Execution:
    """Runs a read through a cursor on the server, and takes at most `limit` rows from it.

    Raises:
        psycopg.Error: the statement failed.
    """
    with connection.cursor(name="tool") as cursor:
        cursor.execute(cast(LiteralString, text), parameters)
        columns = unique_names([column.name for column in cursor.description or ()])
        rows: list[dict[str, Any]] = []
        size = 0
        while len(rows) <= limit:
            row = cursor.fetchone()
            if row is None:
                return Execution(rows=tuple(rows), columns=columns)
            size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
            if len(rows) == limit or size > _MOST_FETCHED_BYTES:
                break
            rows.append(dict(zip(columns, map(json_value, row), strict=True)))
        return Execution(rows=tuple(rows), columns=columns, truncated=True)
