"""The flow of collect-seeds."""

import time

from prefect import flow

from tasks.collect_seeds import collect_sources
from tasks.run_context import RunContext
from tasks.run_record import begin_record
from tasks.shards import StageResult
from tasks.stages import finish_stage


@flow(name="collect-seeds", flow_run_name="collect-seeds {run.run_id}")
async def collect_seeds(run: RunContext) -> StageResult:
    """Looks at every source and keeps what it found: gives `seeds`."""
    started = time.monotonic()
    begin_record(run)
    part = await collect_sources(run)
    return await finish_stage(run, "collect-seeds", [part], {}, started)
