"""Numbers that follow from known ones: sums, averages, differences, ratios, shares, conversions, ages and durations.

Anything can be computed from enough numbers, so each operation needs a word in the sentence that announces it, and
works on few numbers: a column of a result of the current request, or what the same message and request state.
"""

import datetime
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.known import Day
from turnwright.validation.grounding.units import UNITS, convert

_SUM = re.compile(
    r"\b(?:total\w*|sum\w*|altogether|combined|together|overall|in all|plus|add\w*|both|comes? to|amounts? to|"
    r"adds? up|subtotal|cumulative\w*)\b|\+|="
)
_MEAN = re.compile(r"\b(?:average\w*|mean|median|typical\w*|per|each|split|divided|apiece)\b|/|÷")
_DIFFERENCE = re.compile(
    r"\b(?:differ\w*|more|less|fewer|than|increase\w*|decrease\w*|remain\w*|left|gap|minus|lower|higher|older|younger|"
    r"longer|shorter|taller|heavier|lighter|cheaper|ahead|behind|margin|apart|reduc\w*|sav\w*|change\w*|rise|rose|fell|"
    r"drop\w*|up by|down by|raise\w*|rest|discount\w*|off|net|another|additional|extra|further|other|next|"
    r"between|over)\b"
)
_RATIO = re.compile(
    r"\b(?:times|ratio|twice|double\w*|triple\w*|half|fraction|share|proportion|percent\w*|per cent|out of|rate|growth|"
    r"grew|makes? up|accounts? for|represents?|increase\w*|decrease\w*|discount\w*|more|less)\b|%|x\b"
)
_PRODUCT = re.compile(
    r"\b(?:total\w*|cost\w*|times|each|per|for (?:all|both|\d+)|altogether|comes? to|price|night\w*)\b|×|\*|=| x "
)
_EXTREME = re.compile(r"\b(?:range\w*|span\w*|spread|between|from)\b")
_AGO = re.compile(
    r"\b(?:ago|old|age|aged|since|until|till|left|from now|in|later|earlier|before|after|away|within|for|last\w*|long|"
    r"duration|between|stay|takes?|turn\w*|born|remaining|nights?|by)\b"
)
_MOST_POOL = 48
_MOST_PAIRS = 4000
_MOST_DAYS = 40


@dataclass(frozen=True, slots=True)
class Told:
    """A number claim with what stands around it."""

    claim: Claim
    value: float
    sentence: str
    """Folded."""
    beside: tuple[float, ...]
    """Other numbers that the same message states."""


def derives(told: Told, evidence: Evidence) -> bool:
    """Whether the number follows from known ones by an operation that its sentence announces."""
    return any(_fits(told, result) for result in _results(told, evidence)) or _is_duration(told, evidence)


def _fits(told: Told, result: float) -> bool:
    claim = told.claim
    reach = max(claim.half, 1e-9 * max(1.0, abs(result)))
    whole = not claim.loose and float(result).is_integer()
    return abs(told.value - result) <= (1e-9 * max(1.0, abs(result)) if whole else reach * (1 + 1e-9))


def _results(told: Told, evidence: Evidence) -> Iterator[float]:
    sentence = told.sentence
    columns = [column for column in evidence.columns.values() if len(column) > 1]
    pairs = _pairs(told, evidence)
    if _SUM.search(sentence):
        yield from (sum(column) for column in columns)
        yield from (sum(values) for values in _by_label(evidence).values())
        if len(told.beside) > 1:
            yield sum(told.beside)
            yield from (sum(group) for group in itertools.combinations(told.beside[:12], 3))
        yield from (a + b for a, b in pairs)
        yield from _weighted_sums(evidence)
    if _MEAN.search(sentence):
        for column in [*columns, *_by_label(evidence).values(), list(told.beside)]:
            if len(column) > 1:
                ordered = sorted(column)
                middle = len(ordered) // 2
                yield sum(column) / len(column)
                yield (ordered[middle] + ordered[~middle]) / 2
        yield from _quotients(pairs)
    if _EXTREME.search(sentence) or _DIFFERENCE.search(sentence):
        yield from (max(column) - min(column) for column in columns)
    if _DIFFERENCE.search(sentence):
        yield from (abs(a - b) for a, b in pairs)
        yield from (a + b for a, b in pairs)
    if _RATIO.search(sentence):
        yield from _ratios(pairs, percent=told.claim.unit is not None and told.claim.unit.name == "percent")
    if _PRODUCT.search(sentence):
        yield from (a * b for a, b in pairs)
    if told.claim.unit is not None:
        yield from _conversions(told, evidence)


def _recent(evidence: Evidence) -> list[float]:
    """Numbers of the current request, newest last."""
    return [value for value, message in evidence.numbers.items() if message >= evidence.request and abs(value) < 1e15]


def _by_label(evidence: Evidence) -> dict[str, list[float]]:
    """The numbers of the current request's results by field, over all results: what was looked up one by one."""
    found: dict[str, list[float]] = {}
    for name, column in evidence.columns.items():
        found.setdefault(name.split(" ", 1)[1], []).extend(column[:_MOST_POOL])
    return {label: values for label, values in found.items() if len(values) > 1}


