"""A table as a frame to be checked: its scalar columns, and what code found out about each row.

JSON columns are too heavy to hold and too deep for a column expectation. So the file is streamed, a *rule* looks at
each row and leaves its problem, or nothing, in a column of its own, and a *figure* leaves a number; suites then expect
problem columns to be empty and figures to be inside their bands. The text itself is let go row group by row group.
"""

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.content import JsonText
from schemas.tables import TABLES, arrow_schema

Record = Mapping[str, Any]
Rule = Callable[[Record], str | None]
Figure = Callable[[Record], float | int | str | bool | None]

LONGEST_PROBLEM = 300
"""Characters of a problem that are kept."""
_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class RowChecks:
    """What is to be found out about each row of a table."""

    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    """Name -> what is wrong with the row, or none. The name is the expectation's."""
    figures: Mapping[str, Figure] = field(default_factory=dict[str, Figure])
    """Column name -> value."""


def json_columns(table: str) -> list[str]:
    """The columns of a table that hold JSON as text."""
    marker = typing.get_args(JsonText)[1]
    return [name for name, column in TABLES[table].model_fields.items() if marker in column.metadata]


def compare_columns(path: Path, table: str) -> pd.DataFrame:
    """Each column with the Arrow type it must have and the one it has; `missing` and `unknown` stand for no column.

    Raises:
        OSError: the file cannot be read.
    """
    expected = _list_types(arrow_schema(table))
    found = _list_types(pq.read_schema(path))
    names = [*expected, *(name for name in found if name not in expected)]
    return pd.DataFrame(
        {
            "id": names,
            "expected": [expected.get(name, "unknown") for name in names],
            "found": [found.get(name, "missing") for name in names],
        },
        dtype="string[pyarrow]",
    )


def read_frame(path: Path, table: str, checks: RowChecks) -> pd.DataFrame:
    """The frame of a table whose columns are known to be right.

    A rule that cannot make sense of a row has found a problem, not a bug: what it raises is the problem's text.

    Raises:
        OSError: the file cannot be read.
    """
    light = [name for name in arrow_schema(table).names if name not in json_columns(table)]
    parts: list[pa.Table] = []
    found: dict[str, list[Any]] = {name: [] for name in (*checks.rules, *checks.figures)}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            for record in batch.to_pylist():
                for name, rule in checks.rules.items():
                    found[name].append(_apply_rule(rule, record))
                for name, figure in checks.figures.items():
                    found[name].append(_apply_figure(figure, record))
            parts.append(pa.Table.from_batches([batch]).select(light))
    content = pa.concat_tables(parts) if parts else arrow_schema(table).empty_table().select(light)
    for name in checks.rules:
        content = content.append_column(name, pa.array(found[name], pa.string()))
    for name in checks.figures:
        content = content.append_column(name, pa.array(found[name]))
    return content.to_pandas(types_mapper=pd.ArrowDtype)


def parse_json(record: Record, column: str) -> Any:
    """The value of a JSON column.

    Raises:
        ValueError: the text is no JSON.
    """
    return orjson.loads(record[column])


def find_broken_json(table: str) -> Rule:
    """A rule: every JSON column of the table parses."""
    columns = json_columns(table)

    def find(record: Record) -> str | None:
        for column in columns:
            try:
                orjson.loads(record[column])
            except orjson.JSONDecodeError as error:
                return f"{column}: {error}"
        return None

    return find


def _apply_rule(rule: Rule, record: Record) -> str | None:
    try:
        problem = rule(record)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        problem = f"cannot be read: {type(error).__name__}: {error}"
    return None if problem is None else problem.replace("\n", " ")[:LONGEST_PROBLEM]


def _apply_figure(figure: Figure, record: Record) -> float | int | str | bool | None:
    try:
        return figure(record)
    except (ValueError, TypeError, LookupError, AttributeError):
        # A rule of the same table says what is wrong with the row; a missing figure takes no part in a mean.
        return None


def _list_types(schema: pa.Schema) -> dict[str, str]:
    fields = cast("list[pa.Field[Any]]", list(schema))
    return {column.name: _name_type(column.type) for column in fields}


def _name_type(kind: Any) -> str:
    # Parquet calls the items of a list `element`, Arrow `item`: the same type under two names.
    return f"list<{_name_type(kind.value_type)}>" if isinstance(kind, pa.ListType) else str(kind)
