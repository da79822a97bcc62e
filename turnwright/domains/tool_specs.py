"""Tools of a domain, from short descriptions."""

from collections.abc import Mapping
from typing import Any, Literal

from schemas.tools import DomainTool
from schemas.vocabulary import Effect

Schema = dict[str, Any]


def text(description: str, *values: str) -> Schema:
    """A string parameter or field; `values` where only these are allowed."""
    return {"type": "string", "description": description} | ({"enum": list(values)} if values else {})


def whole(description: str, least: int | None = None) -> Schema:
    """An integer."""
    return {"type": "integer", "description": description} | ({} if least is None else {"minimum": least})


def number(description: str) -> Schema:
    """A number."""
    return {"type": "number", "description": description}


def flag(description: str) -> Schema:
    """A boolean."""
    return {"type": "boolean", "description": description}


def listed(description: str, items: Schema, least: int = 1, most: int = 50) -> Schema:
    """A list."""
    return {"type": "array", "description": description, "items": items, "minItems": least, "maxItems": most}


def record(description: str, fields: Mapping[str, Schema], optional: frozenset[str] = frozenset()) -> Schema:
    """An object whose fields are all there, but for the optional ones."""
    return {
        "type": "object",
        "description": description,
        "properties": dict(fields),
        "required": [name for name in fields if name not in optional],
    }


def describe_tool(
    name: str,
    effect: Effect,
    description: str,
    parameters: Mapping[str, Schema],
    returns: Schema,
    side: Literal["assistant", "user"] = "assistant",
) -> DomainTool:
    """A tool whose parameters are all required and which takes no others."""
    accepted: Schema = {
        "type": "object",
        "properties": dict(parameters),
        "required": list(parameters),
        "additionalProperties": False,
    }
    function = {"name": name, "description": description, "parameters": accepted}
    return DomainTool(
        name=name,
        spec={"type": "function", "function": function},
        output_schema=returns,
        effect=effect,
        side=side,
    )
