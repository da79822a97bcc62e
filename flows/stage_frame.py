"""What stands around the work of every stage flow."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from prefect.context import FlowRunContext

from flows.failures import telling_what_to_do
from schemas.vocabulary import Stage
from tasks.run_context import RunContext
from tasks.stage_record import recorded_stage


@contextmanager
def stage_frame(run: RunContext, stage: Stage) -> Generator[float]:
    """Records the stage in the run folder and says of a failure what to do. Gives `time.monotonic()` of the start.

    Raises:
        StageFailed: something went wrong that a person can mend.
    """
    started = time.monotonic()
    with telling_what_to_do(stage), recorded_stage(run, in_a_pipeline=_has_parent()):
        yield started


def _has_parent() -> bool:
    """Whether another flow started this one, here or as a deployment."""
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.parent_task_run_id is not None
