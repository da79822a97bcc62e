"""Patience: a call that hangs is given up long before the timeout, one that is merely slow gets through."""

import asyncio
import math

import pytest

from turnwright.models.patience import GivenUp, Patience


async def reply(patience: Patience, role: str, seconds: float, tries: int = 0) -> None:
    with patience.watch(role, tries) as watched:
        async with watched:
            await asyncio.sleep(seconds)


async def learn(patience: Patience, role: str = "assistant") -> None:
    await asyncio.gather(*(reply(patience, role, 0.001) for _ in range(60)))


def test_nothing_is_given_up_before_enough_is_known() -> None:
    patience = Patience()
    assert math.isinf(patience.limit("assistant"))
    asyncio.run(learn(patience))
    assert 2.0 <= patience.limit("assistant") < 10.0
    assert math.isinf(patience.limit("judge"))


def test_each_new_try_may_take_longer() -> None:
    patience = Patience()
    asyncio.run(learn(patience))
    assert patience.limit("assistant", 2) == pytest.approx(16 * patience.limit("assistant"))


def test_a_call_that_hangs_is_given_up_though_it_began_before_anything_was_known() -> None:
    async def work() -> None:
        patience = Patience()
        hanging = asyncio.ensure_future(reply(patience, "assistant", 60.0))
        unknown = asyncio.ensure_future(reply(patience, "judge", 60.0))
        await asyncio.sleep(0)
        await learn(patience)
        async with asyncio.timeout(20.0):
            with pytest.raises(GivenUp, match="99 of 100"):
                await hanging
        assert not unknown.done()
        unknown.cancel()
        await asyncio.gather(unknown, return_exceptions=True)

    asyncio.run(work())


def test_a_cancelled_call_stays_cancelled() -> None:
    async def work() -> None:
        patience = Patience()
        await learn(patience)
        call = asyncio.ensure_future(reply(patience, "assistant", 60.0))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(work())
