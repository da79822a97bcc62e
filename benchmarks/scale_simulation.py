"""A discrete-event simulation of a run: what is measured on one machine, reproduced, and carried to where none is.

    python -m benchmarks.scale_simulation measured.json      # lines of `python -m benchmarks.scale --dialogues N`
    python -m benchmarks.scale_simulation --predict

The model, one event a step of a call:

    leader     plans a stage, hands its shards out one by one, merges and checks what comes back; serial
    process    has its share of shards at once, of permits, and one Python thread that all its calls need for a while
    shard      keeps a bounded number of units alive, the longest first
    unit       a dialogue, a task or a verdict: a chain of calls, each of which waits for the thread, then for a permit
               (longest remaining first), then for a slot of the endpoint (first come, first served)
    endpoint   slots with a latency; the embedded one also needs a thread of its own for each call

A stage ends when its last shard does: the barrier is in the model, as are the tail and the start.
"""

import argparse
import heapq
import json
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

_ROUNDS = 4
"""Rounds of shards that are simulated call by call; beyond, the rate that the later half reached is carried on."""


@dataclass(frozen=True)
class Stage:
    """One stage of a run."""

    name: str
    calls: float
    """Mean calls of a unit; 1 or below is the share of units with one."""
    spread: float
    """Standard deviation of the logarithm of the calls."""
    cpu_ms: float
    """Time that a call holds its process's Python thread."""
    leader_ms: float
    """What the leader spends on a row: planning, merging, checking."""
    fixed_seconds: float
    """What the leader spends on the stage, however few rows."""


@dataclass(frozen=True)
class Machinery:
    """What a run stands on."""

    processes: int
    shards_each: int
    slots: int
    concurrency: int
    latency_ms: float
    sigma: float
    cores: int
    """Of the machine that all processes are on; 0: each process has a core of its own."""
    endpoint_ms: float = 0.0
    """Time that a call holds the endpoint's only thread; 0 for a real one."""
    shard_ms: float = 12.0
    """What handing out one shard costs the leader."""
    start_seconds: float = 8.0
    """From the command to the first shard."""


@dataclass
class Unit:
    """A chain of calls."""

    shard: "Shard"
    left: int


@dataclass
class Shard:
    """Units that are worked off together."""

    process: int
    waiting: list[int]
    """Calls of units that have not begun, ascending: the longest is taken from the end."""
    alive: int = 0


@dataclass
class StageFigures:
    """What the simulation of a stage came to."""

    name: str
    seconds: float
    calls: int
    busy_slot_seconds: float
    cpu_seconds: float
    utilisation: float


@dataclass
class _Run:
    """The state of the endpoint and of the processes."""

    machinery: Machinery
    rng: random.Random
    now: float = 0.0
    events: list[tuple[float, int, Callable[[Unit], None], Unit]] = field(
        default_factory=list[tuple[float, int, Callable[[Unit], None], Unit]]
    )
    order: int = 0
    free_slots: int = 0
    slot_queue: deque[Unit] = field(default_factory=deque[Unit])
    endpoint_free: float = 0.0
    busy: float = 0.0
    cpu: float = 0.0
    calls: int = 0

    def later(self, when: float, what: Callable[[Unit], None], unit: Unit) -> None:
        """Adds an event."""
        self.order += 1
        heapq.heappush(self.events, (when, self.order, what, unit))


