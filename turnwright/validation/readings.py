"""How texts and values are read before one is held against the other: each once, and no further than somebody asks."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

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

_ISO_DATE = re.compile(r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([ap])?\.?m?\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−])?[$€£¥]?"
    r"(?P<digits>\d{1,3}(?:[,\u00a0\u202f’' ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)"
    r"(?!\.?\d)\s?(?P<scale>%|percent\b|per cent\b|thousand\b|million\b|billion\b|bn\b|[kKmM]\b)?"
)
_PARTING = re.compile(r"[,\u00a0\u202f’' ]")
"""What parts the thousands of a number."""
_DIGIT = re.compile(r"\d")
_SPACED = re.compile(r"(?<=\d) (?=\d)")
_TWO = re.compile(r"\d \d")
_SPELLED = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<unit>{'|'.join(_SMALL[1:10])}))?|(?P<small>{'|'.join(_SMALL)}))\b"
)
_ISO_VALUE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_TIME_VALUE = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?")
_WORD = re.compile(r"\w+")
_NUMERIC_TEXT = re.compile(r"-?\d+(?:\.\d+)?")

_LONG_TEXT_WORDS = 12
_SHORT_VALUE = 200
"""Characters up to which a value is read only once for all dialogues."""
_LONG_MESSAGE = 600
"""The same for a message: of longer ones fewer are remembered."""
MOST_CHARACTERS = 40_000
"""Characters of one message that are read; a longer one is rejected (the rule `overlong_message`)."""


@dataclass(frozen=True)
class Number:
    """A number that a text tells."""

    value: float
    half_unit: float
    """Half of the last digit told: the most that rounding can have moved it."""
    percent: bool
    loose: bool
    """Told with decimals or a scale word, so that it may be a rounded value."""


@dataclass(frozen=True)
class Reading:
    """A text, read once, and no further than somebody asks."""

    plain: str
    """Case folded, one kind of space, quote and dash, no markup."""

    @cached_property
    def spoken(self) -> Sequence[str]:
        """Its words in order."""
        return _WORD.findall(self.plain)

    @cached_property
    def words(self) -> frozenset[str]:
        """Its different words."""
        return frozenset(self.spoken)

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        """Its numbers, in digits and in words."""
        numbers: list[Number] = []
        if _DIGIT.search(self.plain):
            without_dates = _ISO_DATE.sub(" ; ", self.plain)
            without_dates = _CLOCK.sub(" ; ", without_dates) if ":" in without_dates else without_dates
            numbers += [_read_number(match) for match in _NUMBER.finditer(without_dates)]
            if _TWO.search(without_dates):
                # A space may part thousands or two numbers: read it both ways.
                numbers += [_read_number(match) for match in _NUMBER.finditer(_SPACED.sub(" ; ", without_dates))]
        if not _SPELLED_WORDS.isdisjoint(self.spoken):
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
class Wording:
    """A text value as people may say it: what of it does not depend on where it is looked for."""

    plain: str
    """Folded as a `Reading` is."""
    others: tuple[str, ...]
    """Other words for the same: of a country who comes from there."""
    date: re.Match[str] | None
    clock: tuple[int, int] | None
    number: float | None
    words: frozenset[str]
    """Of a long text, which may be told in part; empty for others."""
    is_code: bool
    """Digits that begin with a zero, and no number: nobody says `one` for `0000001`."""
    is_literal: bool
    """Nothing but its own words tells it."""


def _read_wording(value: str) -> Wording:
    plain, bare = _fold(value), value.strip()
    clock = _TIME_VALUE.fullmatch(bare)
    words = frozenset(_WORD.findall(plain))
    others, date = tuple(list_demonyms(plain)), _ISO_VALUE.fullmatch(bare)
    number = float(plain) if _NUMERIC_TEXT.fullmatch(plain) else None
    long = len(words) > _LONG_TEXT_WORDS
    return Wording(
        plain,
        others,
        date,
        (int(clock[1]), int(clock[2])) if clock else None,
        number,
        words if long else frozenset(),
        is_code=value[:1] == "0" and value.isdecimal() and _NUMERIC_TEXT.fullmatch(value) is not None,
        is_literal=not (others or date or clock or long) and number is None,
    )


def read_value(value: str) -> Wording:
    """The wording of a value."""
    return _read_short(value) if len(value) <= _SHORT_VALUE else _read_wording(value)


@lru_cache(maxsize=4096)
def _read_short(value: str) -> Wording:
    """The same; values come back in text after text."""
    return _read_wording(value)


_CHARACTERS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "*": "", "`": ""})


def _fold(text: str) -> str:
    if text.isascii():  # most are: there is nothing to compose, and few marks to change
        plain = text.replace("*", "").replace("`", "").lower()
    else:
        plain = unicodedata.normalize("NFKC", text).translate(_CHARACTERS).casefold()
    return " ".join(plain.split())


def read_spoken(text: str) -> Sequence[str]:
    """The words of a text in order, whatever their case."""
    if text.isascii() and "*" not in text and "`" not in text and len(text) <= MOST_CHARACTERS:
        return read_text(text).spoken  # folding such a text changes no word
    return _WORD.findall(text.casefold())


def read_text(text: str) -> Reading:
    """The reading of a text; of a very long one its beginning."""
    return _read_message(text) if len(text) <= _LONG_MESSAGE else _read_long_message(text)


@lru_cache(maxsize=512)
def _read_message(text: str) -> Reading:
    """The same; the rules and layers ask for the messages of a dialogue many times, and of those at work at once."""
    return Reading(_fold(text))


@lru_cache(maxsize=32)
def _read_long_message(text: str) -> Reading:
    """The same; few of these are remembered, for each takes much room."""
    return Reading(_fold(text[:MOST_CHARACTERS]))


def _read_number(match: re.Match[str]) -> Number:
    digits = match["digits"] if match["digits"].isdecimal() else _PARTING.sub("", match["digits"])
    scale = (match["scale"] or "").lower()
    exponent = SCALES.get(scale, 0)
    decimals = len(digits.split(".")[1]) if "." in digits and "e" not in digits else 0
    value = float(digits) * 10**exponent
    if match["sign"]:
        value = -value
    percent = scale == "%" or scale.startswith("per")
    return Number(value, 0.5 * 10 ** (exponent - decimals), percent, bool(exponent or decimals))


def _read_spelled(match: re.Match[str]) -> Number:
    value = _WORDS[match["small"]] if match["small"] else _WORDS[match["tens"]] + _WORDS.get(match["unit"] or "", 0)
    return Number(float(value), 0.5, percent=False, loose=False)


def _read_clock(match: re.Match[str]) -> tuple[int, int]:
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    return hour, int(match[2])
