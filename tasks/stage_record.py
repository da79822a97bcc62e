"""What one stage adds to a run's record when it works in a process of its own, and what others find there."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from schemas.rows import TableRef
from schemas.vocabulary import Stage
from tasks.crew import describe_usage
from tasks.run_context import RunContext
from tasks.run_course import begin_record, is_recorded, recorded_run
from tasks.stage_usage import StageStart, begin_stage_usage, record_stage_usage
from tasks.workbench import close_workbench
from turnwright.lineage.files import STAGE_OUTPUTS
from turnwright.storage.run_folder import RunNotFound

_log = logging.getLogger("turnwright.runs")


@contextmanager
def recorded_stage(run: RunContext, stage: Stage, *, in_a_pipeline: bool) -> Generator[StageStart]:
    """Keeps `run.json` while one stage of a run works, and adds what the stage used. Gives how things stood before it.

    Inside `recorded_run` of this process there is no more to do. In a process of its own, a stage of a pipeline that
    works elsewhere leaves what it used, and closes what it opened; how the run ended is the pipeline's to say.

    Args:
        run: the run.
        stage: the stage.
        in_a_pipeline: the stage was started by the flow of a whole run, in whatever process.

    Raises:
        OSError: the run folder cannot be written.
    """
    if is_recorded(run):
        with _used_by(run, stage) as start:
            yield start
    elif not in_a_pipeline:
        with recorded_run(run), _used_by(run, stage) as start:
            yield start
    else:
        begin_record(run)
        try:
            with _used_by(run, stage) as start:
                yield start
        finally:
            try:
                record_usage(run)
            except (OSError, RunNotFound):
                _log.warning("what the stage used could not be recorded in %s", run.folder.root)
            close_workbench(run)


@contextmanager
def _used_by(run: RunContext, stage: Stage) -> Generator[StageStart]:
    """Adds to the record what the stage used, however it ended."""
    start = begin_stage_usage(run, stage)
    try:
        yield start
    finally:
        try:
            record_stage_usage(run, stage, start)
        except (OSError, RunNotFound):
            _log.warning("what %s used could not be recorded in %s", stage, run.folder.root)


def record_usage(run: RunContext) -> None:
    """Adds what the run used in this process.

    Raises:
        RunNotFound: there is no readable `run.json`.
        OSError: the folder cannot be written.
    """
    run.folder.write_run(run.folder.read_run() | describe_usage(run))


def read_stage(run: RunContext, stage: Stage) -> dict[str, TableRef]:
    """The tables that a stage of the run has made, in whatever process.

    Raises:
        RunNotFound: there is no readable `run.json`, or the stage has made nothing there.
    """
    made = run.folder.find_tables()
    missing = [table for table in STAGE_OUTPUTS[stage] if table not in made]
    if missing:
        raise RunNotFound(f"{run.folder.root} has no {', '.join(missing)}, which {stage} makes")
    return {table: made[table] for table in STAGE_OUTPUTS[stage]}
