"""What the assistant can know: everything said, returned, offered or done before a message, by value.

Evidence only grows, message by message, and each piece is read once: a dialogue of 600 turns costs what its text costs.
"""

import bisect
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, cast

import orjson

from turnwright.validation.demonyms import list_demonyms
from turnwright.validation.grounding.claims import Claim, read_claims
from turnwright.validation.grounding.plain_text import compose, fold, label_of, list_words, split_apart
from turnwright.validation.grounding.records import Records, Scalar, walk_leaves
from turnwright.validation.grounding.units import list_marks, units_in

Day = tuple[int | None, int, int | None]
_NOISE = 1e-9
_MOST_COLUMN = 2000
_CLOSELY = 100_000
"""Characters of one text that are read for dates, units and codes; of the rest only words and plain numbers count."""
_PLAIN = re.compile(r"(?<![\w.,])\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,10})?(?![\w])")
_SHORT = 160
"""Characters up to which a text is read only once for all dialogues."""
_LINE = 2000
"""The same for a line of a prompt."""


class _Reading(NamedTuple):
    """What a text says."""

    words: tuple[str, ...]
    units: frozenset[str]
    claims: tuple[Claim, ...]

    def share_words(self) -> "_Reading":
        """The same with each word once, and held once for all readings that are remembered: it takes half the room."""
        return self._replace(words=tuple(map(sys.intern, dict.fromkeys(self.words))))


