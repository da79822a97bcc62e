"""Dialogues made in different ways, side by side (TC): what matches, what does not, and what the shapes look like."""

from collections.abc import Mapping
from typing import Any

from turnwright.reports.material import Material
from turnwright.reports.matrix import draw_matrix
from turnwright.reports.paired_bars import bin_together, draw_paired_bars
from turnwright.statistics.fidelity.features import ACTS, MIXES, SPREADS
from turnwright.statistics.fidelity.graph import MOTIFS, SHAPES
from turnwright.statistics.fidelity.profile import PLOTTED
from turnwright.statistics.fidelity.provenance import PROVENANCES
from turnwright.statistics.fidelity.record import Fidelity, Statistic

TITLE = "Fidelity"
_MIXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("graph_shape", SHAPES),
    ("graph_motifs", MOTIFS),
    ("argument_provenance", PROVENANCES),
)


def build(material: Material) -> dict[str, Any] | None:
    """The section of a run's report."""
    return None if material.fidelity is None else build_values(material.fidelity)


def build_values(fidelity: Fidelity) -> dict[str, Any]:
    """The template's values."""
    rows = [
        (statistic, [_find(comparison.statistics, statistic.name) for comparison in fidelity.comparisons])
        for statistic in fidelity.comparisons[0].statistics
    ]
    census = [
        (
            MIXES[name],
            draw_paired_bars({arm.name: arm.mixes.get(name, {}) for arm in fidelity.arms}, MIXES[name], order),
        )
        for name, order in _MIXES
    ]
    distributions = [(SPREADS[name], draw_paired_bars(*_bin(fidelity, name))) for name in PLOTTED]
    matrices = [
        (arm.name, draw_matrix(arm.transitions, ACTS, f"what follows what, {arm.name}")) for arm in fidelity.arms
    ]
    return {
        "fidelity": fidelity,
        "rows": rows,
        "baseline": fidelity.arms[-1],
        "census": census,
        "distributions": distributions,
        "matrices": matrices,
    }


def _bin(fidelity: Fidelity, name: str) -> tuple[Mapping[str, Mapping[str, int]], str, list[str]]:
    binned, labels = bin_together({arm.name: arm.distributions.get(name, {}) for arm in fidelity.arms})
    return binned, SPREADS[name], labels


def _find(statistics: list[Statistic], name: str) -> Statistic | None:
    return next((row for row in statistics if row.name == name), None)
