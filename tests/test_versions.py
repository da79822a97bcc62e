"""Datasets in versions: each whole and immutable, made of what runs add, and never of anything that drifted."""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from schemas.config import RunConfig
from schemas.rows import DatasetRow
from tests.dataset_world import finish_run, publish, settings
from tests.synthetic_run import CONFIG
from turnwright.datasets import publishing
from turnwright.datasets.difference import DriftFailed, read_difference
from turnwright.datasets.publishing import publish_version
from turnwright.datasets.totals import add_records
from turnwright.datasets.versions import (
    VersionNotFound,
    find_damage,
    find_runs,
    find_version,
    list_datasets,
    list_versions,
)
from turnwright.reports.difference_page import write_difference_page
from turnwright.storage.run_folder import find_run, open_store
from turnwright.storage.tables import TableError, hash_file, read_rows


def ids(folder: Any) -> list[str]:
    return [row.id for row in read_rows(folder.find_tables()["dataset"], DatasetRow)]


def test_the_first_run_makes_the_first_version(tmp_path: Path) -> None:
    run = finish_run(tmp_path, "one", range(30))
    made = publish(run)
    assert made.version is not None
    manifest = made.version.manifest
    assert (manifest.version, manifest.previous, manifest.next_slot) == (1, None, 30)
    assert ids(made.version.folder) == ids(run)
    assert made.difference.drift == []
    assert find_damage(made.version) == []
    lines = (made.version.folder.export("openai") / "train.jsonl").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} <= set(ids(run))
    assert (made.version.folder.export("openai") / "README.md").is_file()


def test_the_next_version_has_the_last_one_and_what_was_added(tmp_path: Path) -> None:
    first = publish(finish_run(tmp_path, "one", range(60))).version
    assert first is not None
    before = {name: hash_file(first.folder.root / name) for name in first.manifest.files}
    assert settings(tmp_path).first_slot == 60
    made = publish(finish_run(tmp_path, "two", range(60, 120)))
    assert made.version is not None
    assert [part.run_id for part in made.version.manifest.parts] == ["one", "two"]
    assert made.version.manifest.next_slot == 120
    old, new = ids(first.folder), ids(made.version.folder)
    assert new[: len(old)] == old
    assert len(new) == len(old) + made.difference.added
    changes = {change.table: change for change in made.difference.tables}
    assert (changes["seeds"].before, changes["seeds"].made, changes["seeds"].after) == (1, 1, 1)
    assert changes["dialogues"].after == 120
    # The first version is as it was, byte for byte.
    assert {name: hash_file(first.folder.root / name) for name in first.manifest.files} == before


def test_the_same_runs_give_the_same_version_wherever_they_are(tmp_path: Path) -> None:
    digests = []
    for place in (tmp_path / "here", tmp_path / "there"):
        publish(finish_run(place, "one", range(60)))
        digests.append(publish(finish_run(place, "two", range(60, 120))).version.manifest.digest)  # pyright: ignore
    assert digests[0] == digests[1]


def test_publishing_again_gives_the_same_version(tmp_path: Path) -> None:
    run = finish_run(tmp_path, "one", range(30))
    first, again = publish(run), publish(run)
    assert first.version is not None and again.version is not None
    assert again.version.manifest == first.version.manifest
    assert len(list_versions(tmp_path, "club")) == 1


def test_a_run_that_adds_nothing_makes_no_version(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(30)))
    made = publish(finish_run(tmp_path, "copy", range(30)))
    assert made.version is None
    assert made.difference.added == 0
    assert made.difference.repeated_goals is None or made.difference.repeated_goals == 1.0
    assert len(list_versions(tmp_path, "club")) == 1


