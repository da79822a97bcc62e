"""Each statistic as a table of counts, one row a dialogue, from whose sums everything follows.

A measure knows the figure of one side (a mean, a rate, an entropy), the distance of two sides that a test rests on
(Kolmogorov-Smirnov, chi-square, a difference, Jensen-Shannon), and an effect on a scale on which 0.2 is small. All of
it works on many resamples at once: sums come as (resamples, columns).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MOST_VALUES = 64
"""Different values of a spread that are told apart; beyond, neighbours are counted together."""


class Measure:
    """One statistic over the dialogues of both sides."""

    test: str
    """What the p-value comes from."""
    has_figure = True
    """Whether one side alone has a figure; a distance between two has none."""
    margin = 0.2
    """Effects inside it are too small to matter; Cohen's `small` for means and rates."""
    plug_in = False
    """The figure is biased in small samples, more so in resamples: intervals use its standard error only."""

    def __init__(self, name: str, table: Any) -> None:
        self.name = name
        self.table = table

    def add_up(self, weights: Floats, start: int = 0, stop: int | None = None) -> Floats:
        """Sums of the table's columns over the dialogues from `start` to `stop`, for each row of weights."""
        return np.ascontiguousarray(weights[:, start:stop] @ self.table[start:stop])

    def count(self, sums: Floats) -> Floats:
        """Cases that the figure rests on."""
        return sums.sum(axis=1)

    def figure(self, sums: Floats) -> Floats:
        """The figure of one side; not a number where there is no case, or no figure."""
        return np.full(len(sums), np.nan)

    def distance(self, first: Floats, second: Floats) -> Floats:
        """How far two sides are apart: what is tested."""
        return np.nan_to_num(np.abs(self.figure(first) - self.figure(second)))

    def effect(self, first: Floats, second: Floats) -> Floats:
        """The difference on the scale of `margin`."""
        return self.figure(first) - self.figure(second) if self.has_figure else self.distance(first, second)


class SpreadMeasure(Measure):
    """Numbers; the figure is their mean, the test compares their whole distribution."""

    test = "Kolmogorov-Smirnov"

    def __init__(self, name: str, values: Sequence[Sequence[int]]) -> None:
        different = np.unique(np.array([value for item in values for value in item], dtype=np.float64))
        if len(different) > _MOST_VALUES:
            pooled = np.concatenate([np.asarray(item, dtype=np.float64) for item in values])
            different = np.unique(np.quantile(pooled, np.linspace(0, 1, _MOST_VALUES), method="higher"))
        table = np.zeros((len(values), len(different) + 2))
        for row, item in enumerate(values):
            if item:
                held = np.asarray(item, dtype=np.float64)
                np.add.at(table[row], np.minimum(np.searchsorted(different, held), len(different) - 1), 1.0)
                table[row, -2] = held.sum()
                table[row, -1] = (held**2).sum()
        super().__init__(name, table)

    def count(self, sums: Floats) -> Floats:
        """Values."""
        return sums[:, :-2].sum(axis=1)

    def figure(self, sums: Floats) -> Floats:
        """Their mean."""
        return divide(sums[:, -2], self.count(sums))

    def distance(self, first: Floats, second: Floats) -> Floats:
        """The largest distance of the two distribution functions."""
        one = divide(np.cumsum(first[:, :-2], axis=1), self.count(first)[:, None])
        other = divide(np.cumsum(second[:, :-2], axis=1), self.count(second)[:, None])
        return np.nan_to_num(np.abs(one - other)).max(axis=1, initial=0.0)

    def effect(self, first: Floats, second: Floats) -> Floats:
        """The difference of means in standard deviations of all values."""
        both = first + second
        mean = self.figure(both)
        spread = np.sqrt(np.maximum(divide(both[:, -1], self.count(both)) - mean**2, 0.0))
        return divide(self.figure(first) - self.figure(second), spread)


class RateMeasure(Measure):
    """So many of so many."""

    test = "difference of rates"

    def __init__(self, name: str, cases: Sequence[tuple[int, int]]) -> None:
        super().__init__(name, np.array(cases, dtype=np.float64).reshape(len(cases), 2))

    def count(self, sums: Floats) -> Floats:
        """Cases of which the rate is one."""
        return sums[:, 1]

    def figure(self, sums: Floats) -> Floats:
        """The rate."""
        return divide(sums[:, 0], sums[:, 1])

    def effect(self, first: Floats, second: Floats) -> Floats:
        """Cohen's h: the difference of 2 asin(sqrt(rate)), which weighs 1 % against 3 % more than 51 % against 53 %."""

        def turn(sums: Floats) -> Floats:
            return 2 * np.arcsin(np.sqrt(np.clip(self.figure(sums), 0.0, 1.0)))

        return turn(first) - turn(second)


class MixMeasure(Measure):
    """Kinds; the distance is chi-square with small cells pooled, the effect the total variation distance."""

    test = "chi-square"
    has_figure = False
    margin = 0.1

    def __init__(self, name: str, kinds: Sequence[dict[str, int]], first: NDArray[np.bool_]) -> None:
        self.names = sorted({kind for item in kinds for kind in item})
        place = {kind: number for number, kind in enumerate(self.names)}
        table = np.zeros((len(kinds), len(self.names)))
        for row, item in enumerate(kinds):
            for kind, count in item.items():
                table[row, place[kind]] = count
        super().__init__(name, table)
        totals = table.sum(axis=0)
        share = min(table[first].sum(), table[~first].sum()) / max(totals.sum(), 1.0)
        # By the margins of both sides together, so that pooling is the same under every labelling.
        self._rare = totals * share < 5.0

    def distance(self, first: Floats, second: Floats) -> Floats:
        """Chi-square."""
        one, other = self._pool(first), self._pool(second)
        both = one + other
        total = both.sum(axis=1, keepdims=True)
        result = np.zeros(len(first))
        for side in (one, other):
            expected = divide(both * side.sum(axis=1, keepdims=True), total)
            result += np.nan_to_num(divide((side - expected) ** 2, expected)).sum(axis=1)
        return result

    def effect(self, first: Floats, second: Floats) -> Floats:
        """The total variation distance."""
        one, other = (divide(side, side.sum(axis=1, keepdims=True)) for side in (first, second))
        return np.abs(one - other).sum(axis=1) / 2

    def _pool(self, sums: Floats) -> Floats:
        return np.column_stack([sums[:, ~self._rare], sums[:, self._rare].sum(axis=1)])


def divide(amount: Floats, by: Floats) -> Floats:
    """The quotient; not a number where the divisor is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(by) != 0, amount / by, np.nan)
