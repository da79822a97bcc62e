"""Values inside arguments and results, in a form in which equal ones are equal: 25, 25.0 and "25" are one value."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import orjson

from turnwright.tools.naming import split_words

MOST_LEAVES = 4000
"""Values read from one result; a longer result says no more about where arguments come from."""
_DEPTH = 64
_LONGEST = 400
"""Characters of a string that are compared."""
_SMALL = 100
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_ID_WORDS = frozenset(("id", "ids", "uuid", "guid", "key", "code", "no", "nr", "number", "num", "sku", "ref", "token"))

Key = str | float
"""A value as it is compared: a float for numbers and for strings that are one, folded text for others."""


@dataclass(frozen=True)
class Leaf:
    """A scalar inside a JSON value."""

    name: str
    """Key of the nearest object that holds it; empty where there is none."""
    value: Any


def parse_json(text: Any) -> Any:
    """The JSON value of a text; the text itself where it is none, and a value that is no text unchanged."""
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        # Takes NaN and half surrogate pairs, which results made elsewhere may hold.
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def read_leaves(value: Any, name: str = "") -> Iterator[Leaf]:
    """The scalars of a JSON value in their order; what lies deeper or further than any real result is left out."""
    waiting: list[tuple[str, Any, int]] = [(name, value, 0)]
    found = 0
    while waiting and found < MOST_LEAVES:
        key, item, depth = waiting.pop()
        if isinstance(item, dict | list):
            if depth < _DEPTH:
                children = (
                    [(str(child), held, depth + 1) for child, held in cast("dict[Any, Any]", item).items()]
                    if isinstance(item, dict)
                    else [(key, held, depth + 1) for held in cast("list[Any]", item)[:MOST_LEAVES]]
                )
                waiting.extend(reversed(children))
        else:
            found += 1
            yield Leaf(key, item)


def make_key(value: Any) -> Key | None:
    """The comparable form of a scalar; none for what can never tell where it comes from: null, true, false, nothing."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _as_float(value)
    text = " ".join(str(value)[:_LONGEST].split()).casefold()
    if not text:
        return None
    if len(text) < 20 and _NUMBER.fullmatch(text) and not (len(text) > 1 and text[0] == "0" and text[1] != "."):
        return _as_float(text)
    return text


def is_weak(key: Key) -> bool:
    """Whether a value stands in many places by chance: small numbers, and strings of one or two characters."""
    return len(key) < 3 if isinstance(key, str) else abs(key) < _SMALL


@lru_cache(maxsize=100_000)
def split_name(name: str) -> tuple[str, ...]:
    """The words of a snake_case or camelCase name, in lower case."""
    return tuple(split_words(name[:200]))


@lru_cache(maxsize=100_000)
def last_word(name: str) -> str:
    """The last word of a field or parameter name in lower case: `id` of `player_id`, `playerId` and `id`."""
    words = split_name(name)
    return words[-1] if words else ""


def is_identifier(name: str) -> bool:
    """Whether a field or parameter names a thing rather than describes it."""
    return last_word(name) in _ID_WORDS


def _as_float(value: Any) -> float | None:
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None
