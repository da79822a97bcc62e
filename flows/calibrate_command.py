"""The command `calibrate`: how much of what is wrong the validator sees, and how often it sees what is not there."""

import sys
from dataclasses import dataclass
from pathlib import Path

from flows.answers import Answer
from flows.exit_codes import UsageError
from turnwright.storage.run_folder import RunFolder, find_run


@dataclass(frozen=True)
class Asked:
    """What the command was asked for."""

    run: str
    limit: int
    seed: int
    judge: bool | None
    every: bool
    out: Path | None


def measure_validator(answer: Answer, runs: Path, asked: Asked) -> None:
    """Plants defects in the dialogues of a run, prints what was caught and writes calibration.json beside the report.

    Raises:
        RunNotFound: there is no such run.
        UsageError: it has nothing to plant in, or an option has no such value.
        SourceError: a database of the run is not there.
        TableError: a table cannot be read.
        ModelError: the judge could not be had.
        OSError: the folder cannot be written.
    """
    from pydantic import ValidationError
    from rich.console import Console
    from rich.progress import Progress

    from schemas.config import RunConfig
    from schemas.endpoints import SelfplayModel
    from tasks.calibrate import NEEDED, calibrate_run
    from tasks.run_context import RunContext
    from turnwright.calibration.record import write_calibration
    from turnwright.reports.calibration_page import write_calibration_page
    from turnwright.reports.calibration_text import show_calibration

    folder = find_run(runs, asked.run)
    tables = folder.find_tables()
    missing = [name for name in NEEDED if name not in tables]
    if missing:
        raise UsageError(f"{folder.run_id} has no {missing[0]}: it ended before validate-dialogues", "run it again")
    try:
        config = RunConfig.model_validate(folder.read_run().get("config"))
    except ValidationError as error:
        raise UsageError(f"{folder.run_file} was written by another version: {error.errors()[0]['msg']}") from None
    free = isinstance(config.model_for("judge"), SelfplayModel)
    run = RunContext(config=config, run_id=folder.run_id, runs=str(folder.root.parent.resolve()))
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        bar = bars.add_task("calibrate", total=None)
        calibration = calibrate_run(
            run,
            seed=asked.seed,
            limit=asked.limit or None,
            judge=free if asked.judge is None else asked.judge,
            every=asked.every,
            begin=lambda count: bars.update(bar, total=count),
            advance=lambda: bars.advance(bar),
        )
    if not calibration.clean:
        raise UsageError(f"{folder.run_id} has no valid dialogue to plant defects in", "look at `turnwright stats`")
    place = asked.out or folder.report
    write_calibration(calibration, place / "calibration.json")
    answer.fields = calibration.model_dump(mode="json") | {
        "run_dir": str(folder.root),
        "page": str(write_calibration_page(calibration, place / "calibration.html")),
    }
    answer.say(*show_calibration(calibration))
    _renew_report(folder, asked.out)


def _renew_report(folder: RunFolder, out: Path | None) -> None:
    """Puts the calibration into the run's report, where it has one and the calibration stands beside it."""
    if out is not None or not (folder.report / "statistics.json").is_file():
        return
    from turnwright.reports.html import write_report
    from turnwright.statistics.statistics import read_statistics

    try:
        statistics = read_statistics(folder.report / "statistics.json")
    except ValueError:
        return  # written by another version: the page of its own holds everything
    write_report(folder, statistics)