def test_examples_that_say_the_same_are_there_once(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(60)))

    def repeat(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        said = publish_messages(tmp_path)
        return rows | {
            "dataset": [
                row.model_copy(update={"messages": said}) if n < 3 else row for n, row in enumerate(rows["dataset"])
            ]
        }

    run = finish_run(tmp_path, "two", range(60, 120), change=repeat)
    made = publish(run)
    assert made.version is not None
    assert made.version.manifest.parts[-1].repeated == 3
    assert made.difference.added == run.find_tables()["dataset"].rows - 3


def publish_messages(runs: Path) -> str:
    version = find_version(runs, "club")
    return next(read_rows(version.folder.find_tables()["dataset"], DatasetRow)).messages


def shorten(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Every dialogue loses all but its first messages."""

    def cut(row: DatasetRow) -> DatasetRow:
        return row.model_copy(
            update={"messages": json.dumps([*json.loads(row.messages)[:3], {"role": "user", "content": row.id}])}
        )

    return rows | {"dataset": [cut(row) for row in rows["dataset"]]}


def test_what_is_too_far_from_the_last_version_is_not_published(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(60)))
    run = finish_run(tmp_path, "two", range(60, 120), change=shorten)
    with pytest.raises(DriftFailed) as caught:
        publish(run)
    assert "turns" in {one.name for one in caught.value.difference.failures}
    assert "PSI" in str(caught.value) and str(run.report) in str(caught.value)
    assert [version.name for version in list_versions(tmp_path, "club")] == ["club@v1"]
    assert "too far" in (run.report / "difference.html").read_text()
    assert read_difference(run.report / "difference.json") == caught.value.difference


def test_drift_that_is_allowed_or_expected_is_published_with_a_warning(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(60)))
    run = finish_run(tmp_path, "two", range(60, 120), change=shorten)
    failing = [one.name for one in refuse(run).difference.failures]
    allowed = CONFIG.model_dump() | {"checks": {"drift": {"expected": [*failing, "tool"]}}}
    made = publish(run, RunConfig.model_validate(allowed))
    assert made.version is not None
    assert {one.name for one in made.difference.warnings} >= set(failing)


def refuse(run: Any) -> DriftFailed:
    with pytest.raises(DriftFailed) as caught:
        publish(run)
    return caught.value


def test_a_full_build_stands_alone_and_is_still_compared(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(60)))
    assert settings(tmp_path, mode="full").first_slot == 0
    made = publish(finish_run(tmp_path, "two", range(60, 120)), mode="full")
    assert made.version is not None
    assert made.version.manifest.version == 2
    assert made.version.manifest.previous is None
    assert [part.run_id for part in made.version.manifest.parts] == ["two"]
    assert made.difference.previous == 1 and made.difference.drift


def test_a_version_with_other_columns_is_not_added_to_and_can_be_followed(tmp_path: Path) -> None:
    version = publish(finish_run(tmp_path, "one", range(60))).version
    assert version is not None
    record = version.folder.read_run()
    record["tables"]["dialogues"]["schema_fingerprint"] = "of another time"
    version.folder.write_run(record)
    with pytest.raises(TableError, match="club@v1 was published with other columns of dialogues"):
        settings(tmp_path)
    made = publish(finish_run(tmp_path, "two", range(60, 120)), mode="full")
    assert made.version is not None and made.version.manifest.version == 2
    assert made.difference.drift == []


def test_a_killed_writer_leaves_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finish_run(tmp_path, "one", range(30))

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing, "_protect", die)
    with pytest.raises(KeyboardInterrupt):
        publish(run)
    assert list_versions(tmp_path, "club") == []
    assert list_datasets(tmp_path) == []
    monkeypatch.undo()
    assert publish(run).version is not None


def test_files_of_a_version_cannot_be_written_and_damage_is_seen(tmp_path: Path) -> None:
    version = publish(finish_run(tmp_path, "one", range(30))).version
    assert version is not None
    files = [version.folder.root / name for name in version.manifest.files]
    assert all(file.stat().st_mode & 0o222 == 0 for file in files)
    line = version.folder.export("openai") / "train.jsonl"
    line.chmod(0o644)
    line.write_text("{}\n")
    (version.folder.report / "difference.html").unlink()
    assert find_damage(version) == ["export/openai/train.jsonl has changed", "report/difference.html is gone"]


def publish_in_process(runs: str, run_id: str, base: dict[str, Any]) -> None:
    from schemas.incremental import Incremental

    place = Path(runs)
    publish_version(
        find_run(place, run_id), CONFIG, Incremental.model_validate(base), open_store(place), write_difference_page
    )


def test_runs_that_publish_at_once_lose_nothing(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "base", range(30)))
    begun = settings(tmp_path).model_dump()
    parts = [range(30, 60), range(60, 90), range(90, 120)]
    runs = [finish_run(tmp_path, f"run{number}", slots) for number, slots in enumerate(parts)]
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=publish_in_process, args=(str(tmp_path), run.run_id, begun)) for run in runs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    versions = list_versions(tmp_path, "club")
    assert [version.manifest.version for version in versions] == [1, 2, 3, 4]
    everything = set(ids(find_run(tmp_path, "base"))).union(*(ids(run) for run in runs))
    assert set(ids(versions[-1].folder)) == everything
    assert all(find_damage(version) == [] for version in versions)


def test_versions_are_found_by_name(tmp_path: Path) -> None:
    publish(finish_run(tmp_path, "one", range(60)))
    publish(finish_run(tmp_path, "two", range(60, 120)))
    assert find_version(tmp_path, "club").name == "club@v2"
    assert find_version(tmp_path, "club@latest").name == "club@v2"
    assert find_version(tmp_path, "club@v1").name == "club@v1"
    assert find_runs(find_version(tmp_path, "club").folder) == tmp_path
    for wrong, told in (
        ("club@v3", "its versions: v1, v2"),
        ("zoo", "datasets there: club"),
        ("../club", "no dataset"),
    ):
        with pytest.raises(VersionNotFound, match=told):
            find_version(tmp_path, wrong)


def test_figures_of_runs_add_up_and_nothing_known_stays_so() -> None:
    before = {"started": "a", "usage": {"calls": 2, "cost_usd": None, "roles": {"judge": {"calls": 2}}}, "config": 1}
    run = {"started": "b", "usage": {"calls": 3, "cost_usd": 0.5, "roles": {"assistant": {"calls": 3}}}, "config": 2}
    together = add_records(before, run)
    assert together["started"] == "a" and together["config"] == 2
    roles = {"judge": {"calls": 2}, "assistant": {"calls": 3}}
    assert together["usage"] == {"calls": 5, "cost_usd": None, "roles": roles}
    stage = {"requests": 2, "tokens": 20, "cost_usd": 0.5}
    both = add_records(
        {"usage_by_stage": {"report": stage}}, {"usage_by_stage": {"report": stage | {"cost_usd": None}}}
    )
    assert both["usage_by_stage"] == {"report": {"requests": 4, "tokens": 40, "cost_usd": None}}
    assert add_records(None, run | {"stages": {}}) == run
