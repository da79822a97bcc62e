"""Shares with their intervals, as inline SVG: one line a kind, a dot for the share and a bar for its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _LABEL, _VALUE, _LINE, _TOP = 520, 170, 90, 17, 18


@dataclass(frozen=True)
class Measured:
    """A share of some cases."""

    name: str
    share: float
    low: float
    high: float
    cases: int


def draw_intervals(rows: Sequence[Measured], title: str) -> Markup:
    """The SVG, on an axis from 0 to 1; a sentence where there is nothing to draw."""
    if not rows:
        return Markup("<p class='soft'>No cases.</p>")
    room = _WIDTH - _LABEL - _VALUE
    height = _TOP + _LINE * len(rows) + 6
    parts: list[str] = []
    for tenth in (0, 5, 9, 10):
        x = _LABEL + room * tenth / 10
        parts.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_TOP - 4}' y2='{height - 6}' "
            "style='stroke:var(--line);stroke-width:1'/>"
            f"<text x='{x:.1f}' y='{_TOP - 7}' style='text-anchor:middle'>{tenth * 10}</text>"
        )
    for place, row in enumerate(rows):
        y = _TOP + place * _LINE + 7
        left, right, dot = (_LABEL + room * share for share in (row.low, row.high, row.share))
        words = escape(row.name.replace("_", " ")[:30])
        parts.append(
            f"<g><title>{words}: {row.share:.1%} of {row.cases:,}, {row.low:.1%} to {row.high:.1%}</title>"
            f"<text x='{_LABEL - 8}' y='{y + 4}' style='text-anchor:end'>{words}</text>"
            f"<line x1='{left:.1f}' x2='{right:.1f}' y1='{y}' y2='{y}' style='stroke:var(--soft);stroke-width:3'/>"
            f"<circle cx='{dot:.1f}' cy='{y}' r='4' style='fill:var(--accent)'/>"
            f"<text x='{_WIDTH - _VALUE + 8}' y='{y + 4}' style='text-anchor:start'>"
            f"{row.share:.0%} of {row.cases:,}</text></g>"
        )
    return Markup(
        f"<svg class='histogram' viewBox='0 0 {_WIDTH} {height}' role='img' aria-label='{escape(title)}'>"
        f"{''.join(parts)}</svg>"
    )
