"""Shares over a few whole numbers, as inline SVG: one line a curve, with a band for the first one's interval."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from turnwright.reports.paired_bars import COLOURS
from turnwright.statistics.pass_k import PassPoint

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 230, 40, 16, 26, 26


def draw_curves(curves: Mapping[str, Sequence[PassPoint]], title: str) -> Markup:
    """The SVG; a sentence where no curve has two points."""
    last = max((points[-1].k for points in curves.values() if points), default=0)
    if last < 2:
        return Markup("<p class='soft'>One trial a task: no curve.</p>")

    def across(k: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (k - 1) / (last - 1)

    def up(share: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)

    parts: list[str] = []
    for fifth in range(6):
        y = up(fifth / 5)
        parts.append(
            f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}' style='stroke:var(--line)'/>"
            f"<text x='{_LEFT - 6}' y='{y + 4:.1f}' style='text-anchor:end'>{fifth / 5:.1f}</text>"
        )
    step = -(-last // 10)
    parts += [
        f"<text x='{across(k):.1f}' y='{_HEIGHT - 8}' style='text-anchor:middle'>{k}</text>"
        for k in range(1, last + 1, step)
    ]
    band = next(iter(curves.values()))
    edge = [(point.k, point.ci_high) for point in band] + [(point.k, point.ci_low) for point in reversed(band)]
    corners = " ".join(f"{across(k):.1f},{up(share):.1f}" for k, share in edge)
    parts.append(f"<polygon points='{corners}' style='fill:{COLOURS[0]};opacity:.15'/>")
    left = float(_LEFT)
    for place, (name, points) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        line = " ".join(f"{across(point.k):.1f},{up(point.value):.1f}" for point in points)
        parts.append(f"<polyline points='{line}' style='fill:none;stroke:{colour};stroke-width:2'/>")
        for point in points:
            told = f"{escape(name)}, k = {point.k}: {point.value:.3f} over {point.tasks:,} tasks"
            parts.append(
                f"<circle cx='{across(point.k):.1f}' cy='{up(point.value):.1f}' r='3' style='fill:{colour}'>"
                f"<title>{told}</title></circle>"
            )
        shown = name.replace("_", " ")[:20]
        parts.append(
            f"<rect x='{left:.0f}' y='3' width='9' height='9' rx='2' style='fill:{colour}'/>"
            f"<text x='{left + 13:.0f}' y='11' style='text-anchor:start'>{escape(shown)}</text>"
        )
        left += 24 + 6 * len(shown)
    return Markup(
        f"<svg class='histogram' viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{escape(title)}'>"
        f"{''.join(parts)}</svg>"
    )
