"""A comparison of arms for the terminal."""

from collections.abc import Iterator

from rich.text import Text

from turnwright.statistics.fidelity.record import Comparison, Fidelity, Statistic

_STYLES = {"differs": "red", "slight": "yellow", "matches": "green", "undecided": "", "unmeasurable": "dim"}
_LINE = "{:34}{:>9}{:>9}{:>9}  {:20}{:>8}  {}"


def show_fidelity(fidelity: Fidelity) -> Iterator[Text]:
    """The comparisons one after the other, each with its verdict last."""
    for comparison in fidelity.comparisons:
        yield Text(f"a = {comparison.a}, b = {comparison.b}", style="bold")
        yield Text(_LINE.format("", "a", "b", "a - b", "  95 % interval", "p adj.", ""), style="dim")
        for row in comparison.statistics:
            yield Text(_phrase_row(row), style=_STYLES[row.status])
        yield from _phrase_classifier(comparison)
        yield Text(f"{comparison.verdict}\n", style="bold")


def _phrase_row(row: Statistic) -> str:
    if row.p is None:
        return _LINE.format(row.name, "–", "–", "–", "", "–", f"{row.status}: {row.note}")
    known = row.ci_low is not None and row.ci_high is not None
    interval = f"[{row.ci_low:8.3f}, {row.ci_high:8.3f}]" if known else ""
    figures = ["–" if figure is None else f"{figure:.3f}" for figure in (row.a, row.b, row.difference)]
    return _LINE.format(
        row.name, *figures, interval, f"{row.p_adjusted:.4f}", f"{row.status}{': ' * bool(row.note)}{row.note}"
    )


def _phrase_classifier(comparison: Comparison) -> Iterator[Text]:
    separation = comparison.classifier
    if separation is None:
        yield Text("no classifier: a sample has fewer than 10 dialogues", style="dim")
        return
    parts = [f"classifier AUC {separation.auc:.3f} ± {separation.se:.3f} (p {separation.p:.3g})"]
    if separation.boosted_auc is not None:
        parts.append(f"boosted trees {separation.boosted_auc:.3f}")
    if comparison.structural_auc is not None:
        parts.append(f"without the lengths of messages {comparison.structural_auc:.3f}")
    given = ", ".join(f"{feature.name} {feature.lost:.3f}" for feature in separation.features)
    yield Text(f"{'; '.join(parts)}\ngives away (area lost): {given or 'nothing'}")
