"""What tools say about themselves, as text that can be compared: without what all of them say alike."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from schemas.tools import Tool
from turnwright.tools.naming import split_words

_SENTENCE = re.compile(r"(?<=[.!?:])\s+")
_SHARED = 0.5
"""Share of the tools from which on a sentence is about the service, not about a tool."""
_FEWEST = 3
_LONGEST = 400
_MOST_PARAMETERS = 30


def list_own_descriptions(tools: Sequence[Tool]) -> list[str]:
    """For each tool its description without the sentences that more than half of the tools have.

    Sources repeat in every description what the service is; that would make all tools look alike. A description of
    which nothing would be left stays whole.
    """
    split = [_SENTENCE.split(" ".join(tool.description.split())) for tool in tools]
    seen = Counter(sentence for sentences in split for sentence in set(sentences))
    limit = max(_FEWEST, len(tools) * _SHARED)
    own: list[str] = []
    for tool, sentences in zip(tools, split, strict=True):
        kept = [sentence for sentence in sentences if seen[sentence] < limit]
        own.append((" ".join(kept) or " ".join(tool.description.split()))[:_LONGEST])
    return own


def first_sentence(text: str, longest: int = 160) -> str:
    """The first sentence of a text, without its full stop, cut at `longest` characters."""
    sentence = _SENTENCE.split(" ".join(text.split()), maxsplit=1)[0].rstrip(".:!? ")
    return sentence if len(sentence) <= longest else f"{sentence[: longest - 1].rstrip()}…"


def list_properties(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The described properties of an object schema; what is no schema is left out."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    named = cast("dict[str, Any]", properties)
    return {name: cast("dict[str, Any]", part) for name, part in named.items() if isinstance(part, dict)}


def list_fields(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of a result, or of each of its items where the result is a list.

    An object that does nothing but wrap one list gives the fields of the list's items as well.
    """
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return list_fields(cast("dict[str, Any]", items)) if isinstance(items, dict) else {}
    fields = list_properties(schema)
    inner: dict[str, dict[str, Any]] = {}
    for part in fields.values():
        items = part.get("items")
        if part.get("type") == "array" and isinstance(items, dict):
            inner |= list_properties(cast("dict[str, Any]", items))
        elif part.get("type") == "object":
            inner |= list_properties(part)
    return {**inner, **fields}


def compose_text(tool: Tool, own_description: str) -> str:
    """A tool's name, what it does and what it asks for, as words for a vectoriser."""
    name = " ".join(split_words(tool.name))
    parameters = [" ".join(split_words(key)) for key in list(list_properties(tool.parameters))[:_MOST_PARAMETERS]]
    return f"{name}. {name}. {own_description} {'; '.join(parameters)}"


def view_tools(tools: Sequence[Tool], *, most: int, parameters: bool = True) -> list[dict[str, Any]]:
    """What a writer role sees of tools: names, short descriptions, and parameters with their types.

    Only the first `most` tools are shown with their parameters, the others by name and description, so that a large
    domain fits a small model's context.
    """
    shown: list[dict[str, Any]] = []
    for number, (tool, own) in enumerate(zip(tools, list_own_descriptions(tools), strict=True)):
        entry: dict[str, Any] = {"name": tool.name, "description": first_sentence(own)}
        if parameters and number < most:
            required = tool.parameters.get("required", [])
            entry["parameters"] = [
                view_parameter(name, part, required=name in required)
                for name, part in list(list_properties(tool.parameters).items())[:_MOST_PARAMETERS]
            ]
        shown.append(entry)
    return shown


def view_parameter(name: str, part: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """One parameter or field as a writer role sees it; what does not hold is left out."""
    entry: dict[str, Any] = {"name": name, "type": part.get("type", "any")}
    description = part.get("description")
    if isinstance(description, str) and description.strip():
        entry["description"] = first_sentence(description, 120)
    values = part.get("enum")
    if isinstance(values, list):
        entry["values"] = cast("list[Any]", values)[:12]
    if not required:
        entry["optional"] = True
    return entry
