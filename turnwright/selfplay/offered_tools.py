"""The tools of a request as the simulated assistant reads them: names, descriptions, parameters; nothing else."""

import math
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, cast

import orjson

from turnwright.selfplay.words import (
    CREATE_VERBS,
    DELETE_VERBS,
    UPDATE_VERBS,
    say_name,
    split_name,
    squeeze,
    stem,
    stems,
)

VerbClass = Literal["read", "create", "update", "delete"]
_AGGREGATING = ("count_", "calculate_", "compare_", "average_", "summarize_", "compute_")
_AGGREGATES = frozenset(stem(word) for word in "share average total count ratio percentage statistics summary".split())
_LINKS = frozenset("in of by for to with from at on and or the a an per".split())
_IDENTIFYING = frozenset({"id", "ids", "nr", "number", "no", "code", "key", "identifier", "uid"})


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool."""

    name: str
    kind: str
    """JSON type; `string` where the schema names none or several."""
    required: bool
    choices: tuple[Any, ...]
    """Closed set of values; empty where there is none."""
    words: frozenset[str]
    """Stems of its name."""
    described: frozenset[str]
    """Stems of its description."""
    format: str | None
    description: str
    default: Any = None

    @cached_property
    def squeezed(self) -> str:
        """The name as fields of results are compared with it."""
        return squeeze(self.name)

    @cached_property
    def label(self) -> str:
        """The name in plain words."""
        return say_name(self.name)

    @cached_property
    def identifies(self) -> bool:
        """Whether it only identifies a record, so that a person may not know it."""
        if re.match(
            r"(?:the |new )?(?:ID|identifier)s? of\b|.*\bOther tools return it", self.description, re.IGNORECASE
        ):
            return True
        last = split_name(self.name)[-1:]
        return bool(last) and (last[0] in _IDENTIFYING or (self.squeezed.endswith("id") and self.kind != "string"))

    @cached_property
    def hidden(self) -> bool:
        """Whether a person cannot know it at all: an id, as opposed to a code or number that stands on papers."""
        told = re.match(
            r"(?:the |new )?(?:ID|identifier)s? of\b|.*\bOther tools return it", self.description, re.IGNORECASE
        )
        last = split_name(self.name)[-1:]
        return bool(told) or last in (("id",), ("ids",), ("uid",)) or (self.identifies and self.squeezed.endswith("id"))

    @cached_property
    def entity(self) -> frozenset[str]:
        """Stems of the thing that it identifies: `player` for `player_id`; empty for a bare `id`."""
        told = re.match(r"(?:the |new )?(?:ID|identifier) of the ([^.(]+)", self.description, re.IGNORECASE)
        if told:
            return frozenset(stem(word) for word in split_name(told.group(1)))
        return self.named_entity

    @cached_property
    def named_entity(self) -> frozenset[str]:
        """The same by the name alone, where the description may speak of another table with the same key."""
        return frozenset(stem(word) for word in split_name(self.name) if word not in _IDENTIFYING)

    @cached_property
    def counts_rows(self) -> bool:
        """Whether it says how many rows are wanted."""
        return self.name.lower() in {"limit", "n", "top", "top_n", "count", "max_results", "row_limit", "max_rows"}


@dataclass(frozen=True)
class OfferedTool:
    """One tool of the request."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    verb: VerbClass
    name_words: frozenset[str]
    """Stems of the name, without its verb."""
    head: frozenset[str]
    """Stems of what its results are: `concert` for `list_concerts_by_singer_name`, `club` for `list_from_clubs`."""
    words: frozenset[str]
    """Stems of the name and the description."""

    @cached_property
    def aggregates(self) -> bool:
        """Whether it counts or averages over records instead of showing them."""
        return self.name.startswith(_AGGREGATING) or bool(self.name_words & _AGGREGATES)

    @cached_property
    def required(self) -> tuple[Parameter, ...]:
        """Parameters that a call must give."""
        return tuple(parameter for parameter in self.parameters if parameter.required)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name, or none."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


