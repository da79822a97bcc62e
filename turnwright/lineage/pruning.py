"""What of a runs folder nothing needs any more, and taking it away.

Kept are: runs that were not given up, every run at work, every version of a dataset that was not given up, the runs
that such a version is made of unless they are named; and of the store all that these hold or could use again:

* tables and ledgers, the parts that they were merged of, copies of sources (so that dialogues can be replayed);
* recorded results of tasks that lead to any of these, and all that are younger than a kept run that did not finish, so
  that it goes on where it stopped;
* gates' pages that a kept run shows.

Never taken: the call journal, whose replies were paid for and serve runs to come; the prompts; Prefect's database.
"""

import os
import re
import shutil
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from schemas.closed import Closed
from turnwright.datasets.publishing import WRITING
from turnwright.datasets.versions import DATASETS, DatasetVersion, list_datasets, list_versions
from turnwright.lineage.presence import is_present
from turnwright.storage.run_folder import STORE, RunFolder, RunNotFound, list_runs, open_store
from turnwright.storage.tables import TableError, hash_file, read_columns

Kind = Literal["run", "version", "content", "result", "check", "leftover"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PRUNING: Final = ".pruning-"
_LEFTOVERS: Final = (".writing-", ".checking-", WRITING, _PRUNING)
_DAY: Final = 86_400.0


class NotThere(LookupError):
    """A run or version that is to be given up is not there, or is at work."""


class Doomed(Closed):
    """Something that nothing needs."""

    kind: Kind
    name: str
    """Its place in the runs folder."""
    bytes: int
    """Of its files; what they share with files that stay is counted, and not gained."""


class PrunePlan(Closed):
    """What would go."""

    kept_runs: list[str]
    kept_versions: list[str]
    doomed: list[Doomed]
    """Runs and versions first, then what only they needed."""
    bytes: int
    """What the disk gains: files that stay under another name do not count."""


@dataclass(frozen=True)
class GivenUp:
    """What the user does without."""

    keep_last: int | None = None
    """All finished runs but the last so many."""
    older_than_days: float | None = None
    """Runs that ended before."""
    names: frozenset[str] = frozenset()
    """Runs by id, versions as `<dataset>@v<number>`."""
    spare_seconds: float = 3600.0
    """Files of the store that are younger stay: a process that nobody knows of may be about to use them."""


@dataclass
class _Needed:
    digests: set[str] = field(default_factory=set[str])
    since: float = float("inf")
    """Recorded results are needed from this time on."""
    every_result: bool = False
    """Some kept run does not say which parts it was made of."""


def plan_prune(runs: Path, given_up: GivenUp, now: float) -> PrunePlan:
    """What can go. Nothing is changed.

    Args:
        runs: the runs folder.
        given_up: what the user does without.
        now: seconds since 1970.

    Raises:
        NotThere: something that is to be given up by name is not there, or a process works on it.
        OSError: the folder cannot be read.
    """
    versions = [version for name in list_datasets(runs) for version in list_versions(runs, name)]
    folders = list_runs(runs)
    known = {folder.run_id for folder in folders} | {version.name for version in versions}
    if missing := sorted(given_up.names - known):
        raise NotThere(f"nothing in {runs} is called {missing[0]!r}")
    kept_versions = [version for version in versions if version.name not in given_up.names]
    parts = {part.run_id for version in kept_versions for part in version.manifest.parts}
    gone = _choose_runs(runs, folders, parts, given_up, now)
    kept = [folder for folder in folders if folder.run_id not in gone]
    needed = _find_needed(kept, kept_versions)
    latest = now - given_up.spare_seconds
    paths: dict[Path, Kind] = dict.fromkeys((folder.root for folder in folders if folder.run_id in gone), "run")
    paths |= dict.fromkeys((one.folder.root for one in versions if one.name in given_up.names), "version")
    paths |= dict.fromkeys(_find_leftovers(runs), "leftover")
    paths |= {path: kind for path, kind in _sift_store(runs, needed).items() if path.stat().st_mtime <= latest}
    return PrunePlan(
        kept_runs=[folder.run_id for folder in kept],
        kept_versions=[version.name for version in kept_versions],
        doomed=[
            Doomed(
                kind=kind,
                name=path.relative_to(runs).as_posix(),
                bytes=sum(file.stat().st_size for file in _list_files(path)),
            )
            for path, kind in paths.items()
        ],
        bytes=_count_gain(paths),
    )


def carry_out(runs: Path, plan: PrunePlan) -> None:
    """Takes away what the plan names. Must be called while no run can begin (`presence.hold_alone`).

    A run folder disappears by one rename; whoever is killed in the middle leaves a leftover for the next time.

    Raises:
        OSError: something cannot be deleted.
    """
    for one in plan.doomed:
        path = runs / one.name
        if path.is_dir():
            aside = path.with_name(f"{_PRUNING}{uuid.uuid4().hex[:12]}")
            path.rename(aside)
            shutil.rmtree(aside)
        else:
            path.unlink(missing_ok=True)
    for folder in (runs / STORE / "content").glob("*"):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _choose_runs(runs: Path, folders: list[RunFolder], parts: set[str], given_up: GivenUp, now: float) -> set[str]:
    alive = {folder.run_id for folder in folders if is_present(runs, folder.run_id)}
    if named := sorted(given_up.names & alive):
        raise NotThere(f"{named[0]} is at work")
    gone = {folder.run_id for folder in folders if folder.run_id in given_up.names}
    # A version stands by itself, but the gates' pages and reports of its runs stand with these alone.
    optional = [folder for folder in folders if folder.run_id not in parts | alive]
    if given_up.keep_last is not None:
        last = {folder.run_id for folder in folders[len(folders) - given_up.keep_last :]}
        gone |= {folder.run_id for folder in optional if folder.run_id not in last}
    if given_up.older_than_days is not None:
        limit = now - given_up.older_than_days * _DAY
        gone |= {folder.run_id for folder in optional if _read_end(folder) < limit}
    return gone


def _read_end(folder: RunFolder) -> float:
    try:
        record = folder.read_run()
        told = datetime.fromisoformat(str(record.get("finished") or record.get("started")))
    except (RunNotFound, ValueError):
        return folder.root.stat().st_mtime
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


def _find_needed(kept: Iterable[RunFolder], versions: Iterable[DatasetVersion]) -> _Needed:
    needed = _Needed()
    for folder in kept:
        try:
            record = folder.read_run()
        except RunNotFound:
            needed.every_result = True  # what cannot be read may need anything
            continue
        _need_tables(needed, folder)
        stages: Mapping[str, Mapping[str, Any]] = record.get("stages") or {}
        for stage in stages.values():
            needed.digests.update(_DIGEST.findall(orjson.dumps(stage).decode()))
            needed.every_result |= "parts" not in stage
        for page in (folder.root / "checks").rglob("*"):
            if page.is_file():
                needed.digests.add(hash_file(page))
        if record.get("state") != "completed" or record.get("stopped"):
            needed.since = min(needed.since, _read_start(record))
    for version in versions:
        _need_tables(needed, version.folder)
        needed.digests.update(file.sha256 for file in version.manifest.files.values())
    return needed


def _need_tables(needed: _Needed, folder: RunFolder) -> None:
    tables = folder.find_tables()
    needed.digests.update(reference.sha256 for reference in tables.values())
    if "seeds" in tables:
        try:
            for row in read_columns(tables["seeds"], "seeds", ["base_digest", "content"]):
                needed.digests.update(_DIGEST.findall(f"{row['base_digest']} {row['content']}"))
        except TableError:
            needed.digests.update(_find_bases(folder))


def _find_bases(folder: RunFolder) -> Iterator[str]:
    """All that the store has beside tables: for a run of another version, whose seeds cannot be read."""
    for path in (folder.root.parent / STORE / "content").rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            yield path.name[:64]


def _read_start(record: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(record.get("started"))).timestamp()
    except ValueError:
        return 0.0


def _sift_store(runs: Path, needed: _Needed) -> dict[Path, Kind]:
    store = runs / STORE
    doomed: dict[Path, Kind] = {}
    used = set(needed.digests)
    pages: set[Path] = set()
    for record in sorted((store / "results").glob("*")):
        if not record.is_file() or record.name.startswith("."):
            continue
        text = _read_result(record)
        digests = set(_DIGEST.findall(text))
        kept = (
            needed.every_result
            or record.stat().st_mtime >= needed.since
            or not digests.isdisjoint(needed.digests)
            or not digests
        )
        if kept:
            used |= digests
            pages.update(store / "checks" / name for name in digests)
        else:
            doomed[record] = "result"
    for path in sorted(open_store(runs).root.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.name[:64] not in used:
            doomed[path] = "content"
    for path in sorted((store / "checks").glob("*")):
        if path.name.startswith("."):
            continue
        if path not in pages if path.is_dir() else hash_file(path) not in used:
            doomed[path] = "check"
    return doomed


def _read_result(record: Path) -> str:
    """What a task returned: Prefect's wrapping names the record itself, which needs nothing."""
    try:
        return str(orjson.loads(record.read_bytes())["result"])
    except (ValueError, KeyError, TypeError):
        return ""


def _find_leftovers(runs: Path) -> Iterator[Path]:
    """Files and folders of writers that were killed."""
    store = runs / STORE
    places = [runs, store / "checks", store / "prompts", store / "results"]
    places += [path for path in (runs / DATASETS).glob("*") if path.is_dir()]
    places += [path for path in (store / "content").glob("*") if path.is_dir()] + [store / "content"]
    for place in places:
        if place.is_dir():
            for path in sorted(place.iterdir()):
                if path.name.startswith(_LEFTOVERS):
                    yield path


def _list_files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    else:
        yield path


def _count_gain(paths: Iterable[Path]) -> int:
    """Bytes of the files none of whose names stay."""
    names: Counter[tuple[int, int]] = Counter()
    states: dict[tuple[int, int], os.stat_result] = {}
    for path in paths:
        for file in _list_files(path):
            state = file.stat()
            names[state.st_dev, state.st_ino] += 1
            states[state.st_dev, state.st_ino] = state
    return sum(state.st_size for file, state in states.items() if names[file] >= state.st_nlink)
