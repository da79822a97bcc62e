"""Table 1 of UO for this run, with what it says about fill and language."""

from collections import Counter
from typing import Any

from turnwright.reports.material import Material
from turnwright.statistics.table1 import EVERY_SOURCE, Scope, Table1Row

TITLE = "Steps, turns and tasks"


def build(material: Material) -> dict[str, Any] | None:
    """The lines of the table, accepted dialogues apart from all."""
    rows = material.statistics.table1
    if not rows:
        return None
    return {
        "accepted": list_lines(rows, "accepted"),
        "simulated": list_lines(rows, "all"),
        "information": material.statistics.information,
        "language": material.statistics.language,
    }


def list_lines(rows: list[Table1Row], scope: Scope) -> list[Table1Row]:
    """The lines of one scope; a total is left out where it would repeat the only line under it.

    That line may be a domain's, or that of a kind of seed (UO, table 1: paradigm and seeds).
    """
    chosen = [row for row in rows if row.scope == scope]
    lines = Counter(row.paradigm for row in chosen)
    whole = {(row.paradigm, row.samples) for row in chosen if row.seed_kind}
    return [
        row
        for row in chosen
        if row.source != EVERY_SOURCE or (lines[row.paradigm] > 2 and (row.paradigm, row.samples) not in whole)
    ]
