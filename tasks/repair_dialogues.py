"""repair-dialogues: invalid dialogues once more from before their first faulty message, each try with a verdict."""

from collections.abc import Mapping

from prefect import task

from schemas.rows import DialogueRow, DialogueTaskRow, SeedRow, TableRef, ToolsetRow, VerdictRow
from schemas.vocabulary import SIMULATED
from tasks.cache_keys import compute_shard_key, compute_stage_key, hash_row, narrow_config
from tasks.caching import CACHED
from tasks.crew import works_in_crew
from tasks.ledger import record_unit
from tasks.run_context import RunContext
from tasks.shards import Made, Shard, ShardResult, cut_positions, hash_grounds, write_shard
from tasks.workbench import open_workbench
from turnwright.environments.threads import run_blocking
from turnwright.storage.tables import read_columns, read_rows
from turnwright.validation.repairs import repair_until_valid

STAGE = "repair-dialogues"


def plan_repairs(run: RunContext, tables: Mapping[str, TableRef]) -> list[Shard]:
    """Shards of consecutive verdicts, each with the ranges of dialogues and tasks that these belong to.

    Args:
        run: the run.
        tables: seeds, toolsets, dialogue_tasks, dialogues and verdicts.
    """
    key = compute_stage_key(STAGE, run.config)
    grounds = hash_grounds(tables["seeds"], tables["toolsets"])
    places = {
        name: {str(row["id"]): place for place, row in enumerate(read_columns(tables[name], name, ["id"]))}
        for name in ("dialogues", "dialogue_tasks")
    }
    shards: list[Shard] = []
    for number, (start, stop) in enumerate(cut_positions(tables["verdicts"].rows, run.config.shard_size)):
        verdicts = [row for row in read_rows(tables["verdicts"], VerdictRow, start, stop) if row.judgment == "invalid"]
        ranges = {
            "verdicts": (start, stop),
            "dialogues": _span([places["dialogues"][row.dialogue_id] for row in verdicts]),
            "dialogue_tasks": _span([places["dialogue_tasks"][row.dialogue_task_id] for row in verdicts]),
        }
        invalid = {row.dialogue_id for row in verdicts}
        concerned = {row.dialogue_task_id for row in verdicts}
        dialogues = [
            row for row in read_rows(tables["dialogues"], DialogueRow, *ranges["dialogues"]) if row.id in invalid
        ]
        tasks = read_rows(tables["dialogue_tasks"], DialogueTaskRow, *ranges["dialogue_tasks"])
        hashes = {
            "verdicts": [hash_row(row) for row in verdicts],
            "dialogues": [hash_row(row) for row in dialogues],
            "dialogue_tasks": [hash_row(row) for row in tasks if row.id in concerned],
            "grounds": sorted({grounds[row.toolset_id] for row in dialogues}),
        }
        shards.append(
            Shard(
                stage=STAGE,
                number=number,
                key=compute_shard_key(key, hashes),
                inputs=dict(tables),
                start=start,
                stop=stop,
                ranges=ranges,
            )
        )
    return shards


def _span(places: list[int]) -> tuple[int, int]:
    return (min(places), max(places) + 1) if places else (0, 0)


@task(name="repair-dialogues", task_run_name="repair-dialogues-{work.number}", **CACHED)
@works_in_crew
async def repair_shard(run: RunContext, work: Shard) -> ShardResult:
    """Repairs the shard's invalid dialogues, as far as that can be done."""
    bench = open_workbench(run)
    models = bench.open_models()
    config = narrow_config(run.config, STAGE)
    verdicts = {row.dialogue_id: row for row in work.read(VerdictRow, "verdicts") if row.judgment == "invalid"}
    dialogues = [row for row in work.read(DialogueRow, "dialogues") if row.id in verdicts]
    tasks = {row.id: row for row in work.read(DialogueTaskRow, "dialogue_tasks")}
    seeds = {row.id: row for row in work.read(SeedRow, "seeds")}
    toolsets = {row.id: row for row in work.read(ToolsetRow, "toolsets")}

    async def make(row: DialogueRow) -> Made:
        base = None if row.paradigm in SIMULATED else await run_blocking(bench.open_base, seeds[row.seed_id])
        repair = await repair_until_valid(
            row, verdicts[row.id], tasks[row.dialogue_task_id], toolsets[row.toolset_id], base, models, config
        )
        outcome = "accepted" if repair.kept is not None else "rejected"
        entry = record_unit(STAGE, "repair", row.id, outcome, reasons=repair.reasons, about=row)
        return Made([part for pair in repair.tries for part in pair], [entry])

    made = await bench.work(STAGE, "repair", dialogues, make, identify=lambda row: row.id, about=lambda row: row)
    return write_shard(run, {"repaired_dialogues": DialogueRow, "repaired_verdicts": VerdictRow}, made)
