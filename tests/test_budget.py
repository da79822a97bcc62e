"""Hard caps and what is counted."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import Reaction, completion, serve
from test_models import HELLO, make_config

from schemas.endpoints import Price
from schemas.settings import Budget
from turnwright.models.budget import BudgetGuard
from turnwright.models.errors import BudgetSpent
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.usage import Usage, cost_usd

USAGE = {"prompt_tokens": 100, "completion_tokens": 50}


def run_until_spent(config: Any, journal: Journal | None = None) -> tuple[int, BudgetSpent, Usage]:
    """Calls one after the other until the budget stops them."""

    async def run() -> tuple[int, BudgetSpent, Usage]:
        async with Models(config, journal=journal) as models:
            for draw in range(50):
                try:
                    await models.chat("assistant", HELLO, draw=draw)
                except BudgetSpent as spent:
                    return draw, spent, models.usage
        raise AssertionError("the budget never stopped anything")

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("budget", "made"),
    [({"tokens": 400}, 3), ({"tokens": 150}, 1), ({"cost_usd": 0.001}, 5)],
)
def test_a_cap_stops_new_calls(budget: dict[str, Any], made: int) -> None:
    with serve(lambda _: completion("Hi", usage=USAGE)) as fake:
        config = make_config(fake, budget=budget, model={"price": {"prompt": 1.0, "completion": 2.0}})
        calls, spent, usage = run_until_spent(config)
        assert len(fake.requests) == made
    assert (calls, spent.cap) == (made, next(iter(budget)))
    assert usage.tokens == 150 * made
    assert usage.cost_usd == pytest.approx(0.0002 * made)


def test_replies_of_the_journal_cost_nothing(tmp_path: Path) -> None:
    with serve(lambda _: completion("Hi", usage=USAGE)) as fake:
        config = make_config(fake, budget={"tokens": 300})
        with Journal(tmp_path) as journal:
            assert run_until_spent(config, journal)[0] == 2
        with Journal(tmp_path) as journal:
            made, _, usage = run_until_spent(config, journal)
    assert made == 4
    assert (usage.of("assistant").replayed, usage.of("assistant").replayed_tokens, usage.tokens) == (2, 300, 300)


def test_calls_in_flight_are_finished_and_kept(tmp_path: Path) -> None:
    with serve(lambda _: Reaction(completion("Hi", usage=USAGE), delay=0.1)) as fake, Journal(tmp_path) as journal:

        async def run() -> list[Any]:
            async with Models(make_config(fake, budget={"tokens": 100}, concurrency=4), journal=journal) as models:
                calls = (models.chat("assistant", HELLO, draw=draw) for draw in range(10))
                return await asyncio.gather(*calls, return_exceptions=True)

        results = asyncio.run(run())
        assert sum(isinstance(result, BudgetSpent) for result in results) == 6
        assert len(journal) == 4


def test_minutes_are_counted_from_the_start() -> None:
    now = [0.0]
    guard = BudgetGuard(Budget(minutes=2), Usage(), clock=lambda: now[0])
    guard.check()
    now[0] = 121.0
    with pytest.raises(BudgetSpent, match="minutes"):
        guard.check()


def test_without_a_price_the_cost_is_unknown_and_not_zero() -> None:
    with serve() as fake:

        async def run() -> Usage:
            async with Models(make_config(fake)) as models:
                await models.chat("assistant", HELLO)
                return models.usage

        usage = asyncio.run(run())
    assert usage.cost_usd is None
    assert usage.to_dict()["roles"]["assistant"]["calls"] == 1


def test_cost_of_a_call() -> None:
    assert cost_usd(Price(prompt=3.0, completion=15.0), 1_000_000, 200_000) == pytest.approx(6.0)
