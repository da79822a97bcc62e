"""The yield funnel by stage, with the reasons of what was lost."""

from typing import Any

from turnwright.reports.material import Material

TITLE = "Yield by stage"


def build(material: Material) -> dict[str, Any] | None:
    """Stages with their units."""
    if not material.statistics.yields:
        return None
    figures = material.statistics
    return {"rows": figures.yields, "reasons": list(figures.reasons.items())[:12], "repair": figures.repair}
