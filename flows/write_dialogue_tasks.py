"""The flow of write-dialogue-tasks."""

from prefect import flow

from flows.stage_frame import stage_frame
from schemas.rows import TableRef
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.stages import finish_stage, map_shards
from tasks.write_dialogue_tasks import plan_tasks, write_task_shard


@flow(
    name="write-dialogue-tasks",
    flow_run_name="write-dialogue-tasks {run.run_id}",
)
async def write_dialogue_tasks(run: RunContext, seeds: TableRef, toolsets: TableRef) -> StageResult:
    """A proved goal for each dialogue to be made: gives `dialogue_tasks`."""
    with stage_frame(run, "write-dialogue-tasks") as start:
        parts = await map_shards(write_task_shard, run, plan_tasks(run, seeds, toolsets), start)
        return await finish_stage(run, "write-dialogue-tasks", parts, {"seeds": seeds, "toolsets": toolsets}, start)
