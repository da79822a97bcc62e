"""run.json as the stages of a run add to it: what each made, took in, handed out, and what became of its units."""

from collections.abc import Iterable, Mapping
from typing import Any

from data_checks.gate import GateReport
from schemas.rows import TableRef
from schemas.vocabulary import STAGES
from tasks.crew import describe_usage
from tasks.ledger_totals import count_dialogues, sum_ledger
from tasks.run_context import RunContext
from tasks.shards import StageResult, Stopped, join_stopped
from turnwright.storage.mirrors import name_file, push_folder, push_new
from turnwright.storage.run_folder import RunNotFound
from turnwright.storage.store import replace_file
from turnwright.storage.tables import SUFFIX, find_table, merge_tables


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


def find_stopped(run: RunContext) -> Stopped | None:
    """Why some stage of the run ended early, if one did."""
    try:
        stages = run.folder.read_run()["stages"]
    except RunNotFound:
        return None
    return join_stopped(stage["stopped"] for stage in stages.values())


def _describe(run: RunContext, reference: TableRef) -> dict[str, Any]:
    return {
        "path": str(run.folder.table_file(reference.table).relative_to(run.folder.root)),
        "sha256": reference.sha256,
        "rows": reference.rows,
        "schema_fingerprint": reference.schema_fingerprint,
    }
