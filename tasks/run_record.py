"""run.json: what a run was told, what it did, what came of it. Written at the start, after each stage, at the end."""

import logging
import platform
import re
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from data_checks.gate import GateReport
from prompts import prompt_digest
from schemas.closed import Closed
from schemas.config import RunConfig
from schemas.endpoints import SelfplayModel
from schemas.rows import TableRef
from schemas.vocabulary import STAGES, Role, Stage
from tasks.cache_keys import list_roles
from tasks.crew import describe_usage
from tasks.run_context import RunContext
from tasks.runners import close_runner
from tasks.shards import StageResult, Stopped, join_stopped
from tasks.workbench import close_workbench
from turnwright.lineage.files import write_lineage
from turnwright.storage.mirrors import has_file, name_file, push_folder, push_new
from turnwright.storage.run_folder import RunNotFound
from turnwright.storage.store import replace_file
from turnwright.storage.tables import SUFFIX, find_table, merge_tables, read_columns

State = Literal["running", "completed", "failed", "interrupted"]

_log = logging.getLogger("turnwright.runs")

_PACKAGES = ("turnwright", "prefect", "pydantic", "pyarrow", "great-expectations", "openai", "sqlalchemy", "sqlglot")
_recorded: set[str] = set()
"""Runs whose course this process records."""
_OUTCOMES = ("accepted", "rejected", "failed", "not_attempted")


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


class RunSummary(Closed):
    """What a run came to; the JSON of the command `run`."""

    run_dir: str
    dialogues: int
    """Dialogues that were to be attempted."""
    valid: int
    rejected: int
    failed: int
    tools_verified: int
    model_calls: int
    """Requests sent to an endpoint."""
    tokens: int
    """Of new replies, prompt and generated."""
    seconds: float
    tables: dict[str, dict[str, str | int]]
    """Name -> path, sha256, rows."""
    exports: dict[str, str]
    """Format -> folder."""


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


def summarize_run(run: RunContext) -> RunSummary:
    """The summary of a run, as far as it came.

    Raises:
        RunNotFound: there is no readable `run.json`.
    """
    record = run.folder.read_run()
    root = run.folder.root
    tools = record["ledger"].get("prepare-tools", {}).get("tool", {})
    dialogues = record.get("dialogues") or count_dialogues({}, run.config)
    return RunSummary(
        run_dir=str(root),
        dialogues=dialogues["planned"],
        valid=dialogues["valid"],
        rejected=dialogues["rejected"],
        failed=dialogues["failed"],
        tools_verified=tools.get("accepted", 0),
        model_calls=record["usage"].get("requests", 0),
        tokens=record["usage"].get("tokens", 0),
        seconds=record["timings"].get("total", 0.0),
        tables={
            name: {"path": str(root / table["path"]), "sha256": table["sha256"], "rows": table["rows"]}
            for name, table in record["tables"].items()
        },
        exports={name: str(root / export["folder"]) for name, export in record["exports"].items()},
    )


def record_stage(
    run: RunContext, result: StageResult, report: GateReport | None, parts: Iterable[TableRef] = ()
) -> None:
    """Adds a finished stage.

    Args:
        run: the run.
        result: what the stage made.
        report: what its gate found.
        parts: what its tables were merged of. As long as the run is kept these are too, so that it can be done again.

    Raises:
        OSError: the folder cannot be written.
    """
    record = run.folder.read_run()
    record["timings"][result.stage] = result.seconds
    record["stages"][result.stage] = {
        "shards": result.shards,
        "stopped": result.stopped,
        "ledger": result.ledger.model_dump(mode="json"),
        "parts": sorted({reference.sha256 for reference in parts}),
        "gate": None
        if report is None
        else {"passed": report.passed, "failures": len(report.failures), "warnings": len(report.warnings)},
    }
    for reference in result.tables.values():
        record["tables"][reference.table] = _describe(run, reference)
    record |= describe_usage(run)
    run.folder.write_run(record)
    push_folder(run.folder.root)


def record_inputs(run: RunContext, given: Mapping[str, TableRef]) -> dict[str, TableRef]:
    """Takes tables that were made elsewhere into the run: copied, because their files may change.

    Raises:
        OSError: the folder cannot be written.
    """
    record = run.folder.read_run()
    taken: dict[str, TableRef] = {}
    for table, reference in given.items():
        content = run.store.path(reference.sha256, SUFFIX)
        if not content.is_file():
            replace_file(content, find_table(reference).read_bytes())
        push_new(content)
        taken[table] = run.folder.publish(reference.model_copy(update={"path": name_file(content)}))
        record["tables"][table] = _describe(run, taken[table])
    run.folder.write_run(record)
    return taken


def record_exports(run: RunContext, formats: Mapping[str, Mapping[str, int]]) -> None:
    """Adds the exports: format -> rows of each split.

    Raises:
        OSError: the folder cannot be written.
    """
    record = run.folder.read_run()
    record["exports"] = {
        name: {"folder": str(run.folder.export(name).relative_to(run.folder.root)), "rows": dict(rows)}
        for name, rows in formats.items()
    }
    run.folder.write_run(record)


