"""The estimate of a run, with what earlier runs of the same runs folder took."""

from pathlib import Path
from typing import Any

from schemas.config import RunConfig
from tasks.run_context import RunContext
from turnwright.statistics.estimate import Estimate, estimate_run
from turnwright.storage.run_folder import RunNotFound, list_runs

_MOST_RUNS = 40


def make_estimate(config: RunConfig, runs: Path) -> Estimate:
    """What a run of this config is expected to take."""
    earlier: list[dict[str, Any]] = []
    for folder in reversed(list_runs(runs)[-_MOST_RUNS:]):
        try:
            earlier.append(folder.read_run())
        except RunNotFound:
            continue  # being written by another process, or not a run at all
    return estimate_run(config, earlier)


def record_estimate(run: RunContext) -> None:
    """Saves the estimate in `run.json`, where the figures that came of it will stand beside.

    Raises:
        RunNotFound: there is no `run.json`.
        OSError: the folder cannot be written.
    """
    record = run.folder.read_run()
    record["estimate"] = make_estimate(run.config, run.place).model_dump(mode="json")
    run.folder.write_run(record)
