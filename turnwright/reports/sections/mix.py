"""What was asked for and what came of it: difficulty, behaviours, domains, endings."""

from typing import Any

from turnwright.reports.material import Material

TITLE = "Mix"
MOST_DOMAINS = 50


def build(material: Material) -> dict[str, Any] | None:
    """Shares against their targets."""
    figures = material.statistics
    if not figures.counts.dialogues:
        return None
    return {
        "groups": [
            ("difficulty", figures.difficulty),
            ("behaviour", figures.behaviour),
            ("tasks per dialogue", figures.tasks),
            ("domain", figures.domains[:MOST_DOMAINS]),
        ],
        "endings": figures.endings,
    }
