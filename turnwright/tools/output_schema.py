"""The output schema of an SQL tool: types from the columns behind its fields, of computed fields from results.

(UO, output schemas, made by code: an array for search and list tools, one object otherwise, every field described.)
"""

from collections.abc import Iterable
from typing import Any

from sqlglot import exp

from schemas.databases import Database
from turnwright.tools.entity_types import EntityTypes
from turnwright.tools.sql_analysis import Analysis
from turnwright.tools.sql_names import OutputColumn
from turnwright.tools.tool_wording import describe_field

_ORDER = ("boolean", "integer", "number", "string", "array", "object", "null")


def build_output_schema(
    analysis: Analysis, database: Database, types: EntityTypes, results: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """The JSON Schema of a successful result. `results` are rows that the verified tool gave."""
    if analysis.returns == "change":
        return _change_schema(analysis, database)
    rows = list(results)
    properties: dict[str, Any] = {}
    for output in analysis.outputs:
        name = output.name or ""
        table, column = (output.origin.table, output.origin.column) if output.origin else (None, None)
        via = output.origin.via if output.origin else ()
        kinds = _field_types(output, types, [row.get(name) for row in rows])
        properties[name] = {
            "type": kinds[0] if len(kinds) == 1 else kinds,
            "description": describe_field(name, table, column, database, via),
        }
    record = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "array", "items": record} if analysis.returns == "rows" else record


def _field_types(output: OutputColumn, types: EntityTypes, seen: list[Any]) -> list[str]:
    kinds: set[str] = {json_type(value) for value in seen}
    if output.origin is not None:
        table, column = output.origin.table, output.origin.column
        # Not what was seen: a column has one type, and its values were cast to it where need be.
        kinds &= {"null"}
        kinds.add(types.json_type(table, column))
        if output.nullable_join or types.nullable(table, column):
            kinds.add("null")
    elif isinstance(output.expression, exp.Count):
        kinds = {"integer"}
    else:
        kinds.add("null")
        if "integer" in kinds:
            kinds.add("number")
        if kinds == {"null"}:
            kinds |= {"number", "string"}
    if "number" in kinds:
        kinds.discard("integer")
    return [name for name in _ORDER if name in kinds]


def json_type(value: Any) -> str:
    """The JSON Schema type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _change_schema(analysis: Analysis, database: Database) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "rows_changed": {
            "type": "integer",
            "minimum": 0,
            "description": "How many rows were changed; 0 if none fitted.",
        }
    }
    table = database.table(analysis.target or "")
    if analysis.verb == "insert" and table is not None and table.primary_key:
        keys: dict[str, Any] = {}
        for name in table.primary_key:
            column = table.column(name)
            keys[name] = {
                "type": column.json_type if column else "string",
                "description": describe_field(name, table.name, name, database),
            }
        properties["inserted"] = {
            "type": "object",
            "properties": keys,
            "description": "Key of the row that was added.",
        }
    return {"type": "object", "properties": properties, "required": ["rows_changed"], "additionalProperties": False}
