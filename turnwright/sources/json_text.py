"""Text of JSON and YAML from outside, decoded strictly: never a value that cannot be stored.

A value that leaves this file is JSON that every later reader can hold: finite numbers, integers of 64 bits, text that
is Unicode, no key twice in an object, at most `DEEPEST` levels.
"""

import json
import math
from typing import Any, Final, cast

import orjson
import yaml

DEEPEST: Final = 64
"""Levels of nesting."""
_MOST_VALUES: Final = 2_000_000
"""Values in a YAML document, aliases followed."""
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
            text, parse_constant=_refuse_constant, parse_float=_read_float, object_pairs_hook=_read_pairs
        )
    except json.JSONDecodeError as error:
        raise DocumentProblem(f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise DocumentProblem(f"is nested more than {DEEPEST} levels deep") from None
    except ValueError as error:
        raise DocumentProblem(f"is not usable JSON: {_shorten(str(error), 200)}") from None
    check_value(value)
    return value


def parse_yaml(content: bytes) -> Any:
    """The value of a YAML 1.1 text, as JSON: keys become text, dates stay text, anchors are written out.

    Raises:
        DocumentProblem: it holds none, or one that could not be stored.
    """
    text = decode(content)
    try:
        _check_nesting(text)
        value = yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise DocumentProblem(f"is not YAML: {_shorten(error.problem or 'it cannot be read', 200)}{place}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise DocumentProblem(
            f"is not YAML: {_shorten(str(error).splitlines()[0] if str(error) else '', 200)}"
        ) from None
    plain = _to_json(value)
    check_value(plain)
    return plain


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
        raise DocumentProblem(f"holds a value that cannot be stored: {_shorten(str(error), 200)}") from None


def excerpt(content: bytes | str) -> str:
    """Text that could not be read, shortened, fit for a row."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    text = text.encode("utf-8", "replace").decode("utf-8").strip()
    return _shorten(text, _LONGEST_EXCERPT)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _read_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is beyond what a number may be")
    return value


def _read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {_shorten(twice, 40)!r} stands there twice")
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


class _PlainLoader(yaml.CSafeLoader):
    """Safe YAML in which `2024-05-01` is text: JSON has no dates."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _check_nesting(text: str) -> None:
    # The loader recurses without a bound and ends the process on a deep document; the events do not.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise DocumentProblem(f"is nested more than {DEEPEST} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _to_json(value: Any) -> Any:
    count = 0

    def convert(item: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        if count > _MOST_VALUES:
            raise DocumentProblem("has more values than can be read once its anchors are written out")
        if depth > DEEPEST:
            raise DocumentProblem(f"is nested more than {DEEPEST} levels deep")
        if isinstance(item, dict):
            made: dict[str, Any] = {}
            for key, child in cast("dict[Any, Any]", item).items():
                name = _to_key(key)
                if name in made:
                    raise DocumentProblem(f"has the key {_shorten(name, 40)!r} twice")
                made[name] = convert(child, depth + 1)
            return made
        if isinstance(item, list | tuple):
            return [convert(child, depth + 1) for child in cast("list[Any]", item)]
        if isinstance(item, float) and not math.isfinite(item):
            raise DocumentProblem(f"holds {item}, which is not a number in JSON")
        if item is None or isinstance(item, str | int | float):
            return item
        raise DocumentProblem(f"holds a {type(item).__name__}, which JSON does not have")

    return convert(value, 1)


def _to_key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int | float):
        return str(key)
    if key is None:
        return "null"
    raise DocumentProblem("has a key that is no text")


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
