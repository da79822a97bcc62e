"""Work on the units of a shard: each ends in the ledger, and trouble that all share ends the shard."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.rows import QuestionRow
from tasks.caching import drop_stale_record
from tasks.ledger import record_unit
from tasks.run_context import RunContext
from tasks.shards import Made, cut_positions, join_stopped, work_units, write_shard
from tasks.workbench import Workbench
from tests.test_cache_keys import config
from turnwright.models.errors import BudgetSpent, EndpointUnavailable, MalformedReply, NotInJournal
from turnwright.storage.tables import read_rows


@dataclass(frozen=True)
class Item:
    number: int
    domain: str = "club"
    difficulty: str = "easy"


def work(make: Callable[[Item], Awaitable[Made]], count: int = 6, at_once: int = 3, **more: Any) -> list[Made]:
    finished = asyncio.run(
        work_units(
            "simulate-dialogues",
            "dialogue",
            [Item(number) for number in range(count)],
            make,
            identify=lambda item: f"item_{item.number}",
            about=lambda item: item,
            at_once=at_once,
            **more,
        )
    )
    return list(finished)


def accept(item: Item) -> Made:
    row = record_unit("simulate-dialogues", "dialogue", f"item_{item.number}", "accepted", about=item)
    return Made(ledger=[row])


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_results_are_in_the_order_of_the_items(at_once: int) -> None:
    async def make(item: Item) -> Made:
        await asyncio.sleep(0.001 * (7 - item.number))
        return accept(item)

    made = work(make, at_once=at_once)
    assert [result.ledger[0].unit_id for result in made] == [f"item_{number}" for number in range(6)]


def test_the_heaviest_begin_first_and_each_is_told_when_it_is_done() -> None:
    begun: list[int] = []
    told: list[str] = []

    async def make(item: Item) -> Made:
        begun.append(item.number)
        return accept(item)

    made = work(
        make,
        at_once=1,
        weigh=lambda item: item.number % 3,
        advance=lambda unit: told.append(unit.ledger[0].unit_id),
    )
    assert begun == [2, 5, 1, 4, 0, 3]
    assert told == [f"item_{number}" for number in begun]
    assert [result.ledger[0].unit_id for result in made] == [f"item_{number}" for number in range(6)]


def test_no_more_are_alive_than_allowed() -> None:
    alive: list[int] = []
    most = 0

    async def make(item: Item) -> Made:
        nonlocal most
        alive.append(item.number)
        most = max(most, len(alive))
        await asyncio.sleep(0.002)
        alive.remove(item.number)
        return accept(item)

    work(make, count=10, at_once=3)
    assert most == 3


@pytest.mark.parametrize(
    ("error", "outcome", "boundary", "stopped"),
    [
        (BudgetSpent("spent"), "not_attempted", "budget", "budget"),
        (NotInJournal("no reply"), "not_attempted", "endpoint", "offline"),
        (MalformedReply("no JSON"), "failed", "endpoint", None),
        (RuntimeError("a defect"), "failed", "code", None),
    ],
)
def test_a_unit_that_cannot_be_made_is_a_ledger_row(
    error: Exception, outcome: str, boundary: str, stopped: str | None
) -> None:
    async def make(item: Item) -> Made:
        if item.number == 2:
            raise error
        return accept(item)

    made = work(make)
    rows = [row for result in made for row in result.ledger]
    assert [row.outcome for row in rows] == ["accepted", "accepted", outcome, "accepted", "accepted", "accepted"]
    assert (rows[2].boundary, rows[2].domain, rows[2].difficulty) == (boundary, "club", "easy")
    assert str(error) in rows[2].reasons[0]
    assert join_stopped(result.stopped for result in made) == stopped


@pytest.mark.parametrize("error", [EndpointUnavailable("gone"), OSError(28, "no space left")])
def test_trouble_that_all_share_ends_the_shard(error: Exception) -> None:
    ended: list[int] = []

    async def make(item: Item) -> Made:
        if item.number == 1:
            raise error
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(item.number)
        return accept(item)

    with pytest.raises(type(error)):
        work(make)
    assert ended == [0, 2]


def test_a_shard_writes_all_its_tables_though_they_be_empty(tmp_path: Path) -> None:
    run = RunContext(config=config(), run_id="r", runs=str(tmp_path))
    result = write_shard(run, {"questions": QuestionRow}, [accept(Item(1)), Made(stopped="offline")])
    assert (result.tables["questions"].rows, result.ledger.rows, result.stopped) == (0, 1, "offline")
    assert next(iter(read_rows(result.ledger, "ledger"))).id.startswith("ledger_")


def test_the_ledger_of_a_shard_is_in_the_order_in_which_ledgers_are_merged(tmp_path: Path) -> None:
    run = RunContext(config=config(), run_id="r", runs=str(tmp_path))
    result = write_shard(run, {}, [accept(Item(number)) for number in (3, 1, 2)])
    assert [row.unit_id for row in read_rows(result.ledger, "ledger")] == ["item_1", "item_2", "item_3"]


def test_positions_are_cut_without_gaps() -> None:
    assert cut_positions(5, 2) == [(0, 2), (2, 4), (4, 5)]
    assert cut_positions(0, 2) == [(0, 0)]


def record(folder: Path, **changes: object) -> Path:
    run = RunContext(config=config(), run_id="r", runs=str(folder))
    result = write_shard(run, {"questions": QuestionRow}, [accept(Item(1))]).model_dump(mode="json") | changes
    file = folder / "record"
    file.write_text(json.dumps({"metadata": {}, "result": json.dumps({"data": result})}))
    return file


def test_a_recorded_result_with_its_files_is_kept(tmp_path: Path) -> None:
    file = record(tmp_path)
    drop_stale_record(file)
    assert file.is_file()


def test_a_recorded_result_is_dropped_when_a_file_is_gone(tmp_path: Path) -> None:
    file = record(tmp_path)
    next(path for path in (tmp_path / "store").rglob("*.parquet")).unlink()
    drop_stale_record(file)
    assert not file.exists()


def test_a_recorded_result_is_dropped_when_a_file_has_changed(tmp_path: Path) -> None:
    file = record(tmp_path)
    table = next(path for path in (tmp_path / "store").rglob("*.parquet"))
    table.chmod(0o644)
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    drop_stale_record(file)
    assert not file.exists()


def test_a_recorded_result_of_work_that_stopped_early_is_dropped(tmp_path: Path) -> None:
    file = record(tmp_path, stopped="budget")
    drop_stale_record(file)
    assert not file.exists()


def test_a_record_that_cannot_be_read_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "record"
    file.write_text('{"result": "{')
    drop_stale_record(file)
    assert not file.exists()
    drop_stale_record(file)


class Closing:
    """A base that only knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("interrupted", [False, True])
def test_an_interrupt_closes_no_database_under_a_running_statement(tmp_path: Path, interrupted: bool) -> None:
    workbench = Workbench(RunContext(config=config(), run_id="r", runs=str(tmp_path)))
    base = Closing()
    workbench._bases["seed"] = base  # type: ignore[assignment]
    if interrupted:
        workbench.interrupt()
    workbench.close()
    assert base.closed is not interrupted
