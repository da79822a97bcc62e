"""The course of a run in `run.json`: that it began, goes on, and how it ended; and what it opened is closed then."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from prompts import prompt_digest
from tasks.cache_keys import list_roles
from tasks.crew import describe_usage
from tasks.run_context import RunContext
from tasks.run_description import describe_endpoint, list_versions, mask_config
from tasks.run_record import find_stopped, record_ledger
from tasks.runners import close_runner
from tasks.workbench import close_workbench
from turnwright.lineage.files import write_lineage
from turnwright.storage.mirrors import has_file, push_folder
from turnwright.storage.run_folder import RunNotFound

State = Literal["running", "completed", "failed", "interrupted"]

_log = logging.getLogger("turnwright.runs")

_recorded: set[str] = set()
"""Runs whose course this process records."""


@contextmanager
def recorded_run(run: RunContext) -> Generator[None]:
    """Keeps `run.json` while the stages of a run work, and closes what they opened, however they end.

    Raises:
        OSError: the run folder cannot be written.
    """
    resume_record(run)
    try:
        try:
            yield
        except BaseException as error:
            state: State = "failed" if isinstance(error, Exception) else "interrupted"
            try:
                finish_record(run, state, str(error) or type(error).__name__)
            except (OSError, RunNotFound):
                _log.warning("the end of the run could not be recorded in %s", run.folder.root)
            raise
        finish_record(run, "completed")
    finally:
        leave_record(run)
        close_runner(run)
        close_workbench(run)


def begin_record(run: RunContext) -> None:
    """Makes the run folder with its first `run.json`; leaves one that is there already.

    Raises:
        OSError: the folder cannot be written.
    """
    if has_file(run.folder.run_file):
        return
    run.folder.write_run(
        {
            "run_id": run.run_id,
            "state": "running",
            "started": _now(),
            "config": mask_config(run.config),
            "offline": run.offline,
            "versions": list_versions(),
            "prompt_digests": {role: prompt_digest(role) for role in list_roles()},
            "endpoints": {role: describe_endpoint(role, run.config) for role in list_roles()},
            "timings": {},
            "usage": {},
            "own_usage": {},
            "ledger": {},
            "stages": {},
            "tables": {},
            "exports": {},
        }
    )


def resume_record(run: RunContext) -> None:
    """Makes the first `run.json`, or says in the one that is there that the run goes on; once for each time it works.

    Raises:
        OSError: the folder cannot be written.
    """
    if run.run_id in _recorded:
        return
    _recorded.add(run.run_id)
    if not has_file(run.folder.run_file):
        begin_record(run)
        return
    record = run.folder.read_run()
    run.folder.write_run(record | {"state": "running", "error": None, "resumed": _now()})


def leave_record(run: RunContext) -> None:
    """Says that this process works no more on the run; may be called twice."""
    _recorded.discard(run.run_id)


def is_recorded(run: RunContext) -> bool:
    """Whether `recorded_run` of this process records how the run goes."""
    return run.run_id in _recorded


def finish_record(run: RunContext, state: State, error: str | None = None) -> dict[str, Any]:
    """Adds how the run ended, what it used and how long it took, writes lineage.json, and returns the whole record.

    Raises:
        OSError: the folder cannot be written.
    """
    record_ledger(run)
    record = run.folder.read_run()
    record |= describe_usage(run)
    record["state"] = state
    record["error"] = error
    record["stopped"] = find_stopped(run)
    record["finished"] = _now()
    # A run that goes on after a failure worked twice; what lies between is nobody's time.
    began = datetime.fromisoformat(record.get("resumed", record["started"]))
    seconds = (datetime.now(UTC) - began).total_seconds() + record["timings"].get("total", 0.0)
    record["timings"]["total"] = round(seconds, 3)
    run.folder.write_run(record)
    write_lineage(run.folder)
    push_folder(run.folder.root)
    return record


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
