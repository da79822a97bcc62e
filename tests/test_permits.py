"""Permits and the limit that adapts."""

import asyncio
import itertools
import random
from typing import Any

from fake_endpoint import Reaction, completion, error, serve
from test_models import make_config

from turnwright.models.concurrency import AdaptiveLimit
from turnwright.models.models import Models
from turnwright.models.permits import Ceiling, Permits
from turnwright.models.rates import TokenBucket
from turnwright.models.remaining import expect_remaining

URL = "http://a/v1"


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_free_permit_goes_to_the_longest_remaining_then_to_the_oldest() -> None:
    async def run() -> list[str]:
        permits = Permits([URL], Ceiling(1))
        held = await permits.acquire(1)
        order: list[str] = []

        async def call(name: str, remaining: float) -> None:
            permit = await permits.acquire(remaining)
            order.append(name)
            permits.release(permit, "ok")

        tasks = [
            asyncio.create_task(call(name, remaining))
            for name, remaining in (("short", 1), ("long", 9), ("middle", 4), ("long too", 9))
        ]
        await asyncio.sleep(0)
        permits.release(held, "ok")
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(run()) == ["long", "long too", "middle", "short"]


def test_a_cancelled_waiter_leaves_nothing_behind() -> None:
    async def run() -> None:
        ceiling = Ceiling(1)
        permits = Permits([URL], ceiling)
        held = await permits.acquire(1)
        waiting = asyncio.create_task(permits.acquire(5))
        granted = asyncio.create_task(permits.acquire(4))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        permits.release(held, "ok")
        granted.cancel()  # after the grant, before it could wake
        await asyncio.gather(waiting, granted, return_exceptions=True)
        assert ceiling.in_flight == 0
        permits.release(await permits.acquire(1), "ok")

    asyncio.run(run())


def test_two_models_share_the_ceiling() -> None:
    async def run() -> None:
        ceiling = Ceiling(2)
        one, two = Permits([URL], ceiling), Permits(["http://b/v1"], ceiling)
        first, second = await one.acquire(1), await two.acquire(1)
        low = asyncio.create_task(one.acquire(1))
        high = asyncio.create_task(two.acquire(7))
        await asyncio.sleep(0)
        assert not low.done()
        assert not high.done()
        one.release(first, "ok")
        await asyncio.sleep(0)
        assert high.done()
        assert not low.done()
        two.release(second, "ok")
        await asyncio.wait_for(low, 1)

    asyncio.run(run())


def test_several_endpoints_share_load_by_speed() -> None:
    """Two simulated servers, one four times as fast: it gets about four times the calls."""

    async def run() -> dict[str, int]:
        clock, served = Clock(), {"fast": 0, "slow": 0}
        permits = Permits(["fast", "slow"], Ceiling(20), clock=clock)
        ends: list[tuple[float, int, Any]] = []
        number = itertools.count()
        for _ in range(600):
            while permits._ceiling.in_flight < 20:  # pyright: ignore[reportPrivateUsage]
                permit = await permits.acquire(1)
                served[permit.lane.url] += 1
                ends.append((clock.now + (0.1 if permit.lane.url == "fast" else 0.4), next(number), permit))
            ends.sort()
            clock.now, _, permit = ends.pop(0)
            permits.release(permit, "ok")
        return served

    served = asyncio.run(run())
    assert 6 < served["fast"] / served["slow"] < 40  # load x speed: four times the slots, four times the pace


def drive(
    limit: AdaptiveLimit, slots: int, seconds: float, *, reject_above: int | None = None, faults: float = 0.0
) -> float:
    """A server with `slots` of one second each, always asked for all that the limit allows; replies per second."""
    rng, now, done = random.Random("server"), 0.0, 0
    while now < seconds:
        started = now
        batch = limit.limit
        now += max(1.0, batch / slots)
        for index in range(batch):
            at = started + (now - started) * (index + 1) / batch
            if (reject_above is not None and index >= reject_above) or rng.random() < faults:
                limit.record_overload(at, started)
            else:
                limit.record_success(at, saturated=True)
                done += 1
    return done / seconds


def test_the_limit_rises_while_throughput_rises_and_not_far_beyond() -> None:
    limit = AdaptiveLimit(ceiling=1024, limit=8)
    drive(limit, slots=64, seconds=120)
    assert 64 <= limit.limit <= 192


def test_the_limit_never_passes_its_ceiling() -> None:
    limit = AdaptiveLimit(ceiling=20, limit=8)
    drive(limit, slots=1000, seconds=60)
    assert limit.limit == 20


