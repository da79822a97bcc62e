"""JSON Schemas as values: going through their parts, and replacing references by what they refer to.

Only keywords that hold schemas are gone into. What stands under `enum`, `default` or `example` is data, and a property
may be called `$ref` or `type` without being one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import unquote

_ONE: Final = (
    "items",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
)
_MANY: Final = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_NAMED: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")

MOST_PARTS: Final = 5_000
"""Schemas inside one schema, references replaced: a document can say more than anyone can read in a few lines."""
DEEPEST: Final = 30
"""Schemas inside one another."""


class ReferenceProblem(ValueError):
    """A `$ref` that cannot be followed, or leads to more than a tool may have. `code` is a stable name."""

    def __init__(self, code: str, explanation: str) -> None:
        self.code = code
        self.explanation = explanation
        super().__init__(f"{code}: {explanation}")


def change_parts(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy of a schema in which each schema directly inside it is what `change` made of it."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, dict):
            named = cast("dict[str, Any]", value)
            made[key] = {name: change(part) for name, part in named.items()}
        elif key in _MANY and isinstance(value, list):
            made[key] = [change(part) for part in cast("list[Any]", value)]
        elif key in _ONE:
            made[key] = change(value)
        else:
            made[key] = value
    return made


def walk_schema(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in a schema with its place, itself first; `true` and `false` are left out.

    A place is written as a person would: `filter.tags[]` for the items of the property `tags` of `filter`.
    """
    waiting: list[tuple[str, Any]] = [(place, schema)]
    while waiting:
        where, part = waiting.pop()
        if not isinstance(part, dict):
            continue
        found = cast("dict[str, Any]", part)
        yield where, found
        inner: list[tuple[str, Any]] = []
        for key, value in found.items():
            if key in _NAMED and isinstance(value, dict):
                for name, child in cast("dict[str, Any]", value).items():
                    inner.append((f"{where}.{name}" if where else str(name), child))
            elif key in _MANY and isinstance(value, list):
                inner += [(f"{where}[]" if "tems" in key else where, child) for child in cast("list[Any]", value)]
            elif key in _ONE:
                inner.append((f"{where}[]" if "tems" in key else where, value))
        waiting.extend(reversed(inner))


def find_target(reference: Any, document: Any) -> Any:
    """What a local reference, as `#/components/schemas/Order`, refers to.

    Raises:
        ReferenceProblem: it points outside of the document, or at nothing.
    """
    if not isinstance(reference, str):
        raise ReferenceProblem("broken_reference", "a $ref is not text")
    shown = _shorten(reference)
    if not reference.startswith("#"):
        raise ReferenceProblem("remote_reference", f"{shown} is outside of the document; put it into the document")
    target = document
    for step in reference[1:].lstrip("/").split("/") if reference not in ("#", "#/") else []:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict) and name in target:
            target = cast("dict[str, Any]", target)[name]
        elif isinstance(target, list) and name.isdigit() and len(name) < 7 and int(name) < len(cast("Any", target)):
            target = cast("list[Any]", target)[int(name)]
        else:
            raise ReferenceProblem("broken_reference", f"{shown} points at nothing")
    return target


def inline_references(schema: Any, document: Any) -> Any:
    """A copy of a schema with every local reference replaced by what it refers to, and `$defs` left out.

    What stands beside a `$ref` is laid over its target (OpenAPI 3.1). Where a reference leads back into itself it is
    cut: such a part only says its type and its description.

    Args:
        schema: the schema.
        document: what the references are looked up in; for a schema on its own, itself.

    Raises:
        ReferenceProblem: a reference cannot be followed, or the whole becomes too large.
    """
    parts = 0

    def replace(part: Any, active: tuple[str, ...], depth: int) -> Any:
        nonlocal parts
        parts += 1
        if parts > MOST_PARTS or depth > DEEPEST:
            raise ReferenceProblem("too_large", "with its references replaced the schema has no end, or nearly so")
        if not isinstance(part, dict):
            return part
        own = cast("dict[str, Any]", part)
        followed = active
        while "$ref" in own:
            reference = own["$ref"]
            target = find_target(reference, document)
            if reference in followed:
                return _cut(target, own)
            followed = (*followed, str(reference))
            beside = {key: value for key, value in own.items() if key != "$ref"}
            if not isinstance(target, dict):
                return target
            own = {**cast("dict[str, Any]", target), **beside}
        kept = {key: value for key, value in own.items() if key not in ("$defs", "definitions")}
        return change_parts(kept, lambda inner: replace(inner, followed, depth + 1))

    return replace(schema, (), 0)


def _cut(target: Any, beside: Mapping[str, Any]) -> dict[str, Any]:
    own = cast("dict[str, Any]", target) if isinstance(target, dict) else {}
    kept = {key: value for key, value in {**own, **beside}.items() if key in ("type", "description")}
    return kept or {}


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