@dataclass
class Evidence:
    """All that is known at some point of a dialogue."""

    words: set[str] = field(default_factory=set[str])
    numbers: dict[float, int] = field(default_factory=dict[float, int])
    """Each number with the last message that had it."""
    days: set[Day] = field(default_factory=set[Day])
    clocks: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    addresses: set[str] = field(default_factory=set[str])
    units: set[str] = field(default_factory=set[str])
    records: Records = field(default_factory=Records)
    columns: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Numbers of the current request's results, by result and field: what sums and averages are made of."""
    counts: dict[float, None] = field(default_factory=dict[float, None])
    """How many rows the results of the current request have, and how often a value stands in a column."""
    lengths: dict[float, None] = field(default_factory=dict[float, None])
    """How many entries the lists of the current request's results have."""
    sizes: dict[float, None] = field(default_factory=dict[float, None])
    """How many entries each list of the dialogue's results has."""
    request: int = 0
    """Index of the user message that began the current request."""
    _sorted: list[float] = field(default_factory=list[float])
    _fresh: list[float] = field(default_factory=list[float])

    def begin_request(self, message: int) -> None:
        """A user message: the columns and counts of what was asked before are behind us."""
        self.request = message
        self.columns.clear()
        self.counts.clear()
        self.lengths.clear()

    def add_text(self, text: str, message: int) -> list[Claim]:
        """Everything that a text states; returns its claims."""
        reading = _read_text(text)
        self._add_reading(reading, message)
        return list(reading.claims)

    def add_spec(self, spec: Mapping[str, Any]) -> None:
        """What the specification of a tool says, its names also word by word."""
        self._add_reading(_read_spec(orjson.dumps(spec)), -1)

    def add_lines(self, text: str, message: int) -> None:
        """The same for a long text whose lines come back in dialogue after dialogue, such as a system prompt."""
        for line in split_apart(text):
            self._add_reading(_read_line(line) if len(line) <= _LINE else _read_text(line), message)

    def add_number(self, value: float, message: int) -> None:
        """One number."""
        if value not in self.numbers and _is_finite(value):
            self._fresh.append(value)
        self.numbers[value] = message

    def add_leaf(self, value: Scalar, message: int) -> None:
        """One scalar of a result or of arguments."""
        if isinstance(value, str):
            self._add_reading(_read_value(value) if len(value) <= _SHORT else _read_long_value(value), message)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.add_number(value, message)

    def add_arguments(self, arguments: dict[str, Any], message: int) -> list[Scalar]:
        """The arguments of a call that ran: telling what was asked for is telling the truth. Returns the scalars."""
        leaves = list(walk_leaves(arguments))
        for _, value in leaves:
            self.add_leaf(value, message)
        return [value for _, value in leaves]

    def add_result(self, value: Any, message: int, arguments: Iterable[Scalar]) -> None:
        """A tool result, read as JSON."""
        for _, leaf in walk_leaves(value):
            self.add_leaf(leaf, message)
        numbers = self.records.add(value, message, arguments)
        for label in dict.fromkeys(label for number in numbers for label in self.records.all[number].cells):
            words, units, figures = _read_label(label)
            self.words |= words
            self.units |= units
            for figure in figures:
                self.add_number(figure, message)
        self._add_columns(value, numbers)

    def _add_columns(self, value: Any, numbers: list[int]) -> None:
        for size in _list_sizes(value):
            self.counts[size] = None
            self.lengths[size] = None
            self.sizes[size] = None
        cells: dict[str, list[Scalar]] = {}
        for number in numbers[:_MOST_COLUMN]:
            for label, cell in self.records.all[number].cells.items():
                if label in cells:
                    cells[label].append(cell)
                else:
                    cells[label] = [cell]
        group = self.records.groups
        for label, column in cells.items():
            figures = [each for each in column if isinstance(each, int | float) and not isinstance(each, bool)]
            if figures:
                self.columns.setdefault(f"{group} {label}", []).extend(figures)
            tally: dict[Scalar, int] = {}
            for each in column:
                if not isinstance(each, float):
                    tally[each] = tally.get(each, 0) + 1
            if tally:
                self.counts[len(tally)] = None
                self.counts |= dict.fromkeys(tally.values())

    def add_evidence(self, other: "Evidence") -> None:
        """What was read before: of the tools' specifications. Records are left out."""
        self.words |= other.words
        self.units |= other.units
        self.days |= other.days
        self.clocks |= other.clocks
        self.addresses |= other.addresses
        for number, message in other.numbers.items():
            self.add_number(number, message)

    def _add_reading(self, reading: _Reading, message: int) -> None:
        self.words.update(reading.words)
        if reading.units:
            self.units |= reading.units
        for claim in reading.claims:
            self._add_claim(claim, message)

    def _add_claim(self, claim: Claim, message: int) -> None:
        value = claim.value
        if claim.kind == "number":
            self.add_number(cast("float", value), message)
            if claim.scaled is not None:
                self.add_number(claim.scaled, message)
            if claim.unit is not None:
                self.units.add(claim.unit.name)
        elif claim.kind == "date":
            for day in {cast("Day", value), claim.other or cast("Day", value)}:
                self._add_day(day, message)
        elif claim.kind == "time":
            self.clocks.add(cast("tuple[int, int]", value))
        elif claim.kind == "address":
            self.addresses.add(str(value))

    def _add_day(self, day: Day, message: int) -> None:
        year, month, number = day
        self.days |= {day, (None, month, number), (year, month, None), (None, month, None)}
        if year is not None:
            self.add_number(year, message)

    def has_number(self, value: float, half: float, loose: bool, since: int = -1) -> bool:
        """Whether a number is known: exactly, up to float noise, or, told loosely, as a rounding of a known one.

        `since` leaves out numbers that no message from there on has had.
        """
        for candidate in (value, -value):
            if self.numbers.get(candidate, -2) >= since:
                return True
        if not _is_finite(value):
            return False
        reach = half * (1 + 1e-9) if loose else _NOISE * max(1.0, abs(value))
        # A value told in whole numbers may be a fraction rounded: 12 states 12.4, 3 does not state 3.4.
        if not loose and abs(value) >= 10:
            reach = max(reach, half)
        for candidate in (value, -value):
            for known in self._near(candidate, reach):
                if self.numbers[known] < since:
                    continue
                distance = abs(known - candidate)
                if distance <= _NOISE * max(1.0, abs(known)):
                    return True
                rounds = loose or not float(known).is_integer()
                if rounds and distance <= 0.05 * abs(known):
                    return True
        return False

    def _near(self, value: float, reach: float) -> Iterator[float]:
        if self._fresh:
            self._sorted.extend(self._fresh)
            self._sorted.sort()
            self._fresh.clear()
        start = bisect.bisect_left(self._sorted, value - reach)
        for known in self._sorted[start : start + 200]:
            if known > value + reach:
                return
            yield known

    def has_words(self, words: Iterable[str]) -> bool:
        """Whether each of these words was said, returned or offered before."""
        return all(word in self.words or (word.endswith("s") and word[:-1] in self.words) for word in words)


