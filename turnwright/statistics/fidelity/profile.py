"""What one arm looks like: the counts behind the plots."""

from collections import Counter

from schemas.closed import Closed
from turnwright.statistics.fidelity.features import ACTS, MIXES
from turnwright.statistics.fidelity.sample import Sample

PLOTTED = ("turns", "steps", "calls", "graph_depth", "graph_edges", "reference_distance")
"""Spreads whose distributions are kept."""


class Profile(Closed):
    """Counts of one arm."""

    name: str
    dialogues: int
    clusters: int
    """Domains, or toolsets where no domain is known; 0 where neither is."""
    calls: int
    has_results: bool
    distributions: dict[str, dict[int, int]]
    """Spread -> value -> cases."""
    mixes: dict[str, dict[str, int]]
    """Mix -> kind -> cases."""
    transitions: dict[str, dict[str, int]]
    """Act -> act that follows -> cases."""


def make_profile(sample: Sample) -> Profile:
    """Counts a sample."""
    distributions: dict[str, Counter[int]] = {name: Counter() for name in PLOTTED}
    mixes: dict[str, Counter[str]] = {name: Counter() for name in MIXES}
    pairs: Counter[tuple[str, str]] = Counter()
    for item in sample.features:
        for name, counter in distributions.items():
            counter.update(item.spreads[name])
        for name, counts in mixes.items():
            counts.update(item.mixes[name])
        pairs.update(zip(item.acts, item.acts[1:], strict=False))
    return Profile(
        name=sample.name,
        dialogues=len(sample.features),
        clusters=len(set(sample.clusters) - {""}),
        calls=sum(len(item.tools) for item in sample.features),
        has_results=sample.has_results,
        distributions={name: dict(sorted(counter.items())) for name, counter in distributions.items()},
        mixes={name: dict(sorted(counts.items())) for name, counts in mixes.items()},
        transitions={
            before: {after: pairs[before, after] for after in ACTS if pairs[before, after]}
            for before in ACTS
            if any(pair[0] == before for pair in pairs)
        },
    )
