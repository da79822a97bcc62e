"""fidelity.json: every arm against one of them, the baseline (TC, the open claim)."""

from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from schemas.closed import Closed
from turnwright.statistics.fidelity.arms import STATEFUL
from turnwright.statistics.fidelity.classifier import Separation, separate
from turnwright.statistics.fidelity.comparison import LEVEL, Draws, Statistic, compare_statistics
from turnwright.statistics.fidelity.multiplicity import Correction
from turnwright.statistics.fidelity.profile import Profile, make_profile
from turnwright.statistics.fidelity.resampling import Unit, make_design
from turnwright.statistics.fidelity.sample import Sample
from turnwright.statistics.fidelity.vectors import make_vectors
from turnwright.statistics.fidelity.verdict import phrase_verdict
from turnwright.storage.store import replace_file


class TooFewArms(ValueError):
    """There is nothing to compare."""


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


def compare_samples(
    first: Sample, second: Sample, draws: Draws | None = None, *, unit: Unit = "dialogue", boosted: bool = True
) -> Comparison:
    """Everything about two samples; a pure function of their dialogues and the seed.

    Raises:
        ValueError: a sample is empty, or clusters are the unit and a sample has fewer than two.
    """
    drawn = draws or Draws()
    # One thread: sums do not depend on how many cores there are, and tables as small as these make threads wait.
    with threadpool_limits(1):
        design = make_design(first.clusters, second.clusters, unit)
        vectors = make_vectors(
            [*first.features, *second.features],
            with_results=first.has_results and second.has_results,
            with_tasks=all(any(item.spreads["tasks"] for item in sample.features) for sample in (first, second)),
        )
        statistics = compare_statistics(first, second, design, vectors, drawn)
        separation = separate(
            vectors, design, permutations=min(199, drawn.permutations), seed=drawn.seed, boosted=boosted
        )
        structure = separate(
            vectors.leave_out(("user_words", "answer_words")), design, permutations=0, seed=drawn.seed, boosted=False
        )
    return Comparison(
        a=first.name,
        b=second.name,
        within_clusters=design.within,
        statistics=statistics,
        classifier=separation,
        structural_auc=structure.auc if structure else None,
        verdict=phrase_verdict(first.name, second.name, statistics, separation),
    )


def compute_fidelity(
    arms: Sequence[Sample], baseline: str | None = None, draws: Draws | None = None, *, unit: Unit = "dialogue"
) -> Fidelity:
    """Holds every arm against the baseline.

    Args:
        arms: samples with different names.
        baseline: name of the arm that the others are held against; default: `user_oriented_executed` where there is
            one, else the last.
        draws: how much is drawn.
        unit: what is taken to be independent.

    Raises:
        TooFewArms: there are fewer than two arms, or none has the baseline's name.
        ValueError: clusters are the unit and an arm has fewer than two.
    """
    names = [arm.name for arm in arms]
    if len(arms) < 2:
        raise TooFewArms(f"there is one arm only: {names[0]}" if names else "there are no dialogues")
    chosen = baseline or (STATEFUL if STATEFUL in names else names[-1])
    if chosen not in names:
        raise TooFewArms(f"no arm is named {chosen!r}; there are {', '.join(names)}")
    drawn = draws or Draws()
    base = next(arm for arm in arms if arm.name == chosen)
    others = [arm for arm in arms if arm.name != chosen]
    comparisons = [compare_samples(arm, base, drawn, unit=unit) for arm in others]
    return Fidelity(
        arms=[make_profile(arm) for arm in [*others, base]],
        statistics=comparisons[0].statistics,
        classifier_auc=comparisons[0].classifier.auc if comparisons[0].classifier else None,
        classifier=comparisons[0].classifier,
        verdict=comparisons[0].verdict,
        comparisons=comparisons,
        unit=unit,
        correction=drawn.correction,
        permutations=drawn.permutations,
        bootstraps=drawn.bootstraps,
        seed=drawn.seed,
    )


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
