"""What a text, a value or a specification lets somebody know, taken apart; what comes back is taken apart once."""

import re
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

import orjson

from turnwright.validation.demonyms import list_demonyms
from turnwright.validation.grounding.claims import Claim, read_claims
from turnwright.validation.grounding.plain_text import compose, fold, label_of, list_words
from turnwright.validation.grounding.records import walk_leaves
from turnwright.validation.grounding.units import list_marks, units_in

T = TypeVar("T")
Day = tuple[int | None, int, int | None]
_CLOSELY = 100_000
"""Characters of one text that are read for dates, units and codes; of the rest only words and plain numbers count."""
_PLAIN = re.compile(r"(?<![\w.,])\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,10})?(?![\w])")
_SHORT = 160
"""Characters up to which a value is read only once for all dialogues."""
_LINE = 2000
"""The same for a line of a prompt."""


class Known(NamedTuple):
    """What is known by something that was read."""

    words: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    """Each once, in the order in which they are told."""
    units: frozenset[str] = frozenset()
    days: frozenset[Day] = frozenset()
    """Each day also without its year, as a month, and as a month without a year."""
    clocks: frozenset[tuple[int, int]] = frozenset()
    addresses: frozenset[str] = frozenset()


@dataclass(slots=True)
class Notes:
    """What was read so far of something that has several parts."""

    words: dict[str, None] = field(default_factory=dict[str, None])
    numbers: dict[float, None] = field(default_factory=dict[float, None])
    units: set[str] = field(default_factory=set[str])
    days: set[Day] = field(default_factory=set[Day])
    clocks: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    addresses: set[str] = field(default_factory=set[str])

    def take(self, known: Known) -> None:
        """One part."""
        self.words.update(dict.fromkeys(known.words))
        if known.numbers:
            self.numbers.update(dict.fromkeys(known.numbers))
        if known.units:
            self.units |= known.units
        if known.days:
            self.days |= known.days
        if known.clocks:
            self.clocks |= known.clocks
        if known.addresses:
            self.addresses |= known.addresses

    def take_claim(self, claim: Claim) -> None:
        """One claim of a text."""
        value = claim.value
        if claim.kind == "number":
            self.numbers[cast("float", value)] = None
            if claim.scaled is not None:
                self.numbers[claim.scaled] = None
            if claim.unit is not None:
                self.units.add(claim.unit.name)
        elif claim.kind == "date":
            for year, month, number in (cast("Day", value), claim.other or cast("Day", value)):
                self.days |= {(year, month, number), (None, month, number), (year, month, None), (None, month, None)}
                if year is not None:
                    self.numbers[year] = None
        elif claim.kind == "time":
            self.clocks.add(cast("tuple[int, int]", value))
        elif claim.kind == "address":
            self.addresses.add(str(value))

    def finish(self) -> Known:
        """All of it."""
        return Known(
            tuple(self.words),
            tuple(self.numbers),
            _freeze(self.units),
            _freeze(self.days),
            _freeze(self.clocks),
            _freeze(self.addresses),
        )


_NOTHING: frozenset[Any] = frozenset()


def _freeze(found: set[T]) -> frozenset[T]:
    """The same set for good; most are empty, and one empty set serves all."""
    return frozenset(found) if found else _NOTHING


def read_text(text: str) -> tuple[Known, list[Claim]]:
    """What a text says, and the claims that it makes."""
    text = compose(text)
    folded = fold(text)
    near, claimed = folded[:_CLOSELY], text[:_CLOSELY]
    words = list_words(folded)
    claims = read_claims(claimed, near, words)
    if len(folded) > _CLOSELY:
        numbers = dict.fromkeys(_PLAIN.findall(folded, _CLOSELY))
        claims += [Claim("number", number, 0, 0, float(number.replace(",", ""))) for number in numbers]
    units = units_in(list_marks(near, words))
    if not claims:
        return Known(tuple(words), units=_freeze(units)), claims
    notes = Notes(dict.fromkeys(words), units=units)
    for claim in claims:
        notes.take_claim(claim)
    return notes.finish(), claims


def read_line(line: str) -> Known:
    """What a line of a prompt says."""
    return _read_short_line(line) if len(line) <= _LINE else read_text(line)[0]


@lru_cache(maxsize=1024)
def _read_short_line(line: str) -> Known:
    """The same; the lines of a prompt come back in dialogue after dialogue."""
    return _share_words(read_text(line)[0])


def read_value(value: str) -> Known:
    """What a text of a database, or of an argument, says; with a country come its people."""
    return _read_short_value(value) if len(value) <= _SHORT else _read_long_value(value)


def _read_long_value(value: str) -> Known:
    others = list_demonyms(value)
    if value.isascii() and value.isalpha():
        return Known((value.lower(), *others))
    known = read_text(value)[0]
    return known._replace(words=(*known.words, *others))


@lru_cache(maxsize=4096)
def _read_short_value(value: str) -> Known:
    """The same; the values of a database come back in dialogue after dialogue."""
    return _share_words(_read_long_value(value))


@lru_cache(maxsize=2048)
def read_label(label: str) -> Known:
    """Words, units and numbers of a field's name: `percent change 2007` speaks of a year."""
    words = label.split()
    figures = frozenset(float(word) for word in words if word.isdecimal() and len(word) < 10)
    return Known(tuple(words), tuple(figures), _freeze(units_in(words)))


@lru_cache(maxsize=1024)
def read_spec(spec: bytes) -> Known:
    """What the specification of a tool says, its names also word by word; tools stand in toolset after toolset."""
    notes = Notes()
    seen = set[tuple[bool, str]]()  # it says `description`, `type` and `string` many times
    for name, leaf in walk_leaves(orjson.loads(spec)):
        if (True, name) not in seen:
            seen.add((True, name))
            notes.take(read_text(label_of(name))[0])
        if isinstance(leaf, str) and (False, leaf) not in seen:
            seen.add((False, leaf))
            notes.take(_read_long_value(leaf))
            notes.take(read_text(label_of(leaf))[0])
        if isinstance(leaf, int | float) and not isinstance(leaf, bool):
            notes.numbers[leaf] = None
    return _share_words(notes.finish())


def _share_words(known: Known) -> Known:
    """The same with each word once, and held once for all that is remembered: it takes half the room."""
    return known._replace(words=tuple(map(sys.intern, dict.fromkeys(known.words))))
