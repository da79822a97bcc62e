"""The report of a run: one HTML file that needs nothing else, no network and no script.

What stands in dialogues, tool results and database names was written by models and strangers, so every value is escaped
and the page's content policy allows nothing but its own style.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.vocabulary import STAGES
from turnwright.calibration.record import Calibration, read_calibration
from turnwright.reports import formats
from turnwright.reports.material import Material
from turnwright.reports.reading import Source, choose_dialogues, read_dialogues
from turnwright.reports.sections import (
    behaviours,
    calibration,
    costs,
    dialogues,
    distributions,
    fidelity,
    gates,
    mix,
    overview,
    table1,
    trials,
    yields,
)
from turnwright.statistics.fidelity.record import Fidelity, read_fidelity
from turnwright.statistics.statistics import Statistics, write_statistics
from turnwright.storage.run_folder import RunFolder
from turnwright.storage.store import replace_file

SECTIONS: tuple[ModuleType, ...] = (
    overview,
    table1,
    distributions,
    dialogues,
    fidelity,
    yields,
    mix,
    behaviours,
    trials,
    calibration,
    gates,
    costs,
)
"""The sections in their order; each has a template of its own name."""

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def write_report(
    run_folder: RunFolder, statistics: Statistics, tables: Mapping[str, Source] | None = None, *, examples: int = 3
) -> Path:
    """Writes `report/index.html` and `report/statistics.json`, and returns the page's path.

    Args:
        run_folder: the run; its run.json, `checks/` and `report/fidelity.json` and `report/calibration.json`,
            if there, are read.
        statistics: figures of the run.
        tables: table name -> file; default: the tables of the run folder.
        examples: dialogues to show.

    Raises:
        RunNotFound: there is no run.json.
        TableError: a table cannot be read.
        OSError: the folder cannot be written.
    """
    files = run_folder.find_tables() if tables is None else tables
    material = Material(
        run=run_folder.read_run(),
        statistics=statistics,
        gates=read_gates(run_folder.checks),
        dialogues=read_dialogues(files, choose_dialogues(files, examples)),
        fidelity=_find_fidelity(run_folder.report / "fidelity.json"),
        calibration=_find_calibration(run_folder.report / "calibration.json"),
    )
    page = run_folder.report / "index.html"
    replace_file(page, render_report(material).encode("utf-8", "replace"))
    write_statistics(statistics, run_folder.report / "statistics.json")
    return page


def render_report(material: Material) -> str:
    """The page."""
    environment = make_environment()
    parts: list[dict[str, str]] = []
    for section in SECTIONS:
        name = section.__name__.rsplit(".", 1)[-1]
        values: dict[str, Any] | None = section.build(material)
        if values is not None:
            body = environment.get_template(f"{name}.html").render(values)
            parts.append({"name": name, "title": section.TITLE, "body": body})
    return environment.get_template("page.html").render(
        sections=parts, run_id=material.run.get("run_id", "run"), policy=CONTENT_POLICY
    )


def read_gates(checks: Path) -> list[dict[str, Any]]:
    """The gates' reports in a `checks/` folder, in the order of the stages.

    Raises:
        ValueError: a report is no JSON.
    """
    files = [checks / f"{stage}.json" for stage in STAGES]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]


def _find_fidelity(file: Path) -> Fidelity | None:
    """The comparison of the run's arms; none where it was not made, or by another version."""
    try:
        return read_fidelity(file)
    except (OSError, ValueError):
        return None


def _find_calibration(file: Path) -> Calibration | None:
    """The calibration of the run's validation; none where it was not made, or by another version."""
    try:
        return read_calibration(file)
    except (OSError, ValueError):
        return None


def make_environment() -> Environment:
    """The templates: escaping everything, and strict about values that are missing."""
    environment = Environment(
        loader=PackageLoader("turnwright.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=formats.format_count,
        number=formats.format_number,
        share=formats.format_share,
        seconds=formats.format_seconds,
        cost=formats.format_cost,
        spread=formats.format_spread,
        words=formats.format_words,
    )
    return environment
