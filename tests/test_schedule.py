"""The order in which permits are granted, simulated: what a run takes by it."""

import statistics

import pytest

from benchmarks.schedule import Simulation, simulate
from benchmarks.workloads import read_workload


def test_permits_go_to_chains_that_may_turn_out_long() -> None:
    """Over nine guesses: within 1.08 of the ideal, and better than the order of asking and than expected lengths."""
    found = [simulate(read_workload(f"heavy::{draw}"), slots=64, permits=88) for draw in range(9)]
    median = {order: statistics.median(times[order] for times in found) for order in found[0]}
    assert median["known"] < median["third quartile"] < median["expected"] < median["first come"]
    assert median["third quartile"] <= 1.08


@pytest.mark.parametrize(("slots", "permits", "seconds"), [(1, 1, 6.0), (1, 3, 6.0), (2, 2, 3.0), (3, 3, 3.0)])
def test_time_of_a_case_worked_out_by_hand(slots: int, permits: int, seconds: float) -> None:
    """Three chains of three, two and one call of a second each, the longest first."""
    lengths = [1, 2, 3]
    latencies = [[1.0] * length for length in lengths]
    simulation = Simulation(latencies, lambda which, made: float(lengths[which] - made), slots, permits)
    assert simulation.run() == pytest.approx(seconds, abs=0.05)
