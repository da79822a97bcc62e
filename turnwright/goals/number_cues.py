"""Which numbers a quantity can have, by what it is called and by the range that its description names."""

import random
import re

from turnwright.tools.naming import split_words

_SPAN = re.compile(
    r"\b(?:between|from)\s+(-?\d+(?:\.\d+)?)[^\d.]{0,20}?\s+(?:and|to)\s+(-?\d+(?:\.\d+)?)"
    r"|\b(-?\d+(?:\.\d+)?)\s*(?:-|to|–)\s*(-?\d+(?:\.\d+)?)\b(?!-)",
    re.IGNORECASE,
)


def read_span(description: str) -> tuple[float, float] | None:
    """The range of numbers that a description names, as in `from 0 to 100`."""
    found = _SPAN.search(description)
    if found is None:
        return None
    low, high = (float(part) for part in found.groups() if part is not None)
    return (low, high) if low < high and not 1800 <= low <= 2100 else None


def draw_number(words: frozenset[str], description: str, whole: bool, rng: random.Random) -> int | float:
    """A number that a quantity of that name can have; `words` are those of the parameter's label, lower case."""
    span = read_span(description)
    low, high, step = _find_range(
        words | frozenset(split_words(description)[:6]) if not words & _NUMBERS.keys() else words
    )
    if span is not None:
        low, high = span
        step = 1.0 if high - low > 2 else 0.05
    count = max(1, int((high - low) / step + 1e-9))
    value = low + step * rng.randint(0 if low > 0 else min(1, count), count)
    return round(value) if whole else (round(value, 2) if not float(value).is_integer() else float(int(value)))


_NUMBERS: dict[str, tuple[float, float, float]] = {
    "year": (2015, 2024, 1),
    "season": (2015, 2024, 1),
    "month": (1, 12, 1),
    "day": (1, 28, 1),
    "days": (2, 14, 1),
    "hour": (8, 18, 1),
    "hours": (1, 12, 1),
    "minutes": (10, 90, 5),
    "age": (21, 68, 1),
    "percentage": (5, 40, 5),
    "percent": (5, 40, 5),
    "rate": (0.02, 0.09, 0.01),
    "probability": (0.1, 0.9, 0.1),
    "latitude": (36.05, 59.95, 0.35),
    "longitude": (5.1, 24.9, 0.35),
    "temperature": (16, 26, 0.5),
    "speed": (20, 110, 5),
    "distance": (15, 420, 5),
    "radius": (5, 60, 5),
    "weight": (2, 80, 1),
    "mass": (2, 80, 1),
    "height": (2, 60, 1),
    "length": (2, 60, 1),
    "width": (2, 60, 1),
    "price": (20, 480, 5),
    "amount": (40, 900, 10),
    "budget": (500, 6000, 100),
    "limit": (3, 9, 1),
    "count": (2, 9, 1),
    "quantity": (2, 9, 1),
    "top": (3, 9, 1),
    "lines": (5, 25, 1),
    "principal": (1000, 20000, 500),
    "cost": (40, 900, 10),
    "salary": (28000, 90000, 1000),
    "population": (20000, 900000, 10000),
    "rating": (3, 5, 1),
    "guests": (2, 6, 1),
    "people": (2, 8, 1),
    "id": (1042, 9787, 1),
    "zip": (10025, 94110, 1),
    "zipcode": (10025, 94110, 1),
    "number": (12, 480, 1),
}


def _find_range(words: frozenset[str]) -> tuple[float, float, float]:
    return next((span for word, span in _NUMBERS.items() if word in words), (3, 60, 1))
