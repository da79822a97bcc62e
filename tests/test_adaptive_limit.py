"""The limit of calls in flight: faults that have nothing to do with load must not starve the run, load must count."""

import heapq
import random

import pytest

from turnwright.models.concurrency import AdaptiveLimit

SLOTS = 64
SECONDS = 0.2


def simulate(seed: int, *, share: float, most: int | None = None, calls: int = 4000) -> list[int]:
    """The limit after each call of an endpoint with slots, where a share of all calls, or every call beyond `most` in
    flight, comes back at once as an overload."""
    rng = random.Random(f"limit:{seed}")
    limit = AdaptiveLimit(ceiling=88, limit=64)
    now, seen, order = 0.0, [limit.limit], 0
    flying: list[tuple[float, int, float, bool]] = []
    slots = [0.0] * SLOTS
    while len(seen) < calls:
        while len(flying) < limit.limit:
            order += 1
            refused = rng.random() < share or (most is not None and len(flying) >= most)
            if refused:
                heapq.heappush(flying, (now + 0.002, order, now, True))
                continue
            begin = max(now, heapq.heappop(slots))
            heapq.heappush(slots, begin + SECONDS)
            heapq.heappush(flying, (begin + SECONDS, order, now, False))
        now, _, started, refused = heapq.heappop(flying)
        if refused:
            limit.record_overload(now, started)
        else:
            limit.record_success(now, saturated=True)
        seen.append(limit.limit)
    return seen


@pytest.mark.parametrize("seed", range(12))
def test_random_faults_do_not_push_the_limit_down_for_good(seed: int) -> None:
    limits = simulate(seed, share=0.05)
    assert min(limits) >= 16
    assert min(limits[1000:]) >= SLOTS


@pytest.mark.parametrize("seed", range(4))
def test_an_endpoint_that_refuses_more_than_it_can_take_is_given_no_more(seed: int) -> None:
    limits = simulate(seed, share=0.0, most=20)
    late = sorted(limits[2000:])
    assert 8 <= late[len(late) // 2] <= 40