def record_dataset(run: RunContext, published: Mapping[str, Any]) -> None:
    """Adds what became of the dataset that the run adds to.

    Raises:
        OSError: the folder cannot be written.
    """
    record = run.folder.read_run()
    record["dataset"] = dict(published)
    run.folder.write_run(record)


def record_ledger(run: RunContext) -> None:
    """Merges the ledgers of the stages so far into the run's table, with its totals.

    Raises:
        OSError: the folder cannot be written.
    """
    record = run.folder.read_run()
    stages = record["stages"]
    parts = [TableRef.model_validate(stages[stage]["ledger"]) for stage in STAGES if stage in stages]
    ledger = run.folder.publish(merge_tables("ledger", parts, run.store))
    record["tables"]["ledger"] = _describe(run, ledger)
    record["ledger"] = sum_ledger(ledger)
    record["dialogues"] = count_dialogues(record["ledger"], run.config)
    run.folder.write_run(record)


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


def find_stopped(run: RunContext) -> Stopped | None:
    """Why some stage of the run ended early, if one did."""
    try:
        stages = run.folder.read_run()["stages"]
    except RunNotFound:
        return None
    return join_stopped(stage["stopped"] for stage in stages.values())


def sum_ledger(ledger: TableRef) -> dict[str, dict[str, dict[str, int]]]:
    """Stage -> unit -> planned and the four outcomes; planned is their sum."""
    counts = Counter(
        (str(row["stage"]), str(row["unit"]), str(row["outcome"]))
        for row in read_columns(ledger, "ledger", ["stage", "unit", "outcome"])
    )
    units = sorted({key[:2] for key in counts}, key=lambda key: (STAGES.index(_as_stage(key[0])), key[1]))
    totals: dict[str, dict[str, dict[str, int]]] = {}
    for stage, unit in units:
        outcomes = {outcome: counts[stage, unit, outcome] for outcome in _OUTCOMES}
        totals.setdefault(stage, {})[unit] = {"planned": sum(outcomes.values()), **outcomes}
    return totals


def count_dialogues(ledger: Mapping[str, Mapping[str, Mapping[str, int]]], config: RunConfig) -> dict[str, int]:
    """What became of the dialogues that were to be attempted: `planned` is the sum of the others."""
    # A task that is not there takes all of its trials with it.
    written = ledger.get("write-dialogue-tasks", {}).get("dialogue_task", {})
    tasks = {outcome: count * config.trials for outcome, count in written.items()}
    dialogues = ledger.get("simulate-dialogues", {}).get("dialogue", {})
    verdicts = ledger.get("validate-dialogues", {}).get("verdict", {})
    repairs = ledger.get("repair-dialogues", {}).get("repair", {})
    stages = (tasks, dialogues, verdicts)
    # A stage that ran by itself plans what it was given.
    planned = next((stage["planned"] for stage in stages if stage), config.dialogues * config.trials)
    valid = verdicts.get("accepted", 0) + repairs.get("accepted", 0)
    failed = sum(stage.get("failed", 0) for stage in stages)
    if verdicts:
        # A dialogue that went wrong has a verdict as well: what is left over was rejected, once.
        not_attempted = sum(stage.get("not_attempted", 0) for stage in stages)
        rejected = planned - valid - failed - not_attempted
    else:
        rejected = sum(stage.get("rejected", 0) for stage in stages)
        not_attempted = planned - failed - rejected
    return {
        "planned": planned,
        "valid": valid,
        "rejected": rejected,
        "failed": failed,
        "not_attempted": not_attempted,
    }


def describe_endpoint(role: Role, config: RunConfig) -> dict[str, Any]:
    """Who plays a role: name, roots and sampling; never a key."""
    model = config.model_for(role)
    if isinstance(model, SelfplayModel):
        return model.model_dump(mode="json")
    fields = {"kind", "name", "base_url", "temperature", "top_p", "max_tokens", "extra_body"}
    return model.model_dump(mode="json", include=fields)


def mask_config(config: RunConfig) -> dict[str, Any]:
    """The config as JSON, without the password of a URL that holds one."""
    content = config.model_dump(mode="json")
    for source in content["sources"]:
        if source.get("url"):
            source["url"] = re.sub(r"//([^/@:]*):[^/@]*@", r"//\1:***@", source["url"])
    return content


def list_versions() -> dict[str, str]:
    """Versions of Python and of the packages that data depends on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _describe(run: RunContext, reference: TableRef) -> dict[str, Any]:
    return {
        "path": str(run.folder.table_file(reference.table).relative_to(run.folder.root)),
        "sha256": reference.sha256,
        "rows": reference.rows,
        "schema_fingerprint": reference.schema_fingerprint,
    }


def _as_stage(name: str) -> Stage:
    return next(stage for stage in STAGES if stage == name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
