"""A comparison in one line: what matches, what does not, and what cannot be said."""

from collections.abc import Sequence

from turnwright.statistics.fidelity.record import LEVEL, Separation, Statistic

_LISTED = 6
_CHANCE = 0.6
_CLEAR = 0.8


def phrase_verdict(first: str, second: str, statistics: Sequence[Statistic], separation: Separation | None) -> str:
    """The verdict on sample `first` against sample `second`."""
    by_status: dict[str, list[Statistic]] = {}
    for row in statistics:
        by_status.setdefault(row.status, []).append(row)
    measured = sum(row.p is not None for row in statistics)
    parts = [f"{first} against {second}: {_judge(by_status, separation)}"]
    if differing := by_status.get("differs"):
        ranked = sorted(differing, key=lambda row: (row.p_adjusted or 0.0, -abs(row.effect or 0.0), row.name))
        parts.append(f"{len(differing)} of {measured} statistics differ ({_list([_show(row) for row in ranked])})")
    else:
        parts.append(f"none of {measured} statistics differs by more than a little")
    if slight := by_status.get("slight"):
        parts.append(f"{len(slight)} differ slightly ({_list([row.name for row in slight])})")
    if matching := by_status.get("matches"):
        parts.append(f"{len(matching)} match ({_list([row.name for row in matching])})")
    if undecided := by_status.get("undecided"):
        parts.append(f"for {len(undecided)} the samples are too small to say")
    if missing := by_status.get("unmeasurable"):
        parts.append(f"{len(missing)} cannot be measured")
    if separation is not None and separation.p <= LEVEL and separation.features:
        parts.append(f"given away by {_list([feature.name for feature in separation.features[:3]])}")
    return "; ".join(parts) + "."


def _judge(by_status: dict[str, list[Statistic]], separation: Separation | None) -> str:
    rejected = bool(by_status.get("differs") or by_status.get("slight"))
    if separation is None:
        return "they differ" if rejected else "no difference found, and too few dialogues for a classifier"
    area = max(separation.auc, separation.boosted_auc or 0.0)
    figure = f"(AUC {area:.2f} ± {separation.se:.2f})"
    # The boosted model has no shuffled labels of its own: it counts where chance is four standard errors away.
    seen = separation.p <= LEVEL or (separation.boosted_auc or 0.0) - 0.5 > 4 * (separation.boosted_se or 1.0)
    if not seen and not rejected:
        return f"indistinguishable {figure}"
    if not seen:
        return f"a classifier cannot tell them apart {figure}, single statistics can"
    if area >= _CLEAR:
        return f"easy to tell apart {figure}"
    return f"hard to tell apart {figure}" if area < _CHANCE else f"distinguishable {figure}"


def _show(row: Statistic) -> str:
    if row.a is None or row.b is None:
        return row.name
    return f"{row.name} {row.a:.3g} against {row.b:.3g}"


def _list(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