def _pairs(told: Told, evidence: Evidence) -> list[tuple[float, float]]:
    """Numbers that may be put together: told side by side, of one field, or one that the user or a count gives."""
    beside = [value for value in dict.fromkeys(told.beside) if abs(value) < 1e15][:16]
    pairs = list(itertools.combinations(beside, 2))
    for values in _by_label(evidence).values():
        pairs += itertools.combinations(list(dict.fromkeys(values))[:24], 2)
    recent = _recent(evidence)[-_MOST_POOL:]
    given = [value for value, message in evidence.numbers.items() if message == evidence.request][:8]
    pairs += itertools.product([*given, *list(evidence.sizes)[:4]], recent)
    pairs += itertools.product(beside[:6], recent)
    return pairs[:_MOST_PAIRS]


def _weighted_sums(evidence: Evidence) -> Iterator[float]:
    """Sums of products of two columns of one result: quantities times prices."""
    by_group: dict[str, list[Sequence[float]]] = {}
    for name, column in evidence.columns.items():
        by_group.setdefault(name.split(" ", 1)[0], []).append(column)
    for columns in by_group.values():
        for first, second in itertools.combinations(columns[:12], 2):
            if len(first) == len(second):
                yield sum(a * b for a, b in zip(first, second, strict=True))


def _quotients(pairs: Sequence[tuple[float, float]]) -> Iterator[float]:
    for a, b in pairs:
        if b:
            yield a / b
        if a:
            yield b / a


def _ratios(pairs: Sequence[tuple[float, float]], *, percent: bool) -> Iterator[float]:
    for a, b in itertools.chain(pairs, ((b, a) for a, b in pairs)):
        if not b:
            continue
        if percent:
            yield 100 * a / b
            yield 100 * (a - b) / b
        else:
            yield a / b
            if abs(a) <= 100:
                yield a * b / 100
                yield b * (1 - a / 100)
                yield b * (1 + a / 100)


def _conversions(told: Told, evidence: Evidence) -> Iterator[float]:
    """The same quantity in another unit; the unit that it comes from must be known."""
    unit = told.claim.unit
    if unit is None:
        return
    sources = [source for source in {u.name: u for u in UNITS.values()}.values() if source.dimension == unit.dimension]
    pool = [*told.beside, *_recent(evidence)[-4 * _MOST_POOL :]]
    for source in sources:
        if source.name in evidence.units and source.name != unit.name:
            for value in pool:
                result = convert(value, source, unit)
                if result is not None:
                    yield result
                    yield float(int(result))


def _is_duration(told: Told, evidence: Evidence) -> bool:
    """Whether the number is the time between two known days or clock times, or an age."""
    value, unit = told.value, told.claim.unit
    if not _AGO.search(told.sentence):
        return False
    days = sorted({day for day in evidence.days if day[0] is not None and day[2] is not None}, key=str)
    days = days[-_MOST_DAYS:] if len(days) > _MOST_DAYS else days
    for first, second in itertools.combinations([_date(day) for day in days], 2):
        if first is None or second is None:
            continue
        apart = abs((second - first).days)
        early, late = min(first, second), max(first, second)
        years = late.year - early.year - ((late.month, late.day) < (early.month, early.day))
        months = 12 * (late.year - early.year) + late.month - early.month - (late.day < early.day)
        if (unit is None or unit.name == "year") and value in (years, late.year - early.year):
            return True
        if (unit is None or unit.name == "day") and value in (apart, apart + 1, apart - 1):
            return True
        if unit is not None and unit.name == "week" and value in (apart // 7, round(apart / 7)):
            return True
        if unit is not None and unit.name == "month" and value in (months, months + 1):
            return True
    if unit is not None and unit.dimension == "time" and unit.name in ("minute", "hour"):
        for one, other in itertools.combinations(sorted(evidence.clocks)[:_MOST_DAYS], 2):
            minutes = abs(60 * other[0] + other[1] - 60 * one[0] - one[1])
            for span in (minutes, 1440 - minutes):
                parts = (span, span % 60) if unit.name == "minute" else (span / 60, span // 60)
                if value in parts:
                    return True
    return False


def _date(day: Day) -> datetime.date | None:
    year, month, number = day
    try:
        return datetime.date(year or 1, month, number or 1)
    except ValueError:
        return None


_RELATIVE = re.compile(
    r"\b(?:today|tomorrow|yesterday|tonight|next|last|this|coming|following|previous|day|days|week\w*|month\w*|year\w*|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|later|ago|earlier|from now|fortnight|end of|until)\b"
)
_MOST_SHIFT = 62


def derives_day(day: Day, talk: str, evidence: Evidence) -> bool:
    """Whether a day follows from a known one and words such as `tomorrow` or `in three days` in `talk` (folded)."""
    if not _RELATIVE.search(talk):
        return False
    told = _date(day)
    if told is None:
        return False
    known = [_date(other) for other in evidence.days if other[0] is not None and other[2] is not None]
    for other in known:
        if other is None:
            continue
        apart = (
            abs((told - other).days)
            if day[0] is not None
            else min(abs((told.replace(year=other.year) - other).days), 366)
            if (told.month, told.day) != (2, 29)
            else 366
        )
        if apart <= 14 or (apart <= _MOST_SHIFT and apart in evidence.numbers) or told.day == other.day:
            return True
    return False
