"""Marks in the words of a stateless dialogue that checks look for: questions, machinery, numbers nobody has said."""

import re
from collections.abc import Iterable, Iterator

from turnwright.validation.leakage import find_reference_syntax
from turnwright.validation.values import states

QUESTION = re.compile(r"[?？؟]")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,:-]\d+)*(?![\w-])")
"""A number, a date or a time that stands by itself."""
FIGURE = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?![\w-])")
"""A number that stands by itself; of a time its two halves, of a date nothing."""
_JSON = re.compile(r"\{\s*\"|\[\s*\{")


def shows_machinery(text: str) -> bool:
    """Whether a text shows JSON or the syntax of a reference."""
    return _JSON.search(text) is not None or find_reference_syntax(text) is not None


def read_number(text: str) -> float | None:
    """The value of what `NUMBER` or `FIGURE` finds; none where it is a date or a time."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def list_unheard(text: str, heard: Iterable[str], *, in_parts: bool) -> Iterator[str]:
    """The numbers of a text that none of `heard` has, compared by value; dates and times as they are written.

    Args:
        text: what somebody says.
        heard: what was said before.
        in_parts: a run of digits inside a longer one counts too: a person says `the 3rd, 2024` of `2024-05-03`.
    """
    known = tuple(heard)
    for number in NUMBER.findall(text):
        value = read_number(number)
        if value is not None and any(states(value, each) for each in known):
            continue
        if (in_parts or value is None) and any(number in each for each in known):
            continue
        yield number
