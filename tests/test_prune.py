"""Prune: what nothing needs goes, what a kept run or dataset needs never does."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.dataset_world import BASE, finish_run, publish
from turnwright.datasets.versions import find_damage, find_version, list_versions
from turnwright.lineage.presence import AtWork, hold_alone, hold_presence
from turnwright.lineage.pruning import GivenUp, NotThere, PrunePlan, carry_out, plan_prune
from turnwright.storage.run_folder import RunFolder, open_store
from turnwright.storage.tables import hash_file, read_rows

LATER = 4e9
"""A time at which nothing is young."""


def plan(runs: Path, *names: str, **given_up: Any) -> PrunePlan:
    return plan_prune(runs, GivenUp(names=frozenset(names), **given_up), LATER)


def prune(runs: Path, *names: str, **given_up: Any) -> PrunePlan:
    made = plan(runs, *names, **given_up)
    with hold_alone(runs):
        carry_out(runs, made)
    return made


def snapshot(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def measure_disk(folder: Path) -> int:
    """Bytes of all files, each once under however many names."""
    sizes = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sum(sizes.values())


def read_all(folder: RunFolder) -> int:
    return sum(sum(1 for _ in read_rows(reference, name)) for name, reference in folder.find_tables().items())


def record_result(runs: Path, key: str, *digests: str, **more: Any) -> Path:
    """A task's result as Prefect keeps it."""
    place = runs / "store" / "results" / key
    place.parent.mkdir(parents=True, exist_ok=True)
    tables = {f"t{n}": {"sha256": one, "path": f"/x/{one}.parquet"} for n, one in enumerate(digests)}
    place.write_text(json.dumps({"metadata": {"storage_key": key}, "result": json.dumps({"tables": tables} | more)}))
    return place


def in_use(runs: Path) -> dict[str, str]:
    return snapshot(runs / "store" / "content")


def test_nothing_goes_where_everything_is_used(tmp_path: Path) -> None:
    finish_run(tmp_path, "one", range(30))
    publish(finish_run(tmp_path, "two", range(30, 60)))
    # What publishing left over: the rows that it added, once they stand in the version's own tables.
    made = prune(tmp_path)
    assert {one.kind for one in made.doomed} <= {"content"}
    assert plan(tmp_path).doomed == []
    assert made.kept_runs == ["one", "two"]


def test_a_plan_changes_nothing(tmp_path: Path) -> None:
    finish_run(tmp_path, "one", range(30))
    before = snapshot(tmp_path)
    made = plan(tmp_path, keep_last=0)
    assert made.doomed and made.bytes > 0
    assert {name for name in snapshot(tmp_path) if "presence" not in name} == set(before)


def test_a_run_that_is_given_up_goes_with_what_only_it_needs(tmp_path: Path) -> None:
    one, two = finish_run(tmp_path, "one", range(30)), finish_run(tmp_path, "two", range(30, 60))
    shared = two.find_tables()["seeds"].sha256
    kept = snapshot(two.root)
    before = sum(
        path.stat().st_size for path in {p.stat().st_ino: p for p in tmp_path.rglob("*") if p.is_file()}.values()
    )
    made = prune(tmp_path, "one")
    after = sum(
        path.stat().st_size for path in {p.stat().st_ino: p for p in tmp_path.rglob("*") if p.is_file()}.values()
    )
    assert not one.root.exists()
    assert snapshot(two.root) == kept and read_all(two) > 100
    store = open_store(tmp_path)
    assert store.path(shared, ".parquet").is_file()
    assert store.path(BASE, ".sqlite").is_file(), "dialogues of the kept run could not be replayed"
    assert {one.kind for one in made.doomed} == {"run", "content"}
    assert before - after == made.bytes, "the bytes that were promised are those that were gained"


def test_the_last_runs_and_young_ones_stay(tmp_path: Path) -> None:
    for number in range(3):
        finish_run(tmp_path, f"run{number}", range(number * 10, number * 10 + 10))
    assert [one.name for one in plan(tmp_path, keep_last=2).doomed if one.kind == "run"] == ["run0"]
    day = 86_400.0
    new_year = 1767225600.0
    aged = plan_prune(tmp_path, GivenUp(older_than_days=30, names=frozenset()), new_year + 20 * day)
    assert [one for one in aged.doomed if one.kind == "run"] == []
    aged = plan_prune(tmp_path, GivenUp(older_than_days=30, names=frozenset()), new_year + 40 * day)
    assert len([one for one in aged.doomed if one.kind == "run"]) == 3


def test_runs_of_a_dataset_stay_unless_they_are_named(tmp_path: Path) -> None:
    one = finish_run(tmp_path, "one", range(60))
    publish(one)
    finish_run(tmp_path, "two", range(60, 120))
    assert plan(tmp_path, keep_last=0).kept_runs == ["one"]
    prune(tmp_path, "one", "two")
    version = find_version(tmp_path, "club")
    assert find_damage(version) == []
    assert read_all(version.folder) > 100
    assert open_store(tmp_path).path(BASE, ".sqlite").is_file()


