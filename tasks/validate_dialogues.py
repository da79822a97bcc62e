"""validate-dialogues: a verdict on each dialogue."""

from prefect import task

from schemas.rows import DialogueRow, DialogueTaskRow, SeedRow, TableRef, ToolsetRow, VerdictRow
from schemas.vocabulary import SIMULATED
from tasks.cache_keys import compute_shard_key, compute_stage_key, hash_row, narrow_config
from tasks.caching import CACHED
from tasks.crew import works_in_crew
from tasks.ledger import record_unit
from tasks.packing import PackedRow, pack_rows
from tasks.run_context import RunContext
from tasks.shards import Made, Shard, ShardResult, cut_positions, hash_grounds, write_shard
from tasks.workbench import open_workbench
from turnwright.environments.threads import run_blocking
from turnwright.storage.tables import read_columns, read_rows
from turnwright.validation.verdict import validate_dialogue

STAGE = "validate-dialogues"


def plan_verdicts(
    run: RunContext, seeds: TableRef, toolsets: TableRef, dialogue_tasks: TableRef, dialogues: TableRef
) -> list[Shard]:
    """Shards of consecutive dialogues, each with the range of tasks that these belong to."""
    key = compute_stage_key(STAGE, run.config)
    grounds = hash_grounds(seeds, toolsets)
    places = {str(row["id"]): place for place, row in enumerate(read_columns(dialogue_tasks, "dialogue_tasks", ["id"]))}
    inputs = {"seeds": seeds, "toolsets": toolsets, "dialogue_tasks": dialogue_tasks, "dialogues": dialogues}
    shards: list[Shard] = []
    for number, (start, stop) in enumerate(cut_positions(dialogues.rows, run.config.shard_size)):
        rows = [
            (hash_row(row), row.dialogue_task_id, row.toolset_id)
            for row in read_rows(dialogues, DialogueRow, start, stop)
        ]
        near = sorted(places[task_id] for _, task_id, _ in rows)
        first, last = (near[0], near[-1] + 1) if near else (0, 0)
        hashes = {
            "dialogues": [own for own, _, _ in rows],
            "dialogue_tasks": [hash_row(row) for row in read_rows(dialogue_tasks, DialogueTaskRow, first, last)],
            "grounds": sorted({grounds[toolset_id] for _, _, toolset_id in rows}),
        }
        shards.append(
            Shard(
                stage=STAGE,
                number=number,
                key=compute_shard_key(key, hashes),
                inputs=inputs,
                start=start,
                stop=stop,
                ranges={"dialogues": (start, stop), "dialogue_tasks": (first, last)},
            )
        )
    return shards


@task(name="validate-dialogues", task_run_name="validate-dialogues-{work.number}", **CACHED)
@works_in_crew
async def validate_shard(run: RunContext, work: Shard) -> ShardResult:
    """Judges the shard's dialogues."""
    bench = open_workbench(run)
    models = bench.open_models()
    config = narrow_config(run.config, STAGE)
    dialogues = pack_rows(work.read(DialogueRow, "dialogues"))
    tasks = {row.id: row for row in pack_rows(work.read(DialogueTaskRow, "dialogue_tasks"))}
    seeds = {row.id: row for row in work.read(SeedRow, "seeds")}
    toolsets = {row.id: row for row in work.read(ToolsetRow, "toolsets")}

    async def make(packed: PackedRow[DialogueRow]) -> Made:
        row = packed.open()
        simulated = row.paradigm in SIMULATED
        base = None if simulated else await run_blocking(bench.open_base, seeds[row.seed_id])
        verdict = await validate_dialogue(
            row, tasks[row.dialogue_task_id].open(), toolsets[row.toolset_id], base, models, config
        )
        outcome = "accepted" if verdict.judgment == "valid" else "rejected"
        return Made([verdict], [record_unit(STAGE, "verdict", row.id, outcome, reasons=verdict.reasons, about=row)])

    made = await bench.work(
        STAGE, "verdict", dialogues, make, identify=lambda row: row.id, about=lambda row: row.open()
    )
    return write_shard(run, {"verdicts": VerdictRow}, made)
