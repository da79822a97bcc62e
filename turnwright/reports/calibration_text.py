"""A calibration for the terminal."""

from collections.abc import Iterator

from rich.text import Text

from turnwright.calibration.record import ANY, LAYERS, Calibration, KindRecall
from turnwright.reports.formats import format_share

_LINE = "{:26}{:>8}{:>8}{:>9}{:>16}{}"
GOOD, POOR = 0.9, 0.6
"""Recall from which on a kind counts as seen, and below which as hardly seen."""


def show_calibration(calibration: Calibration) -> Iterator[Text]:
    """The table of kinds and layers, then the false alarms, then what was missed."""
    layers = list_layers(calibration)
    rows = {(row.kind, row.layer): row for row in calibration.kinds}
    headings = "".join(f"{layer:>{len(layer) + 2}}" for layer in layers)
    yield Text(_LINE.format("defect", "planted", "caught", "recall", "95 % interval", headings), style="dim")
    for row in calibration.of_layer(ANY):
        cells = "".join(f"{rows[row.kind, layer].caught or '·':>{len(layer) + 2}}" for layer in layers)
        interval = f"{row.ci_low:.3f} – {row.ci_high:.3f}" if row.planted else "–"
        line = _LINE.format(row.kind, row.planted, row.caught, format_share(row.recall), interval, cells)
        yield Text(line, style=choose_style(row))
    yield Text(
        f"recall {format_share(calibration.recall)} of {calibration.planted:,} planted defects, "
        f"{format_share(calibration.macro_recall)} as the mean of the kinds"
        f"{'' if calibration.judge else '; the judge was not asked'}",
        style="bold",
    )
    yield Text(
        f"false alarms: {calibration.false_alarms} on {calibration.clean:,} untouched dialogues, "
        f"{format_share(calibration.false_alarm_rate)}, at most {format_share(calibration.false_alarm_ci_high)} (95 %)"
    )
    unseen = [row.kind for row in calibration.of_layer(ANY) if not row.planted]
    if unseen:
        yield Text(f"no place in these dialogues: {', '.join(unseen)}", style="dim")
    for miss in calibration.missed:
        yield Text(f"missed  {miss.kind}  {miss.dialogue_id}  {miss.excerpt}"[:200], style="dim")


def list_layers(calibration: Calibration) -> list[str]:
    """The layers that caught something or gave a false alarm, in their order."""
    busy = {row.layer for row in calibration.kinds if row.caught}
    busy |= {row.layer for row in calibration.alarms if row.alarms}
    return [layer for layer in LAYERS if layer in busy]


def choose_style(row: KindRecall) -> str:
    """The colour of a recall."""
    if row.recall is None:
        return "dim"
    return "green" if row.recall >= GOOD else "yellow" if row.recall >= POOR else "red"
