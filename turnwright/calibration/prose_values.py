"""Values in prose: where a number stands, and what a wrong one in its place looks like."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

_NUMBER = re.compile(r"(?<![\w.,:/+-])(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,6})?(?![\w:/-]|[.,]\d)")
_TRIES = 40


@dataclass(frozen=True)
class Spot:
    """A number in a text."""

    start: int
    end: int
    text: str

    @property
    def value(self) -> float:
        """Its value."""
        return float(self.text.replace(",", ""))


def find_numbers(text: str) -> list[Spot]:
    """The numbers of a text that stand by themselves: no parts of words, dates, times or telephone numbers."""
    return [Spot(match.start(), match.end(), match.group()) for match in _NUMBER.finditer(text)]


def as_number(value: object) -> float | None:
    """A scalar of a result as a number, where it is one or is written like one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e15 else None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value.replace(",", ""))
    return None


def alter_digits(text: str, rng: random.Random, taken: str) -> str | None:
    """The number with one digit changed, written the same way; none where every such number stands in `taken`."""
    places = [place for place, sign in enumerate(text) if sign.isdigit()]
    for _ in range(_TRIES):
        place = rng.choice(places)
        digits = "123456789" if place == places[0] else "0123456789"
        changed = text[:place] + rng.choice([digit for digit in digits if digit != text[place]]) + text[place + 1 :]
        if not stands_in(changed, taken):
            return changed
    return None


def stands_in(number: str, text: str) -> bool:
    """Whether a number stands in a text, with or without thousands separators."""
    plain = number.replace(",", "")
    forms = {re.escape(number), re.escape(plain)}
    if "." in plain:
        forms.add(re.escape(plain.rstrip("0").rstrip(".")))
    return re.search(rf"(?<!\d)(?:{'|'.join(sorted(forms))})(?!\d)", text) is not None


def replace_at(text: str, start: int, end: int, words: str) -> str:
    """The text with other words from `start` to `end`."""
    return text[:start] + words + text[end:]


def find_words(text: str, words: str) -> Iterator[tuple[int, int]]:
    """Where words stand in a text as a whole, by case."""
    if words.strip():
        for match in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text):
            yield match.start(), match.end()


def holds_words(text: str, words: str) -> bool:
    """Whether words stand in a text as a whole, by case."""
    return any(True for _ in find_words(text, words))


def holds_value(text: str, value: object) -> bool:
    """Whether a scalar is told in a text: a number by its value, anything else by its words."""
    number = as_number(value)
    if number is not None:
        return any(spot.value == number for spot in find_numbers(text))
    return holds_words(text, str(value))
