"""Results of any JSON shape, told in sentences: values exactly as they came back, names of fields in plain words."""

import random
from typing import Any, cast

from turnwright.selfplay import assistant_language as say
from turnwright.selfplay.reporting import is_hidden
from turnwright.selfplay.words import join_words, say_name, say_value, start_sentence

_MOST_FIELDS = 12
_MOST_ITEMS = 10
_MOST_LEVELS = 4
_LONGEST = 400
"""Most characters of one value that are read out."""


def tell_result(value: Any, subject: str, rng: random.Random) -> str:
    """A successful result in prose."""
    if isinstance(value, dict):
        return _tell_object(cast("dict[str, Any]", value), subject, rng)
    if isinstance(value, list):
        return _tell_list(cast("list[Any]", value), "", rng)
    return say.tell_fields([("answer", _say(value))], subject, rng)


def _tell_object(row: dict[str, Any], subject: str, rng: random.Random) -> str:
    plain = [(say_name(name), _say(value)) for name, value in row.items() if not isinstance(value, dict | list)]
    parts: list[str] = []
    if plain:
        parts.append(say.tell_fields(plain[:_MOST_FIELDS], subject, rng))
    for name, value in list(row.items())[:_MOST_FIELDS]:
        if isinstance(value, list):
            parts.append(_tell_list(cast("list[Any]", value), say_name(name), rng))
        elif isinstance(value, dict) and value:
            inside = _flatten(cast("dict[str, Any]", value), 1)
            parts.append(f"{start_sentence(say_name(name))}: {'; '.join(inside)}.")
    return " ".join(parts) if parts else say.nothing_found(subject, rng)


def _tell_list(items: list[Any], name: str, rng: random.Random) -> str:
    if not items:
        return f"The list of {name} is empty." if name else say.nothing_found("", rng)
    told = [_say_item(item, 1) for item in items[:_MOST_ITEMS]]
    more = f" There are {len(items)} in all." if len(items) > _MOST_ITEMS else ""
    if any(isinstance(item, dict | list) for item in items):
        head = f"{start_sentence(name)}, {len(items)} in all:" if name else f"I found {len(items)}:"
        return f"{head}\n" + "\n".join(f"- {text}" for text in told) + ("\n" + more.strip() if more else "\n")
    label = f"The {name} {'are' if len(items) > 1 else 'is'}" if name else "I found"
    return f"{label} {join_words(told)}.{more}"


def _say_item(item: Any, level: int) -> str:
    if isinstance(item, dict):
        return ", ".join(_flatten(cast("dict[str, Any]", item), level)) or "an empty entry"
    if isinstance(item, list):
        inside = cast("list[Any]", item)
        return join_words([_say_item(part, level + 1) for part in inside[:_MOST_ITEMS]]) if level < _MOST_LEVELS else ""
    return _say(item)


def _flatten(row: dict[str, Any], level: int) -> list[str]:
    told: list[str] = []
    for name, value in list(row.items())[:_MOST_FIELDS]:
        if isinstance(value, dict | list):
            if level < _MOST_LEVELS and value:
                told.append(f"{say_name(name)} {_say_item(value, level + 1)}")
        elif not is_hidden(name, value) or len(row) < 3:
            told.append(f"{say_name(name)} {_say(value)}")
    return told


def _say(value: Any) -> str:
    text = " ".join(say_value(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} and more"
