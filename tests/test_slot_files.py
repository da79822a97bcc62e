"""Slots on their way to shards: drawn once for the whole run, read by each shard alone."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.rows import LedgerRow, SeedRow, TableRef, ToolsetRow
from tasks import write_dialogue_tasks
from tasks.run_context import RunContext, begin_run
from tasks.shards import Finished, Shard, ShardResult
from tasks.slot_files import read_slots, write_slots
from tasks.write_dialogue_tasks import draw_all_slots, plan_tasks, write_task_shard
from tests.test_cache_keys import config
from turnwright.goals.openings import OpeningPlace, Prefix
from turnwright.goals.slots import Slot
from turnwright.storage.store import Store
from turnwright.storage.tables import read_rows, write_table

SEED = SeedRow(
    id="seed_1",
    kind="sql",
    domain="club",
    source=0,
    locator="club",
    base_digest="0",
    dialect="sqlite",
    content="{}",
)
TOOLSETS = [
    ToolsetRow(id=f"toolset_{number}", seed_id=SEED.id, domain="club", tool_ids=[], tools="[]") for number in range(3)
]


def plan(folder: Path, toolsets: Sequence[ToolsetRow] = TOOLSETS, **changes: Any) -> tuple[RunContext, list[Shard]]:
    run = begin_run(config(**{"dialogues": 25, "shard_size": 10, **changes}), folder)
    return run, plan_tasks(run, *write_inputs(run, toolsets))


def write_inputs(run: RunContext, toolsets: Sequence[ToolsetRow] = TOOLSETS) -> tuple[TableRef, TableRef]:
    return write_table("seeds", [SEED], run.store), write_table("toolsets", toolsets, run.store)


def read_all(run: RunContext, shards: Sequence[Shard]) -> list[list[Slot]]:
    return [read_slots(shard.slots, run.store) for shard in shards if shard.slots is not None]


def test_the_slots_of_the_shards_are_those_of_the_run(tmp_path: Path) -> None:
    run, shards = plan(tmp_path)
    own = read_all(run, shards)
    assert [len(slots) for slots in own] == [10, 10, 5]
    assert [(shard.start, shard.stop) for shard in shards] == [(0, 10), (10, 20), (20, 25)]
    assert [slot for slots in own for slot in slots] == list(draw_all_slots(run, *write_inputs(run)))


def test_what_is_written_is_read_whatever_a_slot_has(tmp_path: Path) -> None:
    run, shards = plan(tmp_path, dialogues=1)
    (slot,) = read_all(run, shards)[0]
    begun = replace(slot, domain="Café ✈ “x”", prefix=Prefix(OpeningPlace("seed_2", 3), 4, "d"), arm="stateless")
    store = Store(tmp_path / "elsewhere")
    assert read_slots(write_slots([begun, slot], store).sha256, store) == [begun, slot]


def test_a_shard_has_another_key_where_one_of_its_slots_is_another(tmp_path: Path) -> None:
    _, shards = plan(tmp_path / "a")
    keys = [shard.key for shard in shards]
    assert len(set(keys)) == 3
    assert [shard.key for shard in plan(tmp_path / "b")[1]] == keys, "where the run lies is in no key"
    # In a longer run the mixes are others; with a single toolset every slot stands on another ground.
    assert not set(keys) & {shard.key for shard in plan(tmp_path / "c", dialogues=26)[1]}
    assert not set(keys) & {shard.key for shard in plan(tmp_path / "d", TOOLSETS[:1])[1]}


def work_on(run: RunContext, shard: Shard) -> ShardResult:
    async def work() -> ShardResult:
        return await write_task_shard.fn(run, shard)

    return asyncio.run(work())


class Bench:
    """A workbench that only notes what it is given."""

    def __init__(self) -> None:
        self.worked: list[Slot] = []

    def open(self, _run: RunContext) -> "Bench":
        return self

    def open_models(self) -> None:
        """None are asked."""

    async def work(self, _stage: str, _unit: str, items: Sequence[Slot], *_: Any, **__: Any) -> Finished:
        self.worked += items
        return Finished(0)


def test_a_shard_draws_nothing_and_works_on_its_own_slots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, shards = plan(tmp_path)

    def refuse(*_: Any) -> Iterator[Slot]:
        raise AssertionError("a shard must not plan the run")

    for name in ("draw_slots", "draw_twin_slots"):
        monkeypatch.setattr(write_dialogue_tasks, name, refuse)
    bench = Bench()
    monkeypatch.setattr(write_dialogue_tasks, "open_workbench", bench.open)
    work_on(run, shards[1])
    assert bench.worked == read_all(run, shards)[1]


def test_without_a_toolset_one_shard_accounts_for_every_dialogue(tmp_path: Path) -> None:
    run, shards = plan(tmp_path, [])
    assert [shard.slots for shard in shards] == [None]
    ledger = read_rows(work_on(run, shards[0]).ledger, LedgerRow)
    assert [row.outcome for row in ledger] == ["rejected"] * 25
