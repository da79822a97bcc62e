"""What stands around the work of every stage flow."""

from collections.abc import Generator
from contextlib import contextmanager

from prefect.context import FlowRunContext

from flows.failures import telling_what_to_do
from schemas.vocabulary import Stage
from tasks.run_context import RunContext
from tasks.stage_record import recorded_stage
from tasks.stage_usage import StageStart


@contextmanager
def stage_frame(run: RunContext, stage: Stage) -> Generator[StageStart]:
    """Records the stage in the run folder and says of a failure what to do. Gives how things stood when it began.

    Raises:
        StageFailed: something went wrong that a person can mend.
    """
    with telling_what_to_do(stage), recorded_stage(run, stage, in_a_pipeline=_has_parent()) as start:
        yield start


def _has_parent() -> bool:
    """Whether another flow started this one, here or as a deployment."""
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.parent_task_run_id is not None
