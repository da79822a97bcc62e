"""Runs folders in an object store: what one machine finishes, another finds, byte for byte."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_journal import append, make_entry, segments

from schemas.config import RunConfig
from schemas.rows import QuestionRow
from tasks.caching import drop_stale_record
from tasks.preflight import check_needs
from tasks.run_context import RunContext, begin_run
from tests.test_cache_keys import config
from turnwright.models.journal import Journal
from turnwright.models.segment import SegmentError
from turnwright.storage.mirrors import (
    CACHE_ENV,
    BadPlace,
    StoreUnreachable,
    find_file,
    find_place,
    find_url,
    list_files,
    name_file,
    pull_folder,
    push_file,
    push_folder,
    read_range,
)
from turnwright.storage.run_folder import RunNotFound, find_run, list_runs
from turnwright.storage.store import Store
from turnwright.storage.tables import read_rows, write_table

RUNS = "s3://factory/deep/runs"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    served = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    yield f"http://{host}:{port}"
    served.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import fsspec

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret-word")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    store = fsspec.filesystem("s3")
    store.mkdir("factory")
    yield store
    store.rm("factory", recursive=True)


class Machines:
    """Machines that share nothing but the store."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch

    def be(self, name: str) -> Path:
        """Continues as that machine; gives its runs folder."""
        self._monkeypatch.setenv(CACHE_ENV, str(self._folder / name))
        return find_place(RUNS)


@pytest.fixture
def machines(bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machines:
    return Machines(tmp_path, monkeypatch)


def make_question(number: int) -> QuestionRow:
    return QuestionRow(
        id=f"question_{number:04d}",
        seed_id="seed_1",
        domain="club",
        position=number,
        text=f"Which é {number}?",
        role="question_writer",
        model="tiny",
        prompt_digest="0" * 16,
        seed=0,
        model_calls=[],
    )


def test_paths_and_urls_stand_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_ENV, str(tmp_path / "cache"))
    place = find_place("s3://bucket/a/b.parquet")
    assert place == tmp_path / "cache" / "s3" / "bucket" / "a" / "b.parquet"
    assert find_url(place) == name_file(place) == "s3://bucket/a/b.parquet"
    assert find_place("runs/club") == Path("runs/club")
    assert find_place("file:///data/runs") == Path("/data/runs")
    assert find_url(tmp_path / "elsewhere") is None
    assert name_file(tmp_path / "elsewhere") == str(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://bucket/../other",
        "s3://bucket//x",
        "nosuch://bucket/x",
        "s3://bucket/x?y=1",
        "s3://b/\n",
        "s3://b/.",
    ],
)
def test_a_place_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(BadPlace):
        find_place(url)


def test_a_url_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(BadPlace) as refused:
        find_place("s3://key:hunter2@bucket/runs")
    assert "hunter2" not in str(refused.value)


def test_a_table_written_here_is_read_there(machines: Machines) -> None:
    rows = [make_question(number) for number in range(30)]
    here = write_table("questions", rows, Store(machines.be("one") / "store" / "content"))
    assert here.path == f"{RUNS}/store/content/{here.sha256[:2]}/{here.sha256}.parquet"
    machines.be("two")
    assert list(read_rows(here, QuestionRow)) == rows
    again = write_table("questions", rows, Store(machines.be("three") / "store" / "content"))
    assert again == here


def test_content_that_was_damaged_in_the_store_is_not_used(machines: Machines, bucket: Any) -> None:
    store = Store(machines.be("one") / "store" / "content")
    sha256 = store.put_bytes(b"the truth", ".txt")
    bucket.pipe_file(f"{RUNS}/store/content/{sha256[:2]}/{sha256}.txt", b"a lie")
    other = Store(machines.be("two") / "store" / "content")
    with pytest.raises(StoreUnreachable, match="damaged"):
        other.find(sha256, ".txt")
    assert not other.path(sha256, ".txt").exists()


def test_what_the_store_does_not_have_is_said(machines: Machines) -> None:
    machines.be("one")
    with pytest.raises(FileNotFoundError):
        find_file(f"{RUNS}/nothing.txt")


def test_a_store_that_does_not_answer_is_said_without_the_key(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, bucket: Any
) -> None:
    place = machines.be("one") / "x.txt"
    place.parent.mkdir(parents=True)
    place.write_text("x")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    bucket.rm("factory", recursive=True)
    try:
        with pytest.raises((StoreUnreachable, FileNotFoundError)) as said:
            push_file(place)
        assert "s3cret-word" not in str(said.value)
    finally:
        bucket.mkdir("factory")


def test_folders_are_seen_from_both_sides(machines: Machines) -> None:
    runs = machines.be("one")
    (runs / "r" / "deep").mkdir(parents=True)
    (runs / "r" / "run.json").write_text("{}")
    (runs / "r" / "deep" / "é.txt").write_text("ü")
    push_folder(runs / "r")
    there = machines.be("two")
    (there / "r").mkdir(parents=True)
    (there / "r" / "mine.json").write_text("1")
    assert [file.name for file in list_files(there / "r", ".json")] == ["mine.json", "run.json"]
    pull_folder(there / "r")
    assert (there / "r" / "deep" / "é.txt").read_text() == "ü"
    assert (there / "r" / "mine.json").exists()


