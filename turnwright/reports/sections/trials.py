"""How reliably tasks are done: pass^k over repeated trials (UO figure 5)."""

from typing import Any

from turnwright.reports.curve_plot import draw_curves
from turnwright.reports.material import Material

TITLE = "Trials"


def build(material: Material) -> dict[str, Any] | None:
    """The section; none where each task was tried once."""
    found = material.statistics.pass_k
    if found is None or found.most_trials < 2:
        return None
    return {
        "found": found,
        "plot": draw_curves({"all": found.curve, **found.by_difficulty}, "pass^k by number of trials"),
        "groups": [("all", found.curve), *found.by_difficulty.items()],
    }
