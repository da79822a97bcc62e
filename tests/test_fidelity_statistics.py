"""Two samples compared: false alarms, known shifts, and the parts they rest on."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.fidelity_world import DOMAINS, World, play, sample
from turnwright.statistics.fidelity.comparison import Draws
from turnwright.statistics.fidelity.features import measure_trajectory
from turnwright.statistics.fidelity.fidelity import TooFewArms, compare_samples, compute_fidelity
from turnwright.statistics.fidelity.measures import MixMeasure, RateMeasure, SpreadMeasure
from turnwright.statistics.fidelity.multiplicity import adjust
from turnwright.statistics.fidelity.record import Comparison, Fidelity, Statistic
from turnwright.statistics.fidelity.resampling import draw_weights, make_design, make_generator, shuffle_labels
from turnwright.statistics.fidelity.sample import Sample, make_sample
from turnwright.statistics.fidelity.sequences import EntropyMeasure, TransitionMeasure
from turnwright.statistics.fidelity.trajectory import read_trajectory

QUICK = Draws(permutations=199, bootstraps=99)
SHARP = Draws(permutations=999, bootstraps=199)


def row(comparison: Comparison | Fidelity, name: str) -> Statistic:
    return next(item for item in comparison.statistics if item.name == name)


def sums(measure: Any, first: Sequence[int]) -> tuple[Any, Any]:
    """The sums of the given dialogues, and of all others."""
    labels = np.zeros((1, measure.table.shape[0]))
    labels[0, list(first)] = 1.0
    return measure.add_up(labels), measure.add_up(1.0 - labels)


def test_equal_samples_raise_few_alarms() -> None:
    """The heavy version, with 200 repetitions and every statistic apart, is benchmarks/fidelity.py."""
    repetitions, alarms, tests, corrected = 16, 0, 0, 0
    for number in range(repetitions):
        first = sample(World(), 50, f"one {number}")
        second = sample(World(), 50, f"two {number}")
        compared = compare_samples(first, second, replace(QUICK, bootstraps=19, seed=number), boosted=False)
        p = [item.p for item in compared.statistics if item.p is not None]
        assert compared.classifier is not None
        p.append(compared.classifier.p)
        tests += len(p)
        alarms += sum(value <= 0.05 for value in p)
        corrected += any(item.reject for item in compared.statistics)
    assert 0.01 < alarms / tests < 0.09
    assert corrected <= 3


@pytest.mark.parametrize(
    ("changed", "name", "sign"),
    [
        (World(depth=(1, 2, 2, 3)), "graph_depth", 1),
        (World(requests=(2, 3, 3, 4)), "requests", 1),
        (World(errors=0.02), "error", -1),
        (World(writes=0.85), "write", 1),
        (World(forgetful=0.4), "read_after_write_agrees", -1),
        (World(chatty=2), "answer_words", 1),
    ],
)
def test_the_right_statistic_sees_a_shift(changed: World, name: str, sign: int) -> None:
    compared = compare_samples(sample(changed, 160, "a"), sample(World(), 160, "b"), SHARP, boosted=False)
    found = row(compared, name)
    assert found.reject
    assert found.status == "differs"
    assert found.difference is not None and found.ci_low is not None and found.ci_high is not None
    assert sign * found.difference > 0
    assert found.ci_low <= found.difference <= found.ci_high
    assert not found.ci_low <= 0 <= found.ci_high
    assert compared.classifier is not None and compared.classifier.p <= 0.05
    assert name in compared.verdict or "more" in compared.verdict


def test_a_shift_leaves_alone_what_it_does_not_touch() -> None:
    compared = compare_samples(sample(World(chatty=2), 160, "a"), sample(World(), 160, "b"), SHARP, boosted=False)
    assert [item.name for item in compared.statistics if item.reject] in (
        ["answer_words", "features_mmd"],
        ["answer_words"],
    )
    assert compared.classifier is not None
    assert compared.classifier.features[0].name == "answer_words"
    assert compared.structural_auc is not None
    assert abs(compared.structural_auc - 0.5) < 0.12 < compared.classifier.auc - 0.5


def test_shuffled_order_changes_transitions_and_not_which_tools_are_called() -> None:
    ordered, shuffled = World(errors=0.0), World(errors=0.0, shuffled=True)
    compared = compare_samples(sample(shuffled, 160, "a"), sample(ordered, 160, "b"), SHARP, boosted=False)
    assert row(compared, "transitions_tools").reject
    assert row(compared, "graph_edges").reject
    assert not row(compared, "tool_entropy_1").reject
    assert not row(compared, "calls").reject


def test_large_equal_samples_match_and_small_ones_say_so() -> None:
    # Windows of one generator: whatever the draw, intervals shrink with the sample.
    large = compare_samples(sample(World(), 600, "a"), sample(World(), 600, "b"), QUICK, boosted=False)
    small = compare_samples(sample(World(), 12, "a"), sample(World(), 12, "b"), QUICK, boosted=False)
    assert sum(item.status in ("matches", "slight") for item in large.statistics) >= 25
    assert sum(item.status == "undecided" for item in small.statistics) >= 20
    assert "too small to say" in small.verdict


def test_the_same_dialogues_in_any_order_give_the_same_answer() -> None:
    first, second = sample(World(), 40, "a"), sample(World(errors=0.4), 40, "b")
    turned = list(first.features)
    random.Random("turn").shuffle(turned)
    answer = compute_fidelity([first, second], draws=QUICK)
    assert compute_fidelity([make_sample("a", turned), second], draws=QUICK) == answer
    assert compute_fidelity([first, second], draws=replace(QUICK, seed=1)).statistics != answer.statistics
    assert Fidelity.model_validate_json(answer.model_dump_json()) == answer


def test_a_sample_without_results_is_compared_in_what_it_has() -> None:
    def strip(number: int) -> Any:
        messages = [message for message in play(World(), f"bare {number}") if message["role"] != "tool"]
        return measure_trajectory(read_trajectory(messages, identity=str(number)))

    bare = make_sample("bare", (strip(number) for number in range(40)))
    compared = compare_samples(bare, sample(World(), 40, "whole"), QUICK, boosted=False)
    for name in ("graph_depth", "hidden_call", "error", "transitions_acts", "argument_provenance"):
        assert row(compared, name).status == "unmeasurable"
        assert "bare has no tool results" in row(compared, name).note
    for name in ("requests", "calls", "write", "user_words", "tool_entropy_2", "transitions_tools"):
        assert row(compared, name).p is not None
    assert compared.classifier is not None
    assert not {item.name for item in compared.classifier.features} & {"turns", "graph_depth", "error"}


def test_several_arms_stand_against_one_baseline() -> None:
    arms = [sample(World(), 30, name) for name in ("stateless", "user_oriented_executed", "twin")]
    answer = compute_fidelity(arms, draws=QUICK)
    assert [(item.a, item.b) for item in answer.comparisons] == [
        ("stateless", "user_oriented_executed"),
        ("twin", "user_oriented_executed"),
    ]
    assert [arm.name for arm in answer.arms] == ["stateless", "twin", "user_oriented_executed"]
    assert answer.statistics == answer.comparisons[0].statistics
    assert compute_fidelity(arms, "twin", QUICK).arms[-1].name == "twin"
    with pytest.raises(TooFewArms, match="one arm only: twin"):
        compute_fidelity(arms[2:], draws=QUICK)
    with pytest.raises(TooFewArms, match="nobody"):
        compute_fidelity(arms, "nobody", QUICK)


def test_few_dialogues_are_no_reason_to_fail() -> None:
    compared = compare_samples(sample(World(), 1, "a"), sample(World(), 1, "b"), QUICK)
    assert compared.classifier is None
    assert all(item.p is None for item in compared.statistics if item.name in ("turns", "requests"))
    nothing = make_sample("nothing", [measure_trajectory(read_trajectory([], identity=str(n))) for n in range(20)])
    empty = compare_samples(nothing, nothing, QUICK)
    assert not any(item.reject for item in empty.statistics)
    assert empty.classifier is None
    with pytest.raises(ValueError, match="no dialogues"):
        compare_samples(Sample("none", ()), nothing, QUICK)


def test_within_clusters_a_difference_of_domains_is_none_of_method() -> None:
    """One domain is deeper than the other; the arms have unequal shares of both, and do the same in each."""

    def arm(name: str, deep: int, flat: int) -> Sample:
        parts = [
            sample(World(depth=(3,)), deep, f"{name} deep", domains=("deep",)),
            sample(World(depth=(0,)), flat, f"{name} flat", domains=("flat",)),
        ]
        return make_sample(name, [item for part in parts for item in part.features])

    first, second = arm("a", 60, 30), arm("b", 30, 60)
    within = compare_samples(first, second, SHARP, boosted=False)
    assert within.within_clusters
    assert not row(within, "graph_depth").reject
    scattered = [replace(item, cluster="") for item in first.features]
    across = compare_samples(make_sample("a", scattered), second, SHARP, boosted=False)
    assert not across.within_clusters
    assert row(across, "graph_depth").reject


def test_clusters_as_the_unit_widen_what_rests_on_few_of_them() -> None:
    """Dialogues of one domain are alike here, so three domains say less than their many dialogues seem to."""
    depths = {"d0": (0,), "d1": (3,), "d2": (0,), "e0": (3,), "e1": (0,), "e2": (3,)}

    def arm(name: str) -> Sample:
        parts = [sample(World(depth=depths[f"{name}{n}"]), 30, f"{name}{n}", domains=(f"{name}{n}",)) for n in range(3)]
        return make_sample(name, [item for part in parts for item in part.features])

    by_dialogue = compare_samples(arm("d"), arm("e"), SHARP, boosted=False)
    by_cluster = compare_samples(arm("d"), arm("e"), SHARP, unit="cluster", boosted=False)
    assert row(by_dialogue, "graph_depth").reject
    assert not row(by_cluster, "graph_depth").reject
    with pytest.raises(ValueError, match="clusters cannot be the unit"):
        compare_samples(sample(World(), 9, "a", domains=("x",)), arm("d"), QUICK, unit="cluster")


def test_labels_keep_the_size_of_each_sample_and_stay_within_clusters() -> None:
    design = make_design(["x", "x", "y"], ["x", "y", "y", "y"])
    assert design.within
    (labels,) = shuffle_labels(design, make_generator(0, "t"), 100)
    assert (labels.sum(axis=1) == 3).all()
    assert (labels[:, design.clusters == 0].sum(axis=1) == 2).all()
    assert len(np.unique(labels, axis=0)) > 5
    apart = make_design(["x", "x", "y"], ["z"] * 4)
    assert not apart.within
    (free,) = shuffle_labels(apart, make_generator(0, "t"), 200)
    assert (free.sum(axis=1) == 3).all()
    assert len(np.unique(free, axis=0)) == math.comb(7, 3)


@pytest.mark.parametrize("unit", ["dialogue", "cluster"])
def test_weights_draw_as_many_as_there_are(unit: Any) -> None:
    design = make_design([f"x{n % 3}" for n in range(9)], [f"y{n % 4}" for n in range(8)], unit)
    (weights,) = draw_weights(design, make_generator(0, "w"), 50)
    assert weights[:, design.first].sum(axis=1).min() > 0
    if unit == "dialogue":
        assert (weights[:, design.first].sum(axis=1) == 9).all()
    else:
        for cluster in np.unique(design.clusters):
            assert (np.ptp(weights[:, design.clusters == cluster], axis=1) == 0).all()


def test_distances_agree_with_scipy() -> None:
    rng = random.Random("scipy")
    values = [[rng.randrange(12) for _ in range(3)] for _ in range(40)]
    spread = SpreadMeasure("s", values)
    one, other = sums(spread, range(15))
    first = [value for item in values[:15] for value in item]
    second = [value for item in values[15:] for value in item]
    assert spread.distance(one, other)[0] == pytest.approx(stats.ks_2samp(first, second).statistic)
    assert spread.figure(one)[0] == pytest.approx(np.mean(first))
    kinds = [{kind: rng.randrange(1, 9) for kind in "abc"} for _ in range(40)]
    mix = MixMeasure("m", kinds, np.arange(40) < 15)
    one, other = sums(mix, range(15))
    assert mix.distance(one, other)[0] == pytest.approx(stats.chi2_contingency([one[0], other[0]]).statistic)


def test_small_cells_are_pooled() -> None:
    kinds = [{"a": 10, "b": 10} for _ in range(20)]
    kinds[0] |= {"rare": 1, "odd": 1}
    mix = MixMeasure("m", kinds, np.arange(20) < 10)
    one, other = sums(mix, range(10))
    # Apart, each of the two rare cells would add 1; together they are one cell.
    assert mix.distance(one, other)[0] == pytest.approx(2.0, abs=0.05)


def test_long_tails_are_counted_together_and_means_stay_exact() -> None:
    values = [[number * number] for number in range(500)]
    spread = SpreadMeasure("s", values)
    assert spread.table.shape[1] <= 66
    one, other = sums(spread, range(250))
    assert spread.figure(one)[0] == pytest.approx(np.mean([n * n for n in range(250)]))
    assert spread.distance(one, other)[0] > 0.97


def test_a_rate_of_nothing_is_no_rate() -> None:
    rate = RateMeasure("r", [(0, 0), (1, 2)])
    one, other = sums(rate, [0])
    assert math.isnan(rate.figure(one)[0])
    assert rate.distance(one, other)[0] == 0.0


def test_entropy_is_corrected_for_what_was_not_seen() -> None:
    rng = random.Random("entropy")
    tools = [str(number) for number in range(32)]
    corrected: list[float] = []
    plain: list[float] = []
    for _ in range(60):
        measure = EntropyMeasure("e", [[rng.choice(tools)] for _ in range(40)], 1)
        total, _ = sums(measure, range(40))
        shares = total[0] / total.sum()
        plain.append(float(-(shares[shares > 0] * np.log2(shares[shares > 0])).sum()))
        corrected.append(float(measure.figure(total)[0]))
    assert np.mean(plain) < 4.6
    assert np.mean(corrected) == pytest.approx(math.log2(32), abs=0.2)


def test_transition_divergence_of_known_matrices() -> None:
    same = TransitionMeasure("t", [list("abab"), list("abab")])
    assert same.distance(*sums(same, [0]))[0] == 0.0
    # From `a` one side always goes to `b`, the other always to `c`: one bit, in the only state that both leave.
    apart = TransitionMeasure("t", [list("ab"), list("ac")])
    assert apart.distance(*sums(apart, [0]))[0] == pytest.approx(1.0)
    strange = TransitionMeasure("t", [list("ab"), list("cd")])
    assert strange.distance(*sums(strange, [0]))[0] == 0.0
    assert TransitionMeasure("t", [[], []]).distance(np.zeros((1, 0)), np.zeros((1, 0)))[0] == 0.0


def test_corrections_of_many_tests() -> None:
    values = [0.01, 0.04, 0.03, 0.5]
    assert adjust(values, "holm") == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert adjust(values, "benjamini-hochberg") == pytest.approx(list(stats.false_discovery_control(values)))
    assert adjust([], "holm") == []


def test_domains_of_the_world_are_shared() -> None:
    compared = compare_samples(sample(World(), len(DOMAINS) * 10, "a"), sample(World(), 60, "b"), QUICK)
    assert compared.within_clusters
    assert compared.classifier is not None and compared.classifier.grouped
