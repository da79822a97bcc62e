"""What the validator catches of planted defects, by kind and layer."""

from typing import Any

from turnwright.calibration.record import ANY, Calibration
from turnwright.reports.calibration_text import choose_style, list_layers
from turnwright.reports.interval_plot import Measured, draw_intervals
from turnwright.reports.material import Material

TITLE = "Calibration"
_CLASSES = {"green": "good", "yellow": "odd", "red": "bad", "dim": "soft"}


def build(material: Material) -> dict[str, Any] | None:
    """The section of a run's report; none where nobody calibrated."""
    return None if material.calibration is None else build_values(material.calibration)


def build_values(calibration: Calibration) -> dict[str, Any]:
    """The template's values."""
    layers = list_layers(calibration)
    found = {(row.kind, row.layer): row for row in calibration.kinds}
    overall = calibration.of_layer(ANY)
    rows = [(row, _CLASSES[choose_style(row)], [found[row.kind, layer] for layer in layers]) for row in overall]
    measured = sorted(
        (
            Measured(row.kind, row.recall, row.ci_low, row.ci_high, row.planted)
            for row in overall
            if row.recall is not None
        ),
        key=lambda row: (-row.share, row.name),
    )
    return {
        "calibration": calibration,
        "layers": layers,
        "rows": rows,
        "alarms": [row for row in calibration.alarms if row.layer in (ANY, *layers)],
        "plot": draw_intervals(measured, "recall by kind of defect, in percent"),
        "reasons": {
            kind: [row for row in calibration.declined if row.kind == kind]
            for kind in dict.fromkeys(row.kind for row in calibration.declined)
        },
    }
