"""Versions of a dataset: `<runs>/datasets/<name>/v1`, `v2`, …, each whole, immutable, and a run folder to every reader.

    vN/manifest.json     what it holds, by digest, and which runs it is made of
    vN/run.json          what a run folder has: config, prompts, figures of all its runs together
    vN/tables/           links to the store
    vN/export/<format>/  for trainers
    vN/report/           statistics.json, difference.json and difference.html against the version before

A version appears by one rename, so there is never a part of one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from schemas.closed import Closed
from schemas.content import digest
from schemas.incremental import Incremental, Mode
from schemas.tables import schema_fingerprint
from turnwright.storage.run_folder import RunFolder
from turnwright.storage.tables import TableError, hash_file

DATASETS = "datasets"
FORMAT = 1
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


class VersionNotFound(LookupError):
    """There is no such dataset, or no such version of it."""


class VersionFile(Closed):
    """One file of a version."""

    sha256: str
    bytes: int
    rows: int | None = None
    """Rows of a table; none for other files."""


class Part(Closed):
    """What one run added."""

    run_id: str
    mode: Mode
    first_slot: int
    """Number of its first dialogue."""
    dialogues: int
    """Dialogues that it attempted, trials not counted."""
    rows: int
    """Rows of the dataset that it added."""
    repeated: int
    """Rows that it did not add, because the dataset has them or one with the same messages."""


class Manifest(Closed):
    """What a version holds."""

    format: int = FORMAT
    dataset: str
    version: int
    previous: int | None
    """The version that it adds to; none for the first and for one that a run made alone."""
    digest: str
    """Of the digests of its tables and exports: equal digests, equal data."""
    rows: int
    """Rows of the dataset."""
    published: str
    """ISO 8601, UTC. Not in the digest."""
    next_slot: int
    """Number of the first dialogue of a run that adds to it."""
    seeds: list[str]
    """Ids of its seeds, sorted."""
    parts: list[Part]
    """Its runs, in the order in which they were added."""
    files: dict[str, VersionFile]
    """By place in the folder."""


@dataclass(frozen=True)
class DatasetVersion:
    """A published version."""

    runs: Path
    """The runs folder."""
    manifest: Manifest

    @property
    def folder(self) -> RunFolder:
        """Its folder, to read as one reads a run."""
        return RunFolder(name_place(self.runs, self.manifest.dataset, self.manifest.version))

    @property
    def name(self) -> str:
        """`<dataset>@v<number>`."""
        return f"{self.manifest.dataset}@v{self.manifest.version}"


def name_place(runs: Path, dataset: str, version: int) -> Path:
    """Where a version is, or would be."""
    return runs / DATASETS / dataset / f"v{version}"


def list_datasets(runs: Path) -> list[str]:
    """Names of the datasets that have a version, sorted."""
    return sorted({path.parent.parent.name for path in (runs / DATASETS).glob("*/v*/manifest.json")})


def list_versions(runs: Path, dataset: str) -> list[DatasetVersion]:
    """The versions of a dataset, oldest first. Folders without a readable manifest are no versions."""
    found: list[DatasetVersion] = []
    for path in (runs / DATASETS / dataset).glob("v*/manifest.json"):
        if _VERSION.fullmatch(path.parent.name):
            try:
                found.append(DatasetVersion(runs, Manifest.model_validate_json(path.read_bytes())))
            except (OSError, ValidationError):
                continue
    return sorted(found, key=lambda version: version.manifest.version)


def find_version(runs: Path, name: str) -> DatasetVersion:
    """The version that a person means: `club@v2`, `club@latest`, or `club` for the latest.

    Raises:
        VersionNotFound: there is none; the message lists what there is.
    """
    dataset, _, wanted = name.partition("@")
    versions = list_versions(runs, dataset) if re.fullmatch(r"[\w-]+", dataset, re.ASCII) else []
    if not versions:
        known = ", ".join(list_datasets(runs)) or "none"
        raise VersionNotFound(f"no dataset {dataset!r} in {runs}; datasets there: {known}")
    if wanted in ("", "latest"):
        return versions[-1]
    for version in versions:
        if f"v{version.manifest.version}" == wanted:
            return version
    known = ", ".join(f"v{version.manifest.version}" for version in versions)
    raise VersionNotFound(f"{dataset} has no version {wanted!r}; its versions: {known}")


def plan_extension(runs: Path, wanted: Incremental) -> Incremental:
    """The settings of a run that begins: which version it adds to, and where its numbers start.

    Raises:
        TableError: the last version's tables have other columns than those of this version of turnwright.
    """
    versions = list_versions(runs, wanted.dataset)
    if not versions:
        return wanted.model_copy(update={"base": 0, "first_slot": 0, "known_seeds": []})
    last = versions[-1].manifest
    if wanted.mode == "full":
        # Numbered like the first run: whatever did not change is found again, and not paid for twice.
        return wanted.model_copy(update={"base": last.version, "first_slot": 0, "known_seeds": []})
    if changed := list_changed_tables(versions[-1]):
        raise TableError(
            f"{versions[-1].name} was published with other columns of {', '.join(changed)}: it cannot be added to; "
            "publish a version of a run alone with incremental.mode: full"
        )
    return wanted.model_copy(
        update={"base": last.version, "first_slot": last.next_slot, "known_seeds": list(last.seeds)}
    )


def list_changed_tables(version: DatasetVersion) -> list[str]:
    """Tables of a version whose columns are not those that this version of turnwright writes."""
    tables = version.folder.find_tables()
    return [name for name, table in tables.items() if table.schema_fingerprint != schema_fingerprint(name)]


def compute_digest(files: Mapping[str, VersionFile]) -> str:
    """The digest of a version: of its tables and exported lines, whatever the reports beside them say."""
    counted = {
        name: file.sha256
        for name, file in files.items()
        if name.startswith("tables/") or (name.startswith("export/") and name.endswith(".jsonl"))
    }
    return digest(counted)


def find_runs(folder: RunFolder) -> Path:
    """The runs folder that a run, or a version of a dataset, stands in."""
    parent = folder.root.parent
    return parent.parent.parent if parent.parent.name == DATASETS else parent


def find_damage(version: DatasetVersion) -> list[str]:
    """What of a version is not as it was published: one line for each file; nothing where it is whole.

    Raises:
        OSError: a file cannot be read.
    """
    problems: list[str] = []
    for name, file in sorted(version.manifest.files.items()):
        path = version.folder.root / name
        if not path.is_file():
            problems.append(f"{name} is gone")
        elif hash_file(path) != file.sha256:
            problems.append(f"{name} has changed")
    if compute_digest(version.manifest.files) != version.manifest.digest:
        problems.append("manifest.json has changed")
    return problems
