"""The flow of repair-dialogues."""

from prefect import flow

from flows.stage_frame import stage_frame
from schemas.rows import TableRef
from tasks.repair_dialogues import plan_repairs, repair_shard
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.stages import finish_stage, map_shards


@flow(
    name="repair-dialogues",
    flow_run_name="repair-dialogues {run.run_id}",
)
async def repair_dialogues(
    run: RunContext,
    seeds: TableRef,
    toolsets: TableRef,
    dialogue_tasks: TableRef,
    dialogues: TableRef,
    verdicts: TableRef,
) -> StageResult:
    """Invalid dialogues from before their first fault: gives `repaired_dialogues` and `repaired_verdicts`."""
    with stage_frame(run, "repair-dialogues") as start:
        inputs = {
            "seeds": seeds,
            "toolsets": toolsets,
            "dialogue_tasks": dialogue_tasks,
            "dialogues": dialogues,
            "verdicts": verdicts,
        }
        parts = await map_shards(repair_shard, run, plan_repairs(run, inputs), start)
        return await finish_stage(run, "repair-dialogues", parts, inputs, start)
