"""A few dialogues to read."""

from typing import Any

from turnwright.reports.material import Material

TITLE = "Dialogues to read"


def build(material: Material) -> dict[str, Any] | None:
    """The dialogues."""
    return {"dialogues": material.dialogues} if material.dialogues else None
