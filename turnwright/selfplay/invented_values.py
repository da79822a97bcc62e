"""Values that a person might name for a parameter, from its name, type and description alone."""

import random
import re
from typing import Any

from turnwright.tools.naming import split_words, to_words

_CITIES = ("Lisbon", "Oslo", "Graz", "Turin", "Ghent", "Leeds", "Denver", "Kyoto")
_PEOPLE = ("Nina Petrov", "Omar Haddad", "Lucia Marin", "Hugo Costa", "Ines Duarte", "Karla Kovac")
_THINGS = ("Harbour", "Lantern", "Compass", "Meadow", "Orchard", "Glacier")
_PLACES = frozenset("city location place destination origin town from to area region state country venue".split())
_FILES = frozenset("file filename".split())
_PERSONS = frozenset(
    "first last full author artist user username customer person receiver sender recipient actor player".split()
)
_UNSAID = frozenset("id ids token password key secret verification uuid".split())
_EXAMPLE = re.compile(
    r"(?:e\.?g\.?,?|such as|for example,?|like|options?:?)\s*[\[('\"]*([A-Za-z][\w -]{1,24}?)['\"\]),.;:]", re.I
)
_MOMENTS = frozenset("date day deadline birthday checkin checkout".split())
_YEARS = frozenset({"year"})
_NUMBERS = {
    "age": (18, 70),
    "radius": (2, 30),
    "quantity": (1, 6),
    "rate": (1, 9),
    "percent": (5, 40),
    "limit": (3, 10),
}
_PLAIN = (2, 90)


def is_nameable(parameter: dict[str, Any]) -> bool:
    """Whether a person would say it: not an internal id, a token or a password."""
    return not _UNSAID & set(split_words(str(parameter["name"])))


def _read_example(description: str) -> str | None:
    """The first example that a description gives."""
    match = _EXAMPLE.search(description)
    return match.group(1).strip() if match else None


def invent_value(parameter: dict[str, Any], rng: random.Random) -> str:
    """A value as a person would write it. Never an internal id: for these a person names the thing."""
    words = split_words(str(parameter["name"]))
    values = parameter.get("values")
    if isinstance(values, list) and values:
        return to_words(str(rng.choice(values)))  # pyright: ignore[reportUnknownArgumentType]
    named = _read_example(str(parameter.get("description", "")))
    kind, last = parameter.get("type"), words[-1] if words else ""
    if named and kind == "string":
        return named
    if kind in ("integer", "number"):
        if last in _YEARS:
            return str(rng.randint(1996, 2024))
        low, high = next((span for word, span in _NUMBERS.items() if word in words), _PLAIN)
        return str(rng.randint(low, high))
    if kind == "boolean":
        return rng.choice(("yes", "no"))
    if last in _MOMENTS or "date" in words:
        return f"{rng.randint(2, 28)} {rng.choice(('March', 'May', 'June', 'October'))} 2024"
    if "time" in words:
        return f"{rng.randint(8, 20)}:{rng.choice(('00', '15', '30'))}"
    if _PLACES & set(words):
        return rng.choice(_CITIES)
    if "email" in words:
        return rng.choice(_PEOPLE).replace(" ", ".").lower() + "@mail.example"
    if _FILES & set(words):
        return rng.choice(("report.txt", "summary.md", "notes.csv", "budget.txt"))
    if _PERSONS & set(words) and last not in ("password", "status"):
        return rng.choice(_PEOPLE)
    return rng.choice(_THINGS)
