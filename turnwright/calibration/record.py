"""What a calibration found: calibration.json."""

from pathlib import Path

from schemas.closed import Closed
from turnwright.storage.store import replace_file

LAYERS = ("rules", "grounding", "replay", "outcome", "ledger", "behaviour", "judge")
"""Layers of validation, in the order in which they are shown."""
ANY = "any"
"""All layers together: the dialogue is judged invalid, whoever saw it."""


class KindRecall(Closed):
    """What one layer, or all of them, made of one kind of defect."""

    kind: str
    layer: str
    """A layer of schemas.findings.Finding, or `any`."""
    planted: int
    """Dialogues with one such defect."""
    caught: int
    """Of these, judged invalid with a finding of the layer that blocks."""
    recall: float | None
    """caught / planted; none where nothing could be planted."""
    ci_low: float
    """Wilson interval, 95 %."""
    ci_high: float


class Declined(Closed):
    """Why a kind of defect has no place in some dialogues."""

    kind: str
    reason: str
    dialogues: int


class Missed(Closed):
    """A planted dialogue that was not caught, to be read."""

    kind: str
    dialogue_id: str
    """The dialogue that the defect was planted in."""
    excerpt: str
    """The first message that differs, shortened."""


class LayerAlarms(Closed):
    """False alarms of one layer, or of all of them."""

    layer: str
    alarms: int
    """Untouched dialogues that a finding of the layer makes invalid."""
    rate: float
    ci_high: float
    """Upper bound of the Wilson interval, 95 %."""
    precision: float | None
    """caught / (caught + alarms), over as many planted and untouched dialogues as there are; none without alarms."""


class Calibration(Closed):
    """Recall by kind and layer, and false alarms on the same dialogues untouched."""

    run: str
    seed: int
    judge: bool
    """Whether the rubric judge was asked."""
    every: bool
    """Whether complete dialogues counted as clean that validation had not kept."""
    kinds: list[KindRecall]
    clean: int
    """Untouched dialogues, written anew and judged again."""
    false_alarms: int
    false_alarm_rate: float
    false_alarm_ci_high: float
    alarms: list[LayerAlarms]
    planted: int
    caught: int
    recall: float | None
    """Over all kinds and planted dialogues."""
    macro_recall: float | None
    """Mean over the kinds, each with the same weight."""
    precision: float | None
    declined: list[Declined]
    missed: list[Missed]
    """A few of each kind."""

    def of_layer(self, layer: str) -> list[KindRecall]:
        """The rows of a layer, in the order of the kinds."""
        return [row for row in self.kinds if row.layer == layer]


def write_calibration(calibration: Calibration, file: Path) -> None:
    """Writes calibration.json.

    Raises:
        OSError: the folder cannot be written.
    """
    replace_file(file, calibration.model_dump_json(indent=2).encode() + b"\n")


def read_calibration(file: Path) -> Calibration:
    """Reads calibration.json.

    Raises:
        OSError: the file cannot be read.
        ValueError: it was written by another version.
    """
    return Calibration.model_validate_json(file.read_bytes())
