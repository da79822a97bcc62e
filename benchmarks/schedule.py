"""How long a run takes by the order in which permits are granted, simulated: no clock, no network, the same each time.

    python -m benchmarks.schedule [--draws 17] [--slots 64] [--permits 88]

The heavy-tailed workload (benchmarks/workloads.py) by four orders, as a multiple of the ideal time; each draw is
another guess of the lengths.

first come     as calls are asked for
expected       most expected calls first
third quartile what turnwright does (turnwright/models/remaining.py)
known          the lengths are known: the least that an order can give
"""

import argparse
import heapq
import itertools
import math
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.workloads import Workload, draw_latency, read_workload
from turnwright.models.remaining import expect_remaining

_LONGEST = 40
_TURNAROUND_SECONDS = 0.004
"""From a reply to the next request of the same conversation, the journal's fsync included."""

Rank = Callable[[int, int], float]
"""Conversation and calls made -> calls that it still needs, as far as the order knows."""


@dataclass
class Simulation:
    """An endpoint that answers first come, first served, and a client that grants permits by rank."""

    latencies: list[list[float]]
    """Seconds of each call of each conversation."""
    rank: Rank
    slots: int
    permits: int
    _waiting: list[tuple[float, int, int]] = field(default_factory=list[tuple[float, int, int]])
    """Conversations without a permit."""
    _queue: deque[int] = field(default_factory=deque[int])
    """Conversations at the endpoint that no slot has taken up."""
    _events: list[tuple[float, int, str, int]] = field(default_factory=list[tuple[float, int, str, int]])
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _in_flight: int = 0
    _busy: int = 0

    def run(self) -> float:
        """Seconds until the last reply."""
        made = [0] * len(self.latencies)
        for conversation in range(len(made)):
            self._ask(conversation, 0)
        self._grant(0.0)
        now = 0.0
        while self._events:
            now, _, what, conversation = heapq.heappop(self._events)
            if what == "request":
                self._queue.append(conversation)
            else:
                self._busy -= 1
                self._in_flight -= 1
                made[conversation] += 1
                if made[conversation] < len(self.latencies[conversation]):
                    self._ask(conversation, made[conversation])
                self._grant(now + _TURNAROUND_SECONDS)
            while self._queue and self._busy < self.slots:
                taken = self._queue.popleft()
                self._busy += 1
                self._at(now + self.latencies[taken][made[taken]], "reply", taken)
        return now

    def _ask(self, conversation: int, made: int) -> None:
        heapq.heappush(self._waiting, (-self.rank(conversation, made), next(self._order), conversation))

    def _grant(self, now: float) -> None:
        while self._waiting and self._in_flight < self.permits:
            self._in_flight += 1
            self._at(now, "request", heapq.heappop(self._waiting)[2])

    def _at(self, moment: float, what: str, conversation: int) -> None:
        heapq.heappush(self._events, (moment, next(self._order), what, conversation))


def expect_mean(estimate: float, made: int) -> float:
    """Expected calls after `made`: the mean of the distribution that turnwright takes the third quartile of."""
    upper, lower = min(_LONGEST + 1.0, 2 * estimate), max(estimate / 1.5, made + 0.5)
    return 1.0 if upper <= lower else max(1.0, (upper - lower) / math.log(upper / lower) - made)


def simulate(workload: Workload, slots: int, permits: int) -> dict[str, float]:
    """Time by each order, as a multiple of the ideal."""
    guesses = workload.expected_lengths
    latencies = [
        [draw_latency(f"{number}.{turn}", workload.latency_ms, workload.sigma) for turn in range(length)]
        for number, length in enumerate(workload.lengths)
    ]
    ranks: dict[str, Rank] = {
        "first come": lambda _, __: 0.0,
        "expected": lambda which, made: expect_mean(guesses[which], made),
        "third quartile": lambda which, made: expect_remaining(guesses[which], made, _LONGEST),
        "known": lambda which, made: float(workload.lengths[which] - made),
    }
    ideal = workload.ideal_seconds(slots)
    return {name: Simulation(latencies, rank, slots, permits).run() / ideal for name, rank in ranks.items()}


def main() -> None:
    """Simulates the draws and prints median, least and most of each order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=17)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--permits", type=int, default=88)
    options = parser.parse_args()
    found = [simulate(read_workload(f"heavy::{draw}"), options.slots, options.permits) for draw in range(options.draws)]
    for name in found[0]:
        times = [figures[name] for figures in found]
        print(f"{name:15} median {statistics.median(times):.3f}  least {min(times):.3f}  most {max(times):.3f}")


if __name__ == "__main__":
    main()
