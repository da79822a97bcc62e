"""Registering runs: at both ends, however they end, and never in the way of the work."""

import logging
import sqlite3
from pathlib import Path

import pytest

from prompts import prompt_digest, read_prompt_files
from tasks.register import accompany_run
from tasks.run_context import RunContext
from tests.synthetic_run import CONFIG
from turnwright.lineage.catalog import Catalog
from turnwright.lineage.presence import is_present
from turnwright.lineage.prompt_files import find_prompt
from turnwright.lineage.schema import FILE_NAME, URL_VARIABLE


def begin(runs: Path) -> RunContext:
    return RunContext(config=CONFIG, run_id="one", runs=str(runs))


def list_states(runs: Path) -> list[str]:
    with Catalog(runs) as catalog:
        return [run.state for run in catalog.list_runs()]


def finish(run: RunContext, state: str) -> None:
    run.folder.write_run(run.folder.read_run() | {"state": state})


def test_a_run_is_registered_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    run = begin(tmp_path)
    with accompany_run(run):
        assert is_present(tmp_path, "one")
        finish(run, "completed")
    assert not is_present(tmp_path, "one")
    assert list_states(tmp_path) == ["completed"]


def test_a_run_that_an_error_ends_is_registered_as_it_is(tmp_path: Path) -> None:
    run = begin(tmp_path)
    with pytest.raises(ValueError, match="the endpoint"), accompany_run(run):
        finish(run, "failed")
        raise ValueError("the endpoint")
    assert list_states(tmp_path) == ["failed"]


def test_a_run_that_says_nothing_at_its_end_was_killed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), accompany_run(begin(tmp_path)):
        raise KeyboardInterrupt
    assert list_states(tmp_path) == ["killed"]


def test_a_catalog_that_is_away_costs_a_warning_and_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(URL_VARIABLE, "postgresql://me:hunter2@127.0.0.1:1/none?connect_timeout=2")
    logging.getLogger("turnwright").propagate = True
    with accompany_run(begin(tmp_path)):
        finish(begin(tmp_path), "completed")
    told = [record.getMessage() for record in caplog.records if "not in the catalog" in record.getMessage()]
    assert told and not any("hunter2" in message for message in told)
    assert begin(tmp_path).folder.read_run()["state"] == "completed"


def test_a_catalog_that_is_no_database_costs_a_warning_and_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("turnwright").propagate = True
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / FILE_NAME).write_bytes(b"not a database, " * 100)
    with accompany_run(begin(tmp_path)):
        pass
    assert any("not in the catalog" in record.getMessage() for record in caplog.records)


def test_a_catalog_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    Catalog(tmp_path).close()
    with sqlite3.connect(tmp_path / "store" / FILE_NAME, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        run = begin(tmp_path)
        with accompany_run(run):
            finish(run, "completed")
            other.execute("COMMIT")
    assert list_states(tmp_path) == ["completed"]


def test_the_words_of_a_prompt_are_kept_by_its_digest(tmp_path: Path) -> None:
    with accompany_run(begin(tmp_path)):
        pass
    file = find_prompt(tmp_path, "judge", prompt_digest("judge"))
    assert file is not None
    assert read_prompt_files("judge")["system.md"].split("\n")[0] in file.read_text()
    assert find_prompt(tmp_path, "judge", "0" * 16) is None
