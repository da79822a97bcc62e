"""build-dataset: valid dialogues become the dataset, and the dataset becomes the exports."""

import asyncio
import heapq
import itertools
from collections.abc import Iterator

from prefect import task

from schemas.rows import DatasetRow, DialogueRow, LedgerRow, TableRef, ToolsetRow, VerdictRow
from tasks.cache_keys import compute_shard_key, compute_stage_key, narrow_config
from tasks.caching import CACHED
from tasks.crew import works_in_crew
from tasks.ledger import record_unit
from tasks.run_context import RunContext
from tasks.shards import Shard, ShardResult
from turnwright.datasets.dataset import LeftOut, iter_examples, place_dialogue
from turnwright.datasets.openai import export_openai
from turnwright.storage.tables import read_rows, write_table

STAGE = "build-dataset"


def plan_dataset(run: RunContext, inputs: dict[str, TableRef]) -> list[Shard]:
    """One shard: whether a dialogue repeats another is seen only when all are there.

    Args:
        run: the run.
        inputs: toolsets, dialogues and verdicts, with repaired_dialogues and repaired_verdicts where there are any.
    """
    key = compute_shard_key(
        compute_stage_key(STAGE, run.config), {name: [reference.sha256] for name, reference in inputs.items()}
    )
    return [Shard(stage=STAGE, number=0, key=key, inputs=inputs, start=0, stop=inputs["dialogues"].rows)]


@task(name="build-dataset", **CACHED)
@works_in_crew
async def build_shard(run: RunContext, work: Shard) -> ShardResult:
    """Selects the examples of the dataset."""

    def build() -> ShardResult:
        ledger: list[LedgerRow] = []
        dialogues = [name for name in ("dialogues", "repaired_dialogues") if name in work.inputs]
        verdicts = [name for name in ("verdicts", "repaired_verdicts") if name in work.inputs]
        chosen = iter_examples(
            heapq.merge(*(work.read(DialogueRow, name) for name in dialogues), key=place_dialogue),
            itertools.chain.from_iterable(work.read(VerdictRow, name) for name in verdicts),
            work.read(ToolsetRow, "toolsets"),
            narrow_config(run.config, STAGE),
        )

        def accept() -> Iterator[DatasetRow]:
            for row in chosen:
                if isinstance(row, LeftOut):
                    told, outcome, reasons = row.dialogue, "rejected", [row.reason]
                    unit_id = row.dialogue.id
                else:
                    told, outcome, reasons, unit_id = row, "accepted", [], row.dialogue_id
                    yield row
                ledger.append(record_unit(STAGE, "example", unit_id, outcome, reasons=reasons, about=told))

        dataset = write_table("dataset", accept(), run.store)
        return ShardResult(tables={"dataset": dataset}, ledger=write_table("ledger", ledger, run.store))

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
