"""The flow of build-dataset."""

from prefect import flow

from flows.stage_frame import stage_frame
from schemas.rows import TableRef
from tasks.build_dataset import build_shard, plan_dataset, write_exports
from tasks.run_context import RunContext
from tasks.run_record import record_exports
from tasks.shards import StageResult
from tasks.stages import finish_stage, map_shards


@flow(name="build-dataset", flow_run_name="build-dataset {run.run_id}")
async def build_dataset(
    run: RunContext,
    toolsets: TableRef,
    dialogues: TableRef,
    verdicts: TableRef,
    repaired_dialogues: TableRef | None = None,
    repaired_verdicts: TableRef | None = None,
) -> StageResult:
    """Valid dialogues, each once, with their split: gives `dataset` and the exports."""
    with stage_frame(run, "build-dataset") as start:
        inputs = {"toolsets": toolsets, "dialogues": dialogues, "verdicts": verdicts}
        if repaired_dialogues is not None and repaired_verdicts is not None:
            inputs |= {"repaired_dialogues": repaired_dialogues, "repaired_verdicts": repaired_verdicts}
        parts = await map_shards(build_shard, run, plan_dataset(run, inputs), start)
        result = await finish_stage(run, "build-dataset", parts, inputs, start)
        record_exports(run, await write_exports(run, result.tables["dataset"]))
        return result
