"""Tools whose specifications come from anywhere, as the simulated assistant reads them."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

import orjson

from schemas.content import canonical_json
from turnwright.selfplay.words import fold, say_name, split_name, stem, stems

_OWN_TEXT = re.compile(
    r"\bOther tools return it\b|\bText to find in the\b|\bMost results to return, from 1 to\b|"
    r"\bLeft out: (?:stays|does|unknown)|\b(?:of the [\w ]+|computed) to be added\b"
)
"""What the descriptions of tools that turnwright writes for a database say; nobody else's do."""
_PREAMBLE = re.compile(r"^.*\b(?:tool|function) description:\s*", re.IGNORECASE | re.DOTALL)
_LONG: dict[str, str] = dict(
    zip(
        "dir num qty msg desc addr dest loc lang temp amt val lat lon lng".split(),
        "directory number quantity message description address destination location language temperature amount value"
        " latitude longitude longitude".split(),
        strict=True,
    )
)
LONG_STEMS = {stem(short): stem(long) for short, long in _LONG.items()}
"""What people may say shorter, by stems."""
_ORDINALS = {"1": "first", "2": "second", "3": "third", "a": "first", "b": "second", "c": "third"}
ORDINALS = frozenset(stem(word) for word in _ORDINALS.values())
_IDENTIFYING = frozenset({"id", "ids", "uuid", "uid", "key", "token", "identifier"})
KEYS = frozenset(stem(word) for word in _IDENTIFYING)
"""Stems of the words that say that a value is an identifier."""
_WRITING = frozenset(
    "add create insert register record book enroll enrol assign schedule log enter new update set rename move mark"
    " increase decrease adjust transfer modify edit correct raise delete remove drop cancel erase send post buy"
    " purchase"
    " pay order place reserve follow unfollow comment mention retweet reply forward share upload append replace clear"
    " write copy activate deactivate start stop lock unlock press release fill install approve reject close open submit"
    " subscribe unsubscribe connect archive exchange refund save store change put".split()
)
_DELETING = frozenset("delete remove drop cancel erase clear".split())
_MOST_LEVELS = 3


@dataclass(frozen=True)
class ErrandParameter:
    """One value that a call can be given; those inside objects stand by themselves."""

    path: tuple[str, ...]
    kind: str
    items: str
    """Type of the items of a list."""
    required: bool
    choices: tuple[Any, ...]
    words: frozenset[str]
    """Stems of what people may call it."""
    described: frozenset[str]
    description: str
    default: Any

    @property
    def label(self) -> str:
        """The name in plain words."""
        words = [_LONG.get(word, word) for word in split_name(self.path[-1])]
        if len(words) > 1 and words[-1] in ("from", "to"):
            words = [*words[:-1], "origin" if words[-1] == "from" else "destination"]
        if len(words) > 1 and words[-1] in _ORDINALS:
            words = [_ORDINALS[words[-1]], *words[:-1]]
        if sum(map(len, words)) < 3 and words != ["id"] and self.described:
            return " ".join(re.sub(r"^(?:the|an?)\s+", "", self.description, flags=re.IGNORECASE).split()[:4]).lower()
        return " ".join("ID" if word == "id" else word for word in words) or say_name(self.path[-1])

    @property
    def identifies(self) -> bool:
        """Whether it only tells records apart, so that another tool may know it better than the user."""
        return bool(frozenset(split_name(self.path[-1])) & _IDENTIFYING) and not self.choices

    @property
    def entity(self) -> frozenset[str]:
        """Stems of the thing that it identifies."""
        return frozenset(stem(word) for word in split_name(self.path[-1]) if word not in _IDENTIFYING)


@dataclass(frozen=True)
class ErrandTool:
    """One tool of the request."""

    name: str
    description: str
    parameters: tuple[ErrandParameter, ...]
    core: frozenset[str]
    """Stems of its name and of the first sentence about it."""
    verbs: frozenset[str]
    """Stems of the words by which its name and its description begin."""
    writes: bool
    deletes: bool

    @cached_property
    def action(self) -> str:
        """What it does, as a phrase: the first words of its description, or its name in words."""
        words = self.description.split()
        head = fold(words[0]).strip(",.") if words else ""
        base = next((form for form in _infinitives(head) if form in _WRITING or form in _READING), None)
        if base is None:
            return f"use {say_name(self.name)}"
        text = re.split(r"[.,;:(]", " ".join([base, *words[1:]]), maxsplit=1)[0]
        return " ".join(say_name(word) if "_" in word else word for word in text.split()[:14]).strip()


@dataclass(frozen=True)
class ErrandBox:
    """All tools of a request, and how telling each word is among them."""

    tools: tuple[ErrandTool, ...]
    weights: Mapping[str, float]

    def get(self, name: str) -> ErrandTool | None:
        """The tool of that name, or none."""
        return next((tool for tool in self.tools if tool.name == name), None)

    def weigh(self, words: frozenset[str]) -> float:
        """How much these words tell together; a word of no tool tells as much as one of a single tool."""
        return math.fsum(self.weights.get(word, 1.0 + math.log(len(self.tools) + 1)) for word in words)


_READING = frozenset(
    "get search list count find compare calculate check show fetch lookup look view retrieve read describe"
    " compute return display estimate convert verify predict locate generate analyze determine provide give"
    " authenticate".split()
)