@dataclass(frozen=True)
class Toolbox:
    """All tools of a request, and how telling each word is among them."""

    tools: tuple[OfferedTool, ...]
    weights: dict[str, float]

    @cached_property
    def side_nouns(self) -> frozenset[str]:
        """Stems of things that are written but never listed by themselves (`stock` in `update_stock_quantity`)."""
        heads = frozenset(word for tool in self.tools if tool.verb == "read" for word in tool.head)
        return frozenset(word for tool in self.tools if tool.verb != "read" for word in tool.name_words) - heads

    def weight(self, word: str) -> float:
        """How telling a stem is: high where few tools have it, 0 where none has."""
        return self.weights.get(word, 0.0)

    def get(self, name: str) -> OfferedTool | None:
        """The tool of that name, or none."""
        return next((tool for tool in self.tools if tool.name == name), None)


def _classify(name: str, description: str) -> VerbClass:
    for word in (*split_name(name)[:1], *split_name(description)[:1]):
        base = word if word in CREATE_VERBS | UPDATE_VERBS | DELETE_VERBS else word.removesuffix("s")
        if base in DELETE_VERBS:
            return "delete"
        if base in UPDATE_VERBS:
            return "update"
        if base in CREATE_VERBS and base != "record":
            return "create"
        if word == split_name(name)[0] and word in {"get", "list", "search", "find", "count", "show"}:
            return "read"
    return "read"


def _read_parameter(name: str, schema: dict[str, Any], required: bool) -> Parameter:
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        kind = next((str(part) for part in kind if part != "null"), "string")  # pyright: ignore
    description = str(schema.get("description") or "")
    return Parameter(
        name=name,
        kind=str(kind),
        required=required,
        choices=tuple(value for value in schema.get("enum") or () if value is not None),
        words=frozenset(stem(word) for word in split_name(name)),
        described=frozenset(stems(description)),
        format=schema.get("format"),
        description=description,
        default=schema.get("default"),
    )


def _read_head(name: str) -> frozenset[str]:
    head: list[str] = []
    for word in split_name(name)[1:]:
        if word in _LINKS and head:
            break
        if word in _LINKS:
            continue
        if word not in {"top", "all", "new"}:
            head.append(stem(word))
    return frozenset(head)


def _read_tool(spec: dict[str, Any]) -> OfferedTool:
    function = spec["function"]
    name, description = str(function["name"]), str(function.get("description") or "")
    schema: dict[str, Any] = function.get("parameters") or {}
    required: set[str] = set(schema.get("required") or ())
    given: dict[str, Any] = schema.get("properties") or {}
    # A property may be `true`, which allows anything and says nothing.
    properties = {key: cast("dict[str, Any]", value) for key, value in given.items() if isinstance(value, dict)}
    name_words = frozenset(stem(word) for word in split_name(name)[1:] if word not in _LINKS)
    return OfferedTool(
        name=name,
        description=description,
        parameters=tuple(_read_parameter(key, value, key in required) for key, value in properties.items()),
        verb=_classify(name, description),
        name_words=name_words,
        head=_read_head(name),
        words=name_words | frozenset(stems(description)),
    )


@lru_cache(maxsize=512)
def _read_cached(text: bytes) -> Toolbox:
    tools = tuple(_read_tool(spec) for spec in orjson.loads(text))
    seen: dict[str, int] = {}
    for tool in tools:
        for word in tool.words:
            seen[word] = seen.get(word, 0) + 1
    weights = {word: 0.3 + math.log((len(tools) + 1) / count) for word, count in seen.items()}
    return Toolbox(tools, weights)


def read_tools(specs: list[dict[str, Any]]) -> Toolbox:
    """The tools of a request. The same list is read once per process: it comes with every call of a dialogue."""
    return _read_cached(orjson.dumps(specs))
