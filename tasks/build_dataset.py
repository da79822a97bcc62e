"""build-dataset: valid dialogues become the dataset, and the dataset becomes the exports."""

import asyncio

from prefect import task

from schemas.rows import DatasetRow, DialogueRow, LedgerRow, TableRef, ToolsetRow, VerdictRow
from tasks.cache_keys import compute_shard_key, compute_stage_key, narrow_config
from tasks.caching import CACHED
from tasks.ledger import record_unit
from tasks.run_context import RunContext
from tasks.shards import Made, Shard, ShardResult, write_shard
from turnwright.datasets.dataset import select_examples
from turnwright.datasets.openai import export_openai
from turnwright.storage.tables import read_rows

STAGE = "build-dataset"


def plan_dataset(run: RunContext, toolsets: TableRef, dialogues: TableRef, verdicts: TableRef) -> list[Shard]:
    """One shard: whether a dialogue repeats another is seen only when all are there."""
    inputs = {"toolsets": toolsets, "dialogues": dialogues, "verdicts": verdicts}
    key = compute_shard_key(
        compute_stage_key(STAGE, run.config), {name: [reference.sha256] for name, reference in inputs.items()}
    )
    return [Shard(stage=STAGE, number=0, key=key, inputs=inputs, start=0, stop=dialogues.rows)]


@task(name="build-dataset", **CACHED)
async def build_shard(run: RunContext, work: Shard) -> ShardResult:
    """Selects the examples of the dataset."""

    def build() -> ShardResult:
        selection = select_examples(
            work.read(DialogueRow, "dialogues"),
            work.read(VerdictRow, "verdicts"),
            work.read(ToolsetRow, "toolsets"),
            narrow_config(run.config, STAGE),
        )
        ledger: list[LedgerRow] = [
            record_unit(STAGE, "example", row.dialogue_id, "accepted", about=row) for row in selection.rows
        ]
        for dialogue in work.read(DialogueRow, "dialogues"):
            reason = selection.left_out.get(dialogue.id)
            if reason is not None:
                ledger.append(record_unit(STAGE, "example", dialogue.id, "rejected", reasons=[reason], about=dialogue))
        return write_shard(run, {"dataset": DatasetRow}, [Made(list(selection.rows), ledger)])

    return await asyncio.to_thread(build)


@task(name="export")
async def write_exports(run: RunContext, dataset: TableRef) -> dict[str, dict[str, int]]:
    """Writes the dataset in each format of the config into the run folder; returns rows by format and split.

    Raises:
        OSError: the run folder cannot be written.
    """
    return await asyncio.to_thread(
        lambda: {
            name: export_openai(read_rows(dataset, DatasetRow), run.folder.export(name))
            for name in run.config.export.formats
        }
    )
