"""Repairs as they are read in a terminal."""

from rich.console import Group, RenderableType
from rich.text import Text

from turnwright.reports.formats import format_count, format_number, format_share, format_words
from turnwright.statistics.repairs import RepairFigures


def show_repairs(figures: RepairFigures) -> RenderableType:
    """What came of the invalid dialogues, and what a repaired one costs beside one made anew."""
    lines = [
        Text("Repair", style="bold"),
        Text(
            f"{format_count(figures.repaired)} of {format_count(figures.invalid)} invalid dialogues repaired in "
            f"{format_count(figures.tries)} tries: {format_share(figures.valid_rate_before)} valid before, "
            f"{format_share(figures.valid_rate_after)} after."
        ),
        Text(
            f"Calls per repaired dialogue: {format_number(figures.calls_per_repaired, 1)}; per valid dialogue made "
            f"anew: {format_number(figures.calls_per_valid_anew, 1)}."
        ),
    ]
    lines += [
        Text(f"{format_words(fault)} at fault: {format_count(mended)} of {format_count(tried)} repaired")
        for fault, (tried, mended) in figures.by_fault.items()
    ]
    return Group(*lines)
