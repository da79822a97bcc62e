"""Whether a text states a value: numbers, dates, words and flags as people write them.

Comparison is by value: 25 equals 25.0, `1,200` equals 1200, `42%` equals 0.42, `3.14` states 3.14159 because it is that
value rounded to the digits told. It errs on the side of finding a value: what it misses blocks a dialogue.
"""

import datetime
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

from turnwright.validation.demonyms import list_demonyms

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: number for number, word in enumerate(_SMALL)} | {word: 10 * n for n, word in enumerate(_TENS, start=2)}
_SPELLED_WORDS = frozenset(_WORDS)
SCALES = {"thousand": 3, "k": 3, "million": 6, "m": 6, "billion": 9, "bn": 9}
"""Powers of ten, by what is said for them."""
_MONTHS = "january february march april may june july august september october november december".split()

_ISO_DATE = re.compile(r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([ap])?\.?m?\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−])?[$€£¥]?"
    r"(?P<digits>\d{1,3}(?:[,\u00a0\u202f’' ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)"
    r"(?!\.?\d)\s?(?P<scale>%|percent\b|per cent\b|thousand\b|million\b|billion\b|bn\b|[kKmM]\b)?"
)
_DIGIT = re.compile(r"\d")
_SPACED = re.compile(r"(?<=\d) (?=\d)")
_SPELLED = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<unit>{'|'.join(_SMALL[1:10])}))?|(?P<small>{'|'.join(_SMALL)}))\b"
)
_ISO_VALUE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_TIME_VALUE = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?")
_WORD = re.compile(r"\w+")
_NUMERIC_TEXT = re.compile(r"-?\d+(?:\.\d+)?")

_NOTHING = re.compile(
    r"\b(?:none|no|not|nothing|null|unknown|missing|empty|blank|n/?a|unspecified|unset|without|doesn't|isn't|hasn't|never)\b"
)
_YES = re.compile(r"\b(?:yes|true|is|are|was|were|has|have|does|do|did|correct|indeed)\b")
_NO = re.compile(r"\b(?:no|not|false|never|none|without)\b|n't\b")
_ZERO = re.compile(r"\b(?:zero|none|nothing|nobody|no|any)\b")
_LONG_TEXT_WORDS = 12
_SHORT_VALUE = 200
_SHARED_WORDS = 0.8
MOST_CHARACTERS = 40_000
"""Characters of one message that are read; a longer one is rejected (the rule `overlong_message`)."""
_ROUNDING = 0.05
"""Largest relative distance between a number told and the value that it rounds; 3 does not state 3.4."""


@dataclass(frozen=True)
class _Number:
    value: float
    half_unit: float
    """Half of the last digit told: the most that rounding can have moved it."""
    percent: bool
    loose: bool
    """Told with decimals or a scale word, so that it may be a rounded value."""


@dataclass(frozen=True)
class _Reading:
    """A text, read once, and no further than somebody asks."""

    plain: str
    """Case folded, one kind of space, quote and dash, no markup."""

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words."""
        return frozenset(_WORD.findall(self.plain))

    @cached_property
    def numbers(self) -> tuple[_Number, ...]:
        """Its numbers, in digits and in words."""
        numbers: list[_Number] = []
        if _DIGIT.search(self.plain):
            without_dates = _ISO_DATE.sub(" ; ", self.plain)
            without_dates = _CLOCK.sub(" ; ", without_dates) if ":" in without_dates else without_dates
            numbers += [_read_number(match) for match in _NUMBER.finditer(without_dates)]
            if _SPACED.search(without_dates):
                # A space may part thousands or two numbers: read it both ways.
                numbers += [_read_number(match) for match in _NUMBER.finditer(_SPACED.sub(" ; ", without_dates))]
        if not _SPELLED_WORDS.isdisjoint(self.words):
            numbers += [_read_spelled(match) for match in _SPELLED.finditer(self.plain)]
        return tuple(numbers)

    @cached_property
    def figures(self) -> frozenset[float]:
        """The values of its numbers."""
        return frozenset(number.value for number in self.numbers)

    @cached_property
    def amounts(self) -> frozenset[float]:
        """The values of its numbers but for shares."""
        return frozenset(number.value for number in self.numbers if not number.percent)

    @cached_property
    def clocks(self) -> frozenset[tuple[int, int]]:
        """Its times of day."""
        return frozenset(_read_clock(match) for match in _CLOCK.finditer(self.plain))


@dataclass(frozen=True)
class _Wording:
    """A text value as people may say it: what of it does not depend on where it is looked for."""

    plain: str
    """Folded as a `_Reading` is."""
    others: tuple[str, ...]
    """Other words for the same: of a country who comes from there."""
    date: re.Match[str] | None
    clock: tuple[int, int] | None
    number: float | None
    words: frozenset[str]
    """Of a long text, which may be told in part; empty for others."""


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
    reading = _read(text)
    if value is None or value == "":
        return _NOTHING.search(reading.plain) is not None
    if isinstance(value, bool):
        return (_YES if value else _NO).search(reading.plain) is not None
    if isinstance(value, int | float):
        return _states_number(value, reading)
    return _states_text(str(value), reading)


def names(value: Any, text: str) -> bool:
    """Whether `text` holds `value` itself: like `states`, but nothing is guessed from words such as yes and none."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return bool(items) and all(names(item, text) for item in items)
    if value == "" or isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    reading = _read(text)
    if isinstance(value, int | float):
        return value in reading.amounts
    if _NUMERIC_TEXT.fullmatch(value) and value[:1] == "0" and value.isdecimal():
        return _holds(value, reading.plain)  # a code, and no number: nobody says `one` for `0000001`
    return _states_text(str(value), reading)


