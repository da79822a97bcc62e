"""Drift: whether what was added to a dataset is like what it had.

Each statistic of the dialogues is compared as a distribution: the population stability index (PSI) says how far the two
are apart, whatever their sizes, and a test says whether chance alone would do: Kolmogorov-Smirnov for numbers,
chi-square for groups. A small batch is far from anything by chance, so an index counts only together with its test, and
the tests are corrected for their number (Holm).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, cast

import numpy as np

from schemas.closed import Closed
from schemas.incremental import DriftLimits
from turnwright.statistics.fidelity.multiplicity import adjust

Level = Literal["ok", "warn", "fail", "too_few"]
Values = Sequence[float] | Sequence[str]

_BINS = 10
_MOST_GROUPS = 20
"""Groups of a statistic that are told apart; the rarest are one group, `other`."""
_OTHER = "other"


class Bin(Closed):
    """One group of a statistic, or one range of it."""

    name: str
    before: float
    """Share of the dialogues of the last version."""
    added: float
    """Share of the dialogues added."""


class StatisticDrift(Closed):
    """One statistic, before and in what was added."""

    name: str
    kind: Literal["number", "group"]
    before: int
    """Values in the last version."""
    added: int
    mean_before: float | None
    """None for groups."""
    mean_added: float | None
    psi: float
    """Population stability index: 0 for equal distributions."""
    distance: float
    """Kolmogorov-Smirnov D for numbers, total variation distance for groups: 0 to 1."""
    p: float
    """Chance of a difference like this one between samples of one distribution, corrected for all statistics."""
    level: Level
    """`too_few`: not judged, because one side has fewer dialogues than `checks.group_size`."""
    expected: bool
    """Listed under `checks.drift.expected`: never `fail`."""
    bins: list[Bin]


def compare_statistics(
    before: Mapping[str, Values], added: Mapping[str, Values], limits: DriftLimits, least: int
) -> list[StatisticDrift]:
    """The drift of each statistic that either side has, in the order of `before`.

    Args:
        before: values of each statistic in the last version: all numbers, or all names of groups.
        added: the same of what was added.
        limits: what counts as drift.
        least: fewest values of a side that can be judged.
    """
    names = [*before, *(name for name in added if name not in before)]
    measured = [_measure(name, before.get(name, ()), added.get(name, ())) for name in names]
    judged = [one for one in measured if min(one.before, one.added) >= least]
    corrected = dict(zip((one.name for one in judged), adjust([one.p for one in judged], "holm"), strict=True))
    return [
        one.model_copy(
            update={
                "p": corrected.get(one.name, one.p),
                "expected": one.name in limits.expected,
                "level": _judge(one, corrected[one.name], limits) if one.name in corrected else "too_few",
            }
        )
        for one in measured
    ]


def measure_psi(before: Sequence[float], added: Sequence[float]) -> float:
    """The population stability index of two lists of counts over the same bins; empty bins count as half a value."""
    total_before = sum(before) + 0.5 * len(before)
    total_added = sum(added) + 0.5 * len(added)
    shares = [((old + 0.5) / total_before, (new + 0.5) / total_added) for old, new in zip(before, added, strict=True)]
    return sum((new - old) * math.log(new / old) for old, new in shares)


def _measure(name: str, before: Values, added: Values) -> StatisticDrift:
    if all(isinstance(value, int | float) for value in (*before[:1], *added[:1])):
        return _measure_numbers(name, cast("Sequence[float]", before), cast("Sequence[float]", added))
    return _measure_groups(name, cast("Sequence[str]", before), cast("Sequence[str]", added))


def _measure_numbers(name: str, before: Sequence[float], added: Sequence[float]) -> StatisticDrift:
    edges = _cut(before or added)
    old, new = _count(before, edges), _count(added, edges)
    distance, p = 0.0, 1.0
    if before and added:
        # Here, because it takes half a second and 40 MB, which a run that adds to no dataset does not need.
        from scipy import stats

        test = cast("tuple[float, float]", stats.ks_2samp(before, added, method="asymp"))
        distance, p = float(test[0]), float(test[1])
    names = [
        *(f"≤ {edge:g}" for edge in edges[:1]),
        *(f"{low:g} to {high:g}" for low, high in pairwise(edges)),
        *(f"> {edge:g}" for edge in edges[-1:]),
    ]
    return _describe(name, "number", before, added, names or ["all"], old, new, distance, p)


def _measure_groups(name: str, before: Sequence[str], added: Sequence[str]) -> StatisticDrift:
    count_before, count_added = Counter(before), Counter(added)
    every = count_before + count_added
    groups = sorted(every, key=lambda group: (-every[group], group))
    kept, rare = sorted(groups[:_MOST_GROUPS]), groups[_MOST_GROUPS:]
    old = [count_before[group] for group in kept] + [sum(count_before[group] for group in rare)] * bool(rare)
    new = [count_added[group] for group in kept] + [sum(count_added[group] for group in rare)] * bool(rare)
    names = kept + [_OTHER] * bool(rare)
    p = 1.0
    if before and added and len(names) > 1:
        from scipy import stats

        p = float(cast("tuple[float, float]", stats.chi2_contingency([old, new], correction=False))[1])
    pairs = zip(_share(old), _share(new), strict=True)
    distance = sum(abs(one - other) for one, other in pairs) / 2 if before and added else 0.0
    return _describe(name, "group", before, added, names or ["all"], old or [0], new or [0], distance, p)


def _describe(
    name: str,
    kind: Literal["number", "group"],
    before: Values,
    added: Values,
    bins: Sequence[str],
    old: Sequence[int],
    new: Sequence[int],
    distance: float,
    p: float,
) -> StatisticDrift:
    return StatisticDrift(
        name=name,
        kind=kind,
        before=len(before),
        added=len(added),
        mean_before=_mean(before) if kind == "number" else None,
        mean_added=_mean(added) if kind == "number" else None,
        psi=round(measure_psi(old, new), 6) if before and added else 0.0,
        distance=round(distance, 6),
        p=p,
        level="ok",
        expected=False,
        bins=[
            Bin(name=bin_name, before=round(one, 6), added=round(other, 6))
            for bin_name, one, other in zip(bins, _share(old), _share(new), strict=True)
        ],
    )


def _judge(drift: StatisticDrift, p: float, limits: DriftLimits) -> Level:
    if p >= limits.p_value:
        return "ok"
    if limits.fail_psi is not None and drift.psi >= limits.fail_psi:
        # What may not fail still deserves a word.
        return "warn" if drift.name in limits.expected else "fail"
    return "warn" if limits.warn_psi is not None and drift.psi >= limits.warn_psi else "ok"


def _cut(values: Sequence[float]) -> list[float]:
    """Edges of at most ten ranges that hold equally many of the values; equal edges are one."""
    if not values:
        return []
    cuts = np.quantile(np.asarray(values, dtype=float), [step / _BINS for step in range(1, _BINS)], method="lower")
    return sorted({float(cut) for cut in cuts})


def _count(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many values lie at most at the first edge, between two, above the last."""
    places = np.searchsorted(np.asarray(edges, dtype=float), np.asarray(values, dtype=float), side="left")
    return [int(count) for count in np.bincount(places, minlength=len(edges) + 1)]


def _share(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def _mean(values: Values) -> float | None:
    return round(float(np.mean(cast("Sequence[float]", values))), 6) if values else None
