"""Whether a text states a value: numbers, dates, words and flags as people write them.

Comparison is by value: 25 equals 25.0, `1,200` equals 1200, `42%` equals 0.42, `3.14` states 3.14159 because it is that
value rounded to the digits told. It errs on the side of finding a value: what it misses blocks a dialogue.
"""

import datetime
import math
import re
from functools import lru_cache
from typing import Any, cast

from turnwright.validation.readings import Number, Reading, Wording, read_text, read_value

_MONTHS = "january february march april may june july august september october november december".split()
_NOTHING = re.compile(
    r"\b(?:none|no|not|nothing|null|unknown|missing|empty|blank|n/?a|unspecified|unset|without|doesn't|isn't|hasn't|never)\b"
)
_YES = re.compile(r"\b(?:yes|true|is|are|was|were|has|have|does|do|did|correct|indeed)\b")
_NO = re.compile(r"\b(?:no|not|false|never|none|without)\b|n't\b")
_ZERO = re.compile(r"\b(?:zero|none|nothing|nobody|no|any)\b")
_SHARED_WORDS = 0.8
_ROUNDING = 0.05
"""Largest relative distance between a number told and the value that it rounds; 3 does not state 3.4."""


def values_equal(first: Any, second: Any) -> bool:
    """Equality of JSON values: numbers by value, float noise allowed, True equal to 1, text exact, lists in order.

    Without recursion: a document may be as deep as it likes.
    """
    pairs: list[tuple[Any, Any]] = [(first, second)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, list) and isinstance(right, list):
            one, two = cast("list[Any]", left), cast("list[Any]", right)
            if len(one) != len(two):
                return False
            pairs += zip(one, two, strict=True)
        elif isinstance(left, dict) and isinstance(right, dict):
            some, others = cast("dict[str, Any]", left), cast("dict[str, Any]", right)
            if some.keys() != others.keys():
                return False
            pairs += ((some[key], others[key]) for key in some)
        elif not _scalars_equal(left, right):
            return False
    return True


def _scalars_equal(first: Any, second: Any) -> bool:
    if isinstance(first, int) and isinstance(second, int):
        return first == second  # exactly: neighbouring 64-bit ids are closer than float noise
    if isinstance(first, int | float) and isinstance(second, int | float):
        if first == second:
            return True
        try:
            return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
        except OverflowError:  # an integer beyond every float
            return False
    return (isinstance(first, str) or first is None) and first == second


def states(value: Any, text: str) -> bool:
    """Whether `text` states the JSON scalar `value`."""
    reading = read_text(text)
    if value is None or value == "":
        return _NOTHING.search(reading.plain) is not None
    if isinstance(value, bool):
        return (_YES if value else _NO).search(reading.plain) is not None
    if isinstance(value, int | float):
        return _states_number(value, reading)
    return _states_wording(read_value(str(value)), reading)


def names(value: Any, text: str) -> bool:
    """Whether `text` holds `value` itself: like `states`, but nothing is guessed from words such as yes and none."""
    return names_in(value, read_text(text))


def names_in(value: Any, reading: Reading) -> bool:
    """The same for a text that was read."""
    if isinstance(value, str):
        wording = read_value(value)
        if wording.is_code:
            return _holds(value, reading.plain)
        return value != "" and _states_wording(wording, reading)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return bool(items) and all(names_in(item, reading) for item in items)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value in reading.amounts


def holds_value(document: Any, value: Any) -> bool:
    """Whether a JSON document has `value` as one of its leaves, numbers also as text and text without case."""
    told = _bare(value) if isinstance(value, str) else None
    nodes: list[Any] = [document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, str):
            if _bare(node) == (_bare(value) if told is None else told):
                return True
        elif isinstance(node, dict):
            nodes += cast("dict[str, Any]", node).values()
        elif isinstance(node, list):
            nodes += cast("list[Any]", node)
        elif told is not None:
            if _bare(node) == told:
                return True
        elif _scalars_equal(node, value):
            return True
    return False


