"""One shard as a flow run of its own, for the workers of a work pool; the leading run waits for it."""

from prefect import flow

from schemas.rows import TableRef
from tasks.results import open_results
from tasks.run_context import RunContext
from tasks.shards import Shard, ShardResult
from tasks.stages import find_shard_task


@flow(name="work-shard")
async def work_shard(run: RunContext, shard: Shard) -> dict[str, TableRef]:
    """Works on one shard; what it made is recorded under its cache key and its tables are given.

    Args:
        run: the run, as its leader describes it.
        shard: the piece of work.
    """
    work = find_shard_task(shard.stage).with_options(result_storage=await open_results(run))
    made: ShardResult = await work(run, shard)
    return made.tables
