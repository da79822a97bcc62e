"""Tool specifications in the forms that people keep them in, read into one form without judging them.

Known forms: OpenAI's `{type: function, function: {…}}`, the bare function `{name, description, parameters}`, and MCP's
`{name, description, inputSchema, outputSchema?, annotations?}`. Whether what was read can be a tool says
turnwright/tools/spec_check.py.
"""

from collections.abc import Sequence
from typing import Any, cast

from schemas.content import canonical_json
from schemas.seeds import SeedTool
from schemas.vocabulary import Effect
from turnwright.sources.documents import Entry
from turnwright.sources.json_text import excerpt

_LISTS = ("tools", "functions")
_INPUTS = ("inputSchema", "input_schema")


def spread_tools(document: Any) -> list[Any] | None:
    """The specifications that a document holds; none where it is one itself."""
    if isinstance(document, list):
        return cast("list[Any]", document)
    if isinstance(document, dict):
        for key in _LISTS:
            listed = cast("dict[str, Any]", document).get(key)
            if isinstance(listed, list):
                return cast("list[Any]", listed)
    return None


def read_specification(entry: Entry, output_schema_fields: Sequence[str] = ("output_schema",)) -> SeedTool:
    """The tool of one entry.

    Args:
        entry: one specification, or why it could not be read.
        output_schema_fields: fields that may hold the JSON Schema of the result, beside the function or in it.
    """
    if entry.problem is not None:
        return SeedTool(spec=entry.value, origin=entry.origin, problem=entry.problem)
    if not isinstance(entry.value, dict):
        return SeedTool(spec=entry.value, origin=entry.origin)
    given = cast("dict[str, Any]", entry.value)
    inner = given.get("function")
    places = [given, cast("dict[str, Any]", inner)] if isinstance(inner, dict) else [given]
    output, problem = _find_output(places, output_schema_fields)
    effect, effect_problem = _find_effect(places)
    if problem or effect_problem:
        return SeedTool(spec=excerpt(canonical_json(given)), origin=entry.origin, problem=problem or effect_problem)
    return SeedTool(spec=_wrap(given), output_schema=output, effect=effect, origin=entry.origin)


def _wrap(given: dict[str, Any]) -> Any:
    """OpenAI's form where there is no doubt that it is a function; otherwise what was given."""
    if "function" in given:
        return {"type": given.get("type", "function"), "function": given["function"]}
    inputs = next((key for key in ("parameters", *_INPUTS) if key in given), None)
    if "name" not in given or given.get("type", "function") != "function":
        return given
    function = {key: given[key] for key in ("name", "description") if key in given}
    if inputs is not None:
        function["parameters"] = given[inputs]
    return {"type": "function", "function": function}


def _find_output(places: list[dict[str, Any]], fields: Sequence[str]) -> tuple[dict[str, Any] | None, str | None]:
    for field in (*fields, "outputSchema"):
        for place in places:
            output = place.get(field)
            if isinstance(output, dict):
                return cast("dict[str, Any]", output), None
            if output is not None:
                return None, f"invalid_output_schema: `{field[:40]}` is not a JSON Schema"
    return None, None


def _find_effect(places: list[dict[str, Any]]) -> tuple[Effect | None, str | None]:
    for place in places:
        effect = place.get("effect")
        if effect == "read" or effect == "write":
            return effect, None
        if effect is not None:
            return None, "invalid_effect: `effect` must be read or write"
        annotations = place.get("annotations")
        if isinstance(annotations, dict):
            hint = cast("dict[str, Any]", annotations).get("readOnlyHint")
            if isinstance(hint, bool):
                return ("read" if hint else "write"), None
    return None, None
