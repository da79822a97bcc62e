"""Schemas of OpenAPI documents as JSON Schemas that stand on their own.

OpenAPI 3.0 has a dialect of its own: `nullable`, boolean `exclusiveMinimum`, `readOnly`. 3.1 is JSON Schema, with the
same additions for documentation.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

from turnwright.tools.json_schema import DEEPEST, change_parts, inline_references

Direction = Literal["request", "response"]

_DOCUMENTATION = frozenset(
    {"title", "xml", "externalDocs", "discriminator", "deprecated", "nullable", "readOnly", "writeOnly"}
)
_HIDDEN: Mapping[Direction, str] = {"request": "readOnly", "response": "writeOnly"}


def resolve_schema(schema: Any, document: Any, direction: Direction, levels: int = DEEPEST) -> dict[str, Any]:
    """A schema of the document with its references replaced, in the words of JSON Schema.

    Properties that a request must not have (`readOnly`), or a response never has (`writeOnly`), are left out. Parts of
    an `allOf` that only describe an object are merged into one. References deeper than `levels` are cut.

    Raises:
        ReferenceProblem: a reference cannot be followed, or the whole becomes too large.
    """
    resolved = _translate(inline_references(schema, document, levels), direction)
    return cast("dict[str, Any]", resolved) if isinstance(resolved, dict) else {}


def _translate(schema: Any, direction: Direction) -> Any:
    if not isinstance(schema, dict):
        return schema
    own = dict(cast("dict[str, Any]", schema))
    _drop_hidden(own, direction)
    made = change_parts(own, lambda part: _translate(part, direction))
    if made.get("nullable") is True:
        _allow_null(made)
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound in made:
            made[exclusive] = made.pop(bound)
    if "example" in made and "examples" not in made:
        made["examples"] = [made["example"]]
    for key in [key for key in made if key in _DOCUMENTATION or key == "example" or key.startswith("x-")]:
        del made[key]
    return _merge_all_of(made)


def _drop_hidden(schema: dict[str, Any], direction: Direction) -> None:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    named = cast("dict[str, Any]", properties)
    hidden = {
        name
        for name, part in named.items()
        if isinstance(part, dict) and cast("dict[str, Any]", part).get(_HIDDEN[direction]) is True
    }
    if not hidden:
        return
    schema["properties"] = {name: part for name, part in named.items() if name not in hidden}
    required = schema.get("required")
    if isinstance(required, list):
        schema["required"] = [name for name in cast("list[Any]", required) if str(name) not in hidden]


def _allow_null(schema: dict[str, Any]) -> None:
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
        choices = schema.get("enum")
        if isinstance(choices, list) and None not in choices:
            schema["enum"] = [*cast("list[Any]", choices), None]


def _merge_all_of(schema: dict[str, Any]) -> dict[str, Any]:
    """One schema for an `allOf` whose parts are plain objects that do not contradict each other."""
    parts = schema.get("allOf")
    if not isinstance(parts, list) or not parts:
        return schema
    plain = {"type", "properties", "required", "title", "description", "additionalProperties", "examples"}
    rest = {key: value for key, value in schema.items() if key != "allOf"}
    if len(cast("list[Any]", parts)) == 1 and isinstance(parts[0], dict):
        return {**cast("dict[str, Any]", parts[0]), **rest}
    properties: dict[str, Any] = {}
    required: list[Any] = []
    # `additionalProperties` is not taken over: a part that forbids what it does not name would forbid the rest.
    merged: dict[str, Any] = {"type": "object"}
    for part in [*cast("list[Any]", parts), rest]:
        if not isinstance(part, dict):
            return schema
        own = cast("dict[str, Any]", part)
        inner, needed = own.get("properties", {}), own.get("required", [])
        if set(own) - plain or own.get("type", "object") != "object":
            return schema
        if not isinstance(inner, dict) or not isinstance(needed, list):
            return schema
        for name, described in cast("dict[str, Any]", inner).items():
            if properties.setdefault(name, described) != described:
                return schema
        required += [name for name in cast("list[Any]", needed) if name not in required]
        merged.update({key: own[key] for key in ("title", "description") if key in own})
    merged["properties"] = properties
    if required:
        merged["required"] = required
    return merged
