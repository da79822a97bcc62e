"""Time, tokens and money, by role and per accepted dialogue (UO, table 4)."""

from typing import Any

from turnwright.reports.material import Material

TITLE = "Cost"


def build(material: Material) -> dict[str, Any]:
    """The costs."""
    return {"costs": material.statistics.costs, "prefixes": material.statistics.prefixes}
