"""From a drafted result to an output schema (UO, output schemas): an array for search and list, else an object."""

from typing import Any

from schemas.replies import FieldDraft, OutputDraft
from schemas.tools import SpecTool
from turnwright.tools.naming import snake_case
from turnwright.tools.rejection import Rejection
from turnwright.tools.spec_drafts import is_listing
from turnwright.tools.tool_spec import LISTED

_LONGEST = 300


def build_output(draft: OutputDraft, tool: SpecTool, list_limit: int) -> dict[str, Any]:
    """The JSON Schema of a tool's result, closed, every field required and described, lists bounded.

    Whether it is a list follows from the tool's name where that tells (search, list, find), else from the draft; a
    tool that writes gives one object.

    Raises:
        Rejection: `output_field`: a field has no description, or stands there twice. `says_nothing`: the result of a
            look-up holds only what the caller gave.
    """
    properties: dict[str, Any] = {}
    for field in draft.fields:
        name = snake_case(field.name, fallback="value")
        if name in properties:
            raise Rejection("output_field", f"The result of {tool.name} has two fields called {name}.")
        properties[name] = _describe(field, name, tool.name)
    given = {snake_case(name, fallback="value") for name in tool.parameters.get("properties", {})}
    if tool.effect == "read" and properties.keys() <= given:
        raise Rejection(
            "says_nothing",
            f"The result of {tool.name} only repeats {', '.join(properties)}. Add the fields that are found out by it.",
        )
    record = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if tool.effect == "read" and (is_listing(tool.name) or draft.kind == "array"):
        return {"type": "array", "items": record, "maxItems": list_limit}
    return record


def _describe(field: FieldDraft, name: str, tool: str) -> dict[str, Any]:
    description = " ".join(field.description.split())[:_LONGEST]
    if not description:
        raise Rejection("output_field", f"Describe the field {name} of the result of {tool}.")
    if field.type == "array":
        items = "string" if field.items == "none" else field.items
        return {"type": "array", "items": {"type": items}, "maxItems": LISTED, "description": description}
    return {"type": field.type, "description": description}
