"""Publishing: what a run made becomes the next version of a dataset, if it is like the last one.

One process at a time publishes a dataset. Another run may have published while this one worked: then it adds to that
version, and what both made is there once. A version is written beside its place and appears by one rename; a process
that is killed before leaves nothing but a folder that `prune` takes away.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from schemas.config import RunConfig
from schemas.incremental import Incremental
from schemas.rows import DatasetRow, TableRef
from turnwright.datasets.card import write_card
from turnwright.datasets.difference import (
    FILE,
    Difference,
    DriftFailed,
    TableChange,
    compare_figures,
    read_difference,
    share_repeated_goals,
    write_difference,
)
from turnwright.datasets.openai import export_openai
from turnwright.datasets.totals import add_records
from turnwright.datasets.union import United, unite_tables
from turnwright.datasets.versions import (
    DATASETS,
    DatasetVersion,
    Manifest,
    Part,
    VersionFile,
    compute_digest,
    list_changed_tables,
    list_versions,
    name_place,
)
from turnwright.lineage.files import write_lineage
from turnwright.lineage.presence import hold_turn
from turnwright.statistics.dataset_figures import measure_dataset
from turnwright.statistics.drift import StatisticDrift, compare_statistics
from turnwright.statistics.statistics import Statistics, compute_statistics, read_statistics, write_statistics
from turnwright.storage.run_folder import RunFolder
from turnwright.storage.store import Store
from turnwright.storage.tables import hash_file, read_columns, read_rows

PAGE: Final = "difference.html"
WRITING: Final = ".publishing-"
"""Beginning of the name of a version's folder while it is written."""


@dataclass(frozen=True)
class Published:
    """What came of publishing."""

    version: DatasetVersion | None
    """None where the run added nothing."""
    difference: Difference


@dataclass(frozen=True)
class _Candidate:
    """A version before anybody can see it."""

    previous: DatasetVersion | None
    """What it is compared with."""
    number: int
    tables: Mapping[str, United]
    record: dict[str, Any]
    statistics: Statistics
    difference: Difference

    def list_tables(self) -> dict[str, TableRef]:
        return {name: united.table for name, united in self.tables.items()}


def publish_version(
    folder: RunFolder,
    config: RunConfig,
    incremental: Incremental,
    store: Store,
    write_page: Callable[[Difference, Path], object],
) -> Published:
    """Publishes the next version of a dataset, with what a finished run made. A second call gives the same version.

    Args:
        folder: the run.
        config: its config.
        incremental: its settings, with `first_slot` as the run had it.
        store: where the tables of versions are kept.
        write_page: writes a difference as a page for people.

    Returns:
        The version, or none where the run added no row to the dataset.

    Raises:
        DriftFailed: what the run made is too far from the last version; its difference stands in the run's report.
        TableError: a table cannot be read.
        OSError: something cannot be written.
    """
    runs = folder.root.parent
    with hold_turn(runs / DATASETS / incremental.dataset / ".turn"):
        versions = list_versions(runs, incremental.dataset)
        for version in versions:
            if version.manifest.parts and version.manifest.parts[-1].run_id == folder.run_id:
                return Published(version, read_difference(version.folder.report / FILE))
        previous = versions[-1] if versions else None
        candidate = _compose(folder, config, incremental, previous, store)
        difference = candidate.difference
        write_difference(difference, folder.report)
        write_page(difference, folder.report / PAGE)
        if not difference.added:
            return Published(None, difference)
        if difference.failures:
            raise DriftFailed(difference, folder.report / PAGE)
        return Published(_write(folder, config, incremental, candidate, write_page), difference)


def _compose(
    folder: RunFolder, config: RunConfig, incremental: Incremental, previous: DatasetVersion | None, store: Store
) -> _Candidate:
    made, record = folder.find_tables(), folder.read_run()
    before = previous.folder.find_tables() if previous is not None and not list_changed_tables(previous) else {}
    kept = {} if incremental.mode == "full" else before
    united = unite_tables(kept, made, store)
    number = previous.manifest.version + 1 if previous is not None else 1
    told = None if previous is None or incremental.mode == "full" else previous.folder.read_run()
    together = add_records(told, record)
    together |= {"run_id": f"{incremental.dataset}@v{number}", "state": "completed"}
    tables = {name: one.table for name, one in united.items()}
    statistics = compute_statistics(tables, together)
    earlier = None if previous is None else _read_statistics(previous)
    # In a version of one run alone everything is added; else what the dataset does not have.
    added = tables if incremental.mode == "full" else {name: one.fresh for name, one in united.items()}
    drift: list[StatisticDrift] = []
    if before and "dataset" in added and added["dataset"].rows:
        drift = compare_statistics(
            measure_dataset(before), measure_dataset(added), config.checks.drift, config.checks.group_size
        )
    known_domains, known_seeds = _list_seeds(before)
    domains, seeds = _list_seeds(tables)
    changes = [
        TableChange(
            table=name,
            before=before[name].rows if name in before else 0,
            made=made[name].rows if name in made else 0,
            added=one.fresh.rows,
            after=one.table.rows,
        )
        for name, one in united.items()
    ]
    difference = Difference(
        dataset=incremental.dataset,
        previous=None if previous is None else previous.manifest.version,
        version=number,
        run_id=folder.run_id,
        mode=incremental.mode,
        tables=changes,
        figures=compare_figures(earlier, compute_statistics(made, record), statistics),
        new_domains=sorted(domains - known_domains),
        new_seeds=len(seeds - known_seeds),
        repeated_goals=share_repeated_goals(before.get("dialogue_tasks"), added.get("dialogue_tasks")),
        drift=drift,
    )
    return _Candidate(previous, number, united, together, statistics, difference)