def test_overload_halves_once_for_what_was_in_flight() -> None:
    limit = AdaptiveLimit(ceiling=64, limit=64)
    assert limit.record_overload(1.0, started=0.0)
    assert not any(limit.record_overload(1.1, started=0.5) for _ in range(30))
    assert limit.limit == 32


def test_a_server_that_rejects_load_is_not_pushed() -> None:
    limit = AdaptiveLimit(ceiling=64, limit=64)
    drive(limit, slots=64, seconds=60, reject_above=20)
    assert 5 <= limit.limit <= 30


def test_random_faults_do_not_starve_the_run() -> None:
    limit = AdaptiveLimit(ceiling=64, limit=64)
    assert drive(limit, slots=64, seconds=120, faults=0.05) > 0.75 * 64
    assert limit.limit == 64


def test_a_rate_per_minute_is_kept() -> None:
    bucket, now, taken = TokenBucket(60), 0.0, 0
    while now < 60:
        wait = bucket.seconds_until(now, 1)
        if wait:
            now += wait
        else:
            bucket.take(now, 1)
            taken += 1
    assert 60 <= taken <= 67
    assert bucket.seconds_until(now, 10_000) < 10  # more than it holds waits for a full bucket, not for ever


def test_token_estimates_are_settled_afterwards() -> None:
    bucket = TokenBucket(600)
    bucket.take(0.0, 10)
    assert bucket.seconds_until(0.0, 40) == 0
    bucket.correct(90)
    assert round(bucket.seconds_until(0.0, 40), 3) == 8.0


def test_requests_per_minute_hold_back_calls() -> None:
    async def run() -> None:
        permits = Permits([URL], Ceiling(50), requests_per_minute=30)
        tasks = [asyncio.create_task(permits.acquire(1)) for _ in range(8)]
        await asyncio.sleep(0.01)
        assert sum(task.done() for task in tasks) == 3  # what the bucket holds
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())


def test_an_endpoint_that_fails_again_and_again_is_left_alone() -> None:
    async def run() -> None:
        clock = Clock()
        permits = Permits(["bad", "good"], Ceiling(16), clock=clock)
        bad, good = permits.lanes
        good.capacity.limit = 0  # busy, so that the other is tried
        for _ in range(16):
            permits.release(await permits.acquire(1), "broken")
        good.capacity.limit = 16
        assert bad.paused_until > clock.now
        assert {(await permits.acquire(1)).lane.url for _ in range(8)} == {"good"}
        assert permits.failing_for() == 0.0

    asyncio.run(run())


def test_retry_after_is_honoured() -> None:
    with serve([error(429, "slow down", headers={"Retry-After": "1"}), "Now."]) as fake:

        async def run() -> float:
            async with Models(make_config(fake)) as models:
                before = asyncio.get_running_loop().time()
                reply = await models.chat("assistant", [{"role": "user", "content": "x"}])
                assert reply.content == "Now."
                assert models.usage.requests == 2
                return asyncio.get_running_loop().time() - before

        assert asyncio.run(run()) >= 1.0


def test_concurrency_is_a_ceiling_and_thousands_may_wait() -> None:
    with serve(lambda _: Reaction(completion("Hi"), delay=0.005)) as fake:

        async def run() -> None:
            async with Models(make_config(fake, concurrency=16)) as models:
                replies = await asyncio.gather(
                    *(models.chat("assistant", [{"role": "user", "content": str(number)}]) for number in range(1500))
                )
                assert len(replies) == 1500

        asyncio.run(run())
    assert fake.max_in_flight <= 16


def test_remaining_is_expected_from_a_guess_and_what_was_made() -> None:
    assert 10 < expect_remaining(10, 0) < 20
    falling = [expect_remaining(10, made) for made in range(25)]
    assert falling == sorted(falling, reverse=True)
    assert expect_remaining(10, 12) > 1  # outlived its estimate: not at its end yet
    assert falling[-1] == 1.0
    assert expect_remaining(30, 35, longest=36) <= 2.0


def test_retry_after_closes_the_endpoint_for_all_only_where_all_are_refused() -> None:
    async def run() -> None:
        clock = Clock()
        permits = Permits([URL], Ceiling(8), clock=clock)
        permits.release(await permits.acquire(1), "overload", retry_after=30.0)
        permits.release(await permits.acquire(1), "ok")
        for _ in range(4):
            permits.release(await permits.acquire(1), "overload", retry_after=30.0)
        waiting = asyncio.create_task(permits.acquire(1))
        await asyncio.sleep(0)
        assert not waiting.done()
        clock.now += 31.0
        permits.grant()
        await asyncio.wait_for(waiting, 1)

    asyncio.run(run())
