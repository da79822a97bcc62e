"""P-values of many tests at once."""

from collections.abc import Sequence
from typing import Literal

Correction = Literal["benjamini-hochberg", "holm"]
"""Benjamini-Hochberg bounds the share of false alarms among the rejections, Holm the chance of a single one."""


def adjust(values: Sequence[float], correction: Correction) -> list[float]:
    """Adjusted p-values, in the order given: a test is rejected where its own is at most the level."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    adjusted = [1.0] * len(values)
    if correction == "holm":
        highest = 0.0
        for rank, index in enumerate(order):
            highest = max(highest, min(1.0, (len(values) - rank) * values[index]))
            adjusted[index] = highest
        return adjusted
    lowest = 1.0
    for rank, index in reversed(list(enumerate(order, start=1))):
        lowest = min(lowest, values[index] * len(values) / rank)
        adjusted[index] = lowest
    return adjusted
