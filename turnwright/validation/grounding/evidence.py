"""What the assistant can know: everything said, returned, offered or done before a message, by value.

Evidence only grows, message by message, and each piece is read once: a dialogue of 600 turns costs what its text costs.
"""

import bisect
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.known import Day, Known, read_line, read_text, read_value
from turnwright.validation.grounding.plain_text import split_apart
from turnwright.validation.grounding.records import Records, Scalar
from turnwright.validation.grounding.result_reading import ResultReading

_NOISE = 1e-9


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
    columns: dict[str, Sequence[float]] = field(default_factory=dict[str, Sequence[float]])
    """Numbers of the current request's results, by result and field: what sums and averages are made of."""
    counts: dict[float, None] = field(default_factory=dict[float, None])
    """How many rows the results of the current request have, and how often a value stands in a column."""
    lengths: dict[float, None] = field(default_factory=dict[float, None])
    """How many entries the lists of the current request's results have."""
    sizes: dict[float, None] = field(default_factory=dict[float, None])
    """How many entries each list of the dialogue's results has."""
    request: int = 0
    """Index of the user message that began the current request."""
    message: int = 0
    """Index of the message that is held against it."""
    talk: str = ""
    """Folded words of the user in the current request."""
    _sorted: list[float] = field(default_factory=list[float])
    _fresh: list[float] = field(default_factory=list[float])

    def begin_request(self, message: int) -> None:
        """A user message: the columns and counts of what was asked before are behind us."""
        self.request = message
        self.columns.clear()
        self.counts.clear()
        self.lengths.clear()

    def take(self, known: Known, message: int) -> None:
        """What is known by something that was read."""
        self.words.update(known.words)
        for number in known.numbers:
            self.add_number(number, message)
        if known.units:
            self.units |= known.units
        if known.days:
            self.days |= known.days
        if known.clocks:
            self.clocks |= known.clocks
        if known.addresses:
            self.addresses |= known.addresses

    def add_text(self, text: str, message: int) -> list[Claim]:
        """Everything that a text states; returns its claims."""
        known, claims = read_text(text)
        self.take(known, message)
        return claims

    def add_lines(self, text: str, message: int) -> None:
        """The same for a long text whose lines come back in dialogue after dialogue, such as a system prompt."""
        for line in split_apart(text):
            self.take(read_line(line), message)

    def add_number(self, value: float, message: int) -> None:
        """One number."""
        if value not in self.numbers and _is_finite(value):
            self._fresh.append(value)
        self.numbers[value] = message

    def add_leaf(self, value: Scalar, message: int) -> None:
        """One scalar of a result or of arguments."""
        if isinstance(value, str):
            self.take(read_value(value), message)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.add_number(value, message)

    def add_result(self, result: ResultReading, message: int, arguments: Iterable[Scalar]) -> None:
        """A tool result that is JSON."""
        self.take(result.known, message)
        self.records.add(result.records, message, arguments)
        group = self.records.groups
        for label, column in result.columns:
            self.columns[f"{group} {label}"] = column
        sizes = dict.fromkeys(result.sizes)
        self.counts |= sizes
        self.lengths |= sizes
        self.sizes |= sizes
        self.counts |= dict.fromkeys(result.counts)

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


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
