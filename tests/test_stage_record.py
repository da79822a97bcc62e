"""A run that works in several processes, or goes on after a failure, has one record: usage and time of all of them."""

import json
import logging
import sys
from pathlib import Path

import pytest

from flows.exit_codes import UNREACHABLE, explain
from flows.failures import StageFailed, telling_what_to_do
from flows.logs import JsonFormatter
from schemas.rows import TableRef
from tasks.run_context import RunContext
from tasks.run_course import begin_record, is_recorded, recorded_run, resume_record
from tasks.stage_record import read_stage, recorded_stage
from tasks.stage_usage import measure_stage_usage
from tasks.workbench import find_workbench, open_workbench
from tests.test_cache_keys import config
from turnwright.models.errors import EndpointUnavailable
from turnwright.models.usage import Usage
from turnwright.storage.run_folder import RunNotFound

STAGE = "simulate-dialogues"


@pytest.fixture
def run(tmp_path: Path) -> RunContext:
    return RunContext(config=config(), run_id="club-1", runs=str(tmp_path))


def use(run: RunContext, requests: int, cost: float | None = 0.5) -> None:
    figures = open_workbench(run).usage.of("judge")
    figures.requests += requests
    figures.completion_tokens += 10 * requests
    figures.cost_usd = None if cost is None or figures.cost_usd is None else figures.cost_usd + cost


def test_what_each_process_used_adds_up(run: RunContext) -> None:
    begin_record(run)
    for requests in (3, 4):
        with recorded_stage(run, STAGE, in_a_pipeline=True):
            use(run, requests)
        assert find_workbench(run.run_id) is None
    usage = run.folder.read_run()["usage"]
    assert (usage["requests"], usage["tokens"], usage["cost_usd"]) == (7, 70, 1.0)
    assert run.folder.read_run()["state"] == "running"


def test_what_a_stage_that_failed_used_is_not_lost(run: RunContext) -> None:
    begin_record(run)
    with pytest.raises(EndpointUnavailable), recorded_stage(run, STAGE, in_a_pipeline=True):
        use(run, 5)
        raise EndpointUnavailable("gone")
    assert run.folder.read_run()["usage"]["requests"] == 5


def test_a_stage_is_charged_for_all_its_tries_and_for_nothing_else(run: RunContext) -> None:
    with recorded_run(run):
        use(run, 100)
        with pytest.raises(EndpointUnavailable), recorded_stage(run, STAGE, in_a_pipeline=True):
            use(run, 5)
            raise EndpointUnavailable("gone")
        use(run, 100)
        with recorded_stage(run, STAGE, in_a_pipeline=True) as start:
            use(run, 3)
            shown = measure_stage_usage(run, start)
    recorded = run.folder.read_run()["usage_by_stage"]
    assert recorded == {STAGE: {"requests": 8, "tokens": 80, "cost_usd": 1.0}}
    assert shown.model_dump() == recorded[STAGE]


def test_a_role_without_a_price_makes_the_cost_of_those_stages_unknown_that_ask_it(run: RunContext) -> None:
    with recorded_run(run):
        with recorded_stage(run, STAGE, in_a_pipeline=True):
            use(run, 5, cost=None)
            open_workbench(run).usage.of("judge").calls += 1
        with recorded_stage(run, "validate-dialogues", in_a_pipeline=True):
            figures = open_workbench(run).usage.of("assistant")
            figures.calls, figures.requests, figures.cost_usd = 1, 1, 0.25
    used = run.folder.read_run()["usage_by_stage"]
    assert used[STAGE]["cost_usd"] is None
    assert used["validate-dialogues"]["cost_usd"] == 0.25


