"""Processes that share a run: what each used adds up, a budget holds for all, and none asks for what another has."""

import asyncio
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
from test_journal import append, make_entry, segments

from data_checks.gate import GateReport
from schemas.config import RunConfig
from schemas.rows import LedgerRow
from schemas.settings import Budget
from tasks import crew, runners
from tasks.crew import list_accounts_folder, read_accounts, sum_accounts, sum_progress, sum_usage, works_in_crew
from tasks.ledger import record_unit
from tasks.run_context import Crew, RunContext, begin_run
from tasks.run_course import recorded_run
from tasks.runner_errors import RunnerNotAvailable
from tasks.runners import choose_runner, lead_crew
from tasks.shards import Made, Shard, ShardResult, StageResult, write_shard
from tasks.stage_artifact import make_page
from tasks.stage_progress import StageWatch
from tasks.stage_record import recorded_stage
from tasks.stage_usage import StageUsage, measure_stage_usage
from tasks.workbench import find_workbench, open_workbench
from tests.test_cache_keys import config
from turnwright.models.budget import BudgetGuard
from turnwright.models.errors import BudgetSpent
from turnwright.models.journal import Journal
from turnwright.models.rates import TokenBucket
from turnwright.models.usage import RoleUsage, Usage
from turnwright.reports.stage_page import StageCost
from turnwright.storage.tables import read_rows, write_table


def make_run(folder: Path, crew: Crew | None = None, **changes: Any) -> RunContext:
    run = begin_run(config(**changes), folder, run_id=f"run-of-{folder.name}")
    return run.model_copy(update={"crew": crew})


def make_crew(processes: int = 2) -> Crew:
    return Crew(processes=processes, shards_each=2, selfplay_url="http://127.0.0.1:1/v1", began=time.time())


def make_shard(number: int) -> Shard:
    return Shard(stage="simulate-dialogues", number=number, key=f"{number:064x}", inputs={}, start=0, stop=1)


@works_in_crew
async def spend(run: RunContext, work: Shard) -> ShardResult:
    """A shard's work that uses tokens and gives one ledger row."""
    bench = open_workbench(run)
    bench.usage.of("assistant").requests += 1
    bench.usage.of("assistant").prompt_tokens += 100 * (work.number + 1)
    advance = bench.begin_stage("simulate-dialogues", 1)
    row = record_unit("simulate-dialogues", "dialogue", f"task_{work.number}", "accepted", about=Subject())
    made = Made(ledger=[row])
    advance(made)
    return write_shard(run, {}, [made])


class Subject:
    domain = "club"
    difficulty = "easy"


def work_elsewhere(folder: str, number: int) -> None:
    """What another process does."""
    run = make_run(Path(folder), make_crew())
    asyncio.run(spend(run, make_shard(number)))
    assert find_workbench(run.run_id) is None, "the workbench is closed when the last shard has ended"


def test_what_processes_use_adds_up(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=work_elsewhere, args=(str(tmp_path), 0))
    process.start()
    work_elsewhere(str(tmp_path), 1)
    process.join()
    assert process.exitcode == 0
    run = make_run(tmp_path)
    assert len(read_accounts(run)) == 2
    assert sum_accounts(run).tokens == 300
    open_workbench(run).usage.of("judge").prompt_tokens += 7
    assert (sum_usage(run).tokens, sum_usage(run).requests) == (307, 2)
    progress = sum_progress(run)["simulate-dialogues"]
    assert (progress.total, progress.done, progress.accepted) == (2, 2, 2)


