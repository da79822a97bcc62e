"""A run as a discrete-event simulation, one event a step of a call; `benchmarks.scale_simulation` feeds and reads it.

    leader     plans a stage, hands its shards out one by one, merges and checks what comes back; serial
    process    has its share of shards at once, of permits, and one Python thread that all its calls need for a while
    shard      keeps a bounded number of units alive, the longest first
    unit       a dialogue, a task or a verdict: a chain of calls, each of which waits for the thread, then for a permit
               (longest remaining first), then for a slot of the endpoint (first come, first served)
    endpoint   slots with a latency; the embedded one also needs a thread of its own for each call

A stage ends when its last shard does: the barrier is in the model, as are the tail and the start.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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
