"""The two ends that every stage has: its shards go out to Prefect, and what comes back becomes tables of the run."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from prefect import Task, task

from schemas.closed import Closed
from schemas.content import digest
from schemas.rows import TableRef
from schemas.vocabulary import Stage
from tasks.announce import announce_stage
from tasks.cache_keys import digest_code
from tasks.caching import CACHED
from tasks.gates import check_tables, plan_gate, publish_gate, require_pass
from tasks.memory import return_memory
from tasks.results import open_results
from tasks.run_context import RunContext
from tasks.run_record import find_stopped, record_stage
from tasks.runners import Future, run_shards
from tasks.shard_log import log_shard
from tasks.shards import Shard, ShardResult, StageResult, join_stopped
from tasks.stage_artifact import publish_stage
from tasks.stage_progress import watch_stage
from tasks.stage_usage import StageStart, measure_stage_usage
from turnwright.storage.tables import merge_tables

_SHARD_TASKS: dict[Stage, tuple[str, str]] = {
    "prepare-tools": ("tasks.prepare_tools", "prepare_shard"),
    "write-dialogue-tasks": ("tasks.write_dialogue_tasks", "write_task_shard"),
    "simulate-dialogues": ("tasks.simulate_dialogues", "simulate_shard"),
    "validate-dialogues": ("tasks.validate_dialogues", "validate_shard"),
    "repair-dialogues": ("tasks.repair_dialogues", "repair_shard"),
    "build-dataset": ("tasks.build_dataset", "build_shard"),
}
"""Where the task of a shard is found by those who are only given the shard."""


def find_shard_task(stage: Stage) -> Task[..., Any]:
    """The task that works on the shards of a stage.

    Raises:
        KeyError: the stage has no shards.
    """
    module, name = _SHARD_TASKS[stage]
    return getattr(import_module(module), name)


class MergeWork(Closed):
    """Parts that become tables."""

    stage: Stage
    key: str
    parts: list[ShardResult]


class MergedTables(Closed):
    """The tables of a stage, whole."""

    tables: dict[str, TableRef]
    ledger: TableRef


async def map_shards(
    shard_task: Task[..., Any], run: RunContext, shards: Sequence[Shard], start: StageStart
) -> list[ShardResult]:
    """Runs one task a shard, wherever `config.workers` says. All shards end before the first failure is raised.

    Args:
        shard_task: the task that works on a shard of the stage.
        run: the run.
        shards: the pieces of work.
        start: how things stood when the stage began.

    Raises:
        Whatever a shard raises.
    """
    if not shards:
        return []
    stored = shard_task.with_options(result_storage=await open_results(run))
    async with watch_stage(run, shards[0].stage, len(shards), start) as watch:

        def note_end(shard: Shard, future: Future) -> None:
            watch.end_shard(future.state)
            log_shard(run, shard, len(shards), future)

        return await run_shards(stored, run, shards, note_end)


@task(name="merge", task_run_name="merge-{work.stage}", **CACHED)
async def merge_parts(run: RunContext, work: MergeWork) -> MergedTables:
    """One file a table, in an order that does not depend on shards."""

    def merge() -> MergedTables:
        return MergedTables(
            tables={
                table: merge_tables(table, [part.tables[table] for part in work.parts], run.store)
                for table in work.parts[0].tables
            },
            ledger=merge_tables("ledger", [part.ledger for part in work.parts], run.store),
        )

    return await asyncio.to_thread(merge)


async def finish_stage(
    run: RunContext, stage: Stage, parts: Sequence[ShardResult], inputs: Mapping[str, TableRef], start: StageStart
) -> StageResult:
    """Merges what the shards made, holds it against the gate, publishes it and records it in `run.json`.

    Args:
        run: the run.
        stage: the stage.
        parts: what its shards made.
        inputs: the tables of earlier stages that its tables refer to.
        start: how things stood when it began.

    Raises:
        GateFailed: the data is not what it must be; the tables are published none the less, to be looked at.
        OSError: the run folder cannot be written.
    """
    key = digest([stage, digest_code("turnwright.storage.tables"), [part.model_dump(mode="json") for part in parts]])
    results = await open_results(run)
    merge = merge_parts.with_options(result_storage=results)
    merged = await merge(run, MergeWork(stage=stage, key=key, parts=list(parts)))
    stopped = join_stopped(part.stopped for part in parts)
    gate = check_tables.with_options(result_storage=results)
    looked_at = await gate(run, plan_gate(run, stage, {**inputs, **merged.tables, "ledger": merged.ledger}))
    result = StageResult(
        stage=stage,
        tables={table: run.folder.publish(reference) for table, reference in merged.tables.items()},
        ledger=merged.ledger,
        stopped=stopped,
        seconds=round(time.monotonic() - start.seconds, 3),
        shards=len(parts),
    )
    report = publish_gate(run, looked_at)
    return_memory()
    made_of = (reference for part in parts for reference in (*part.tables.values(), part.ledger))
    record_stage(run, result, report, made_of)
    announce_stage(run, result, inputs, report)
    used = await asyncio.to_thread(measure_stage_usage, run, start)
    await publish_stage(run, result, inputs, report, used)
    require_pass(report, incomplete=find_stopped(run) is not None)
    return result
