"""What a run that adds to a dataset finds of it when it begins."""

from schemas.incremental import Incremental
from tasks.run_context import RunContext
from turnwright.datasets.versions import plan_extension
from turnwright.storage.run_folder import RunFolder, RunNotFound


def extend_run(run: RunContext) -> RunContext:
    """The run with the version that it adds to and where its numbers start; as it is where it adds to no dataset.

    A run that goes on under its own id keeps what it found, whatever was published meanwhile: its rows are the same.
    """
    incremental = run.config.incremental
    if incremental is None:
        return run
    begun = _read_begun(run.folder, incremental) or plan_extension(run.place, incremental)
    return run.model_copy(update={"config": run.config.model_copy(update={"incremental": begun})})


def _read_begun(folder: RunFolder, wanted: Incremental) -> Incremental | None:
    try:
        begun = Incremental.model_validate(folder.read_run()["config"]["incremental"])
    except (RunNotFound, KeyError, ValueError):
        return None
    return begun if (begun.dataset, begun.mode) == (wanted.dataset, wanted.mode) else None
