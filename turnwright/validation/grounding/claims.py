"""The claims that a text makes: numbers, dates, times, codes, addresses and names, each with its span.

The same reading serves prose and evidence, so that what is written the same way is always found.
"""

import datetime
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from turnwright.validation.grounding.units import UNITS, Unit

Kind = Literal["number", "date", "time", "code", "address", "quoted", "name"]

MONTHS = "january february march april may june july august september october november december".split()
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SPELLED = {word: number for number, word in enumerate(_SMALL)} | {w: 10 * n for n, w in enumerate(_TENS, start=2)}
_SCALES = {"hundred": 2, "thousand": 3, "k": 3, "million": 6, "m": 6, "mn": 6, "billion": 9, "bn": 9, "trillion": 12}
_SIGNS = "$€£¥₹₩₽"
_MONTH = "(?:" + "|".join(f"{m[:3]}(?:{m[3:]})?" if m != "may" else m for m in MONTHS) + r"|sept)\b\.?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_UNIT = "|".join(
    re.escape(alias) for alias in sorted(UNITS, key=len, reverse=True) if alias not in _SIGNS and alias != "second"
)
_FIRST = "|".join(sorted({word[:3] for word in (*MONTHS, *_SMALL, *_TENS)}))
_BEGINNING = rf"(?=[\d{_SIGNS}.\-\#]|https?:|www\.|us\$|{_FIRST}|[\w.+-]*?[\d@])"
"""What stands at the beginning of each claim: most words begin none, and are passed over at once."""
_CLAIM = re.compile(
    rf"""
  (?<!\w){_BEGINNING}(?:
    (?P<address>[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[^\s)\]>"']+|www\.[^\s)\]>"']+)
  | (?P<iso>(?<![\d-])(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?![\d-]))(?:[t ]?(?=\d{{1,2}}:\d\d))?
  | (?P<clock>(?<![\d:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?z?
        (?:\s?(?P<half>[ap])\.?m\b\.?)?(?![\d:]))
  | (?P<noon>\b(?P<hour2>1[0-2]|0?[1-9])\s?(?P<half2>[ap])\.?m\b\.?)
  | (?P<dayfirst>\b(?P<d2>{_DAY})(?:st|nd|rd|th)?(?:\ of|-|\ )?\ ?(?P<mon2>{_MONTH})
        (?:,?[-\ ](?:of\ )?(?P<y2>\d{{4}})\b)?)
  | (?P<monthfirst>\b(?P<mon3>{_MONTH})\ (?:the\ )?(?P<d3>{_DAY})(?:st|nd|rd|th)?\b(?!:\d)(?:,?\ (?P<y3>\d{{4}})\b)?)
  | (?P<monthyear>\b(?P<mon4>{_MONTH}),?\ (?:of\ )?(?P<y4>\d{{4}})\b)
  | (?P<slashed>(?<![\d/.-])(?P<a>\d{{1,2}})(?P<sep>[/.-])(?P<b>\d{{1,2}})(?P=sep)(?P<y5>\d{{4}})(?![\d/-]))
  | (?P<code>(?<![\w@])\#?(?=[a-z_-]*\d)(?=[\d_-]*[a-z])
        (?!\d+e\d+\b)(?!\d+(?:st|nd|rd|th|s|x|k|m|mn|bn|d|h|p|px|am|pm|{_UNIT})?\b(?![-_]\d))
        (?!\d+(?:[.,]\d+)*-[a-z]+\b(?![-_\d]))(?![a-z]+-\d{{1,3}}\b(?![-_\w]))
        [a-z0-9]+(?:[-_][a-z0-9]+)*)
  | (?P<number>(?<![\w.])(?<!\d,)(?P<minus>-(?=[\d.{_SIGNS}]))?(?P<sign>[{_SIGNS}]\s?-?|us\$\s?)?
        (?P<digits>\d{{1,3}}(?:(?P<sep1>[,' ])\d{{3}})(?:(?P=sep1)\d{{3}})*(?!\d)(?:\.\d+)?
            |\d+(?:\.\d+)?(?:e[-+]?\d{{1,3}}(?!\w))?|\.\d+)
        (?P<rank>st\b|nd\b|rd\b|th\b)?
        (?:\s?(?P<scale>hundred\b|thousand\b|million\b|billion\b|trillion\b|bn\b|mn\b|k\b|m\b(?!\w)))?
        (?:[\s-]?(?P<unit>(?:{_UNIT})(?![\w'])|[{_SIGNS}%](?!\d)|per\ cent\b|°\s?[cf]\b))?)
  | (?P<spelled>\b(?:(?:(?P<tens>{"|".join(_TENS)})(?:[- ](?P<ones>{"|".join(_SMALL[1:10])}))?
        |(?P<small>{"|".join(_SMALL)})))
        (?:\ (?P<scale2>hundred|thousand|million|billion))?\b(?:[\ -](?P<unit2>(?:{_UNIT}))\b)?)
  )""",
    re.VERBOSE,
)
_MARK = re.compile(rf"[\d@{_SIGNS}]|://|www\.")
"""What each claim has that spells no number."""
_SPELLED_WORDS = frozenset(_SPELLED)
_PARTING = re.compile(r"[,' ]")
_MOST_DIGITS = 40


