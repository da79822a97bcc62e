"""What follows what: entropies of tool n-grams and distances of transition matrices."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from turnwright.statistics.fidelity.measures import Floats, Measure, divide


class EntropyMeasure(Measure):
    """Entropy of tool n-grams in bits, by the coverage-adjusted estimator of Chao and Shen (2003)."""

    test = "difference of entropies"
    plug_in = True

    def __init__(self, name: str, sequences: Sequence[Sequence[str]], length: int) -> None:
        rows = [
            Counter(tuple(item[start : start + length]) for start in range(len(item) - length + 1))
            for item in sequences
        ]
        super().__init__(name, count_kinds(rows)[0])

    def figure(self, sums: Floats) -> Floats:
        """The entropy, with what was not seen estimated from what was seen once."""
        total = sums.sum(axis=1, keepdims=True)
        single = np.minimum((sums == 1).sum(axis=1, keepdims=True), np.maximum(total - 1, 0))
        share = divide(sums, total) * (1 - divide(single, total))
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = -share * np.log2(share) / (1 - (1 - share) ** total)
        result = np.where(share > 0, terms, 0.0).sum(axis=1)
        return np.where(total[:, 0] > 0, result, np.nan)


class TransitionMeasure(Measure):
    """What follows what: Jensen-Shannon divergence in bits of the rows of two transition matrices, weighted by row."""

    test = "Jensen-Shannon"
    has_figure = False
    margin = 0.02

    def __init__(self, name: str, sequences: Sequence[Sequence[str]]) -> None:
        rows = [Counter(pairwise(item)) for item in sequences]
        table, pairs = count_kinds(rows)
        states = [pair[0] for pair in pairs]
        self.pairs: list[tuple[str, str]] = [(str(pair[0]), str(pair[1])) for pair in pairs]
        self._starts = np.array(
            [number for number, state in enumerate(states) if number == 0 or states[number - 1] != state], dtype=np.intp
        )
        self._lengths = np.diff([*self._starts, len(states)])
        super().__init__(name, table)

    def distance(self, first: Floats, second: Floats) -> Floats:
        """The divergence, between 0 and 1."""
        if not len(self._starts):
            return np.zeros(len(first))
        rows_first, rows_second = (np.add.reduceat(side, self._starts, axis=1) for side in (first, second))
        one, other = (
            np.nan_to_num(divide(side, np.repeat(rows, self._lengths, axis=1)))
            for side, rows in ((first, rows_first), (second, rows_second))
        )
        middle = (one + other) / 2
        terms = (_times_log(one, middle) + _times_log(other, middle)) / 2
        # A state that only one side knows has no row to compare; how often states occur is told by other statistics.
        known = np.minimum(
            divide(rows_first, rows_first.sum(axis=1, keepdims=True)),
            divide(rows_second, rows_second.sum(axis=1, keepdims=True)),
        )
        known = np.nan_to_num(known)
        return np.nan_to_num(
            divide((np.add.reduceat(terms, self._starts, axis=1) * known).sum(axis=1), known.sum(axis=1))
        )


def count_kinds(rows: Sequence[Counter[Any]]) -> tuple[Any, list[Any]]:
    """Counters as a sparse table (rows, kinds), and the kinds in the order of its columns."""
    kinds = sorted({kind for row in rows for kind in row})
    place = {kind: number for number, kind in enumerate(kinds)}
    lengths = [len(row) for row in rows]
    columns = [place[kind] for row in rows for kind in row]
    counts = np.array([count for row in rows for count in row.values()], dtype=np.float64)
    pointers = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return sparse.csr_array((counts, np.array(columns, dtype=np.int64), pointers), shape=(len(rows), len(kinds))), kinds


def _times_log(share: Floats, middle: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share > 0, share * np.log2(share / middle), 0.0)
