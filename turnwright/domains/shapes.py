"""Whether a database file has the shape that a domain needs."""

from collections.abc import Mapping
from typing import Any, cast


def read_tables(database: Mapping[str, Any] | None, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, Any]]:
    """The wanted tables of a database: table -> key -> record.

    Args:
        database: what the file held.
        wanted: table -> fields that each of its records must have.

    Raises:
        ValueError: a table, a record or a field is missing or of the wrong shape; the message says which.
    """
    if database is None:
        raise ValueError("this domain needs a database: give its file or folder as path")
    tables: dict[str, dict[str, Any]] = {}
    for table, fields in wanted.items():
        records = database.get(table)
        if not isinstance(records, dict) or not records:
            raise ValueError(f"the database must have an object {table!r} with at least one record")
        for key, record in cast("dict[str, Any]", records).items():
            if not isinstance(record, dict):
                raise ValueError(f"{table}.{key} must be an object")
            missing = [field for field in fields if field not in record]
            if missing:
                raise ValueError(f"{table}.{key} has no {', '.join(missing)}")
        tables[table] = cast("dict[str, Any]", records)
    return tables
