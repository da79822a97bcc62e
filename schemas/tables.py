"""Table name <-> row class <-> Arrow schema."""

import os
import types
import typing
from typing import Any

# Read when Arrow is first imported, which is here. Its own allocator keeps what it once had: 80 MB for small tables.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

import pyarrow as pa

from schemas.content import digest
from schemas.rows import (
    DataflowEdgeRow,
    DatasetRow,
    DialogueRow,
    DialogueTaskRow,
    LedgerRow,
    QuestionRow,
    Row,
    SeedRow,
    ToolsetRow,
    ToolSpecRow,
    VerdictRow,
)

TABLES: dict[str, type[Row]] = {
    "seeds": SeedRow,
    "questions": QuestionRow,
    "tool_specs": ToolSpecRow,
    "toolsets": ToolsetRow,
    "dataflow_edges": DataflowEdgeRow,
    "dialogue_tasks": DialogueTaskRow,
    "dialogues": DialogueRow,
    "verdicts": VerdictRow,
    "repaired_dialogues": DialogueRow,
    "repaired_verdicts": VerdictRow,
    "dataset": DatasetRow,
    "ledger": LedgerRow,
}

_SCALARS: dict[Any, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def _arrow_type(annotation: Any) -> pa.DataType:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _arrow_type(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return pa.string()
    if origin in (typing.Union, types.UnionType):
        (inner,) = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
        return _arrow_type(inner)
    if origin is list:
        return pa.list_(_arrow_type(typing.get_args(annotation)[0]))
    return _SCALARS[annotation]


def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of a table, columns in the order of the row class."""
    fields: list[pa.Field[Any]] = []
    for name, field in TABLES[table].model_fields.items():
        nullable = type(None) in typing.get_args(field.annotation)
        fields.append(pa.field(name, _arrow_type(field.annotation), nullable=nullable))
    return pa.schema(fields)


def schema_fingerprint(table: str) -> str:
    """Digest of a table's column names, types and nullability."""
    return digest(str(arrow_schema(table)))[:16]