def test_a_run_that_goes_on_says_so_and_counts_both_tries(run: RunContext) -> None:
    with pytest.raises(EndpointUnavailable), recorded_run(run):
        use(run, 5)
        raise EndpointUnavailable("gone")
    failed = run.folder.read_run()
    assert (failed["state"], failed["error"]) == ("failed", "gone")
    with recorded_run(run):
        assert run.folder.read_run()["state"] == "running"
        use(run, 2, cost=None)
    record = run.folder.read_run()
    assert (record["state"], record["error"]) == ("completed", None)
    assert record["usage"]["requests"] == 7
    assert record["usage"]["cost_usd"] is None
    assert record["started"] == failed["started"]
    assert record["timings"]["total"] >= failed["timings"]["total"]


def test_time_between_two_tries_is_not_counted(run: RunContext) -> None:
    begin_record(run)
    old = run.folder.read_run() | {"started": "2020-01-01T00:00:00.000+00:00", "timings": {"total": 5.0}}
    run.folder.write_run(old)
    with recorded_run(run):
        pass
    assert 5.0 <= run.folder.read_run()["timings"]["total"] < 3600


def test_a_stage_inside_a_run_of_this_process_leaves_its_end_to_the_run(run: RunContext) -> None:
    with recorded_run(run):
        assert is_recorded(run)
        with recorded_stage(run, STAGE, in_a_pipeline=True):
            use(run, 1)
        assert find_workbench(run.run_id) is not None
    assert not is_recorded(run)
    assert find_workbench(run.run_id) is None


def test_a_stage_alone_is_a_run_of_its_own(run: RunContext) -> None:
    with recorded_stage(run, STAGE, in_a_pipeline=False):
        pass
    assert run.folder.read_run()["state"] == "completed"


def test_tables_of_a_stage_are_read_from_the_run_folder(run: RunContext) -> None:
    resume_record(run)
    with pytest.raises(RunNotFound, match="has no seeds, which collect-seeds makes"):
        read_stage(run, "collect-seeds")
    run.folder.tables.mkdir(parents=True)
    run.folder.table_file("seeds").write_bytes(b"rows")
    entry = {"path": "tables/seeds.parquet", "sha256": "a" * 64, "rows": 1, "schema_fingerprint": "f"}
    run.folder.write_run(run.folder.read_run() | {"tables": {"seeds": entry}})
    [reference] = read_stage(run, "collect-seeds").values()
    assert isinstance(reference, TableRef)
    assert (reference.sha256, reference.rows) == ("a" * 64, 1)
    assert read_stage(run, "report") == {}


def test_usage_of_an_unknown_role_or_field_does_not_stop_a_run() -> None:
    usage = Usage()
    usage.add({"roles": {"judge": {"requests": 2, "cost_usd": None, "of_another_version": 7}}})
    assert (usage.requests, usage.cost_usd) == (2, None)
    usage.add({})
    assert usage.requests == 2


def test_a_failed_stage_says_what_to_do_and_keeps_its_exit_code() -> None:
    with pytest.raises(StageFailed) as failed, telling_what_to_do("simulate-dialogues"):
        raise EndpointUnavailable("http://h/v1 does not answer", hint="start the endpoint.")
    text = str(failed.value)
    assert text.splitlines()[0] == "simulate-dialogues: http://h/v1 does not answer"
    assert "What to do: start the endpoint.\n" in text
    failure = explain(failed.value)
    assert (failure.error, failure.exit_code) == ("http://h/v1 does not answer", UNREACHABLE)
    with pytest.raises(ZeroDivisionError), telling_what_to_do("report"):
        raise ZeroDivisionError("a defect")


def test_a_log_line_is_one_json_object() -> None:
    try:
        raise ValueError("wrong\nin two lines")
    except ValueError:
        trouble = sys.exc_info()
    record = logging.LogRecord("turnwright.x", logging.ERROR, "f.py", 1, "shard %d\n\ud800", (3,), trouble)
    record.turnwright = {"stage": "report", "path": Path("a")}
    record.flow_run_name = "club"
    line = JsonFormatter().format(record)
    assert "\n" not in line
    line.encode()
    told = json.loads(line)
    assert (told["level"], told["stage"], told["flow_run_name"], told["path"]) == ("error", "report", "club", "a")
    assert told["message"].startswith("shard 3\n")
    assert "ValueError: wrong" in told["exception"]