def _write(
    folder: RunFolder,
    config: RunConfig,
    incremental: Incremental,
    candidate: _Candidate,
    write_page: Callable[[Difference, Path], object],
) -> DatasetVersion:
    runs = folder.root.parent
    place = name_place(runs, incremental.dataset, candidate.number)
    fresh = RunFolder(place.with_name(f"{WRITING}{uuid.uuid4().hex[:12]}"))
    try:
        record = candidate.record
        record["tables"] = {
            name: {
                "path": str(fresh.table_file(name).relative_to(fresh.root)),
                "sha256": fresh.publish(reference).sha256,
                "rows": reference.rows,
                "schema_fingerprint": reference.schema_fingerprint,
            }
            for name, reference in candidate.list_tables().items()
        }
        record["exports"] = {
            name: {
                "folder": str(fresh.export(name).relative_to(fresh.root)),
                "rows": export_openai(_read_examples(candidate), fresh.export(name)),
            }
            for name in config.export.formats
        }
        for name in config.export.formats:
            write_card(fresh.export(name), candidate.statistics, record)
        write_statistics(candidate.statistics, fresh.report / "statistics.json")
        write_difference(candidate.difference, fresh.report)
        write_page(candidate.difference, fresh.report / PAGE)
        fresh.write_run(record)
        write_lineage(fresh)
        manifest = _make_manifest(folder, incremental, candidate, _list_files(fresh, candidate))
        (fresh.root / "manifest.json").write_bytes(manifest.model_dump_json(indent=2).encode() + b"\n")
        _protect(fresh.root)
        fresh.root.rename(place)
    finally:
        shutil.rmtree(fresh.root, ignore_errors=True)
    return DatasetVersion(runs, manifest)


def _make_manifest(
    folder: RunFolder, incremental: Incremental, candidate: _Candidate, files: dict[str, VersionFile]
) -> Manifest:
    alone = incremental.mode == "full" or candidate.previous is None
    earlier = None if alone else candidate.previous
    dialogues = folder.read_run().get("config", {}).get("dialogues", 0)
    end = incremental.first_slot + dialogues
    examples = candidate.tables["dataset"]
    part = Part(
        run_id=folder.run_id,
        mode=incremental.mode,
        first_slot=incremental.first_slot,
        dialogues=dialogues,
        rows=examples.fresh.rows,
        repeated=examples.repeated,
    )
    return Manifest(
        dataset=incremental.dataset,
        version=candidate.number,
        previous=None if earlier is None else earlier.manifest.version,
        digest=compute_digest(files),
        rows=examples.table.rows,
        published=datetime.now(UTC).isoformat(timespec="milliseconds"),
        next_slot=end if earlier is None else max(end, earlier.manifest.next_slot),
        seeds=sorted(_list_seeds(candidate.list_tables())[1]),
        parts=[*(earlier.manifest.parts if earlier is not None else ()), part],
        files=files,
    )


def _list_files(fresh: RunFolder, candidate: _Candidate) -> dict[str, VersionFile]:
    tables = candidate.list_tables()
    files: dict[str, VersionFile] = {}
    for path in sorted(fresh.root.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(fresh.root).as_posix()
        table = tables.get(path.stem) if name.startswith("tables/") else None
        files[name] = VersionFile(
            sha256=hash_file(path) if table is None else table.sha256,
            bytes=path.stat().st_size,
            rows=None if table is None else table.rows,
        )
    return files


def _protect(root: Path) -> None:
    """Takes the right to write from every file, and sees that all of them are on the disk."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            path.chmod(0o444)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read_examples(candidate: _Candidate) -> Iterator[DatasetRow]:
    return read_rows(candidate.tables["dataset"].table, DatasetRow)


def _read_statistics(version: DatasetVersion) -> Statistics:
    """As they were published; counted anew where another version of turnwright published them."""
    try:
        return read_statistics(version.folder.report / "statistics.json")
    except (OSError, ValueError):
        return compute_statistics(version.folder.find_tables(), version.folder.read_run())


def _list_seeds(tables: Mapping[str, TableRef]) -> tuple[set[str], set[str]]:
    """Domains and ids of the seeds."""
    if "seeds" not in tables:
        return set(), set()
    rows = list(read_columns(tables["seeds"], "seeds", ["id", "domain"]))
    return {str(row["domain"]) for row in rows}, {str(row["id"]) for row in rows}
