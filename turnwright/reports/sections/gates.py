"""What the data checks between the stages found."""

from typing import Any

from turnwright.reports.material import Material

TITLE = "Data checks"


def build(material: Material) -> dict[str, Any] | None:
    """The gates with their problems."""
    return {"gates": material.gates} if material.gates else None
