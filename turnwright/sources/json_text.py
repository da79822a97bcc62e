"""Text of JSON from outside, decoded strictly: never a value that cannot be stored.

A value that leaves this file is JSON that every later reader can hold: finite numbers, text that is Unicode, no key
twice in an object, at most `DEEPEST` levels. An integer beyond 64 bits becomes a floating-point number, as JSON readers
without big integers take it: documents write such bounds.
"""

import json
import math
from typing import Any, Final, cast

import orjson

DEEPEST: Final = 64
"""Levels of nesting."""
_LONGEST_EXCERPT: Final = 2_000


class DocumentProblem(ValueError):
    """Text that holds no value that could be used; the message says what is wrong and where."""


def parse_json(content: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        DocumentProblem: it holds none, or one that could not be stored.
    """
    text = decode(content) if isinstance(content, bytes) else content
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=read_float,
            parse_int=_read_integer,
            object_pairs_hook=_read_pairs,
        )
    except json.JSONDecodeError as error:
        raise DocumentProblem(f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise DocumentProblem(f"is nested more than {DEEPEST} levels deep") from None
    except ValueError as error:
        raise DocumentProblem(f"is not usable JSON: {shorten(str(error), 200)}") from None
    check_value(value)
    return value


def decode(content: bytes) -> str:
    """UTF-8 text.

    Raises:
        DocumentProblem: it is something else.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DocumentProblem(f"is not UTF-8 text (byte {error.start}, line {line})") from None


def check_value(value: Any) -> None:
    """Whether a value of JSON types can be stored.

    Raises:
        DocumentProblem: it is too deep, or holds numbers or text that JSON readers do not agree about.
    """
    if _measure_depth(value) > DEEPEST:
        raise DocumentProblem(f"is nested more than {DEEPEST} levels deep")
    try:
        orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise DocumentProblem(f"holds a value that cannot be stored: {shorten(str(error), 200)}") from None


def excerpt(content: bytes | str) -> str:
    """Text that could not be read, shortened, fit for a row."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    text = text.encode("utf-8", "replace").decode("utf-8").strip()
    return shorten(text, _LONGEST_EXCERPT)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def read_float(text: str) -> float:
    """A finite number.

    Raises:
        ValueError: it is beyond what a number may be.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is beyond what a number may be")
    return value


def _read_integer(text: str) -> int | float:
    return read_float(text) if len(text) > 18 and not fits_64_bits(int(text)) else int(text)


def fits_64_bits(value: int) -> bool:
    """Whether an integer is one that every JSON reader takes as an integer."""
    return -(2**63) <= value < 2**63


def _read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {shorten(twice, 40)!r} stands there twice")
    return value


def _measure_depth(value: Any) -> int:
    deepest = 0
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > DEEPEST:
            break
        if isinstance(item, dict):
            waiting.extend((child, depth + 1) for child in cast("dict[str, Any]", item).values())
        elif isinstance(item, list):
            waiting.extend((child, depth + 1) for child in cast("list[Any]", item))
    return deepest


def shorten(text: str, longest: int) -> str:
    """The beginning of a text."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
