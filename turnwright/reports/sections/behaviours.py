"""What happened in the dialogues besides their goals, and how well the person was played."""

from typing import Any

from turnwright.reports.material import Material

TITLE = "Behaviours and user simulator"


def build(material: Material) -> dict[str, Any] | None:
    """Shares of behaviours among accepted dialogues, and the scorecards."""
    figures = material.statistics
    if not figures.behaviours and not figures.scorecards:
        return None
    return {"behaviours": figures.behaviours, "scorecards": figures.scorecards}