def _infinitives(word: str) -> tuple[str, ...]:
    return word, word.removesuffix("s"), word.removesuffix("es"), re.sub(r"ies$", "y", word)


def are_foreign(specs: list[dict[str, Any]]) -> bool:
    """Whether tools were not written by turnwright for a database, so that they are to be read by their words alone."""
    return bool(specs) and not _OWN_TEXT.search(_describe_all(orjson.dumps(specs)))


@lru_cache(maxsize=256)
def _describe_all(text: bytes) -> str:
    return "\n".join(parameter.description for tool in _read_cached(text).tools for parameter in tool.parameters)


def read_errand_tools(specs: list[dict[str, Any]]) -> ErrandBox:
    """The tools of a request. The same list is read once per process."""
    return _read_cached(orjson.dumps(specs))


@lru_cache(maxsize=256)
def _read_cached(text: bytes) -> ErrandBox:
    tools = tuple(_read_tool(spec["function"]) for spec in orjson.loads(text))
    seen: dict[str, int] = {}
    for tool in tools:
        for word in tool.core:
            seen[word] = seen.get(word, 0) + 1
    weights = {word: 0.3 + math.log((len(tools) + 1) / count) for word, count in seen.items()}
    return ErrandBox(tools, weights)


def _read_tool(function: dict[str, Any]) -> ErrandTool:
    name = str(function["name"])
    description = " ".join(_PREAMBLE.sub("", str(function.get("description") or "")).split())
    sentence = re.split(r"(?<=[a-z)\d])[.!?](?:\s|$)", description, maxsplit=1)[0]
    root: dict[str, Any] = function.get("parameters") or {}
    parameters: list[ErrandParameter] = []

    def walk(schema: Mapping[str, Any], path: tuple[str, ...], required: bool) -> None:
        properties, needed = schema.get("properties"), schema.get("required")
        names = cast("list[Any]", needed) if isinstance(needed, list) else []
        for key, value in cast("dict[str, Any]", properties if isinstance(properties, dict) else {}).items():
            inner, must = _resolve(value, root), required and key in names
            if _read_kind(inner) == "object" and inner.get("properties") and len(path) + 1 < _MOST_LEVELS:
                walk(inner, (*path, key), must)
            else:
                parameters.append(_read_parameter((*path, key), inner, must))

    walk(root, (), True)
    verbs = [form for word in (*split_name(name)[:1], *split_name(sentence)[:1]) for form in _infinitives(word)]
    return ErrandTool(
        name=name,
        description=description,
        parameters=tuple(parameters),
        core=frozenset(stems(name)) | frozenset(stems(sentence)),
        verbs=frozenset(stem(verb) for verb in verbs),
        writes=any(verb in _WRITING for verb in verbs),
        deletes=any(verb in _DELETING for verb in verbs),
    )


def _read_parameter(path: tuple[str, ...], schema: Mapping[str, Any], required: bool) -> ErrandParameter:
    own = [_LONG.get(word, word) for part in path[-2:] for word in split_name(part)]
    if len(own) > 1 and own[-1] in _ORDINALS:
        own = [_ORDINALS[own[-1]], *own[:-1]]
    if len(own) > 1 and own[-1] in ("from", "to"):
        ends = ("start", "end") if {"date", "time", "day", "year"} & set(own) else ("origin", "destination")
        own = [*own[:-1], ends[own[-1] == "to"]]
    description = str(schema.get("description") or "")
    listed = schema.get("enum")
    items = schema.get("items")
    named = frozenset(stem(word) for word in own)
    if sum(map(len, own)) < 3 and own != ["id"]:
        named |= frozenset(stems(re.split(r"[.,;:(]", description, maxsplit=1)[0])[:4])
    return ErrandParameter(
        path=path,
        kind=_read_kind(schema),
        items=_read_kind(cast("dict[str, Any]", items)) if isinstance(items, dict) else "string",
        required=required,
        choices=tuple(value for value in cast("list[Any]", listed) if value is not None)
        if isinstance(listed, list)
        else (),
        words=named - {"option"},
        described=frozenset(stems(description)),
        description=description,
        default=schema.get("default"),
    )


def _read_kind(schema: Mapping[str, Any]) -> str:
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = next((part for part in cast("list[Any]", kind) if part != "null"), "string")
    return str(kind) if kind else "object" if schema.get("properties") else "string"


def _resolve(schema: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    node = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    for _ in range(_MOST_LEVELS):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            target: Any = root
            for step in reference[2:].split("/"):
                target = cast("dict[str, Any]", target).get(step) if isinstance(target, dict) else None
            node = cast("dict[str, Any]", target) if isinstance(target, dict) else {}
            continue
        options = next((node[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(node.get(key), list)), None)
        usable = [part for part in cast("list[Any]", options or []) if _is_some(part)]
        if not usable:
            break
        rest = {key: value for key, value in node.items() if key not in ("anyOf", "oneOf", "allOf")}
        node = {**cast("dict[str, Any]", usable[0]), **rest}
    return node


def _is_some(schema: Any) -> bool:
    return isinstance(schema, dict) and cast("dict[str, Any]", schema).get("type") != "null"


def same_arguments(left: Any, right: Any) -> bool:
    """Whether two argument objects are the same."""
    return canonical_json(left) == canonical_json(right)
