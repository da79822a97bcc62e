"""Patience: a request that hangs is sent again long before the timeout, one that is merely slow loses nothing."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from turnwright.models.patience import Patience


class Endpoint:
    """Answers each request of a list after its seconds; counts what it was sent, and what was left before its end."""

    def __init__(self, *seconds: float | Exception) -> None:
        self.seconds = list(seconds)
        self.sent = self.left = self.again = 0
        self.allowed = True

    async def send(self) -> int:
        seconds = self.seconds[self.sent]
        self.sent += 1
        number = self.sent
        if isinstance(seconds, Exception):
            raise seconds
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.left += 1
            raise
        return number

    def count(self) -> bool:
        self.again += 1
        return self.allowed


def play(test: Callable[[Patience], Coroutine[Any, Any, None]]) -> None:
    async def work() -> None:
        patience = Patience()
        async with asyncio.timeout(20.0):
            await test(patience)

    asyncio.run(work())


async def learn(patience: Patience) -> None:
    quick = Endpoint(*[0.001] * 60)
    await asyncio.gather(*(patience.run("assistant", quick.send, quick.count) for _ in range(60)))
    assert quick.again == 0


def test_nothing_is_overdue_before_enough_is_known() -> None:
    async def test(patience: Patience) -> None:
        assert math.isinf(patience.limit("assistant"))
        await learn(patience)
        assert 1.0 <= patience.limit("assistant") < 10.0
        assert math.isinf(patience.limit("judge"))

    play(test)


def test_a_request_that_hangs_is_sent_again_though_it_began_before_anything_was_known() -> None:
    async def test(patience: Patience) -> None:
        endpoint = Endpoint(60.0, 0.01)
        hanging = asyncio.ensure_future(patience.run("assistant", endpoint.send, endpoint.count))
        await asyncio.sleep(0)
        await learn(patience)
        assert await hanging == 2
        assert (endpoint.sent, endpoint.left, endpoint.again) == (2, 1, 1)

    play(test)


def test_of_two_requests_the_first_reply_counts() -> None:
    async def test(patience: Patience) -> None:
        await learn(patience)
        endpoint = Endpoint(patience.limit("assistant") + 1.0, 60.0)
        assert await patience.run("assistant", endpoint.send, endpoint.count) == 1
        await asyncio.sleep(0)
        assert (endpoint.sent, endpoint.left) == (2, 1)

    play(test)


def test_a_second_request_that_fails_changes_nothing() -> None:
    async def test(patience: Patience) -> None:
        await learn(patience)
        endpoint = Endpoint(patience.limit("assistant") + 1.0, *[OSError("reset")] * 20)
        assert await patience.run("assistant", endpoint.send, endpoint.count) == 1
        assert 2 <= endpoint.sent <= 9

    play(test)


def test_a_second_request_that_fails_or_hangs_is_followed_by_a_third() -> None:
    async def test(patience: Patience) -> None:
        await learn(patience)
        for second in (OSError("reset"), 60.0):
            endpoint = Endpoint(60.0, second, 0.01)
            assert await patience.run("assistant", endpoint.send, endpoint.count) == 3

    play(test)


def test_nothing_is_sent_again_that_may_not_be_sent() -> None:
    async def test(patience: Patience) -> None:
        await learn(patience)
        endpoint = Endpoint(patience.limit("assistant") + 1.0)
        endpoint.allowed = False
        assert await patience.run("assistant", endpoint.send, endpoint.count) == 1
        assert endpoint.again >= 1

    play(test)


def test_an_endpoint_that_is_slow_as_a_whole_is_not_asked_twice_as_much() -> None:
    async def test(patience: Patience) -> None:
        await learn(patience)
        slow = Endpoint(*[patience.limit("assistant") + 1.0] * 100)
        await asyncio.gather(*(patience.run("assistant", slow.send, slow.count) for _ in range(60)))
        assert 60 < slow.sent <= 66

    play(test)


def test_a_failure_is_told() -> None:
    async def test(patience: Patience) -> None:
        endpoint = Endpoint(OSError("reset"))
        with pytest.raises(OSError, match="reset"):
            await patience.run("assistant", endpoint.send, endpoint.count)

    play(test)


def test_a_cancelled_call_leaves_nothing_behind() -> None:
    async def test(patience: Patience) -> None:
        await learn(patience)
        endpoint = Endpoint(60.0, 60.0)
        call = asyncio.ensure_future(patience.run("assistant", endpoint.send, endpoint.count))
        while endpoint.sent < 2:
            await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.sleep(0.01)
        assert endpoint.left == 2

    play(test)
