"""The gate after each stage: its tables, as written, against one suite per table.

Great Expectations takes seconds to import, so nothing here imports it before a gate runs.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from schemas.closed import Closed
from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.vocabulary import Stage
from turnwright.storage.store import replace_file

Level = Literal["fail", "warn"]

STAGE_TABLES: dict[Stage, tuple[str, ...]] = {
    "collect-seeds": ("seeds",),
    "prepare-tools": ("questions", "tool_specs", "toolsets", "dataflow_edges"),
    "write-dialogue-tasks": ("dialogue_tasks",),
    "simulate-dialogues": ("dialogues",),
    "validate-dialogues": ("verdicts",),
    "repair-dialogues": ("repaired_dialogues", "repaired_verdicts"),
    "build-dataset": ("dataset",),
    "report": (),
}
"""What a stage writes, besides the ledger, which every gate checks where it is given."""

# Great Expectations keeps its current context in a global of the process.
_ONE_GATE_AT_A_TIME = threading.Lock()


class CheckResult(Closed):
    """One expectation, held against one table."""

    table: str
    expectation: str
    """Name within the table's suite, as in `one_type_per_entity`."""
    kind: str
    """The expectation of Great Expectations behind it."""
    column: str | None
    level: Level
    """`fail` stops the run, `warn` is reported."""
    passed: bool
    figure: str
    """What was found, as in `0.18` or `3 of 200 rows`."""
    limit: str
    """What is allowed, as in `at least 0.3`."""


class GateFailure(CheckResult):
    """An expectation that does not hold."""

    examples: list[str]
    """Some rows that it does not hold for, as `row id: what is wrong`."""


class GateReport(Closed):
    """What a gate found."""

    gate: Stage
    passed: bool
    """Whether nothing of level `fail` failed."""
    tables: dict[str, int]
    """Tables checked and their rows."""
    results: list[CheckResult]
    failures: list[GateFailure]
    """Expectations of level `fail` that do not hold."""
    warnings: list[GateFailure]
    """Expectations of level `warn` that do not hold."""
    not_checked: list[str]
    """What could not be checked, because a table that it compares with was not given."""
    path: str
    """The JSON file of this report."""

    @property
    def page(self) -> Path:
        """The page of Data Docs that lists all gates."""
        return Path(self.path).parent / "index.html"


class GateFailed(Exception):
    """A gate stops the run. The message says everything that a person needs to look further."""

    def __init__(self, report: GateReport) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        """Gate, expectation, figure, limit, example rows and where the report is."""
        lines = [f"the gate after {self.report.gate} failed: {_count(len(self.report.failures), 'expectation')}"]
        for failure in self.report.failures:
            column = f" ({failure.column})" if failure.column else ""
            lines.append(f"  {failure.table}.{failure.expectation}{column}: {failure.figure}; allowed: {failure.limit}")
            lines.extend(f"    e.g. {example}" for example in failure.examples[:3])
        lines.append(f"  report: {self.report.path}")
        return "\n".join(lines)


def check_stage(stage: Stage, tables: Mapping[str, TableRef], config: RunConfig, folder: Path) -> GateReport:
    """Holds the tables of a stage against their suites, and leaves a JSON report and Data Docs.

    Args:
        stage: the stage that has just written its tables.
        tables: its tables, its part of the ledger, and the tables of earlier stages that they refer to. What compares
            with a table that is not given is listed under `not_checked`.
        config: the run's configuration; `checks` has the limits.
        folder: `checks/` of the run folder: gets `<stage>.json`, `index.html` and a page per table.

    Returns:
        The report. Nothing is raised for data that fails: `GateFailed(report)` is for the caller to raise.

    Raises:
        OSError: the folder cannot be written, or a table cannot be read.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    from data_checks.data_docs import write_index, write_page
    from data_checks.validation import validate_table

    names = [table for table in (*STAGE_TABLES[stage], "ledger") if table in tables]
    path = folder / f"{stage}.json"
    results: list[CheckResult] = []
    problems: list[GateFailure] = []
    not_checked: list[str] = []
    with _ONE_GATE_AT_A_TIME:
        for table in names:
            validated = validate_table(table, tables, config)
            results.extend(validated.results)
            problems.extend(validated.problems)
            not_checked.extend(validated.not_checked)
            for page in validated.pages:
                write_page(folder, stage, page)
    failures = [problem for problem in problems if problem.level == "fail"]
    report = GateReport(
        gate=stage,
        passed=not failures,
        tables={table: tables[table].rows for table in names},
        results=results,
        failures=failures,
        warnings=[problem for problem in problems if problem.level == "warn"],
        not_checked=not_checked,
        path=str(path),
    )
    replace_file(path, report.model_dump_json(indent=2).encode() + b"\n")
    write_index(folder)
    return report


def read_reports(folder: Path) -> list[GateReport]:
    """The reports that gates have left in a `checks/` folder, in the order of the stages.

    Raises:
        ValueError: a report was written by another version.
    """
    files = [folder / f"{stage}.json" for stage in STAGE_TABLES]
    return [GateReport.model_validate_json(file.read_bytes()) for file in files if file.is_file()]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