def holds_value(document: Any, value: Any) -> bool:
    """Whether a JSON document has `value` as one of its leaves, numbers also as text and text without case."""
    nodes: list[Any] = [document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            nodes += cast("dict[str, Any]", node).values()
        elif isinstance(node, list):
            nodes += cast("list[Any]", node)
        elif isinstance(node, str) or isinstance(value, str):
            if str(node).casefold().strip() == str(value).casefold().strip():
                return True
        elif _scalars_equal(node, value):
            return True
    return False


def _states_number(value: float, reading: _Reading) -> bool:
    if not math.isfinite(value):
        return str(value) in reading.plain
    if value in reading.figures or any(_fits(value, number) for number in reading.numbers):
        return True
    if value == 0:
        return _ZERO.search(reading.plain) is not None or _NO.search(reading.plain) is not None
    if value == 1:
        return re.search(r"\b(?:yes|true|once|single|an?)\b", reading.plain) is not None
    return False


def _fits(value: float, told: _Number) -> bool:
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


def _states_text(value: str, reading: _Reading) -> bool:
    wording = _word_short(value) if len(value) <= _SHORT_VALUE else _word(value)
    if not wording.plain or _holds(wording.plain, reading.plain):
        return True
    if wording.others and any(_holds(word, reading.plain) for word in wording.others):
        return True
    if wording.date is not None:
        return _states_date(wording.date, reading)
    if wording.clock is not None:
        return wording.clock in reading.clocks
    if wording.number is not None:
        return _states_number(wording.number, reading)
    return bool(wording.words) and len(wording.words & reading.words) >= _SHARED_WORDS * len(wording.words)


def _word(value: str) -> _Wording:
    plain, bare = _fold(value), value.strip()
    clock = _TIME_VALUE.fullmatch(bare)
    words = frozenset(_WORD.findall(plain))
    return _Wording(
        plain,
        tuple(list_demonyms(plain)),
        _ISO_VALUE.fullmatch(bare),
        (int(clock[1]), int(clock[2])) if clock else None,
        float(plain) if _NUMERIC_TEXT.fullmatch(plain) else None,
        words if len(words) > _LONG_TEXT_WORDS else frozenset(),
    )


@lru_cache(maxsize=4096)
def _word_short(value: str) -> _Wording:
    """The same; values come back in text after text."""
    return _word(value)


def _states_date(date: re.Match[str], reading: _Reading) -> bool:
    try:
        day = datetime.date(int(date[1]), int(date[2]), int(date[3]))
    except ValueError:
        return False
    if str(day.year) not in reading.plain or _date_forms(day).search(reading.plain) is None:
        return False
    if date[4] is None or (date[4], date[5]) == ("00", "00"):
        return True
    return (int(date[4]), int(date[5])) in reading.clocks


@lru_cache(maxsize=4096)
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


_CHARACTERS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "*": "", "`": ""})


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).translate(_CHARACTERS).casefold()
    return " ".join(plain.split())


@lru_cache(maxsize=4096)
def _read(text: str) -> _Reading:
    return _Reading(_fold(text[:MOST_CHARACTERS]))


def _read_number(match: re.Match[str]) -> _Number:
    digits = re.sub(r"[,\u00a0\u202f’' ]", "", match["digits"])
    scale = (match["scale"] or "").lower()
    exponent = SCALES.get(scale, 0)
    decimals = len(digits.split(".")[1]) if "." in digits and "e" not in digits else 0
    value = float(digits) * 10**exponent
    if match["sign"]:
        value = -value
    percent = scale == "%" or scale.startswith("per")
    return _Number(value, 0.5 * 10 ** (exponent - decimals), percent, bool(exponent or decimals))


def _read_spelled(match: re.Match[str]) -> _Number:
    value = _WORDS[match["small"]] if match["small"] else _WORDS[match["tens"]] + _WORDS.get(match["unit"] or "", 0)
    return _Number(float(value), 0.5, percent=False, loose=False)


def _read_clock(match: re.Match[str]) -> tuple[int, int]:
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    return hour, int(match[2])
