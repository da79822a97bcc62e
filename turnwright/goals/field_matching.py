"""Which field of one tool's result can fill a parameter of another, judged by names and types (TC, enrich)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import orjson

from schemas.tools import Tool
from turnwright.goals.spec_parameters import (
    MOST_LEVELS,
    SpecParameter,
    is_secret,
    list_parameters,
    read_type,
    resolve_schema,
)
from turnwright.tools.naming import singular, split_words, to_words

SURE = 0.7
"""From here on a parameter can be looked up without a word about it: the names say it all."""
LIKELY = 0.5
"""From here on a person can point at the field: `using the travel cost from before`."""
_MOST_FIELDS = 60
_LINKS = frozenset("of by for from to in on with and or the a an at is as".split())
_GENERIC = frozenset(
    "id name status message result results type value text content description count date time success error code"
    " data total title state mode unit option output response info details".split()
)
"""Names that say nothing of whose they are: `status` of an order is no `status` of a ticket."""


@dataclass(frozen=True)
class OutputField:
    """One scalar in the result of a tool."""

    path: tuple[str, ...]
    """Keys down to it; `[]` stands for each item of a list."""
    kind: str
    """JSON type."""
    label: str
    """What people call it: `booking ID`, `current speed`."""

    @property
    def name(self) -> str:
        """Its own key; of a list of scalars the list's."""
        return next((key for key in reversed(self.path) if key != "[]"), "result")

    @property
    def is_listed(self) -> bool:
        """Whether there can be several of it in one result."""
        return "[]" in self.path

    @property
    def is_identifier(self) -> bool:
        """Whether it only tells records apart."""
        return bool({"id", "ids", "uuid", "key"} & set(split_words(self.name)))


@dataclass(frozen=True)
class Feeder:
    """A field that can fill a parameter, and how sure that is."""

    tool: str
    field: OutputField
    score: float


def list_output_fields(tool: Tool) -> tuple[OutputField, ...]:
    """The scalars that a tool's result has according to its output schema; none where that says nothing."""
    return _list_fields(orjson.dumps(tool.output_schema), tool.name)


@lru_cache(maxsize=2048)
def _list_fields(text: bytes, tool: str) -> tuple[OutputField, ...]:
    root: dict[str, Any] = orjson.loads(text)
    found: list[OutputField] = []

    def walk(schema: Mapping[str, Any], path: tuple[str, ...], level: int) -> None:
        if len(found) >= _MOST_FIELDS or level > MOST_LEVELS:
            return
        kind = read_type(schema)
        if kind == "object":
            properties = schema.get("properties")
            for key, value in cast("dict[str, Any]", properties if isinstance(properties, dict) else {}).items():
                walk(resolve_schema(value, root), (*path, key), level + 1)
        elif kind == "array":
            walk(resolve_schema(schema.get("items"), root), (*path, "[]"), level)
        elif any(key != "[]" for key in path) and not is_secret(path[-1]):
            found.append(OutputField(path, kind, _label_field(path, tool)))

    walk(resolve_schema(root, root), (), 0)
    return tuple(found)


def _label_field(path: Sequence[str], tool: str) -> str:
    """`id` in `user_tweets` gives `user tweet ID`; `id` of `get_tweet` gives `tweet ID`."""
    keys = [key for key in path if key != "[]"]
    words = split_words(keys[-1])
    if len(words) == 1 and words[0] in ("id", "name"):
        owner = singular(to_words(keys[-2])) if len(keys) > 1 else " ".join(_thing(tool))
        return to_words(f"{owner} {words[0]}")
    label = to_words(keys[-1])
    return singular(label) if path[-1] == "[]" else label


def _thing(tool: str) -> list[str]:
    """What a tool is about, by its name without the verb: `tweet` for `get_tweet_by_id`."""
    words = split_words(tool)[1:]
    head: list[str] = []
    for word in words:
        if word in _LINKS:
            break
        head.append(word)
    return split_words(singular(" ".join(head))) if head else []


def find_feeders(tools: Sequence[Tool]) -> dict[tuple[str, str], tuple[Feeder, ...]]:
    """For each (tool, parameter) the fields of other tools that can fill it, the surest first."""
    found: dict[tuple[str, str], tuple[Feeder, ...]] = {}
    for consumer in tools:
        for parameter in list_parameters(consumer):
            feeders = [
                Feeder(producer.name, field, score)
                for producer in tools
                if producer.name != consumer.name
                for field in list_output_fields(producer)
                if (score := rate_match(field, producer, parameter, consumer)) >= LIKELY
            ]
            if feeders and len(parameter.path) == 1:
                feeders.sort(key=lambda feeder: (-feeder.score, feeder.field.is_listed, feeder.tool, feeder.field.path))
                found[consumer.name, parameter.name] = tuple(feeders)
    return found


def rate_match(field: OutputField, producer: Tool, parameter: SpecParameter, consumer: Tool) -> float:
    """From 0 to 1: how likely a field of `producer`'s result is what a parameter of `consumer` wants."""
    if not _types_fit(field.kind, parameter.kind) or "enum" in parameter.schema:
        return 0.0
    own, wanted = frozenset(split_words(field.name)), parameter.words
    labelled = frozenset(word.lower() for word in split_words(field.label))
    if own == wanted or labelled == wanted:
        telling = labelled - _GENERIC - {"number"}
        same = _name_thing(consumer) & (_name_thing(producer) | labelled)
        if telling:
            return 1.0
        return 0.6 if same and parameter.is_identifier else 0.0
    if parameter.is_identifier:
        entity = wanted - {"id", "ids", "key", "uuid"}
        if not field.is_identifier:
            return 0.0
        if not entity:
            return 0.8 if labelled & _name_thing(consumer) - {"id"} else 0.0
        if labelled - {"id"} == entity:
            return 0.9
        return 0.7 if _says(parameter.description, field.label) else 0.0
    if field.is_identifier:
        return 0.0
    if own - _GENERIC and own <= wanted:
        return 0.6
    if labelled - _GENERIC and _says(parameter.description, field.label) and len(labelled) > 1:
        return 0.55
    if len(own) == 1 and not own & _GENERIC and min(own) in split_words(parameter.description)[:4]:
        return 0.55
    return 0.0


def _name_thing(tool: Tool) -> frozenset[str]:
    return frozenset(_thing(tool.name))


def _says(description: str, label: str) -> bool:
    """Whether a description names the label as a phrase."""
    return f" {label.lower()} " in f" {' '.join(split_words(description))} "


def _types_fit(given: str, wanted: str) -> bool:
    return given == wanted or (given == "integer" and wanted == "number")
