"""Values that a person names for the parameters of a tool without data behind it.

They fit the schema, are believable, and mean the same thing by the same name all through a dialogue.
"""

import random
import re
from collections.abc import Mapping
from typing import Any, cast

from turnwright.goals.literal_cues import (
    ask_faker,
    draw_code,
    draw_date,
    draw_text,
    draw_time,
    read_examples,
    read_options,
)
from turnwright.goals.number_cues import draw_number
from turnwright.goals.patterns import draw_matching
from turnwright.goals.spec_parameters import SpecParameter, read_type, resolve_schema
from turnwright.goals.values import LONGEST
from turnwright.goals.words import comparable
from turnwright.tools.argument_checks import find_problem
from turnwright.tools.naming import singular, split_words, to_words

_TRIES = 8
_MOST_ITEMS = 3
_REUSED = 0.5
"""Chance that a dialogue names again what it named before under the same label."""


class Cast:
    """The things of one dialogue: who it is about, where, when. Draws each value and remembers it by its label."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._known: dict[tuple[str, str], Any] = {}

    def draw(self, parameter: SpecParameter, taken: frozenset[str] = frozenset(), *, fresh: bool = False) -> Any:
        """A value for a parameter, or none where nothing that a person could say fits its schema.

        Args:
            parameter: what is to be filled.
            taken: values, as `comparable` gives them, that are said of something else at the same time.
            fresh: another value than the one known by that label.
        """
        key = (parameter.label, parameter.kind)
        known = self._known.get(key)
        if known is not None and not fresh and comparable(known) not in taken and self._rng.random() < _REUSED:
            return known
        for _ in range(_TRIES):
            value = _draw(parameter.label, parameter.schema, self._rng)
            if value is None or not _is_sayable(value):
                continue
            if "_" in str(value) and "enum" not in parameter.schema:
                continue  # people write no underscores, and a checker takes such a word for a technical name
            clashes = comparable(value) in taken and not isinstance(value, bool)
            if clashes or (fresh and known is not None and comparable(value) == comparable(known)):
                continue
            if find_problem(_standalone(parameter.schema), value) is None:
                self._known[key] = value
                return value
        return None


def _standalone(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what it would need its document for; references inside it were followed where they matter."""
    kept = {key: value for key, value in schema.items() if key not in ("$ref", "$defs", "definitions")}
    items = kept.get("items")
    if isinstance(items, dict) and "$ref" in items:
        del kept["items"]
    return kept


def _is_sayable(value: Any) -> bool:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return bool(items) and all(_is_sayable(item) and not isinstance(item, list | dict) for item in items)
    if isinstance(value, str):
        plain = value.strip() == value and value.isprintable() and '"' not in value
        return plain and bool(value) and len(value) <= LONGEST
    return isinstance(value, bool | int | float)


def _draw(label: str, schema: Mapping[str, Any], rng: random.Random) -> Any:
    if "const" in schema:
        return schema["const"]
    listed: Any = schema.get("enum")
    if isinstance(listed, list):
        usable = [value for value in cast("list[Any]", listed) if _is_sayable(value)]
        spoken = [value for value in usable if "_" not in str(value)]
        return rng.choice(spoken or usable) if usable else None
    kind = read_type(schema)
    if kind == "boolean":
        default = schema.get("default")
        return not default if isinstance(default, bool) and rng.random() < 0.8 else True
    if kind in ("integer", "number"):
        return _draw_bounded(label, schema, kind == "integer", rng)
    if kind == "array":
        return _draw_list(label, schema, rng)
    return _draw_string(label, schema, rng) if kind == "string" else None


def _draw_list(label: str, schema: Mapping[str, Any], rng: random.Random) -> Any:
    items = resolve_schema(schema.get("items"), schema)
    if read_type(items) in ("array", "object"):
        return None
    described = {**items, "description": items.get("description") or schema.get("description") or ""}
    low, high = _bound(schema, "minItems", 1), _bound(schema, "maxItems", _MOST_ITEMS)
    low = max(1, low)
    if low > _MOST_ITEMS * 2 or high < low:
        return None
    count = rng.randint(low, max(low, min(high, _MOST_ITEMS)))
    values: list[Any] = []
    for _ in range(_TRIES * count):
        value = _draw(singular(label), described, rng)
        if value is not None and all(comparable(value) != comparable(other) for other in values):
            # A list is said as `A, B and C`, so that an item with a comma would fall apart.
            if isinstance(value, str) and ("," in value or " and " in value):
                continue
            values.append(value)
        if len(values) == count:
            break
    return values if len(values) >= low else None


