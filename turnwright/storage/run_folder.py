"""What one run leaves behind, and where: the run folder of docs/architecture.md.

    <runs>/<run_id>/run.json              config, versions, prompt digests, endpoint, timings, usage, ledger totals
    <runs>/<run_id>/tables/<table>.parquet
    <runs>/<run_id>/checks/               one JSON per gate, and Data Docs
    <runs>/<run_id>/export/<format>/
    <runs>/<run_id>/report/index.html     statistics.json beside it
    <runs>/<run_id>/lineage.json
    <runs>/store/                         large content once, by its digest; what caches and journals need

A table of a run folder is a hard link to the store's file, or a copy where the file system has no links.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from schemas.rows import TableRef
from schemas.tables import TABLES, schema_fingerprint
from turnwright.storage.mirrors import (
    copy_pushed,
    find_place,
    find_url,
    has_file,
    list_folders,
    pull_file,
    pull_folder,
    pull_fresh,
    push_file,
)
from turnwright.storage.store import Store, replace_file
from turnwright.storage.tables import find_table

STORE = "store"


class RunNotFound(LookupError):
    """There is no such run, or the folder is not one."""


class RunFolder:
    """The folder of one run. Nothing is made until something is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return self.root.name

    @property
    def run_file(self) -> Path:
        """`run.json`."""
        return self.root / "run.json"

    @property
    def lineage_file(self) -> Path:
        """`lineage.json`."""
        return self.root / "lineage.json"

    @property
    def tables(self) -> Path:
        """Folder of the tables."""
        return self.root / "tables"

    @property
    def checks(self) -> Path:
        """Folder of the gates' results."""
        return self.root / "checks"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.root / "report"

    @property
    def journal(self) -> Path:
        """Folder of the call journal, which all runs of a runs folder share."""
        return self.root.parent / STORE / "journal"

    def export(self, export_format: str) -> Path:
        """Folder of one export format."""
        return self.root / "export" / export_format

    def table_file(self, table: str) -> Path:
        """Where a table of this run is, or would be."""
        return self.tables / f"{table}.parquet"

    def publish(self, reference: TableRef) -> TableRef:
        """Puts a table of the store into the run folder and returns its reference there.

        In an object store the reference stays that of the content: another machine may have an older run folder.

        Raises:
            OSError: the folder cannot be written.
        """
        place, content = self.table_file(reference.table), find_table(reference)
        publish_file(content, place)
        if find_url(place) is not None:
            copy_pushed(content, place)
            return reference
        return reference.model_copy(update={"path": str(place.resolve())})

    def find_tables(self) -> dict[str, TableRef]:
        """The tables that this run has, by name, as `run.json` recorded them.

        Raises:
            RunNotFound: there is no readable `run.json`.
        """
        recorded: dict[str, Any] = self.read_run().get("tables", {})
        return {
            table: TableRef(
                table=table,
                path=str(self.table_file(table).resolve()),
                sha256=entry["sha256"],
                rows=entry["rows"],
                schema_fingerprint=entry.get("schema_fingerprint", schema_fingerprint(table)),
            )
            for table, entry in recorded.items()
            if table in TABLES and self.table_file(table).is_file()
        }

    def write_run(self, record: Mapping[str, Any]) -> None:
        """Writes `run.json`, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
        """
        replace_file(self.run_file, format_json(record))
        push_file(self.run_file)

    def read_run(self) -> dict[str, Any]:
        """The content of `run.json`.

        Raises:
            RunNotFound: it is missing or is not JSON.
        """
        try:
            pull_fresh(self.run_file)
            return orjson.loads(self.run_file.read_bytes())
        except FileNotFoundError:
            raise RunNotFound(f"{self.root} is not a run folder: it has no run.json") from None
        except (orjson.JSONDecodeError, OSError) as error:
            raise RunNotFound(f"{self.run_file} cannot be read: {error}") from error


def find_run(runs: Path, name: str) -> RunFolder:
    """The run that a person means: a folder, a run id, the beginning of one that no other run has, or `latest`.

    Raises:
        RunNotFound: nothing fits, or several do; the message lists what there is.
    """
    for folder in (find_place(name), runs / name):
        if has_file(folder / "run.json"):
            return _bring(folder)
    known = list_runs(runs)
    if name == "latest" and known:
        return _bring(known[-1].root)
    fitting = [run for run in known if run.run_id.startswith(name)]
    if len(fitting) == 1:
        return _bring(fitting[0].root)
    if fitting:
        names = ", ".join(run.run_id for run in fitting[-5:])
        raise RunNotFound(f"{name!r} means several runs in {runs}: {names}")
    listing = ", ".join(run.run_id for run in known[-5:]) or "none"
    raise RunNotFound(f"no run {name!r} in {runs}; the last runs there: {listing}")


def list_runs(runs: Path) -> list[RunFolder]:
    """All runs of a runs folder, oldest first."""
    folders = [folder for folder in list_folders(runs) if folder.name != STORE and _has_run(folder)]
    return [RunFolder(folder) for folder in sorted(folders, key=_age)]


def _has_run(folder: Path) -> bool:
    """Whether a folder is a run's; its `run.json` is then here."""
    try:
        pull_file(folder / "run.json")
    except FileNotFoundError:
        return False
    return (folder / "run.json").is_file()


def _bring(folder: Path) -> RunFolder:
    """A run with all its files on this machine."""
    pull_folder(folder)
    return RunFolder(folder)


def _age(folder: Path) -> tuple[str, str]:
    try:
        started = str(json.loads((folder / "run.json").read_text(encoding="utf-8")).get("started", ""))
    except (OSError, ValueError):
        started = ""
    return started, folder.name


def open_store(runs: Path) -> Store:
    """The store of a runs folder."""
    return Store(runs / STORE / "content")


def publish_file(content: Path, place: Path) -> None:
    """Makes `place` the same file as `content`: a hard link, or a copy where links are not possible.

    Raises:
        OSError: the folder cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() and place.samefile(content):
        return
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".writing-")
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.unlink()
        try:
            temporary.hardlink_to(content)
        except OSError:
            shutil.copyfile(content, temporary)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)


def format_json(value: Any) -> bytes:
    """JSON for people: indented, keys in the order given."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n"
