"""What PostgreSQL complains about, as a tool error that helps and tells nothing of the server."""

import psycopg
from psycopg import errors

from schemas.messages import ToolError

TRANSIENT = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
"""Another dialogue stood in the way for a moment; the whole transaction is tried again."""


def is_transient(problem: psycopg.Error) -> bool:
    """Whether trying again can help."""
    return isinstance(problem, TRANSIENT) or "tuple concurrently updated" in str(problem)


def explain_problem(problem: psycopg.Error) -> ToolError:
    """A tool error for what a statement did wrong."""
    diagnostic = problem.diag
    what = diagnostic.column_name or diagnostic.constraint_name or diagnostic.table_name or "this value"
    if isinstance(problem, errors.QueryCanceled):
        return ToolError(kind="timeout", message="The statement took too long and was stopped. Nothing was changed.")
    if isinstance(problem, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
        return ToolError(kind="refused", message="The statement is not allowed.")
    if isinstance(problem, errors.ProgramLimitExceeded | errors.InsufficientResources):
        return ToolError(kind="too_large", message="The statement handles too much data and was stopped.")
    if isinstance(problem, errors.UniqueViolation):
        return ToolError(kind="database", message=f"Nothing was changed: there is already such a row ({what}).")
    if isinstance(problem, errors.NotNullViolation):
        return ToolError(kind="database", message=f"Nothing was changed: {what} must have a value.")
    if isinstance(problem, errors.ForeignKeyViolation):
        return ToolError(
            kind="database",
            message="Nothing was changed: a row that this refers to is missing, or other rows still refer to this one.",
        )
    if isinstance(problem, psycopg.IntegrityError):
        return ToolError(kind="database", message=f"Nothing was changed: a value is not allowed ({what}).")
    if isinstance(problem, psycopg.DataError):
        return ToolError(
            kind="invalid_arguments", message=f"An argument does not fit its column: {_first_line(problem)}."
        )
    return ToolError(kind="database", message=f"The database refused: {_first_line(problem)}.")


def _first_line(problem: psycopg.Error) -> str:
    text = problem.diag.message_primary or str(problem)
    return text.splitlines()[0].rstrip(".") if text else "unknown problem"