class Claim(NamedTuple):
    """One value that a text states."""

    kind: Kind
    text: str
    start: int
    end: int
    value: float | str | tuple[int | None, int, int | None] | tuple[int, int] = ""
    """number: the value; date: (year or None, month, day or None); time: (hour, minute); otherwise the folded text."""
    half: float = 0.0
    """number: half of the last digit told, the most that rounding can have moved it."""
    loose: bool = False
    """number: told with decimals or a scale word, so that it may be rounded."""
    unit: Unit | None = None
    scaled: float | None = None
    """number: the value without its scale word, for fields that count in millions."""
    other: tuple[int | None, int, int | None] | None = None
    """date: the other reading of `03/05/2024`."""
    spelled: bool = False
    rank: bool = False
    """number: an ordinal, as in `5th`."""


def read_claims(text: str, folded: str, words: Iterable[str]) -> list[Claim]:
    """The values stated in a text, in order; names are read elsewhere.

    Args:
        text: with composed letters.
        folded: the same after `fold`.
        words: those of `folded`; a text without a mark or a spelled number states no value, and is not looked through.
    """
    if _MARK.search(folded) is None and _SPELLED_WORDS.isdisjoint(words):
        return []
    claims: list[Claim] = []
    for match in _CLAIM.finditer(folded):
        claim = _read(match, text)
        if claim is not None:
            claims.append(claim)
    return claims


def _read(match: re.Match[str], text: str) -> Claim | None:
    start, end = match.span()
    words = text[start:end]
    kind = match.lastgroup  # the alternative that fits, which is the group that closes last
    if kind == "number":
        return _read_number(match, words, start, end)
    if kind == "spelled":
        return _read_spelled(match, words, start, end)
    if kind == "address":
        value = match["address"].rstrip(".,;:!?")
        return Claim("address", words[: len(value)], start, start + len(value), value)
    if kind == "code":
        return Claim("code", words, start, end, match["code"].lstrip("#"))
    if kind in ("clock", "noon"):
        hour = int(match["hour"] or match["hour2"])
        half = match["half"] or match["half2"]
        if half:
            hour = hour % 12 + (12 if half == "p" else 0)
        return Claim("time", words, start, end, (hour % 24, int(match["minute"] or 0)))
    return _read_date(match, words, start, end)


def _read_date(groups: re.Match[str], words: str, start: int, end: int) -> Claim | None:
    if groups["iso"]:
        end = start + len(groups["iso"])
        year, month, day = int(groups["y"] or 0), int(groups["m"] or 0), int(groups["d"] or 0)
        value = (year, month, day)
        return Claim("date", words[: end - start], start, end, value) if _is_day(*value) else None
    if groups["slashed"]:
        first, second, year = int(groups["a"] or 0), int(groups["b"] or 0), int(groups["y5"] or 0)
        readings = [r for r in ((year, second, first), (year, first, second)) if _is_day(*r)]
        if not readings:
            return None
        return Claim("date", words, start, end, readings[0], other=readings[-1])
    name = groups["mon2"] or groups["mon3"] or groups["mon4"] or ""
    month = next(n for n, m in enumerate(MONTHS, start=1) if m.startswith(name[:3]))
    day_text = groups["d2"] or groups["d3"]
    year_text = groups["y2"] or groups["y3"] or groups["y4"]
    return Claim(
        "date",
        words,
        start,
        end,
        (int(year_text) if year_text else None, month, int(day_text) if day_text else None),
    )


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def _read_number(groups: re.Match[str], words: str, start: int, end: int) -> Claim:
    digits = groups["digits"] or ""
    if not digits.isdecimal():
        digits = _PARTING.sub("", digits)
    if len(digits) > _MOST_DIGITS:
        return Claim("code", words, start, end, words.lower())
    scale = _SCALES.get(groups["scale"] or "", 0)
    decimals = len(digits.split(".")[1]) if "." in digits and "e" not in digits else 0
    plain = "." not in digits and "e" not in digits
    bare: float = int(digits) if plain else float(digits)
    if groups["minus"] or "-" in (groups["sign"] or ""):
        bare = -bare
    value = bare * 10**scale if scale else bare
    unit_text = (groups["unit"] or "").replace(" ", "")
    if unit_text == "percent" or unit_text == "per-cent":
        unit_text = "%"
    sign = (groups["sign"] or "").strip(" -")
    unit = UNITS.get(sign) if sign else UNITS.get(unit_text)
    return Claim(
        "number",
        words,
        start,
        end,
        value,
        half=0.5 * 10.0 ** (scale - decimals),
        loose=bool(scale or decimals),
        unit=unit,
        scaled=bare if scale else None,
        rank=bool(groups["rank"]),
    )


def _read_spelled(groups: re.Match[str], words: str, start: int, end: int) -> Claim:
    small, tens, ones = groups["small"], groups["tens"], groups["ones"]
    bare = _SPELLED[small] if small else _SPELLED[tens or "zero"] + (_SPELLED[ones] if ones else 0)
    scale = _SCALES.get(groups["scale2"] or "", 0)
    value = bare * 10**scale
    unit = UNITS.get(groups["unit2"] or "")
    return Claim(
        "number",
        words,
        start,
        end,
        value,
        half=0.5 * 10.0**scale,
        loose=bool(scale),
        unit=unit,
        scaled=bare if scale else None,
        spelled=True,
    )
