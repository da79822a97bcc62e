"""The flow of collect-seeds."""

from prefect import flow

from flows.stage_frame import stage_frame
from tasks.collect_seeds import collect_sources
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.stages import finish_stage


@flow(name="collect-seeds", flow_run_name="collect-seeds {run.run_id}")
async def collect_seeds(run: RunContext) -> StageResult:
    """Looks at every source and keeps what it found: gives `seeds`."""
    with stage_frame(run, "collect-seeds") as start:
        part = await collect_sources(run)
        return await finish_stage(run, "collect-seeds", [part], {}, start)
