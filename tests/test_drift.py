"""Drift: a difference counts where it is large and where chance alone would not make it."""

import random
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.incremental import DriftLimits
from turnwright.statistics.drift import StatisticDrift, compare_statistics, measure_psi

LIMITS = DriftLimits()


def numbers(count: int, mean: float, seed: int) -> list[float]:
    drawn = random.Random(seed)
    return [round(drawn.gauss(mean, 5)) for _ in range(count)]


def compare(before: Any, added: Any, limits: DriftLimits = LIMITS, least: int = 20) -> StatisticDrift:
    return compare_statistics({"turns": before}, {"turns": added}, limits, least)[0]


def test_the_index_is_that_of_its_definition() -> None:
    # ln(2) * (2/3 - 1/3) for each of two bins, with the half value that each bin is given.
    assert measure_psi([999.5, 1999.5], [1999.5, 999.5]) == pytest.approx(2 * 0.3333333 * 0.6931472, abs=1e-6)
    assert measure_psi([10, 20, 30], [10, 20, 30]) == 0.0
    assert measure_psi([10, 0], [10, 0]) == 0.0


def test_samples_of_one_distribution_do_not_drift() -> None:
    levels = [compare(numbers(500, 20, seed), numbers(200, 20, seed + 1000)).level for seed in range(50)]
    assert levels.count("ok") == 50


def test_small_batches_are_far_apart_by_chance_and_pass() -> None:
    drifts = [compare(numbers(500, 20, seed), numbers(25, 20, seed + 1000)) for seed in range(50)]
    assert sum(one.psi > 0.25 for one in drifts) > 5
    assert sum(one.level == "fail" for one in drifts) <= 1


def test_a_shift_fails_and_says_where_it_went() -> None:
    drift = compare(numbers(500, 20, 1), numbers(200, 26, 2))
    assert drift.level == "fail" and drift.psi > 0.25 and drift.distance > 0.3
    assert drift.mean_before is not None and drift.mean_added is not None
    assert drift.mean_added - drift.mean_before == pytest.approx(6, abs=1.5)
    assert sum(one.before for one in drift.bins) == pytest.approx(1, abs=1e-4)
    assert sum(one.added for one in drift.bins) == pytest.approx(1, abs=1e-4)


def test_groups_drift_too() -> None:
    same = ["easy"] * 300 + ["hard"] * 300
    assert compare(same, ["easy"] * 100 + ["hard"] * 100).level == "ok"
    drift = compare(same, ["easy"] * 20 + ["hard"] * 180)
    assert (drift.level, drift.kind, drift.distance) == ("fail", "group", 0.4)
    assert compare(same, ["easy"] * 65 + ["hard"] * 135).level == "warn"
    assert compare(["easy"] * 100, ["never seen"] * 100).level == "fail"


def test_what_is_expected_is_reported_and_never_fails() -> None:
    limits = DriftLimits(expected=["turns"])
    drift = compare(["a"] * 100, ["b"] * 100, limits)
    assert (drift.level, drift.expected) == ("warn", True)


def test_limits_can_be_moved_and_taken_away() -> None:
    before, added = ["a"] * 300 + ["b"] * 300, ["a"] * 20 + ["b"] * 180
    assert compare(before, added, DriftLimits(fail_psi=None)).level == "warn"
    assert compare(before, added, DriftLimits(fail_psi=None, warn_psi=None)).level == "ok"
    assert compare(before, added, DriftLimits(warn_psi=None, fail_psi=9.0)).level == "ok"
    with pytest.raises(ValidationError, match="above fail_psi"):
        DriftLimits(warn_psi=0.5, fail_psi=0.2)


def test_too_few_dialogues_are_not_judged() -> None:
    assert compare(["a"] * 100, ["b"] * 19).level == "too_few"
    assert compare([], [1.0, 2.0]).level == "too_few"
    assert compare([], [], least=0).psi == 0.0


def test_many_rare_groups_are_one() -> None:
    drift = compare([f"tool{n}" for n in range(300)], [f"tool{n}" for n in range(100, 400)])
    assert len(drift.bins) == 21 and drift.bins[-1].name == "other"


def test_more_statistics_make_chance_less_of_a_surprise() -> None:
    values = {f"s{seed}": numbers(300, 20, seed) for seed in range(100)}
    added = {f"s{seed}": numbers(60, 20, seed + 1000) for seed in range(100)}
    drifts = compare_statistics(values, added, DriftLimits(warn_psi=1e-9, fail_psi=0.01), 20)
    assert [one.name for one in drifts if one.level != "ok"] == []
    assert list(values) == [one.name for one in drifts]


def test_constant_and_equal_values_are_compared() -> None:
    assert compare([2.0] * 100, [2.0] * 100).level == "ok"
    assert compare([2.0] * 100, [3.0] * 100).level == "fail"
