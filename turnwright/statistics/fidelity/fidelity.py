"""Every arm against one of them, the baseline (TC, the open claim)."""

from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from turnwright.statistics.fidelity.arms import STATEFUL
from turnwright.statistics.fidelity.classifier import separate
from turnwright.statistics.fidelity.comparison import Draws, compare_statistics
from turnwright.statistics.fidelity.profile import make_profile
from turnwright.statistics.fidelity.record import Comparison, Fidelity, Unit
from turnwright.statistics.fidelity.resampling import make_design
from turnwright.statistics.fidelity.sample import Sample
from turnwright.statistics.fidelity.vectors import make_vectors
from turnwright.statistics.fidelity.verdict import phrase_verdict


class TooFewArms(ValueError):
    """There is nothing to compare."""


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
