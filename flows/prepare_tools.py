"""The flow of prepare-tools."""

from prefect import flow

from flows.stage_frame import stage_frame
from schemas.rows import TableRef
from tasks.prepare_tools import plan_tools, prepare_shard
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.stages import finish_stage, map_shards


@flow(
    name="prepare-tools",
    flow_run_name="prepare-tools {run.run_id}",
)
async def prepare_tools(run: RunContext, seeds: TableRef) -> StageResult:
    """Questions, tools and toolsets of each seed: gives `questions`, `tool_specs`, `toolsets`, `dataflow_edges`."""
    with stage_frame(run, "prepare-tools") as start:
        parts = await map_shards(prepare_shard, run, plan_tools(run, seeds), start)
        return await finish_stage(run, "prepare-tools", parts, {"seeds": seeds}, start)
