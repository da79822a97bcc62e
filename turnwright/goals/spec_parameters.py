"""The parameters of a tool that is known by its specification alone, as a person would speak of them.

Specifications come from anywhere: whatever cannot be read is left out, nothing here raises for what stands in one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import orjson

from schemas.tools import Tool
from turnwright.tools.naming import split_words, to_words

MOST_LEVELS = 3
"""Objects inside objects that are looked into; what lies deeper, no person would spell out."""
_MOST_PARAMETERS = 60
_LONG = {
    "addr": "address",
    "amt": "amount",
    "desc": "description",
    "dest": "destination",
    "dir": "directory",
    "lang": "language",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "loc": "location",
    "msg": "message",
    "num": "number",
    "qty": "quantity",
    "temp": "temperature",
    "val": "value",
}
_ORDINALS = {"1": "first", "2": "second", "3": "third", "a": "first", "b": "second", "c": "third"}
_IDENTIFYING = {"id", "ids", "uuid", "guid", "uid", "key", "identifier"}
_SECRET = {"password", "passwd", "pwd", "secret", "token", "hash", "salt", "pin", "cvv", "apikey", "credential"}
_CUT = re.compile(r"[.,;:(\[]|\s(?:to|for|of|that|which|in|on|from|with|used|when|where|if|is|are)\s", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?|optional|list of|whether(?: or not)?(?: to)?|if|number of)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class SpecParameter:
    """One value that a call can be given."""

    path: tuple[str, ...]
    """Keys from the arguments down to it; one key for most."""
    schema: Mapping[str, Any]
    required: bool
    """It must be given, and so must everything that it lies in."""
    label: str
    """What people call it, without underscores: `user ID`, `second file name`."""

    @property
    def name(self) -> str:
        """The path as one text: `city`, `address.city`."""
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        """JSON type; `string` where the schema names none."""
        return read_type(self.schema)

    @property
    def description(self) -> str:
        """What the specification says of it."""
        return str(self.schema.get("description") or "")

    @property
    def words(self) -> frozenset[str]:
        """Words of its own name, lower case."""
        return frozenset(split_words(self.path[-1]))

    @property
    def is_identifier(self) -> bool:
        """Whether it only tells records apart, so that a person hardly knows it by heart."""
        return bool(self.words & _IDENTIFYING) and "enum" not in self.schema

    @property
    def is_secret(self) -> bool:
        """Whether it is a password or the like."""
        return is_secret(self.path[-1])


def is_secret(name: str) -> bool:
    """Whether a field is called like something that nobody reads out."""
    words = split_words(name)
    return bool(set(words) & _SECRET) or ("verification" in words and "card" in words)


def list_parameters(tool: Tool) -> tuple[SpecParameter, ...]:
    """The parameters of a tool, those inside objects one by one, in the order of the specification."""
    return _list_parameters(orjson.dumps(tool.parameters))


@lru_cache(maxsize=2048)
def _list_parameters(text: bytes) -> tuple[SpecParameter, ...]:
    root: dict[str, Any] = orjson.loads(text)
    found: list[SpecParameter] = []

    def walk(schema: Mapping[str, Any], path: tuple[str, ...], required: bool) -> None:
        properties = schema.get("properties")
        needed = schema.get("required")
        names = (
            [name for name in cast("list[Any]", needed) if isinstance(name, str)] if isinstance(needed, list) else []
        )
        given = cast("dict[str, Any]", properties if isinstance(properties, dict) else {})
        # Keys lose their order in canonical JSON; the list of those that are required keeps it.
        ordered = dict.fromkeys([*(name for name in names if name in given), *given])
        for key, value in ((key, given[key]) for key in ordered):
            inner = resolve_schema(value, root)
            must = required and key in names
            here = (*path, key)
            if read_type(inner) == "object" and isinstance(inner.get("properties"), dict) and len(here) < MOST_LEVELS:
                walk(inner, here, must)
            elif len(found) < _MOST_PARAMETERS:
                found.append(SpecParameter(here, inner, must, label_parameter(here, inner)))

    walk(resolve_schema(root, root), (), True)
    labels = [parameter.label for parameter in found]
    return tuple(
        parameter
        if labels.count(parameter.label) == 1
        else SpecParameter(
            parameter.path, parameter.schema, parameter.required, " ".join(to_words(key) for key in parameter.path)
        )
        for parameter in found
    )


def resolve_schema(schema: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to or chooses between put in its place; nothing where it is no schema."""
    node = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    for _ in range(MOST_LEVELS):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            target: Any = root
            for step in reference[2:].split("/"):
                target = cast("dict[str, Any]", target).get(step) if isinstance(target, dict) else None
            node = cast("dict[str, Any]", target) if isinstance(target, dict) else {}
            continue
        options = next((node[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(node.get(key), list)), None)
        usable = [option for option in cast("list[Any]", options or []) if _is_some(option)]
        if not usable:
            break
        rest = {key: value for key, value in node.items() if key not in ("anyOf", "oneOf", "allOf")}
        node = {**cast("dict[str, Any]", usable[0]), **rest}
    return node


def _is_some(schema: Any) -> bool:
    return isinstance(schema, dict) and cast("dict[str, Any]", schema).get("type") != "null"


def read_type(schema: Mapping[str, Any]) -> str:
    """The JSON type that a schema means; `string` where it names none."""
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = next((part for part in cast("list[Any]", kind) if part != "null"), None)
    if isinstance(kind, str):
        return kind
    if isinstance(schema.get("properties"), dict):
        return "object"
    return "array" if "items" in schema else "string"


def label_parameter(path: tuple[str, ...], schema: Mapping[str, Any]) -> str:
    """What people call a parameter: its name in words, or where that is a letter, how its description begins.

    `file_name2` gives `second file name`, `dir_name` gives `directory name`.
    """
    words = [
        _LONG.get(word, word)
        for part in path[-2:]
        for word in split_words(re.sub(r"(?<=[A-Za-z]{2})(?=\d$)", " ", part))
    ]
    if len(path) > 1 and words[: len(words) // 2] == words[len(words) // 2 :]:
        words = words[len(words) // 2 :]
    if len(words) > 1 and words[-1] in ("from", "to"):
        # A preposition at the end of a label would be read as part of the sentence around it.
        ends = ("start", "end") if {"date", "time", "day", "year"} & set(words) else ("origin", "destination")
        words = [*words[:-1], ends[words[-1] == "to"]]
    if len(words) > 1 and words[-1] in _ORDINALS:
        words = [_ORDINALS[words[-1]], *words[:-1]]
    label = to_words(" ".join(words))
    if sum(map(len, words)) < 3 and words != ["id"]:
        label = _describe_label(str(schema.get("description") or "")) or label
    if read_type(schema) == "boolean" and words[-1:] not in (["status"], ["flag"], ["option"]):
        label = f"{label} option"
    return label


def _describe_label(description: str) -> str:
    text = " ".join(description.split())
    counted = re.match(r"(?:the )?number of (\w+)", text, re.IGNORECASE)
    if counted:
        return f"number of {counted[1].lower()}"
    text = _ARTICLE.sub("", text)
    phrase = to_words(_CUT.split(text, maxsplit=1)[0])
    words = phrase.split()[:4]
    while words and words[-1] in ("and", "or", "the", "a", "an"):
        words.pop()
    return " ".join(words)


def place_value(arguments: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Puts a value where its path says, making the objects on the way."""
    target = arguments
    for key in path[:-1]:
        target = cast("dict[str, Any]", target.setdefault(key, {}))
    target[path[-1]] = value
