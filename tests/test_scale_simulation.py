"""The simulation of a run obeys what must hold of any run, and agrees with closed formulas where there are some."""

from dataclasses import replace

import pytest

from benchmarks.scale_model import Machinery, Stage, simulate_run, simulate_stage

PLAIN = Machinery(
    processes=1,
    shards_each=4,
    slots=16,
    concurrency=22,
    latency_ms=1_000.0,
    sigma=0.0,
    cores=0,
    shard_ms=0.0,
    start_seconds=0.0,
)
DIALOGUES = 24_000
CHAINS = Stage("simulate-dialogues", 10.0, 0.0, 0.0, 0.0, 0.0)


def test_nothing_but_the_endpoint_limits_a_light_client() -> None:
    figures = simulate_stage(CHAINS, 320, 80, PLAIN, 0)
    assert figures.calls == 3_200
    assert figures.seconds == pytest.approx(3_200 / 16, rel=0.06)
    assert figures.busy_slot_seconds == pytest.approx(3_200)
    assert figures.utilisation > 0.94


def test_a_slow_client_is_limited_by_its_thread() -> None:
    figures = simulate_stage(replace(CHAINS, cpu_ms=100.0), 320, 80, PLAIN, 0)
    assert figures.seconds == pytest.approx(3_200 * 0.1, rel=0.02)
    assert figures.utilisation < 0.7


def test_two_processes_halve_what_the_thread_takes_unless_they_share_its_core() -> None:
    slow = replace(CHAINS, cpu_ms=100.0)
    one = simulate_stage(slow, 320, 40, PLAIN, 0).seconds
    two = simulate_stage(slow, 320, 40, replace(PLAIN, processes=2), 0).seconds
    crowded = simulate_stage(slow, 320, 40, replace(PLAIN, processes=2, cores=1), 0).seconds
    assert two == pytest.approx(one / 2, rel=0.35)
    assert crowded == pytest.approx(one, rel=0.1)


def test_no_run_is_shorter_than_its_longest_chain() -> None:
    figures = simulate_stage(CHAINS, 3, 80, replace(PLAIN, slots=1_000, concurrency=1_375), 0)
    assert figures.seconds == pytest.approx(10.0)


def test_one_shard_a_process_has_a_tail_that_two_hide() -> None:
    spread = replace(CHAINS, spread=0.8)
    alone = simulate_stage(spread, 640, 40, replace(PLAIN, shards_each=1), 0)
    beside = simulate_stage(spread, 640, 40, replace(PLAIN, shards_each=2), 0)
    assert beside.seconds < alone.seconds


def test_more_slots_never_take_longer() -> None:
    seconds = [
        simulate_stage(CHAINS, 400, 100, replace(PLAIN, slots=slots, concurrency=round(1.375 * slots)), 0).seconds
        for slots in (4, 16, 64)
    ]
    assert seconds == sorted(seconds, reverse=True)


def test_the_same_seed_gives_the_same_figures() -> None:
    stage = replace(CHAINS, spread=0.5)
    noisy = replace(PLAIN, sigma=0.6)
    assert simulate_stage(stage, 100, 25, noisy, 3) == simulate_stage(stage, 100, 25, noisy, 3)
    assert simulate_stage(stage, 100, 25, noisy, 3) != simulate_stage(stage, 100, 25, noisy, 4)


def test_what_is_carried_on_agrees_with_what_is_simulated_whole() -> None:
    short = replace(CHAINS, calls=2.0)
    here = replace(PLAIN, slots=64, concurrency=88)
    whole = simulate_stage(short, DIALOGUES, 500, here, 0)
    carried = simulate_run([short], DIALOGUES, 500, here)[0]
    assert carried.seconds == pytest.approx(whole.seconds, rel=0.02)
    assert carried.calls == pytest.approx(whole.calls, rel=0.01)
    assert carried.busy_slot_seconds == pytest.approx(whole.busy_slot_seconds, rel=0.01)


def test_the_leader_is_counted_once_however_many_processes() -> None:
    stage = replace(CHAINS, calls=1.0, leader_ms=10.0)
    many = replace(PLAIN, processes=16, slots=256, concurrency=352)
    seconds = simulate_run([stage], DIALOGUES, 500, many)[0].seconds
    assert seconds - simulate_run([replace(stage, leader_ms=0.0)], DIALOGUES, 500, many)[0].seconds == pytest.approx(
        DIALOGUES * 0.01
    )