def simulate_stage(stage: Stage, units: int, shard_size: int, machinery: Machinery, seed: int) -> StageFigures:
    """One stage, call by call, without the leader's share for rows."""
    rng = random.Random(f"{seed}:{stage.name}:{units}")
    run = _Run(machinery, rng, free_slots=machinery.slots or 1_000_000)
    shards = _draw_shards(stage, units, shard_size, rng)
    permits = [max(1, math.ceil(machinery.concurrency / machinery.processes))] * machinery.processes
    wanting: list[list[tuple[int, int, Unit]]] = [[] for _ in range(machinery.processes)]
    thread_free = [0.0] * machinery.processes
    working = [0] * machinery.processes
    crowd = max(1.0, (machinery.processes + (machinery.endpoint_ms > 0)) / machinery.cores) if machinery.cores else 1.0
    hold = stage.cpu_ms / 1000 * crowd
    at_once = max(32, 2 * permits[0] // min(machinery.shards_each, max(1, len(shards) // machinery.processes)))
    handed = 0.0

    def think(unit: Unit) -> None:
        process = unit.shard.process
        thread_free[process] = max(run.now, thread_free[process]) + hold
        run.cpu += hold / crowd
        run.later(thread_free[process], ask, unit)

    def ask(unit: Unit) -> None:
        run.order += 1
        heapq.heappush(wanting[unit.shard.process], (-unit.left, run.order, unit))
        grant(unit.shard.process)

    def grant(process: int) -> None:
        while permits[process] and wanting[process]:
            permits[process] -= 1
            send(heapq.heappop(wanting[process])[2])

    def send(unit: Unit) -> None:
        if run.free_slots:
            run.free_slots -= 1
            serve(unit)
        else:
            run.slot_queue.append(unit)

    def serve(unit: Unit) -> None:
        latency = machinery.latency_ms / 1000 * math.exp(machinery.sigma * rng.gauss(0, 1))
        run.busy += latency
        run.calls += 1
        end = run.now + latency
        if machinery.endpoint_ms:
            run.endpoint_free = max(run.endpoint_free, run.now) + machinery.endpoint_ms / 1000 * crowd
            end = max(end, run.endpoint_free)
        run.later(end, answer, unit)

    def answer(unit: Unit) -> None:
        if run.slot_queue:
            serve(run.slot_queue.popleft())
        else:
            run.free_slots += 1
        permits[unit.shard.process] += 1
        grant(unit.shard.process)
        unit.left -= 1
        if unit.left:
            think(unit)
            return
        unit.shard.alive -= 1
        begin_units(unit.shard)
        if not unit.shard.alive and not unit.shard.waiting:
            working[unit.shard.process] -= 1
            take_shards(unit.shard.process)

    def begin_units(shard: Shard) -> None:
        while shard.waiting and shard.alive < at_once:
            shard.alive += 1
            think(Unit(shard, shard.waiting.pop()))

    def take_shards(process: int) -> None:
        nonlocal handed
        while shards and working[process] < machinery.shards_each:
            shard = shards.popleft()
            shard.process = process
            working[process] += 1
            handed = max(handed, run.now) + machinery.shard_ms / 1000
            first = Unit(shard, 0)
            run.later(handed, lambda unit: begin_units(unit.shard), first)

    for number in range(machinery.shards_each * machinery.processes):
        process = number % machinery.processes
        if working[process] < machinery.shards_each:
            take_shards(process)
    while run.events:
        run.now, _, what, unit = heapq.heappop(run.events)
        what(unit)
    seconds = max(run.now, 1e-9)
    return StageFigures(
        stage.name,
        run.now + stage.fixed_seconds,
        run.calls,
        run.busy,
        run.cpu,
        run.busy / (machinery.slots or machinery.concurrency) / seconds,
    )


def _draw_shards(stage: Stage, units: int, shard_size: int, rng: random.Random) -> deque[Shard]:
    shards: deque[Shard] = deque()
    for start in range(0, units, shard_size):
        lengths: list[int] = []
        for _ in range(start, min(units, start + shard_size)):
            if stage.calls <= 1:
                lengths += [1] * (rng.random() < stage.calls)
                continue
            drawn = stage.calls * math.exp(stage.spread * rng.gauss(0, 1) - stage.spread**2 / 2)
            lengths.append(max(1, round(drawn)))
        if lengths:
            shards.append(Shard(-1, sorted(lengths)))
    return shards


def simulate_run(
    stages: Sequence[Stage], dialogues: int, shard_size: int, machinery: Machinery, seed: int = 0
) -> list[StageFigures]:
    """All stages one after the other.

    Of a large run one process is simulated with its part of the slots, at two lengths: the rate between them is the
    steady one, and what is left of its dialogues goes at it. The processes are alike.
    """
    figures: list[StageFigures] = []
    # A round is what one process has in hand at once; the first fills it, the last drains it.
    one_round = machinery.shards_each * shard_size
    part = machinery.processes if dialogues > 4 * one_round * machinery.processes else 1
    small = replace(
        machinery,
        processes=machinery.processes // part,
        slots=machinery.slots // part,
        concurrency=machinery.concurrency // part,
        # The leader hands shards to all parts.
        shard_ms=machinery.shard_ms * part,
    )
    mine = dialogues // part
    long = _ROUNDS * one_round * small.processes
    for stage in stages:
        if mine <= long:
            found = simulate_stage(stage, mine, shard_size, small, seed)
        else:
            short = simulate_stage(stage, long // 2, shard_size, small, seed)
            found = simulate_stage(stage, long, shard_size, small, seed)
            left = (mine - long) / (long / 2)
            busy = found.busy_slot_seconds + left * (found.busy_slot_seconds - short.busy_slot_seconds)
            total = found.seconds + left * max(found.seconds - short.seconds, 1e-9)
            found = StageFigures(
                stage.name,
                total,
                round(found.calls * mine / long),
                busy,
                found.cpu_seconds * mine / long,
                busy / small.slots / total,
            )
        leader = dialogues * stage.leader_ms / 1000
        figures.append(replace_figures(found, part, leader))
    return figures


def replace_figures(found: StageFigures, part: int, leader: float) -> StageFigures:
    """The figures of a slice as those of the whole, with what the leader spends on rows."""
    return StageFigures(
        found.name,
        found.seconds + leader,
        found.calls * part,
        found.busy_slot_seconds * part,
        found.cpu_seconds * part,
        found.utilisation * found.seconds / (found.seconds + leader),
    )


_STAGES = {
    "write-dialogue-tasks": ("task_writer",),
    "simulate-dialogues": ("user_simulator", "assistant"),
    "validate-dialogues": ("judge",),
}


def read_stages(measured: dict[str, Any], cpu_ms: float, leader_ms: float) -> list[Stage]:
    """The stages as a measured run had them: calls by role; the CPU of a call and of a row are given."""
    stages: list[Stage] = []
    for name, roles in _STAGES.items():
        calls = sum(measured["calls_by_role"].get(role, 0) for role in roles) / measured["dialogues"]
        stages.append(Stage(name, calls, 0.35 if name == "simulate-dialogues" else 0.0, cpu_ms, leader_ms, 2.5))
    return stages


def compare(measured: Sequence[dict[str, Any]], machinery: Machinery, cpu_ms: float, leader_ms: float) -> None:
    """Prints measured and simulated seconds of each stage, run by run."""
    for run in measured:
        workers = run["workers"]
        processes = 1 if workers["kind"] == "threads" else workers["count"]
        here = replace(
            machinery,
            processes=processes,
            shards_each=4 if processes == 1 else 2,
            slots=run["slots"],
            concurrency=round(1.375 * run["slots"]),
            latency_ms=run["latency_ms"],
        )
        stages = read_stages(run, cpu_ms, leader_ms)
        print(f"{workers['kind']} x {processes}, {run['dialogues']} dialogues, {run['calls']} calls")
        for stage in simulate_run(stages, run["dialogues"], run["shard_size"], here):
            seconds = run["stages"][stage.name]
            error = stage.seconds / seconds - 1
            print(f"  {stage.name:22} measured {seconds:7.1f} s   simulated {stage.seconds:7.1f} s   {error:+.0%}")


@dataclass(frozen=True)
class Scenario:
    """A size and what it runs on."""

    name: str
    dialogues: int
    """Of one run."""
    runs: int
    shard_size: int
    processes: int
    slots: int


SCENARIOS = (
    Scenario("10 thousand", 10_000, 1, 1_000, 1, 64),
    Scenario("1 million", 1_000_000, 1, 5_000, 16, 2_048),
    Scenario("1 million, 4 x", 1_000_000, 1, 5_000, 64, 8_192),
    Scenario("100 million", 1_000_000, 100, 5_000, 64, 8_192),
)


def predict(stages: Sequence[Stage], machinery: Machinery) -> None:
    """Prints what each scenario takes."""
    print(
        f"{'dialogues':16}{'processes':>10}{'slots':>8}{'days':>9}{'utilisation':>13}{'slot-hours':>14}{'CPU-hours':>12}"
    )
    for scenario in SCENARIOS:
        here = replace(
            machinery,
            processes=scenario.processes,
            shards_each=2,
            slots=scenario.slots,
            concurrency=round(1.375 * scenario.slots),
            cores=0,
            endpoint_ms=0.0,
        )
        figures = simulate_run(stages, scenario.dialogues, scenario.shard_size, here)
        seconds = (here.start_seconds + sum(one.seconds for one in figures)) * scenario.runs
        busy = sum(one.busy_slot_seconds for one in figures) * scenario.runs
        cpu = sum(one.cpu_seconds for one in figures) * scenario.runs
        print(
            f"{scenario.name:16}{scenario.processes:>10}{scenario.slots:>8}{seconds / 86400:>9.2f}"
            f"{busy / scenario.slots / seconds:>13.0%}{busy / 3600:>14,.0f}{cpu / 3600:>12,.1f}"
        )


def main() -> None:
    """Compares with what was measured, or predicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, nargs="?", help="JSON lines of benchmarks.scale")
    parser.add_argument("--predict", action="store_true")
    parser.add_argument("--cpu-ms", type=float, default=5.0, help="of one call, in its process")
    parser.add_argument("--leader-ms", type=float, default=0.6, help="of one row of a stage, in the leader")
    parser.add_argument("--endpoint-ms", type=float, default=2.0, help="of one call, in the embedded endpoint")
    parser.add_argument("--latency-ms", type=float, default=1_200.0, help="of one call, where it is predicted")
    parser.add_argument("--sigma", type=float, default=0.6, help="shape of that latency")
    parser.add_argument("--cores", type=int, default=2, help="of the machine that was measured")
    options = parser.parse_args()
    machinery = Machinery(1, 4, 64, 88, options.latency_ms, 0.0, options.cores, options.endpoint_ms)
    if options.measured:
        lines = [json.loads(line) for line in options.measured.read_text().splitlines() if line.startswith("{")]
        compare([line for line in lines if "stages" in line], machinery, options.cpu_ms, options.leader_ms)
    if options.predict:
        calls = {"write-dialogue-tasks": 1.1, "simulate-dialogues": 14.0, "validate-dialogues": 1.0}
        stages = [
            Stage(name, mean, 0.35 if mean > 2 else 0.0, options.cpu_ms, options.leader_ms, 2.5)
            for name, mean in calls.items()
        ]
        predict(stages, replace(machinery, sigma=options.sigma))


if __name__ == "__main__":
    main()
