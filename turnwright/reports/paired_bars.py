"""Shares of several arms side by side, as inline SVG: one group of bars a kind, one colour an arm."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

COLOURS = ("var(--accent)", "var(--odd)", "var(--good)", "var(--bad)", "var(--soft)")
"""Of the arms in their order; the baseline, which stands last, has the last one."""

_WIDTH, _LABEL, _BAR, _GAP, _LEGEND = 480, 130, 9, 8, 22


def choose_colour(position: int, arms: int) -> str:
    """The colour of an arm."""
    return COLOURS[-1] if position == arms - 1 else COLOURS[position % (len(COLOURS) - 1)]


def draw_paired_bars(counts: Mapping[str, Mapping[str, int]], title: str, order: Sequence[str] = ()) -> Markup:
    """The SVG; a sentence where there is nothing to draw.

    Args:
        counts: arm -> kind -> cases, the baseline last.
        title: what is counted, for screen readers.
        order: kinds in their order; others follow by name.
    """
    found = {kind for arm in counts.values() for kind, count in arm.items() if count}
    kinds = [kind for kind in order if kind in found]
    kinds += sorted(found - set(kinds))
    if not kinds:
        return Markup("<p class='soft'>No cases.</p>")
    totals = {arm: sum(held.values()) for arm, held in counts.items()}
    highest = max(held.get(kind, 0) / totals[arm] for arm, held in counts.items() if totals[arm] for kind in kinds)
    group = _BAR * len(counts) + _GAP
    room = _WIDTH - _LABEL - 48
    parts: list[str] = []
    for row, kind in enumerate(kinds):
        top = _LEGEND + row * group
        words = escape(kind.replace("_", " ")[:24])
        parts.append(
            f"<text x='{_LABEL - 8}' y='{top + _BAR * len(counts) / 2 + 4:.1f}' style='text-anchor:end'>{words}</text>"
        )
        for place, (arm, held) in enumerate(counts.items()):
            share = held.get(kind, 0) / totals[arm] if totals[arm] else 0.0
            length = room * share / highest
            y = top + place * _BAR
            parts.append(
                f"<rect x='{_LABEL}' y='{y}' width='{max(length, 0.5):.1f}' height='{_BAR - 1}' "
                f"style='fill:{choose_colour(place, len(counts))}'>"
                f"<title>{escape(arm)}, {words}: {held.get(kind, 0):,} ({share:.1%})</title></rect>"
                f"<text x='{_LABEL + length + 4:.1f}' y='{y + _BAR - 2}' "
                f"style='text-anchor:start;font-size:8px'>{share:.1%}</text>"
            )
    height = _LEGEND + len(kinds) * group
    return Markup(
        f"<svg class='histogram' viewBox='0 0 {_WIDTH} {height}' role='img' aria-label='{escape(title)}'>"
        f"{_draw_legend(list(counts))}{''.join(parts)}</svg>"
    )


def bin_together(
    counts: Mapping[str, Mapping[int, int]], most: int = 12
) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Distributions cut at the same places for all arms, the last bar open.

    Returns:
        arm -> label -> cases, and the labels in the order of their values.
    """
    pooled: dict[int, float] = {}
    for held in counts.values():
        total = sum(held.values())
        for value, count in held.items():
            pooled[value] = pooled.get(value, 0.0) + count / total / len(counts)
    if not pooled:
        return {arm: {} for arm in counts}, []
    low, high, seen = min(pooled), max(pooled), 0.0
    edge = high
    for value, share in sorted(pooled.items()):
        seen += share
        if seen >= 0.99:
            edge = value
            break
    width = max(1, -(-(edge - low + 1) // most))

    def name(value: int) -> str:
        start = low + (min(value, edge) - low) // width * width
        stop = start + width - 1
        if stop >= edge and high > stop:
            return f"{start}+"
        return str(start) if width == 1 else f"{start}–{stop}"

    labels = list(dict.fromkeys(name(value) for value in range(low, edge + 1)))
    binned: dict[str, dict[str, int]] = {arm: {} for arm in counts}
    for arm, held in counts.items():
        for value, count in held.items():
            label = name(value)
            binned[arm][label] = binned[arm].get(label, 0) + count
    return binned, labels


def _draw_legend(arms: Sequence[str]) -> str:
    parts: list[str] = []
    left = 0.0
    for place, arm in enumerate(arms):
        shown = arm.replace("_", " ")[:28]
        parts.append(
            f"<rect x='{left:.0f}' y='3' width='9' height='9' rx='2' style='fill:{choose_colour(place, len(arms))}'/>"
            f"<text x='{left + 13:.0f}' y='11' style='text-anchor:start'>{escape(shown)}</text>"
        )
        left += 24 + 6 * len(shown)
    return "".join(parts)
