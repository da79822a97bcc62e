"""The JSON Schema of a plan for the tools at hand: an endpoint that decodes by it names no tool that is not there."""

from collections.abc import Sequence
from typing import Any

from schemas.tools import Tool
from turnwright.stateless.plans import EarlierCall


def plan_schema(tools: Sequence[Tool], earlier: Sequence[EarlierCall], *, most: int, least: int = 0) -> dict[str, Any]:
    """What `calls` of a reply may hold: so many calls, each of a tool with parameters of its own.

    A reference points to an earlier call or to one of this plan. Whether it points back, and to a field that is there,
    is left to the rules of acceptance, as is everything for endpoints that take the schema for advice.

    Args:
        tools: the tools offered.
        earlier: the calls of earlier turns; those of the plan are numbered on from them.
        most: most calls.
        least: fewest calls.
    """
    sources = ["", *(f"c{number}" for number in range(1, len(earlier) + most + 1))]
    return {
        "type": "array",
        "minItems": least,
        "maxItems": most,
        "items": {"anyOf": [_call_schema(tool, sources) for tool in tools]},
    }


def _call_schema(tool: Tool, sources: Sequence[str]) -> dict[str, Any]:
    text = {"type": "string"}
    names = sorted(tool.parameters.get("properties", {}))
    argument = _closed(
        {"name": {"enum": names}, "value": text, "from_call": {"enum": list(sources)}, "from_field": text}
    )
    arguments = {"type": "array", "maxItems": len(names), "items": argument if names else text}
    return _closed({"id": text, "tool": {"enum": [tool.name]}, "arguments": arguments})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