def _read_text(text: str) -> _Reading:
    """What a text says."""
    text = compose(text)
    folded = fold(text)
    near, claimed = folded[:_CLOSELY], text[:_CLOSELY]
    words = list_words(folded)
    units = frozenset(units_in(list_marks(near, words)))
    claims = read_claims(claimed, near, words)
    if len(folded) > _CLOSELY:
        numbers = dict.fromkeys(_PLAIN.findall(folded, _CLOSELY))
        claims += [Claim("number", number, 0, 0, float(number.replace(",", ""))) for number in numbers]
    return _Reading(tuple(words), units, tuple(claims))


@lru_cache(maxsize=1024)
def _read_line(line: str) -> _Reading:
    """The same for a line of a prompt."""
    return _read_text(line).share_words()


def _read_long_value(value: str) -> _Reading:
    """What a scalar says; with a country come its people."""
    others = list_demonyms(value)
    if value.isascii() and value.isalpha():
        return _Reading((value.lower(), *others), frozenset(), ())
    words, units, claims = _read_text(value)
    return _Reading((*words, *others), units, claims)


@lru_cache(maxsize=4096)
def _read_value(value: str) -> _Reading:
    """The same; the values of a database come back in dialogue after dialogue."""
    return _read_long_value(value).share_words()


@lru_cache(maxsize=1024)
def _read_spec(spec: bytes) -> _Reading:
    """What the specification of a tool says; the same tool is offered in toolset after toolset."""
    words, units, claims = list[str](), set[str](), list[Claim]()
    seen = set[tuple[bool, str]]()  # it says `description`, `type` and `string` many times
    for name, leaf in walk_leaves(orjson.loads(spec)):
        readings: list[_Reading] = []
        if (True, name) not in seen:
            seen.add((True, name))
            readings.append(_read_text(label_of(name)))
        if isinstance(leaf, str) and (False, leaf) not in seen:
            seen.add((False, leaf))
            readings += [_read_long_value(leaf), _read_text(label_of(leaf))]
        for reading in readings:
            words += reading.words
            units |= reading.units
            claims += reading.claims
        if isinstance(leaf, int | float) and not isinstance(leaf, bool):
            claims.append(Claim("number", str(leaf), 0, 0, leaf))
    return _Reading(tuple(words), frozenset(units), tuple(claims)).share_words()


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@lru_cache(maxsize=2048)
def _read_label(label: str) -> tuple[frozenset[str], frozenset[str], frozenset[float]]:
    """Words, units and numbers of a field's name: `percent change 2007` speaks of a year."""
    words = label.split()
    figures = frozenset(float(word) for word in words if word.isdecimal() and len(word) < 10)
    return frozenset(words), frozenset(units_in(words)), figures


def _list_sizes(value: Any) -> set[int]:
    sizes: set[int] = set()
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            items = cast("list[Any]", node)
            sizes.add(len(items))
            stack += [child for child in items if isinstance(child, dict | list)]
        elif isinstance(node, dict):
            stack += [child for child in cast("dict[str, Any]", node).values() if isinstance(child, dict | list)]
    return sizes
