"""How turns, steps, tasks and calls are spread."""

from collections.abc import Mapping
from typing import Any

from turnwright.reports.histogram import draw_histogram
from turnwright.reports.material import Material

TITLE = "Distributions"
_TITLES = {
    "turns": "turns per dialogue",
    "steps": "steps per request that reached the tools",
    "tasks": "tasks per dialogue",
    "calls": "tool calls per dialogue",
}


def build(material: Material) -> dict[str, Any] | None:
    """One histogram each."""
    spread = material.statistics.distributions
    if not any(spread.values()):
        return None
    return {
        "plots": [
            (title, _summarise(spread.get(name, {})), draw_histogram(spread.get(name, {}), title))
            for name, title in _TITLES.items()
        ]
    }


def _summarise(values: Mapping[int, int]) -> str:
    samples = sum(values.values())
    if not samples:
        return "no values"
    mean = sum(value * count for value, count in values.items()) / samples
    return (
        f"mean {mean:.2f}, median {_find_quantile(values, 0.5)}, 90 % {_find_quantile(values, 0.9)}, most {max(values)}"
    )


def _find_quantile(values: Mapping[int, int], quantile: float) -> int:
    """The least value that at least this share of the samples does not exceed."""
    wanted, seen = quantile * sum(values.values()), 0
    for value, count in sorted(values.items()):
        seen += count
        if seen >= wanted:
            return value
    return max(values)
