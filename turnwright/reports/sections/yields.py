"""The yield funnel by stage, with the reasons of what was lost."""

from typing import Any

from turnwright.reports.material import Material

TITLE = "Yield by stage"


def build(material: Material) -> dict[str, Any] | None:
    """Stages with their units."""
    if not material.statistics.yields:
        return None
    return {"rows": material.statistics.yields, "reasons": list(material.statistics.reasons.items())[:12]}
