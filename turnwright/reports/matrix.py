"""A transition matrix as inline SVG: one row a state, its shares as shades."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

_CELL, _WIDE, _LEFT, _TOP = 30, 52, 64, 24


def draw_matrix(counts: Mapping[str, Mapping[str, int]], states: Sequence[str], title: str) -> Markup:
    """The SVG; rows add up to one, and states that never occur are left out.

    Args:
        counts: state -> state that follows -> cases.
        states: all states in their order.
        title: what is shown, for screen readers.
    """
    rows = [state for state in states if sum(counts.get(state, {}).values())]
    columns = [state for state in states if any(counts[row].get(state) for row in rows)]
    if not rows:
        return Markup("<p class='soft'>No cases.</p>")
    parts = [
        f"<text x='{_LEFT + (place + 0.5) * _WIDE:.0f}' y='{_TOP - 8}'>{escape(state)}</text>"
        for place, state in enumerate(columns)
    ]
    for row, before in enumerate(rows):
        total = sum(counts[before].values())
        y = _TOP + row * _CELL
        parts.append(
            f"<text x='{_LEFT - 8}' y='{y + _CELL / 2 + 4:.0f}' style='text-anchor:end'>{escape(before)}</text>"
        )
        for place, after in enumerate(columns):
            count = counts[before].get(after, 0)
            share = count / total
            x = _LEFT + place * _WIDE
            parts.append(
                f"<rect x='{x}' y='{y}' width='{_WIDE - 2}' height='{_CELL - 2}' rx='3' "
                f"style='fill:var(--accent);fill-opacity:{0.04 + 0.9 * share:.3f}'>"
                f"<title>{escape(before)}, then {escape(after)}: {count:,} ({share:.1%})</title></rect>"
            )
            if count:
                colour = "var(--user-ink)" if share > 0.5 else "var(--ink)"
                middle = f"x='{x + _WIDE / 2 - 1:.0f}' y='{y + _CELL / 2 + 3:.0f}'"
                parts.append(f"<text {middle} style='fill:{colour}'>{share:.0%}</text>")
    width, height = _LEFT + len(columns) * _WIDE, _TOP + len(rows) * _CELL
    return Markup(
        f"<svg class='histogram' viewBox='0 0 {width} {height}' role='img' aria-label='{escape(title)}'>"
        f"{''.join(parts)}</svg>"
    )
