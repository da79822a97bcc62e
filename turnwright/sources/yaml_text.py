"""Text of YAML from outside as values of JSON, as strict as turnwright/sources/json_text.py."""

import math
from typing import Any, Final, cast

import yaml

from turnwright.sources.json_text import (
    DEEPEST,
    DocumentProblem,
    check_value,
    decode,
    fits_64_bits,
    read_float,
    shorten,
)

_MOST_VALUES: Final = 2_000_000
"""Values in a document, its anchors written out."""


def parse_yaml(content: bytes) -> Any:
    """The value of a YAML 1.1 text, as JSON: keys become text, dates stay text, anchors are written out.

    Raises:
        DocumentProblem: it holds none, or one that could not be stored.
    """
    text = decode(content)
    try:
        _check_nesting(text)
        value = yaml.load(text, Loader=_PlainLoader)
        _measure_expanded(value)
        plain = _to_json(value)
    except DocumentProblem:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise DocumentProblem(f"is not YAML: {shorten(error.problem or 'it cannot be read', 200)}{place}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        said = str(error).splitlines() or [type(error).__name__]
        raise DocumentProblem(f"is not YAML: {shorten(said[0], 200)}") from None
    check_value(plain)
    return plain


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


def _measure_expanded(value: Any) -> None:
    """Whether a value in which parts may be shared, or lead back into themselves, can be written out.

    Raises:
        DocumentProblem: it has no end, is too deep or too large.
    """
    sizes: dict[int, tuple[int, int]] = {}
    """Id of a part -> values in it, and its levels; (0, 0) while it is looked at."""

    def measure(item: Any) -> tuple[int, int]:
        if not isinstance(item, dict | list):
            return 1, 1
        part = id(cast("Any", item))
        known = sizes.get(part)
        if known == (0, 0):
            raise DocumentProblem(f"is nested more than {DEEPEST} levels deep: an anchor holds itself")
        if known is None:
            sizes[part] = (0, 0)
            children = cast("dict[Any, Any]", item).values() if isinstance(item, dict) else cast("list[Any]", item)
            measured = [measure(child) for child in children]
            known = (1 + sum(size for size, _ in measured), 1 + max((levels for _, levels in measured), default=0))
            sizes[part] = known
        return known

    size, levels = measure(value)
    if size > _MOST_VALUES:
        raise DocumentProblem("has more values than can be read once its anchors are written out")
    if levels > DEEPEST:
        raise DocumentProblem(f"is nested more than {DEEPEST} levels deep")


def _to_json(item: Any) -> Any:
    if isinstance(item, dict):
        made: dict[str, Any] = {}
        for key, child in cast("dict[Any, Any]", item).items():
            name = _to_key(key)
            if name in made:
                raise DocumentProblem(f"has the key {shorten(name, 40)!r} twice")
            made[name] = _to_json(child)
        return made
    if isinstance(item, list):
        return [_to_json(child) for child in cast("list[Any]", item)]
    if isinstance(item, float) and not math.isfinite(item):
        raise DocumentProblem(f"holds {item}, which is not a number in JSON")
    if isinstance(item, int) and not fits_64_bits(item):
        return read_float(str(item))
    if item is None or isinstance(item, str | int | float):
        return item
    raise DocumentProblem(f"holds a {type(item).__name__}, which JSON does not have")


def _to_key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int | float):
        return str(key)
    if key is None:
        return "null"
    raise DocumentProblem("has a key that is no text")