def test_page_progress_and_record_of_a_stage_show_what_other_processes_used(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    with recorded_run(run), recorded_stage(run, "simulate-dialogues", in_a_pipeline=True) as start:
        process = multiprocessing.get_context("spawn").Process(target=work_elsewhere, args=(str(tmp_path), 0))
        process.start()
        process.join()
        assert process.exitcode == 0
        used = measure_stage_usage(run, start)
        told = StageWatch(run, "simulate-dialogues", shards=1, start=start).measure()
        result = StageResult(
            stage="simulate-dialogues",
            tables={},
            ledger=write_table("ledger", [], run.store),
            stopped=None,
            seconds=1.0,
            shards=1,
        )
        passed = GateReport(
            gate="simulate-dialogues",
            passed=True,
            tables={},
            results=[],
            failures=[],
            warnings=[],
            not_checked=[],
            path=str(run.folder.checks / "simulate-dialogues.json"),
        )
        page = make_page(run, result, {}, passed, used)
    assert used == StageUsage(requests=1, tokens=100, cost_usd=0.0)
    assert (told.tokens, told.cost_usd, told.done, told.accepted) == (100, 0.0, 1, 1)
    assert page.cost == StageCost(requests=1, tokens=100, cost_usd=0.0)
    assert run.folder.read_run()["usage_by_stage"]["simulate-dialogues"] == used.model_dump()


def test_a_look_reads_each_account_once_and_a_final_one_never_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a process for each shard there are as many accounts as shards, and somebody looks every few seconds."""
    run = make_run(tmp_path)
    with recorded_run(run), recorded_stage(run, "simulate-dialogues", in_a_pipeline=True) as start:
        asyncio.run(spend(run.model_copy(update={"crew": make_crew()}), make_shard(0)))
        folder = list_accounts_folder(run)
        working = folder / "other.json"
        account = json.loads(next(folder.iterdir()).read_bytes()) | {"closed": False, "beats": 1}
        working.write_text(json.dumps(account))
        read: list[str] = []
        monkeypatch.setattr(crew, "pull_fresh", lambda file: read.append(file.name))  # type: ignore[misc]
        watch = StageWatch(run, "simulate-dialogues", shards=1, start=start)
        assert watch.measure().done == 2
        assert read.count("other.json") == 1 and len(read) == 2
        account["progress"]["simulate-dialogues"]["done"] = 5
        working.write_text(json.dumps(account))
        assert watch.measure().done == 6
        assert read[2:] == ["other.json"], "a process at work is looked at again, one that has left is not"


def test_a_process_may_come_back_and_is_counted_once_more(tmp_path: Path) -> None:
    run = make_run(tmp_path, make_crew())
    results = [asyncio.run(spend(run, make_shard(number))) for number in (0, 1)]
    assert sum_accounts(run).tokens == 300
    assert [row.unit_id for result in results for row in read_rows(result.ledger, LedgerRow)] == ["task_0", "task_1"]


def test_shards_side_by_side_share_a_workbench(tmp_path: Path) -> None:
    run = make_run(tmp_path, make_crew())
    seen: list[Any] = []

    @works_in_crew
    async def look(run: RunContext, work: Shard) -> ShardResult:
        seen.append(open_workbench(run))
        await asyncio.sleep(0.05)
        return write_shard(run, {}, [])

    async def both() -> None:
        await asyncio.gather(look(run, make_shard(0)), look(run, make_shard(1)))

    asyncio.run(both())
    assert seen[0] is seen[1]
    assert len(read_accounts(run)) == 1


def test_a_shard_that_fails_leaves_its_account(tmp_path: Path) -> None:
    run = make_run(tmp_path, make_crew())

    @works_in_crew
    async def fail(run: RunContext, work: Shard) -> ShardResult:
        open_workbench(run).usage.of("assistant").prompt_tokens += 5
        raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space"):
        asyncio.run(fail(run, make_shard(0)))
    assert sum_accounts(run).tokens == 5
    assert find_workbench(run.run_id) is None


def test_a_run_of_one_process_keeps_no_accounts(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    asyncio.run(spend(run, make_shard(0)))
    assert not list_accounts_folder(run).exists()
    assert sum_usage(run).tokens == 100


def test_an_account_that_is_no_json_is_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    folder = list_accounts_folder(run)
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{half")
    (folder / "b.json").write_text(
        json.dumps({"usage": Usage({"judge": RoleUsage(calls=3)}).to_dict(), "progress": {}})
    )
    assert sum_accounts(run).of("judge").calls == 3


def test_a_budget_holds_for_all_processes() -> None:
    here, there = Usage({"assistant": RoleUsage(prompt_tokens=40)}), Usage({"judge": RoleUsage(prompt_tokens=50)})
    guard = BudgetGuard(Budget(tokens=100), here, elsewhere=lambda: there)
    guard.check()
    there.of("judge").prompt_tokens = 60
    with pytest.raises(BudgetSpent, match="100 of 100"):
        guard.check()


def test_the_minutes_count_from_the_begin_of_the_run() -> None:
    now = [5.0]
    guard = BudgetGuard(Budget(minutes=2), Usage(), began=time.time() - 60, clock=lambda: now[0])
    guard.check()
    now[0] += 59
    guard.check()
    now[0] += 2
    with pytest.raises(BudgetSpent):
        guard.check()


def test_a_cost_that_is_unknown_somewhere_is_unknown_in_the_sum() -> None:
    total = Usage({"assistant": RoleUsage(cost_usd=1.0)})
    total.add(Usage({"assistant": RoleUsage(cost_usd=0.5), "judge": RoleUsage(cost_usd=0.25)}).to_dict())
    assert total.cost_usd == 1.75
    total.add(Usage({"judge": RoleUsage(cost_usd=None)}).to_dict())
    assert total.cost_usd is None


def test_calls_in_flight_are_shared_out(tmp_path: Path) -> None:
    whole = make_run(tmp_path, concurrency=90)
    assert open_workbench(whole).calls_at_once == 90
    part = begin_run(config(concurrency=90), tmp_path, run_id="club-2").model_copy(update={"crew": make_crew(4)})
    assert open_workbench(part).calls_at_once == 23
    assert open_workbench(part).open_endpoint() == "http://127.0.0.1:1/v1"


def test_rates_are_shared_in_a_crew_alone(tmp_path: Path) -> None:
    alone = begin_run(config(), tmp_path, run_id="alone")
    assert isinstance(open_workbench(alone).open_rate(60, "requests x"), TokenBucket)
    part = begin_run(config(), tmp_path, run_id="part").model_copy(update={"crew": make_crew(2)})
    other = begin_run(config(), tmp_path, run_id="other").model_copy(update={"crew": make_crew(2)})
    (tmp_path / "store").mkdir(exist_ok=True)
    rates = [open_workbench(run).open_rate(60, "requests x") for run in (part, other)]
    granted = 0
    for rate in rates:
        deadline = time.monotonic() + 5
        while rate.seconds_until(time.monotonic(), 1) > 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        granted += rate.seconds_until(time.monotonic(), 1) == 0
    assert granted == 2
    for run in (part, other):
        open_workbench(run).close()


def test_replies_of_other_processes_are_found(tmp_path: Path) -> None:
    with Journal(tmp_path) as mine, Journal(tmp_path) as other:
        append(mine, make_entry(1))
        append(other, make_entry(2))
        assert mine.get(make_entry(2).key) is None
        mine.refresh()
        assert mine.get(make_entry(2).key) == make_entry(2)
        append(other, make_entry(3), make_entry(4))
        mine.refresh()
        assert mine.get(make_entry(3).key) == make_entry(3)
        assert len(mine) == 4
        other.close()
        mine.refresh()
        mine.refresh()
        assert len(mine) == 4
        append(mine, make_entry(5))
        assert mine.get(make_entry(5).key) == make_entry(5)
    assert len(segments(tmp_path)) == 2


def test_a_long_segment_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwright.models.journal._LARGEST_SEGMENT", 1_000)
    entries = [make_entry(number) for number in range(30)]
    with Journal(tmp_path) as journal:
        for entry in entries:
            append(journal, entry)
        assert len(segments(tmp_path)) > 2
        assert [journal.get(entry.key) for entry in entries] == entries
    with Journal(tmp_path) as journal:
        assert [journal.get(entry.key) for entry in entries] == entries


def test_the_leader_starts_the_endpoint_once_and_only_for_work_that_is_left(tmp_path: Path) -> None:
    class Processes:
        processes, shards_each = 3, 2

    run = make_run(tmp_path)
    runners._began[run.run_id] = time.time()
    shards = [make_shard(0), make_shard(1)]
    run.results.mkdir(parents=True)
    for shard in shards:
        record = {"result": json.dumps({"tables": {}, "stopped": None})}
        (run.results / shard.key).write_text(json.dumps(record))
    told = lead_crew(run, Processes(), shards)  # type: ignore[arg-type]
    assert told.crew is not None and told.crew.selfplay_url is None
    (run.results / shards[1].key).write_text(json.dumps({"result": json.dumps({"stopped": "budget"})}))
    urls = {lead_crew(run, Processes(), shards).crew.selfplay_url for _ in range(2)}  # type: ignore[arg-type, union-attr]
    assert len(urls) == 1 and str(urls.pop()).startswith("http://127.0.0.1:")
    open_workbench(run).close()
    assert RunContext.model_validate_json(told.model_dump_json()) == told


@pytest.mark.parametrize(
    ("workers", "said"),
    [({"kind": "threads", "address": "tcp://x:1"}, "no address"), ({"kind": "swarm"}, "threads"), ({"count": 0}, "1")],
)
def test_workers_that_cannot_be_are_refused(workers: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RunConfig.model_validate(config().model_dump() | {"workers": workers})


def test_an_engine_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("prefect_dask")
    monkeypatch.setattr("tasks.dask_runner._CONNECT_SECONDS", "1s")
    workers = config(workers={"kind": "dask", "address": "tcp://127.0.0.1:9"}).workers
    with pytest.raises(RunnerNotAvailable, match=r"127\.0\.0\.1:9"):
        choose_runner(workers)
