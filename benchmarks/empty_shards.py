"""Shards that do nothing: what is left is Prefect."""

from prefect import task

from tasks.caching import CACHED
from tasks.run_context import RunContext
from tasks.shards import Shard, ShardResult
from turnwright.storage.tables import write_table


def plan_empty(first: int, count: int) -> list[Shard]:
    """Shards with keys of their own."""
    return [
        Shard(stage="simulate-dialogues", number=number, key=f"{number:064x}", inputs={}, start=0, stop=0)
        for number in range(first, first + count)
    ]


@task(name="empty", task_run_name="empty-{work.number}", **CACHED)
async def work_empty(run: RunContext, work: Shard) -> ShardResult:  # noqa: ARG001 the signature of a shard's task
    """An empty ledger."""
    return ShardResult(tables={}, ledger=write_table("ledger", [], run.store))
