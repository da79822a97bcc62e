"""The function specification of an SQL tool: parameter types and closed sets from the columns they are bound to.

Which parameters are required (UO: only essential ones):
* `limit` has a default, `offset` starts at 0: optional.
* A parameter for which NULL is meaningful (`:x IS NULL OR …`, `SET a = COALESCE(:a, a)`) is optional.
* A value of an INSERT is optional where its column is nullable and neither part of a key, nor a reference, nor the
  first text of the row, which is what people know a row by.
* Everything else is required.
"""

from typing import Any

from schemas.databases import Column, Database
from schemas.settings import ToolSettings
from schemas.tools import ParameterBinding
from turnwright.tools.entity_types import EntityTypes
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_analysis import Analysis
from turnwright.tools.tool_wording import describe_parameter, drop_statement

LISTED = 10
"""Most items of a list parameter."""
DEFAULT_LIMIT = 10
"""Rows that a list tool with a `limit` gives when it is not told how many; fewer where list_limit is lower."""
_DESCRIPTION_LENGTH = 600


def build_spec(
    name: str, description: str, analysis: Analysis, database: Database, types: EntityTypes, settings: ToolSettings
) -> dict[str, Any]:
    """The OpenAI function specification of a statement.

    Raises:
        Rejection: the description says nothing.
    """
    text = drop_statement(" ".join(description.split()))[:_DESCRIPTION_LENGTH].strip()
    if len(text) < 8:
        raise Rejection("description", "Describe in a sentence, without SQL, what the tool does and what it returns.")
    optional = find_optional(analysis, database)
    properties: dict[str, Any] = {}
    for binding in leading_bindings(analysis.bindings):
        properties[binding.name] = _parameter(binding, analysis, database, types, settings, binding.name in optional)
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": text if text.endswith((".", "!", "?")) else f"{text}.",
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": [parameter for parameter in properties if parameter not in optional],
                "additionalProperties": False,
            },
        },
    }


def leading_bindings(bindings: tuple[ParameterBinding, ...]) -> tuple[ParameterBinding, ...]:
    """For each parameter the binding that decides its type: the first with a column, else the first."""
    chosen: dict[str, ParameterBinding] = {}
    for binding in bindings:
        known = chosen.get(binding.name)
        if known is None or (known.table is None and binding.table is not None):
            chosen[binding.name] = binding
    return tuple(chosen.values())


def bound_column(binding: ParameterBinding, database: Database) -> Column | None:
    """The column that a parameter is bound to."""
    table = database.table(binding.table) if binding.table else None
    return table.column(binding.column) if table and binding.column else None


def find_optional(analysis: Analysis, database: Database) -> set[str]:
    """Names of the parameters that a call may leave out; see the rules at the top of this file."""
    optional = {usage.name for usage in analysis.usages if usage.operator in {"limit", "offset"}}
    for name in {usage.name for usage in analysis.usages}:
        own = [usage for usage in analysis.usages if usage.name == name]
        if all(usage.optional for usage in own):
            optional.add(name)
    if analysis.verb == "update":
        return optional
    target = database.table(analysis.target or "")
    if analysis.verb == "insert" and target is not None:
        bindings = [binding for binding in leading_bindings(analysis.bindings) if binding.operator == "values"]
        columns = [(binding.name, bound_column(binding, database)) for binding in bindings]
        known = next((name for name, column in columns if column and column.json_type == "string"), None)
        essential = known if known is not None else next((name for name, _ in columns), None)
        for name, column in columns:
            single = sum(usage.name == name for usage in analysis.usages) == 1
            if (
                column
                and single
                and name != essential
                and column.nullable
                and not column.primary_key
                and not column.references
            ):
                optional.add(name)
    return optional


def _parameter(
    binding: ParameterBinding,
    analysis: Analysis,
    database: Database,
    types: EntityTypes,
    settings: ToolSettings,
    optional: bool,
) -> dict[str, Any]:
    column = bound_column(binding, database)
    description = describe_parameter(binding, column, database, optional=optional, list_limit=settings.list_limit)
    if binding.operator == "limit":
        default = min(DEFAULT_LIMIT, settings.list_limit)
        return {
            "type": "integer",
            "minimum": 1,
            "maximum": settings.list_limit,
            "default": default,
            "description": description,
        }
    if binding.operator == "offset":
        return {"type": "integer", "minimum": 0, "default": 0, "description": description}
    numeric = any(usage.numeric for usage in analysis.usages if usage.name == binding.name)
    if binding.operator == "like" or column is None or binding.table is None:
        kind = "number" if numeric and binding.operator != "like" else "string"
        return {"type": kind, "description": description}
    kind = types.json_type(binding.table, column.name)
    value: dict[str, Any] = {"type": kind}
    closed = closed_values(binding, column)
    if closed and kind == column.json_type:
        value["enum"] = closed
    elif column.format and kind == "string":
        value["format"] = column.format
    if any(usage.listed for usage in analysis.usages if usage.name == binding.name):
        return {"type": "array", "items": value, "minItems": 1, "maxItems": LISTED, "description": description}
    return {**value, "description": description}


def closed_values(binding: ParameterBinding, column: Column) -> list[Any]:
    """The values of an `enum`, where the column is a closed set and the parameter takes its values as they are.

    Numbers that are written are no closed set, however few were seen, but for 0 and 1: a new rating would be refused.
    """
    if binding.operator not in {"=", "!=", "in", "set", "values"} or column.surrogate or column.unique:
        return []
    values = [value for value in column.values if value is not None]
    written = binding.operator in {"set", "values"}
    if written and column.json_type in {"integer", "number"} and not set(values) <= {0, 1}:
        return []
    return values
