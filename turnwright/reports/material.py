"""What a report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnwright.calibration.record import Calibration
from turnwright.reports.reading import ReadDialogue
from turnwright.statistics.fidelity.record import Fidelity
from turnwright.statistics.statistics import Statistics


@dataclass(frozen=True)
class Material:
    """Everything that sections may draw on; read before the first of them is made."""

    run: Mapping[str, Any]
    """The content of run.json."""
    statistics: Statistics
    gates: list[dict[str, Any]]
    """Reports of the gates, in the order of the stages, as the JSON in `checks/`."""
    dialogues: list[ReadDialogue]
    """A few dialogues to read."""
    fidelity: Fidelity | None = None
    """The arms of the run against each other; none where there is only one, or they were not compared."""
    calibration: Calibration | None = None
    """What `turnwright calibrate` found of the run's validation; none where it was not asked."""
