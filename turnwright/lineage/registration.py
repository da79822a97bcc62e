"""From folders to the catalog: what a run or a version of a dataset holds, read from the folder itself.

A folder is the truth and its entry a copy, so registering is done again whenever the two differ: at the start and the
end of a run, and for all runs of a folder by whoever reads the catalog. A run that was killed says `running` in its own
`run.json`; nobody holds its lock, so the catalog says `killed`.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from schemas.content import digest
from schemas.vocabulary import Stage
from turnwright.datasets.versions import DatasetVersion, list_datasets, list_versions
from turnwright.lineage.catalog import Catalog
from turnwright.lineage.entries import FileEntry, PromptEntry, RunEntry, SeedEntry, VersionEntry
from turnwright.lineage.files import STAGE_INPUTS, STAGE_OUTPUTS, FileLineage
from turnwright.lineage.presence import is_present
from turnwright.storage.run_folder import RunFolder, RunNotFound, list_runs
from turnwright.storage.tables import TableError, hash_file, read_columns

KILLED = "killed"
_RECORDED = ("run.json", "lineage.json")
"""Files that say what a run is; they change while it goes on."""


def register_run(catalog: Catalog, folder: RunFolder, known: str = "") -> str:
    """Records a run as its folder shows it, and returns the stamp of its entry.

    Args:
        catalog: where it is recorded.
        folder: the run.
        known: the stamp that the catalog has; where the folder gives the same one, nothing is done.

    Raises:
        RunNotFound: there is no readable `run.json`.
        OSError: a file cannot be read.
        CatalogError: the catalog cannot be written.
    """
    record = folder.read_run()
    state = _tell_state(folder, record)
    stamp = digest([record, state, _list_sizes(folder)])
    if stamp != known:
        catalog.record_run(describe_run(folder, record, state, stamp))
    return stamp


def describe_run(folder: RunFolder, record: Mapping[str, Any], state: str, stamp: str) -> RunEntry:
    """The entry of a run.

    Raises:
        OSError: a file cannot be read.
    """
    config: Mapping[str, Any] = record.get("config") or {}
    incremental: Mapping[str, Any] = config.get("incremental") or {}
    endpoints: Mapping[str, Mapping[str, Any]] = record.get("endpoints") or {}
    prompts: Mapping[str, str] = record.get("prompt_digests") or {}
    return RunEntry(
        place=str(folder.root.parent.resolve()),
        run_id=folder.run_id,
        state=state,
        started=str(record.get("started", "")),
        finished=record.get("finished"),
        config_digest=digest(config),
        dataset=incremental.get("dataset"),
        stamp=stamp,
        files=tuple(_list_files(folder)),
        seeds=tuple(_list_seeds(folder)),
        prompts=tuple(
            PromptEntry(role=role, digest=prompts[role], model=_name_model(endpoints.get(role) or {}))
            for role in sorted(prompts)
        ),
    )


def register_version(catalog: Catalog, version: DatasetVersion) -> None:
    """Records a version of a dataset from its manifest.

    Raises:
        CatalogError: the catalog cannot be written.
    """
    manifest = version.manifest
    catalog.record_version(
        VersionEntry(
            place=str(version.runs.resolve()),
            dataset=manifest.dataset,
            version=manifest.version,
            digest=manifest.digest,
            rows=manifest.rows,
            published=manifest.published,
            parts=tuple(part.run_id for part in manifest.parts),
            files=tuple(
                FileEntry(name=name, sha256=file.sha256, bytes=file.bytes, rows=file.rows)
                for name, file in manifest.files.items()
            ),
        )
    )


def register_all(catalog: Catalog, runs: Path) -> None:
    """Makes the catalog say what a runs folder holds: every run, every version, and nothing that is gone.

    Raises:
        OSError: a file cannot be read.
        CatalogError: the catalog cannot be written.
    """
    place = str(runs.resolve())
    present: set[str] = set()
    stamps = {run.run_id: run.stamp for run in catalog.list_runs(place)}
    for folder in list_runs(runs):
        try:
            register_run(catalog, folder, stamps.get(folder.run_id, ""))
        except RunNotFound:
            continue  # deleted meanwhile, or its run.json is damaged: either way it tells nothing
        present.add(folder.run_id)
    for run_id in sorted(stamps.keys() - present):
        catalog.forget_run(place, run_id)
    versions = [version for name in list_datasets(runs) for version in list_versions(runs, name)]
    found = {(version.manifest.dataset, version.manifest.version): version for version in versions}
    known = {(entry.dataset, entry.version): entry.digest for entry in catalog.list_versions(place)}
    for identity, version in found.items():
        if known.get(identity) != version.manifest.digest:
            register_version(catalog, version)
    for dataset, number in known.keys() - found.keys():
        catalog.forget_version(place, dataset, number)


def _tell_state(folder: RunFolder, record: Mapping[str, Any]) -> str:
    state = str(record.get("state", "unknown"))
    if state == "running" and not is_present(folder.root.parent, folder.run_id):
        return KILLED
    return state


def _list_sizes(folder: RunFolder) -> list[tuple[str, int, int]]:
    """What tells that a file of the folder is another one, without reading it."""
    return [
        (name, path.stat().st_size, path.stat().st_mtime_ns)
        for name, path in _walk(folder)
        if not name.startswith("tables/")
    ]


def _list_files(folder: RunFolder) -> Iterator[FileEntry]:
    known = _read_known(folder)
    tables = folder.find_tables()
    stages: dict[str, Stage] = {table: stage for stage, outputs in STAGE_OUTPUTS.items() for table in outputs}
    for name, path in _walk(folder):
        table = path.stem if name.startswith("tables/") else ""
        if table in tables:
            stage = stages.get(table)
            parents = [_table_file(parent) for parent in STAGE_INPUTS[stage] if parent in tables] if stage else []
            yield FileEntry(
                name=name,
                sha256=tables[table].sha256,
                bytes=path.stat().st_size,
                rows=tables[table].rows,
                stage=stage or "",
                made_from=tuple(parents),
            )
            continue
        size = path.stat().st_size
        file = known.get(name)
        exported = name.startswith("export/")
        yield FileEntry(
            name=name,
            # Exports are large, and lineage.json says their digest.
            sha256=file.sha256 if file is not None and file.bytes == size else hash_file(path),
            bytes=size,
            stage="build-dataset" if exported else "report" if name.startswith("report/") else "",
            made_from=(_table_file("dataset"),) if exported and "dataset" in tables else (),
        )


def _walk(folder: RunFolder) -> Iterator[tuple[str, Path]]:
    """Finished files of a run folder, by name."""
    for path in sorted(folder.root.rglob("*")):
        name = path.relative_to(folder.root).as_posix()
        if path.is_file() and not path.name.startswith(".writing-") and name not in _RECORDED:
            yield name, path


def _read_known(folder: RunFolder) -> dict[str, FileLineage]:
    """lineage.json as it stands; it is never made here, because the run may be going on."""
    try:
        content: dict[str, Any] = orjson.loads(folder.lineage_file.read_bytes())["files"]
        return {name: FileLineage.model_validate(file) for name, file in content.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _list_seeds(folder: RunFolder) -> Iterable[SeedEntry]:
    seeds = folder.find_tables().get("seeds")
    if seeds is None:
        return []
    try:
        rows = list(read_columns(seeds, "seeds", ["id", "domain", "locator", "base_digest"]))
    except TableError:
        return []  # written by another version: the run is registered without its seeds
    return sorted((SeedEntry(**row) for row in rows), key=lambda seed: seed.id)


def _name_model(endpoint: Mapping[str, Any]) -> str:
    return str(endpoint.get("name") or endpoint.get("kind") or "unknown")


def _table_file(table: str) -> str:
    return f"tables/{table}.parquet"
