"""A histogram as inline SVG: bars in the page's own colours, no script, readable by screen readers."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

MOST_BARS = 40
_LABELLED = 16
_WIDTH, _HEIGHT, _BASE, _TOP = 480, 150, 128, 16


@dataclass(frozen=True)
class Bin:
    """Values from `low` to `high`, both included."""

    low: int
    high: int
    count: int

    @property
    def label(self) -> str:
        """`7`, or `7–9`."""
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


def cut_bins(values: Mapping[int, int]) -> list[Bin]:
    """Bins of equal width over all values, at most MOST_BARS, none left out in between."""
    if not values:
        return []
    low, high = min(values), max(values)
    width = max(1, -(-(high - low + 1) // MOST_BARS))
    bins: list[Bin] = []
    for start in range(low, high + 1, width):
        stop = start + width - 1
        bins.append(Bin(start, stop, sum(values.get(value, 0) for value in range(start, stop + 1))))
    return bins


def draw_histogram(values: Mapping[int, int], title: str) -> Markup:
    """The SVG of a histogram; text says so where there is nothing to draw."""
    bins = cut_bins(values)
    total = sum(values.values())
    if not total:
        return Markup("<p class='soft'>No values.</p>")
    mean = sum(value * count for value, count in values.items()) / total
    highest = max(item.count for item in bins)
    step = _WIDTH / max(len(bins), 8)
    bars: list[str] = []
    for position, item in enumerate(bins):
        height = (_BASE - _TOP) * item.count / highest
        bars.append(
            f"<rect x='{position * step + 1:.1f}' y='{_BASE - height:.1f}' width='{max(1.0, step - 2):.1f}' "
            f"height='{height:.1f}' rx='2'><title>{item.label}: {item.count:,}</title></rect>"
        )
    every = max(1, -(-len(bins) // 10))
    labels = [
        f"<text x='{(position + 0.5) * step:.1f}' y='{_HEIGHT - 6}'>{item.low}</text>"
        for position, item in enumerate(bins)
        if position % every == 0
    ]
    if len(bins) <= _LABELLED:
        labels += [
            f"<text x='{(position + 0.5) * step:.1f}' y='{_BASE - (_BASE - _TOP) * item.count / highest - 4:.1f}'>"
            f"{item.count:,}</text>"
            for position, item in enumerate(bins)
            if item.count
        ]
    described = escape(f"{title}: {total:,} values from {min(values)} to {max(values)}, mean {mean:.2f}")
    return Markup(
        f"<svg class='histogram' viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{described}'>"
        f"{''.join(bars)}<line x1='0' x2='{_WIDTH}' y1='{_BASE}' y2='{_BASE}'/>{''.join(labels)}</svg>"
    )