def _bound(schema: Mapping[str, Any], key: str, default: int) -> int:
    value = schema.get(key)
    return (
        int(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 else default
    )


def _draw_bounded(label: str, schema: Mapping[str, Any], whole: bool, rng: random.Random) -> int | float | None:
    value = draw_number(_words(label), str(schema.get("description") or ""), whole, rng)
    low, high = _limit(schema, "minimum", 1), _limit(schema, "maximum", -1)
    if (low is None or value >= low) and (high is None or value <= high):
        return _to_multiple(value, schema, whole)
    low = low if low is not None else min(0.0, cast(float, high) - 100.0)
    high = high if high is not None else low + max(10.0, abs(low) / 2)
    if high < low or abs(high) > 1e12:
        return None
    drawn = rng.uniform(low, high)
    if not whole and high - low < 1.0:
        return _to_multiple(round(low + (high - low) * rng.randint(1, 9) / 10, 4), schema, whole)
    return _to_multiple(min(max(int(drawn), int(-(-low // 1))), int(high)) if whole else round(drawn, 2), schema, whole)


def _limit(schema: Mapping[str, Any], key: str, inward: int) -> float | None:
    plain, exclusive = schema.get(key), schema.get(f"exclusive{key.title()}")
    whole = read_type(schema) == "integer"
    for value, shift in ((plain, 0), (exclusive, inward if whole else inward * 1e-6)):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value) + shift
    return None


def _to_multiple(value: float, schema: Mapping[str, Any], whole: bool) -> int | float:
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and not isinstance(step, bool) and step > 0:
        value = max(step, round(value / step) * step)
    return int(value) if whole else value


def _words(label: str) -> frozenset[str]:
    words = split_words(label)
    return frozenset([*words, *(singular(word) for word in words)])


def _draw_string(label: str, schema: Mapping[str, Any], rng: random.Random) -> str | None:
    form, pattern = schema.get("format"), schema.get("pattern")
    if isinstance(form, str) and (value := _draw_format(form, rng)) is not None:
        return value
    if isinstance(pattern, str) and pattern:
        return draw_matching(pattern, rng)
    description = str(schema.get("description") or "")
    if options := [option for option in read_options(description) if "_" not in option]:
        return rng.choice(options)
    given: Any = schema.get("examples")
    examples = [str(value) for value in cast("list[Any]", given) if value] if isinstance(given, list) else []
    examples = examples or list(read_examples(description))
    words = _words(label)
    if {"id", "uuid"} & words:
        return draw_code(label, rng)
    if re.search(r"\byyyy-mm-dd\b", description, re.IGNORECASE):
        return draw_date(rng, past="birth" in words)
    if examples and rng.random() < 0.8:
        return rng.choice(examples)
    value = draw_text(words, description, rng) or (rng.choice(examples) if examples else None)
    return value if value is not None else _draw_name(label, rng)


def _draw_name(label: str, rng: random.Random) -> str:
    """A name for a thing of which nothing is known but what it is called."""
    word = ask_faker("last_name", rng)
    kind = next((part for part in reversed(label.split()) if part.lower() not in ("name", "id", "type", "title")), "")
    return f"{word} {to_words(kind).title()}".strip() if rng.random() < 0.5 and kind else word


def _draw_format(form: str, rng: random.Random) -> str | None:
    match form:
        case "date":
            return draw_date(rng)
        case "date-time":
            return f"{draw_date(rng)}T{draw_time(rng)}:00Z"
        case "time":
            return f"{draw_time(rng)}:00Z"
        case "email":
            return ask_faker("user_name", rng) + "@example.org"
        case "uri" | "url":
            return f"https://www.example.org/{ask_faker('slug', rng)}"
        case "uuid":
            return ask_faker("uuid4", rng)
        case "ipv4":
            return ask_faker("ipv4", rng)
        case "ipv6":
            return ask_faker("ipv6", rng)
        case "hostname":
            return f"{ask_faker('domain_word', rng)}.example.org"
        case _:
            return None