def test_runs_are_found_from_another_machine(machines: Machines) -> None:
    runs = machines.be("one")
    for name, started in (("club-1", "2026-01-01"), ("club-2", "2026-01-02")):
        run = begin_run(config(), runs, run_id=name)
        assert run.runs == RUNS
        run.folder.write_run({"started": started, "tables": {}})
    there = machines.be("two")
    assert [run.run_id for run in list_runs(there)] == ["club-1", "club-2"]
    assert find_run(there, "latest").read_run()["started"] == "2026-01-02"
    assert find_run(there, f"{RUNS}/club-1").run_id == "club-1"
    with pytest.raises(RunNotFound):
        find_run(there, "zoo")


def test_a_context_leads_to_the_same_place_on_any_machine(machines: Machines) -> None:
    run = begin_run(config(), machines.be("one"), run_id="club-1")
    sent = run.model_dump_json()
    there = machines.be("two")
    received = RunContext.model_validate_json(sent)
    assert received.folder.root == there / "club-1"
    assert find_url(received.journal) == f"{RUNS}/store/journal"


def test_sealed_segments_move_to_the_store_and_answer_from_there(machines: Machines, bucket: Any) -> None:
    entries = [make_entry(number) for number in range(40)]
    with Journal(machines.be("one") / "store" / "journal") as journal:
        append(journal, *entries)
    folder = machines.be("two") / "store" / "journal"
    with Journal(folder) as journal:
        assert len(journal) == 40
        assert segments(folder) == []  # the index alone was read
        assert [journal.get(entry.key) for entry in entries] == entries
        assert len(segments(folder)) == 1
    assert sorted(entry.key for entry in Journal(machines.be("three") / "store" / "journal").iter_entries()) == sorted(
        entry.key for entry in entries
    )


def test_a_segment_that_a_dead_process_left_is_moved_by_the_next(machines: Machines, bucket: Any) -> None:
    folder = machines.be("one") / "store" / "journal"
    journal = Journal(folder)
    append(journal, make_entry(1))
    left = segments(folder)[0].read_bytes()
    journal.close()
    bucket.rm(f"{RUNS}/store/journal", recursive=True)
    segments(folder)[0].write_bytes(left)  # as `kill -9` leaves it: not sealed, with the last record torn
    with segments(folder)[0].open("ab") as stream:
        stream.write(b"\x43\x54half a record")
    Journal(folder).close()
    with Journal(machines.be("two") / "store" / "journal") as other:
        assert other.get(make_entry(1).key) == make_entry(1)


def test_a_damaged_index_in_the_store_is_said(machines: Machines, bucket: Any) -> None:
    with Journal(machines.be("one") / "store" / "journal") as journal:
        append(journal, *[make_entry(number) for number in range(9)])
    name = bucket.ls(f"{RUNS}/store/journal")[0]
    content = bytearray(bucket.cat_file(name))
    content[-40] ^= 0xFF
    bucket.pipe_file(name, bytes(content))
    with pytest.raises(SegmentError, match="checksum"):
        Journal(machines.be("two") / "store" / "journal")


def test_ranges_are_counted_from_the_end(machines: Machines, bucket: Any) -> None:
    runs = machines.be("one")
    bucket.pipe_file(f"{RUNS}/x", b"0123456789")
    assert read_range(runs / "x", -3, None) == b"789"
    assert read_range(runs / "x", 2, 5) == b"234"


def test_a_record_counts_only_while_its_files_are_in_the_store(machines: Machines, bucket: Any) -> None:
    run = begin_run(config(), machines.be("one"), run_id="club-1")
    table = write_table("questions", [make_question(1)], run.store)
    record = {"result": json.dumps({"tables": {"questions": table.model_dump()}, "stopped": None})}
    bucket.pipe_file(f"{RUNS}/store/results/abc", json.dumps(record).encode())
    machines.be("two")
    drop_stale_record(run.results / "abc")
    assert bucket.exists(f"{RUNS}/store/results/abc")
    bucket.rm(table.path)
    drop_stale_record(run.results / "abc")
    bucket.invalidate_cache()
    assert not bucket.exists(f"{RUNS}/store/results/abc")


def test_what_is_in_no_store_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("x")
    push_file(file)
    push_folder(tmp_path)
    pull_folder(tmp_path)
    assert [one.name for one in list_files(tmp_path)] == ["x.txt"]


def test_a_dataset_in_versions_needs_a_folder_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_ENV, str(tmp_path / "cache"))
    source = {"kind": "sql", "url": f"sqlite:///{tmp_path / 'none.sqlite'}"}
    config = RunConfig.model_validate({"name": "x", "sources": [source], "incremental": {"dataset": "club"}})
    refused = [check for check in asyncio.run(check_needs(config, find_place(RUNS))) if "versions of" in check.message]
    assert [(check.ok, check.subject) for check in refused] == [(False, RUNS)]
    here = asyncio.run(check_needs(config, tmp_path / "runs"))
    assert not any("versions of" in check.message for check in here)