def test_a_version_goes_by_name_alone(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(60)))
    publish(finish_run(tmp_path, "two", range(60, 120)))
    assert plan(tmp_path, keep_last=0).kept_versions == ["club@v1", "club@v2"]
    prune(tmp_path, "club@v1")
    assert [version.name for version in list_versions(tmp_path, "club")] == ["club@v2"]
    assert find_damage(find_version(tmp_path, "club")) == []


def test_results_that_lead_to_kept_runs_stay_with_their_parts(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    part, lost = (store.put_bytes(text, ".parquet") for text in (b"part", b"lost"))
    stages = {"simulate-dialogues": {"parts": [part], "ledger": {"sha256": part}}}
    finish_run(tmp_path, "one", range(30), stages=stages)
    used, unused = record_result(tmp_path, "a" * 64, part), record_result(tmp_path, "b" * 64, lost)
    made = prune(tmp_path)
    assert used.is_file() and store.path(part, ".parquet").is_file()
    assert not unused.exists() and not store.path(lost, ".parquet").exists()
    assert {"result", "content"} == {one.kind for one in made.doomed}


def test_results_stay_where_a_run_does_not_say_what_it_is_made_of(tmp_path: Path) -> None:
    finish_run(tmp_path, "one", range(30), stages={"simulate-dialogues": {"shards": 1}})
    lost = record_result(tmp_path, "b" * 64, open_store(tmp_path).put_bytes(b"lost", ".parquet"))
    assert plan(tmp_path).doomed == []
    assert lost.is_file()


def test_an_unfinished_run_can_go_on(tmp_path: Path) -> None:
    """What it made since it began is not named anywhere yet."""
    finish_run(tmp_path, "one", range(30), state="failed")
    fresh = record_result(tmp_path, "b" * 64, open_store(tmp_path).put_bytes(b"fresh", ".parquet"))
    old = record_result(tmp_path, "c" * 64, open_store(tmp_path).put_bytes(b"old", ".parquet"))
    os.utime(old, (1.0, 1.0))
    assert [one.name for one in plan(tmp_path).doomed if one.kind == "result"] == [f"store/results/{old.name}"]
    assert fresh.is_file()


def test_gates_that_a_kept_run_shows_stay(tmp_path: Path) -> None:
    run = finish_run(tmp_path, "one", range(30))
    checks = tmp_path / "store" / "checks"
    for key, text in (("a" * 64, "shown"), ("b" * 64, "forgotten")):
        (checks / key).mkdir(parents=True)
        page = checks / key / "page.html"
        page.write_text(text)
        record_result(tmp_path, key, hash_file(page), path=str(page))
    run.checks.mkdir(parents=True)
    (run.checks / "page.html").write_text("shown")
    prune(tmp_path)
    assert (checks / ("a" * 64)).is_dir() and not (checks / ("b" * 64)).exists()


def test_young_files_and_model_replies_stay(tmp_path: Path) -> None:
    finish_run(tmp_path, "one", range(30))
    journal = tmp_path / "store" / "journal" / "1.calls"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"paid for")
    young = open_store(tmp_path).put_bytes(b"of a process nobody knows of", ".parquet")
    now = open_store(tmp_path).path(young, ".parquet").stat().st_mtime + 60
    assert plan_prune(tmp_path, GivenUp(), now).doomed == []
    prune(tmp_path, keep_last=0)
    assert journal.read_bytes() == b"paid for"
    assert in_use(tmp_path) == {}


def test_what_killed_writers_left_goes(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(30)))
    (tmp_path / "datasets" / "club" / ".publishing-x" / "tables").mkdir(parents=True)
    (tmp_path / "store" / "content" / ".writing-x.parquet").write_bytes(b"half")
    (tmp_path / ".pruning-x").mkdir()
    made = prune(tmp_path)
    assert len([one for one in made.doomed if one.kind == "leftover"]) == 3
    assert not list(tmp_path.rglob(".publishing-*")) and not list(tmp_path.rglob(".writing-*"))
    assert list_versions(tmp_path, "club")


def test_runs_at_work_are_never_given_up(tmp_path: Path) -> None:
    finish_run(tmp_path, "one", range(30), state="running")
    with hold_presence(tmp_path, "one"):
        assert plan(tmp_path, keep_last=0).kept_runs == ["one"]
        with pytest.raises(NotThere, match="at work"):
            plan(tmp_path, "one")
        with pytest.raises(AtWork), hold_alone(tmp_path):
            pass
    with pytest.raises(NotThere, match="nothing in"):
        plan(tmp_path, "two")
    assert plan(tmp_path, keep_last=0).kept_runs == []
