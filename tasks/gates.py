"""Gates as tasks: the data checks of a stage, done once for the same tables and limits, published to every run."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from prefect import task

from data_checks.gate import GateFailed, GateReport, read_reports
from data_checks.process import GateProcess
from schemas.closed import Closed
from schemas.content import digest
from schemas.rows import TableRef
from schemas.vocabulary import Stage
from tasks.cache_keys import digest_folder, digest_reached
from tasks.caching import CACHED
from tasks.run_context import RunContext
from turnwright.storage.mirrors import find_file, name_file, push_folder
from turnwright.storage.run_folder import publish_file
from turnwright.storage.store import replace_file
from turnwright.storage.tables import bring_tables, hash_file

_INDEX = "index.html"
_CHANGES_NO_CHECK = {
    "name",
    "model",
    "roles",
    "sources",
    "budget",
    "concurrency",
    "shard_size",
    "retry_seconds",
    "workers",
    "export",
    "incremental",
    "openlineage",
}
"""Config fields that no suite reads; of the sources only their number counts."""


_gates = GateProcess()
"""Shared by all runs of this process."""


class StoredFile(Closed):
    """A file that a gate left."""

    name: str
    """Its place in `checks/`."""
    path: str
    sha256: str


class GateWork(Closed):
    """What a gate looks at."""

    stage: Stage
    key: str
    tables: dict[str, TableRef]
    """The stage's tables, its part of the ledger, and the tables that they refer to."""


class GateResult(Closed):
    """What a gate found, and the files that it left in the store."""

    report: GateReport
    files: list[StoredFile]


def plan_gate(run: RunContext, stage: Stage, tables: dict[str, TableRef]) -> GateWork:
    """A gate's work, keyed by the tables, the limits and the code of the suites."""
    config = run.config.model_dump(mode="json", exclude=_CHANGES_NO_CHECK)
    config["checks"].pop("drift", None)  # no table's check: a version of a dataset is held against it
    key = digest(
        {
            "stage": stage,
            "code": [digest_folder("data_checks"), digest_reached("data_checks")],
            "config": config | {"sources": len(run.config.sources)},
            "tables": {name: tables[name].sha256 for name in sorted(tables)},
        }
    )
    return GateWork(stage=stage, key=key, tables=tables)


@task(name="check", task_run_name="check-{work.stage}", **CACHED)
async def check_tables(run: RunContext, work: GateWork) -> GateResult:
    """Runs the suites of a stage. A gate that fails is a result, too: the same tables fail again without a new look."""

    def check() -> GateResult:
        folder = run.place / "store" / "checks"
        folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder, prefix=".checking-"))
        place = folder / work.key
        try:
            report = _gates.check_stage(work.stage, bring_tables(work.tables), run.config, fresh)
            if place.exists():
                shutil.rmtree(place)
            fresh.rename(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        push_folder(place)
        files = [
            StoredFile(name=str(file.relative_to(place)), path=name_file(file), sha256=hash_file(file))
            for file in sorted(place.rglob("*"))
            if file.is_file() and file.name != _INDEX
        ]
        return GateResult(report=report.model_copy(update={"path": str(place / Path(report.path).name)}), files=files)

    return await asyncio.to_thread(check)


def publish_gate(run: RunContext, result: GateResult) -> GateReport:
    """Puts a gate's files into the run's `checks/` and returns the report there.

    Raises:
        OSError: the run folder cannot be written.
    """
    folder = run.folder.checks
    for file in result.files:
        publish_file(find_file(file.path), folder / file.name)
    path = folder / f"{result.report.gate}.json"
    report = result.report.model_copy(update={"path": str(path)})
    path.unlink(missing_ok=True)
    replace_file(path, report.model_dump_json(indent=2).encode() + b"\n")
    _publish_index(run)
    return report


def require_pass(report: GateReport, *, incomplete: bool) -> None:
    """Stops the run at a gate that failed. Tables that are known to be incomplete are only reported.

    Raises:
        GateFailed: an expectation of level `fail` does not hold.
    """
    if not report.passed and not incomplete:
        raise GateFailed(report)


def _publish_index(run: RunContext) -> None:
    # The index is made by code that imports Great Expectations, which takes seconds: one of the same gates is reused.
    folder = run.folder.checks
    reports = [report.model_dump(mode="json", exclude={"path"}) for report in read_reports(folder)]
    pages = sorted(str(page.relative_to(folder)) for page in folder.rglob("*.html"))
    stored = run.place / "store" / "checks" / f"index-{digest([reports, pages])}.html"
    if not stored.is_file():
        _gates.write_index(folder)
        replace_file(stored, (folder / _INDEX).read_bytes())
    publish_file(stored, folder / _INDEX)
