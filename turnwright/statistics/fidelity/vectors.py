"""Each dialogue as a vector of its figures: what a classifier and a kernel see."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turnwright.statistics.fidelity.features import ACTS, NEEDS_RESULTS, RATES, SPREADS, Features
from turnwright.statistics.fidelity.graph import SHAPES
from turnwright.statistics.fidelity.measures import Floats

_MOST_CUTS = 4


@dataclass(frozen=True)
class Vectors:
    """One row a dialogue, one column a figure; not a number where a dialogue has no case of it."""

    names: tuple[str, ...]
    values: Floats

    def leave_out(self, names: Sequence[str]) -> "Vectors":
        """The vectors without some figures."""
        kept = [number for number, name in enumerate(self.names) if name not in names]
        return Vectors(tuple(self.names[number] for number in kept), self.values[:, kept])

    def standardise(self) -> Floats:
        """Mean zero and standard deviation one over all rows; where there is no case, the mean."""
        mean = np.nanmean(self.values, axis=0)
        spread = np.nanstd(self.values, axis=0)
        return np.nan_to_num((self.values - mean) / np.where(spread > 0, spread, 1.0))

    def expand(self) -> tuple[Floats, list[int]]:
        """The standardised columns and steps at their quartiles, so that a linear model sees more than means.

        Returns:
            the columns, and for each the number of the figure that it comes from.
        """
        standard = self.standardise()
        columns: list[Floats] = []
        origins: list[int] = []
        for number in range(standard.shape[1]):
            column = standard[:, number]
            cuts = np.unique(np.quantile(column, np.linspace(0, 1, _MOST_CUTS + 2)[1:-1]))
            steps = [(column > cut) - float((column > cut).mean()) for cut in cuts]
            kept = [step for step in steps if step.any()]
            columns.extend([column, *kept])
            origins.extend([number] * (1 + len(kept)))
        return np.column_stack(columns), origins


def make_vectors(features: Sequence[Features], *, with_results: bool, with_tasks: bool) -> Vectors:
    """The vectors of dialogues; columns that are the same for all are left out.

    Args:
        features: dialogues of both samples.
        with_results: whether what rests on tool results can be told of both samples.
        with_tasks: whether task counts are known on both sides.
    """
    left_out = set[str]() if with_results else set(NEEDS_RESULTS)
    if not with_tasks:
        left_out.add("tasks")
    spreads = [name for name in SPREADS if name not in left_out]
    rates = [name for name in RATES if name not in left_out]
    shapes = SHAPES if "graph_shape" not in left_out else ()
    acts = ACTS if "transitions_acts" not in left_out else ()
    names = [*spreads, *rates, *(f"graph_shape_{shape}" for shape in shapes)]
    names += [f"{after}_after_{before}" for before in acts for after in ACTS]
    values = np.full((len(features), len(names)), np.nan)
    for row, item in enumerate(features):
        vector: list[float] = [float(np.mean(item.spreads[name])) if item.spreads[name] else np.nan for name in spreads]
        for name in rates:
            part, whole = item.rates[name]
            vector.append(part / whole if whole else np.nan)
        vector += [float(shape in item.mixes["graph_shape"]) for shape in shapes]
        pairs = Counter(zip(item.acts, item.acts[1:], strict=False))
        starts = Counter(item.acts[:-1])
        vector += [
            pairs[before, after] / starts[before] if starts[before] else np.nan for before in acts for after in ACTS
        ]
        values[row] = vector
    varying = [
        number for number in range(len(names)) if len(np.unique(values[~np.isnan(values[:, number]), number])) > 1
    ]
    return Vectors(tuple(names[number] for number in varying), values[:, varying])
