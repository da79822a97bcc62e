"""The run folder: tables are published as links, runs are found by what a person types."""

from pathlib import Path

import pytest

from schemas.rows import TableRef
from turnwright.storage.run_folder import RunFolder, RunNotFound, find_run, list_runs, open_store, publish_file
from turnwright.storage.tables import read_rows, write_table


def write_ledger(runs: Path) -> TableRef:
    return write_table("ledger", [], open_store(runs))


def make_run(runs: Path, name: str, started: str) -> RunFolder:
    folder = RunFolder(runs / name)
    folder.write_run({"run_id": name, "started": started, "tables": {}})
    return folder


def test_a_published_table_is_the_stored_file(tmp_path: Path) -> None:
    reference = write_ledger(tmp_path)
    folder = RunFolder(tmp_path / "club-1")
    published = folder.publish(reference)
    assert Path(published.path).samefile(reference.path)
    assert folder.publish(reference) == published
    assert [path.name for path in folder.tables.iterdir()] == ["ledger.parquet"]


def test_a_table_is_copied_where_links_are_not_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(1, "links are not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    content = tmp_path / "content"
    content.write_bytes(b"rows")
    place = tmp_path / "run" / "tables" / "t.parquet"
    publish_file(content, place)
    assert place.read_bytes() == b"rows"
    assert not place.samefile(content)


def test_tables_of_a_run_are_found_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "club-1")
    published = folder.publish(write_ledger(tmp_path))
    folder.write_run({"tables": {"ledger": {"path": "elsewhere", "sha256": published.sha256, "rows": 0}}})
    found = folder.find_tables()
    assert found == {"ledger": published}
    assert list(read_rows(found["ledger"], "ledger")) == []


def test_a_run_is_found_by_folder_id_beginning_and_latest(tmp_path: Path) -> None:
    first = make_run(tmp_path, "zoo-1", "2026-01-01T00:00:00Z")
    second = make_run(tmp_path, "club-2", "2026-01-02T00:00:00Z")
    assert [run.run_id for run in list_runs(tmp_path)] == ["zoo-1", "club-2"]
    for name in (str(first.root), "zoo-1", "zoo"):
        assert find_run(tmp_path, name).root == first.root
    assert find_run(tmp_path, "latest").root == second.root


def test_a_run_that_is_not_there_is_said_with_what_there_is(tmp_path: Path) -> None:
    make_run(tmp_path, "club-1", "a")
    make_run(tmp_path, "club-2", "b")
    with pytest.raises(RunNotFound, match=r"no run 'zoo'.*club-1, club-2"):
        find_run(tmp_path, "zoo")
    with pytest.raises(RunNotFound, match="means several runs"):
        find_run(tmp_path, "club")
    with pytest.raises(RunNotFound, match=r"no run\.json"):
        RunFolder(tmp_path / "none").read_run()
    (tmp_path / "club-1" / "run.json").write_text("{")
    with pytest.raises(RunNotFound, match="cannot be read"):
        RunFolder(tmp_path / "club-1").read_run()