def _bare(value: Any) -> str:
    return str(value).casefold().strip()


def _states_number(value: float, reading: Reading) -> bool:
    if not math.isfinite(value):
        return str(value) in reading.plain
    if value in reading.figures or any(_fits(value, number) for number in reading.numbers):
        return True
    if value == 0:
        return _ZERO.search(reading.plain) is not None or _NO.search(reading.plain) is not None
    if value == 1:
        return re.search(r"\b(?:yes|true|once|single|an?)\b", reading.plain) is not None
    return False


def _fits(value: float, told: Number) -> bool:
    candidates = [told.value]
    if told.percent:
        candidates.append(told.value / 100)
    for index, candidate in enumerate(candidates):
        half = told.half_unit / (100 if index else 1)
        distance = min(abs(value - candidate), abs(-value - candidate))
        if distance <= 1e-9 * max(1.0, abs(value)):
            return True
        rounded = told.loose or not float(value).is_integer()
        if rounded and distance <= half * (1 + 1e-9) and distance <= _ROUNDING * abs(value):
            return True
    return False


def _states_wording(wording: Wording, reading: Reading) -> bool:
    if not wording.plain or _holds(wording.plain, reading.plain):
        return True
    if wording.is_literal:
        return False
    if wording.others and any(_holds(word, reading.plain) for word in wording.others):
        return True
    if wording.date is not None:
        return _states_date(wording.date, reading)
    if wording.clock is not None:
        return wording.clock in reading.clocks
    if wording.number is not None:
        return _states_number(wording.number, reading)
    return bool(wording.words) and len(wording.words & reading.words) >= _SHARED_WORDS * len(wording.words)


def _states_date(date: re.Match[str], reading: Reading) -> bool:
    try:
        day = datetime.date(int(date[1]), int(date[2]), int(date[3]))
    except ValueError:
        return False
    if not _may_state_day(day, reading.plain) or _date_forms(day).search(reading.plain) is None:
        return False
    if date[4] is None or (date[4], date[5]) == ("00", "00"):
        return True
    return (int(date[4]), int(date[5])) in reading.clocks


def _may_state_day(day: datetime.date, plain: str) -> bool:
    """Whether a text has the year, the day and the month somewhere: few have, and to look for them costs little."""
    if str(day.year) not in plain or str(day.day) not in plain:
        return False
    return _MONTHS[day.month - 1][:3] in plain or str(day.month) in plain


@lru_cache(maxsize=512)
def _date_forms(day: datetime.date) -> re.Pattern[str]:
    """The usual ways to write a date with its year; day and month may stand in either order."""
    month = _MONTHS[day.month - 1]
    short = rf"(?:{month}|{month[:3]}|{month[:4]})\.?"
    number = rf"0?{day.day}(?:st|nd|rd|th)?"
    year = rf"(?:{day.year})"
    weekday = r"(?:\w+,? )?"
    sep = r"[-/. ]"
    forms = (
        rf"{weekday}{short} {number},?(?: of)? {year}",
        rf"{weekday}(?:the )?{number}(?: of)?[- ]{short},?[- ]{year}",
        rf"{year}{sep}0?{day.month}{sep}0?{day.day}",
        rf"0?{day.month}{sep}0?{day.day}{sep}{year}",
        rf"0?{day.day}{sep}0?{day.month}{sep}{year}",
        rf"{year} {short} {number}",
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)")


def _holds(plain: str, text: str) -> bool:
    start = text.find(plain)
    while start != -1:
        end = start + len(plain)
        before = text[start - 1] if start else " "
        after = text[end] if end < len(text) else " "
        starts = not (before.isalnum() and plain[0].isalnum())
        if starts and not (after.isalnum() and plain[-1].isalnum()):
            return True
        start = text.find(plain, start + 1)
    return False
