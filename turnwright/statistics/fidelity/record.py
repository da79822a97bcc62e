"""fidelity.json: what a comparison says. Apart from what computes it, so that a report is read without its tools."""

from pathlib import Path
from typing import Literal

from schemas.closed import Closed
from turnwright.statistics.fidelity.multiplicity import Correction
from turnwright.statistics.fidelity.profile import Profile
from turnwright.storage.store import replace_file

LEVEL = 0.05

Unit = Literal["dialogue", "cluster"]
"""What is taken to be independent."""

Status = Literal["matches", "slight", "differs", "undecided", "unmeasurable"]
"""`matches`: not rejected, and the interval holds no effect that matters; `slight`: rejected, but the same; `differs`:
rejected, and the effect may matter; `undecided`: not rejected, and the samples are too small to say more."""


class Statistic(Closed):
    """One line of a comparison."""

    name: str
    description: str
    test: str
    a: float | None
    """Figure of the first sample; none for distances, which only two samples have."""
    b: float | None
    """Figure of the second sample."""
    difference: float | None
    """a - b; for a distance, what it exceeds its mean over shuffled labels by."""
    ci_low: float | None
    """95 % interval of the difference."""
    ci_high: float | None
    p: float | None
    """Of the test alone."""
    p_adjusted: float | None = None
    """After correction for all tests of the comparison."""
    reject: bool = False
    """`p_adjusted` is at most 0.05."""
    effect: float | None = None
    """Standard deviations for spreads, Cohen's h for rates, the difference itself for others."""
    status: Status
    n_a: int = 0
    """Cases behind the figure: dialogues, requests, calls, … of the first sample."""
    n_b: int = 0
    note: str = ""


class FeatureWeight(Closed):
    """How much one figure gives away."""

    name: str
    auc: float
    """Of this figure alone: above 0.5 where it tends to be higher in the first sample."""
    lost: float
    """What the area loses when the figure is shuffled among the held-out dialogues."""


class Separation(Closed):
    """How well dialogues can be told apart; all areas are of dialogues that the model was not fitted on."""

    auc: float
    """Area under the ROC curve, mean over folds; 0.5 is chance."""
    se: float
    """Its standard error (DeLong, pooled over folds)."""
    p: float
    """Share of shuffled labellings, refitted, that reach the area."""
    boosted_auc: float | None
    """The same by gradient boosted trees, fitted on at most 1,500 dialogues a side; none for fewer than 100."""
    boosted_se: float | None
    folds: int
    grouped: bool
    """Folds hold whole clusters: no domain, toolset or twin is on both sides of a fit."""
    features: list[FeatureWeight]
    """What gives the samples away, most first."""


class Comparison(Closed):
    """One arm against the baseline."""

    a: str
    b: str
    """The baseline."""
    within_clusters: bool
    """Labels were shuffled within domains or toolsets that both arms share."""
    statistics: list[Statistic]
    classifier: Separation | None
    structural_auc: float | None
    """Area of the same classifier without the lengths of messages, which tell of style rather than of structure."""
    verdict: str


class Fidelity(Closed):
    """What the command and the report show."""

    arms: list[Profile]
    """The arms, the baseline last."""
    statistics: list[Statistic]
    """Of the first comparison: the first arm is `a`, the baseline `b`."""
    classifier_auc: float | None
    """Of the first comparison; 0.5 is indistinguishable."""
    classifier: Separation | None
    verdict: str
    comparisons: list[Comparison]
    """All of them, the first included: one for each arm but the baseline."""
    unit: Unit
    level: float = LEVEL
    correction: Correction
    permutations: int
    bootstraps: int
    seed: int


def write_fidelity(fidelity: Fidelity, file: Path) -> None:
    """Writes fidelity.json.

    Raises:
        OSError: the folder cannot be written.
    """
    replace_file(file, fidelity.model_dump_json(indent=2).encode() + b"\n")


def read_fidelity(file: Path) -> Fidelity:
    """Reads fidelity.json.

    Raises:
        OSError: the file cannot be read.
        ValueError: it was written by another version.
    """
    return Fidelity.model_validate_json(file.read_bytes())
