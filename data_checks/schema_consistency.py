"""Whether tools, arguments and results fit each other, as JSON Schema says it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import jsonschema_rs
import orjson

from schemas.tools import TOOLS, SqlTool, Tool

_LEGAL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

# Their parameter is a pattern, a list or a count, not a value of the column.
_NOT_A_VALUE = frozenset({"like", "in", "limit", "offset", "expression"})


@dataclass(frozen=True)
class CompiledTool:
    """A tool with its two schemas compiled."""

    tool: Tool
    arguments: jsonschema_rs.Validator
    result: jsonschema_rs.Validator


@lru_cache(maxsize=512)
def compile_tools(text: str) -> Mapping[str, CompiledTool]:
    """The tools of a `tools` column, by name; compiled once per distinct text.

    Raises:
        ValueError: the text is no list of tools, or a schema is not valid.
    """
    tools = TOOLS.validate_json(text)
    return {tool.name: CompiledTool(tool, _compile(tool.parameters), _compile(tool.output_schema)) for tool in tools}


def find_spec_problem(spec: Any) -> str | None:
    """Why a value is not a function spec that an OpenAI-compatible endpoint takes."""
    if not isinstance(spec, dict) or spec.get("type") != "function":  # pyright: ignore[reportUnknownMemberType]
        return "type is not `function`"
    function = cast("dict[str, Any]", spec).get("function")
    if not isinstance(function, dict):
        return "function is missing"
    function = cast("dict[str, Any]", function)
    name, parameters = function.get("name"), function.get("parameters")
    if not isinstance(name, str) or not _LEGAL_NAME.fullmatch(name):
        return f"name {name!r} is not 1 to 64 letters, digits, `_` or `-`"
    if not str(function.get("description") or "").strip():
        return f"{name} has no description"
    if not isinstance(parameters, dict) or parameters.get("type") != "object":  # pyright: ignore[reportUnknownMemberType]
        return f"parameters of {name} are not a schema of type object"
    parameters = cast("dict[str, Any]", parameters)
    properties = parameters.get("properties", {})
    if unknown := sorted(set(parameters.get("required", ())) - set(properties)):
        return f"{name} requires {', '.join(unknown)}, which it does not describe"
    if illegal := sorted(item for item in properties if not _PARAMETER_NAME.fullmatch(item)):
        return f"{name} has parameters with illegal names: {', '.join(illegal)}"
    return find_schema_problem(parameters, f"parameters of {name}")


def find_schema_problem(schema: Any, what: str) -> str | None:
    """Why a value is not a JSON Schema."""
    try:
        jsonschema_rs.meta.validate(schema)
        _compile(schema)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        return f"{what}: {_first_line(error)}"
    return None


def find_argument_problem(tool: CompiledTool, arguments: Any, unknown: Collection[str] = ()) -> str | None:
    """Why arguments, text or value, do not fit the tool; those of the names `unknown` stand there without a value."""
    try:
        value = orjson.loads(arguments) if isinstance(arguments, str) else arguments
        for error in tool.arguments.iter_errors(value):
            if not error.instance_path or error.instance_path[0] not in unknown:
                raise error
    except (orjson.JSONDecodeError, jsonschema_rs.ValidationError) as error:
        return f"arguments of {tool.tool.name}: {_first_line(error)}"
    return None


def find_result_problem(tool: CompiledTool, result: Any) -> str | None:
    """Why a successful result, text or value, does not fit the tool's output schema."""
    try:
        value = orjson.loads(result) if isinstance(result, str) else result
        tool.result.validate(value)
    except (orjson.JSONDecodeError, jsonschema_rs.ValidationError) as error:
        return f"result of {tool.tool.name}: {_first_line(error)}"
    return None


def find_type_conflicts(tools: Sequence[Tool]) -> Iterator[tuple[str, str, dict[str, list[str]]]]:
    """Columns that have several JSON types in one toolset: table, column, and type -> where it stands.

    UO, output schemas: the first type given to an entity holds for every later parameter and output.
    """
    seen: dict[tuple[str, str], dict[str, list[str]]] = {}
    for tool in tools:
        for table, column, place, schema in _list_uses(tool):
            for kind in sorted(_list_types(schema)):
                seen.setdefault((table, column), {}).setdefault(kind, []).append(f"{tool.name}.{place}")
    for (table, column), kinds in sorted(seen.items()):
        if len(kinds) > 1:
            yield table, column, kinds


def _list_uses(tool: Tool) -> Iterator[tuple[str, str, str, Any]]:
    if not isinstance(tool, SqlTool):
        return
    properties: dict[str, Any] = tool.parameters.get("properties", {})
    for binding in tool.bindings:
        if binding.table and binding.column and binding.operator not in _NOT_A_VALUE:
            yield binding.table, binding.column, binding.name, properties.get(binding.name)
    schema = tool.output_schema
    fields: dict[str, Any] = (schema.get("items") or schema).get("properties", {})
    for output in tool.outputs:
        if output.table and output.column:
            yield output.table, output.column, output.name, fields.get(output.name)


def _list_types(schema: Any) -> set[str]:
    """JSON types that a property allows, without `null`: that a value may be absent is not another type."""
    if not isinstance(schema, dict):
        return set()
    known = cast("dict[str, Any]", schema)
    declared = known.get("type")
    types: set[str] = {declared} if isinstance(declared, str) else set(cast("Iterable[str]", declared or ()))
    for option in (*known.get("anyOf", ()), *known.get("oneOf", ())):
        types |= _list_types(option)
    return types - {"null"}


def _compile(schema: Any) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema, retriever=_refuse)


def _refuse(uri: str) -> Any:
    # A schema is data from outside: it must not make a gate open connections or files.
    raise ValueError(f"refers to {uri}, outside of the schema")


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
