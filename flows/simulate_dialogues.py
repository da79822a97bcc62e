"""The flow of simulate-dialogues."""

from prefect import flow

from flows.stage_frame import stage_frame
from schemas.rows import TableRef
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.simulate_dialogues import plan_dialogues, simulate_shard
from tasks.stages import finish_stage, map_shards


@flow(
    name="simulate-dialogues",
    flow_run_name="simulate-dialogues {run.run_id}",
)
async def simulate_dialogues(
    run: RunContext, seeds: TableRef, toolsets: TableRef, dialogue_tasks: TableRef
) -> StageResult:
    """One trajectory for each dialogue task: gives `dialogues`."""
    with stage_frame(run, "simulate-dialogues") as start:
        parts = await map_shards(simulate_shard, run, plan_dialogues(run, seeds, toolsets, dialogue_tasks), start)
        return await finish_stage(
            run,
            "simulate-dialogues",
            parts,
            {"seeds": seeds, "toolsets": toolsets, "dialogue_tasks": dialogue_tasks},
            start,
        )
