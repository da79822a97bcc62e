"""The flow of validate-dialogues."""

from prefect import flow

from flows.stage_frame import stage_frame
from schemas.rows import TableRef
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.stages import finish_stage, map_shards
from tasks.validate_dialogues import plan_verdicts, validate_shard


@flow(
    name="validate-dialogues",
    flow_run_name="validate-dialogues {run.run_id}",
)
async def validate_dialogues(
    run: RunContext, seeds: TableRef, toolsets: TableRef, dialogue_tasks: TableRef, dialogues: TableRef
) -> StageResult:
    """A verdict on each dialogue: gives `verdicts`."""
    with stage_frame(run, "validate-dialogues") as start:
        parts = await map_shards(
            validate_shard, run, plan_verdicts(run, seeds, toolsets, dialogue_tasks, dialogues), start
        )
        return await finish_stage(
            run,
            "validate-dialogues",
            parts,
            {"seeds": seeds, "toolsets": toolsets, "dialogue_tasks": dialogue_tasks, "dialogues": dialogues},
            start,
        )
