"""The page of a finished stage in the Prefect UI: lineage, tables, gate, yield, cost and three dialogues."""

import asyncio
import itertools
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect.artifacts import acreate_markdown_artifact
from prefect.events import emit_event

from data_checks.gate import GateFailure, GateReport
from schemas.rows import TableRef
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.stage_usage import StageUsage
from tasks.watching import is_watched
from turnwright.reports.reading import ReadDialogue, choose_dialogues, read_dialogues
from turnwright.reports.stage_page import CheckFacts, StageCost, StagePage, TableFacts, render_page
from turnwright.statistics.yields import compute_yields
from turnwright.storage.tables import read_columns

GATE_FAILED = "turnwright.gate.failed"
"""The event that an automation waits for; docs/operate.md shows one."""
_SAMPLES = 3
_MOST_LISTED = 5000
"""Dialogues beyond which samples are not chosen, only taken from the beginning: the choice looks at all of them."""
_LEDGER_COLUMNS = ("stage", "unit", "unit_id", "outcome", "reasons", "boundary")

_log = logging.getLogger("turnwright.runs")


async def publish_stage(
    run: RunContext, result: StageResult, inputs: Mapping[str, TableRef], report: GateReport, used: StageUsage
) -> None:
    """Leaves the page of a stage as an artifact of its flow run, and says with an event that a gate failed.

    Nothing depends on it: a server that cannot be reached is only logged.
    """
    if not is_watched():
        return
    try:
        page = await asyncio.to_thread(make_page, run, result, inputs, report, used)
        await acreate_markdown_artifact(
            render_page(page), key=name_artifact(run, result.stage), description=f"{result.stage} of {run.run_id}"
        )
        if not report.passed:
            emit_gate_failed(run, report)
    except Exception as error:  # noqa: BLE001 the tables are made and recorded; only the page of them is missing
        _log.warning("the page of %s could not be left in Prefect: %s", result.stage, error)


def make_page(
    run: RunContext, result: StageResult, inputs: Mapping[str, TableRef], report: GateReport, used: StageUsage
) -> StagePage:
    """What there is to tell of a stage; of its cost nothing where it sent no request.

    Raises:
        TableError: a table cannot be read.
    """
    return StagePage(
        run_id=run.run_id,
        stage=result.stage,
        seconds=result.seconds,
        shards=result.shards,
        stopped=result.stopped,
        inputs=[_describe(reference) for reference in inputs.values()],
        outputs=[_describe(reference) for reference in result.tables.values()],
        passed=report.passed,
        checks=len(report.results),
        problems=[_describe_check(problem) for problem in (*report.failures, *report.warnings)],
        yields=compute_yields(read_columns(result.ledger, "ledger", _LEDGER_COLUMNS)),
        cost=StageCost(used.requests, used.tokens, used.cost_usd) if used.requests else None,
        chain=[_describe(reference) for reference in run.folder.find_tables().values()],
        samples=_choose_samples({**inputs, **result.tables}, result),
        places={"run folder": str(run.folder.root), "data checks": str(report.page)},
    )


def name_artifact(run: RunContext, subject: str) -> str:
    """A key that Prefect takes: the same for each run of one name, so that the versions of it are its history."""
    return re.sub(r"[^a-z0-9]+", "-", f"{run.config.name}-{subject}".lower()).strip("-")


def emit_gate_failed(run: RunContext, report: GateReport) -> None:
    """Tells Prefect of a gate that stopped the run, for automations."""
    emit_event(
        GATE_FAILED,
        resource={
            "prefect.resource.id": f"turnwright.run.{run.run_id}",
            "prefect.resource.name": run.run_id,
            "turnwright.stage": report.gate,
            "turnwright.config": run.config.name,
        },
        payload={
            "run_id": run.run_id,
            "gate": report.gate,
            "failures": [
                f"{failure.table}.{failure.expectation}: {failure.figure}; allowed: {failure.limit}"
                for failure in report.failures
            ],
            "report": str(report.page),
        },
    )


def _describe(reference: TableRef) -> TableFacts:
    file = Path(reference.path)
    return TableFacts(
        table=reference.table,
        sha256=reference.sha256,
        rows=reference.rows,
        bytes=file.stat().st_size if file.is_file() else None,
    )


def _describe_check(problem: GateFailure) -> CheckFacts:
    return CheckFacts(
        table=problem.table,
        expectation=problem.expectation,
        level=problem.level,
        figure=problem.figure,
        limit=problem.limit,
        examples=problem.examples[:1],
    )


def _choose_samples(tables: Mapping[str, TableRef], result: StageResult) -> Sequence[ReadDialogue]:
    """Three dialogues of those that the stage made or read; after a repair, of the repaired ones."""
    if "repaired_dialogues" in result.tables:
        tables = {name: one for name, one in tables.items() if name not in ("dialogues", "verdicts")}
    dialogues = [tables[name] for name in ("dialogues", "repaired_dialogues") if name in tables]
    if not dialogues:
        return ()
    if sum(reference.rows for reference in dialogues) > _MOST_LISTED:
        listed = read_columns(dialogues[0], dialogues[0].table, ["id"])
        chosen = [str(row["id"]) for row in itertools.islice(listed, _SAMPLES)]
    else:
        chosen = choose_dialogues(tables, _SAMPLES)
    return read_dialogues(tables, chosen)
