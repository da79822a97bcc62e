"""Which dialogues stand on which side: the labels shuffled for tests, the dialogues drawn again for intervals.

The unit of independence is the dialogue, or the cluster (domain, toolset, twins) where that is asked for. Where both
samples have dialogues in the same clusters, labels change places within a cluster only: then the tools are held fixed,
and only the way in which dialogues are made is compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turnwright.statistics.fidelity.record import Unit

Floats = NDArray[np.float64]

_BLOCK = 250
"""Resamples that are held in memory at once."""
_SHARED = 0.8
"""Share of dialogues that must lie in clusters of both samples for the comparison to be within clusters."""
_MANY_CLUSTERS = 20
_SMALL_BLOCK = 5


@dataclass(frozen=True)
class Design:
    """Two samples in one row of dialogues, the first sample first."""

    first: NDArray[np.bool_]
    """Whether a dialogue belongs to the first sample."""
    clusters: NDArray[np.int64]
    """Number of each dialogue's cluster."""
    within: bool
    """Labels change places within clusters only."""
    unit: Unit

    @property
    def size(self) -> int:
        """Dialogues of both samples."""
        return len(self.first)


def make_design(first: Sequence[str], second: Sequence[str], unit: Unit = "dialogue") -> Design:
    """The design of two samples, given the cluster names of their dialogues; no name is one too.

    Raises:
        ValueError: a sample is empty, or clusters are the unit and one sample has fewer than two.
    """
    if not first or not second:
        raise ValueError("a sample has no dialogues")
    if unit == "cluster" and min(len(set(first)), len(set(second))) < 2:
        raise ValueError("clusters cannot be the unit: a sample has only one")
    names = [*first, *second]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    shared = (set(first) & set(second)) - {""}
    within = bool(shared) and sum(name in shared for name in names) >= _SHARED * len(names)
    return Design(
        first=np.arange(len(names)) < len(first),
        clusters=np.array([numbers[name] for name in names], dtype=np.int64),
        within=within,
        unit=unit,
    )


def make_generator(seed: int, purpose: str) -> np.random.Generator:
    """A generator whose draws depend on the seed and its purpose only."""
    return np.random.default_rng([seed & 0xFFFFFFFF, *purpose.encode()])


def shuffle_labels(design: Design, generator: np.random.Generator, count: int) -> Iterator[Floats]:
    """Blocks of `count` random labellings in all, one a row: 1 where a dialogue stands in the first sample."""
    for rows in _cut_blocks(count):
        if design.unit == "cluster":
            yield _shuffle_clusters(design, generator, rows)
            continue
        strata = design.clusters if design.within else np.zeros(design.size, dtype=np.int64)
        by_stratum = design.first[np.argsort(strata, kind="stable")].astype(np.float64)
        order = np.argsort(strata + generator.random((rows, design.size)), axis=1)
        labels = np.empty((rows, design.size))
        np.put_along_axis(labels, order, np.broadcast_to(by_stratum, labels.shape), axis=1)
        yield labels


def draw_weights(design: Design, generator: np.random.Generator, count: int) -> Iterator[Floats]:
    """Blocks of `count` bootstrap draws in all: how often each dialogue is drawn.

    Whole clusters are drawn, both sides of each together, where they are the unit, or where there are many and both
    samples share them; otherwise dialogues are drawn within each sample (and cluster, if none is tiny).
    """
    sides = design.first.astype(np.int64)
    if design.unit == "cluster" or (design.within and len(np.unique(design.clusters)) >= _MANY_CLUSTERS):
        units = design.clusters if design.within else design.clusters * 2 + sides
        strata = np.zeros(design.size, dtype=np.int64) if design.within else sides
    else:
        units = np.arange(design.size)
        strata = design.clusters * 2 + sides
        if not design.within or np.unique(strata, return_counts=True)[1].min() < _SMALL_BLOCK:
            strata = sides
    members, position = np.unique(units, return_inverse=True)
    stratum_of = np.zeros(len(members), dtype=np.int64)
    stratum_of[position] = strata
    for rows in _cut_blocks(count):
        drawn = np.zeros((rows, len(members)))
        for stratum in np.unique(stratum_of):
            inside = np.flatnonzero(stratum_of == stratum)
            chosen = generator.integers(0, len(inside), (rows, len(inside))) + np.arange(rows)[:, None] * len(inside)
            counts = np.bincount(chosen.ravel(), minlength=rows * len(inside)).reshape(rows, len(inside))
            drawn[:, inside] = counts
        yield drawn[:, position]


def _shuffle_clusters(design: Design, generator: np.random.Generator, rows: int) -> Floats:
    first = design.first.astype(np.float64)
    if design.within:
        _, position = np.unique(design.clusters, return_inverse=True)
        turned = generator.integers(0, 2, (rows, position.max() + 1))[:, position]
        return np.where(turned == 1, 1.0 - first, first)
    blocks, position = np.unique(design.clusters * 2 + design.first, return_inverse=True)
    sides = (blocks % 2).astype(np.float64)
    return generator.permuted(np.broadcast_to(sides, (rows, len(sides))), axis=1)[:, position]


def _cut_blocks(count: int) -> list[int]:
    return [min(_BLOCK, count - start) for start in range(0, count, _BLOCK)]
