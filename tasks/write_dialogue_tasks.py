"""write-dialogue-tasks: a proved dialogue task for each dialogue that the config asks for."""

from collections.abc import Iterator
from itertools import islice

from prefect import task

from schemas.content import content_id
from schemas.rows import DialogueTaskRow, LedgerRow, SeedRow, TableRef, ToolsetRow
from schemas.vocabulary import STATELESS
from tasks.cache_keys import compute_shard_key, compute_stage_key, narrow_config
from tasks.caching import CACHED
from tasks.crew import works_in_crew
from tasks.ledger import record_unit
from tasks.run_context import RunContext
from tasks.run_record import find_stopped
from tasks.shards import Made, Shard, ShardResult, hash_grounds, write_shard
from tasks.slot_files import read_slots, write_slots
from tasks.workbench import open_workbench
from turnwright.environments.threads import run_blocking
from turnwright.goals.openings import read_beginning
from turnwright.goals.slots import Slot, can_execute, draw_slots
from turnwright.goals.twin_slots import draw_twin_slots
from turnwright.goals.writing import write_dialogue_task
from turnwright.stateless.scenario import write_scenario
from turnwright.storage.tables import read_rows

STAGE = "write-dialogue-tasks"


def plan_tasks(run: RunContext, seeds: TableRef, toolsets: TableRef) -> list[Shard]:
    """Shards of consecutive slots. Each slot is an input, so the mixes that shaped it need not be in the key twice.

    Raises:
        OSError: the store cannot be written.
    """
    key = compute_stage_key(STAGE, run.config)
    grounds = hash_grounds(seeds, toolsets)
    slots = draw_all_slots(run, seeds, toolsets)
    shards: list[Shard] = []
    while own := list(islice(slots, run.config.shard_size)):
        file = write_slots(own, run.store)
        start = shards[-1].stop if shards else 0
        shards.append(
            Shard(
                stage=STAGE,
                number=len(shards),
                key=compute_shard_key(
                    key, {"slots": [file.content], "grounds": sorted({grounds[slot.toolset_id] for slot in own})}
                ),
                inputs={"seeds": seeds, "toolsets": toolsets},
                start=start,
                stop=start + len(own),
                slots=file.sha256,
            )
        )
    return shards or [_plan_without_toolsets(run, key, seeds, toolsets)]


def _plan_without_toolsets(run: RunContext, key: str, seeds: TableRef, toolsets: TableRef) -> Shard:
    """Without a toolset nothing can be written; the ledger still accounts for every dialogue."""
    missing = [str(run.config.dialogues), str(find_stopped(run))]
    return Shard(
        stage=STAGE,
        number=0,
        key=compute_shard_key(key, {"missing": missing}),
        inputs={"seeds": seeds, "toolsets": toolsets},
        start=0,
        stop=0,
    )


def draw_all_slots(run: RunContext, seeds: TableRef, toolsets: TableRef) -> Iterator[Slot]:
    """What each dialogue of the run is to be like."""
    begun = [seed for seed in read_rows(seeds, SeedRow) if seed.kind == "dialogues"]
    draw = draw_twin_slots if run.config.twins else draw_slots
    return draw(list(read_rows(toolsets, ToolsetRow)), run.config, begun)


@task(name="write-dialogue-tasks", task_run_name="write-dialogue-tasks-{work.number}", **CACHED)
@works_in_crew
async def write_task_shard(run: RunContext, work: Shard) -> ShardResult:
    """Writes the dialogue tasks of the shard's slots."""
    tables = {"dialogue_tasks": DialogueTaskRow}
    if work.slots is None:
        return write_shard(run, tables, [Made(ledger=record_nothing_to_use(run))])
    slots = read_slots(work.slots, run.store)
    bench = open_workbench(run)
    models = bench.open_models()
    config = narrow_config(run.config, STAGE)
    toolsets = {row.id: row for row in work.read(ToolsetRow, "toolsets")}
    seeds = {row.id: row for row in work.read(SeedRow, "seeds")}

    async def make(slot: Slot) -> Made:
        toolset = toolsets[slot.toolset_id]
        seed = seeds[toolset.seed_id]
        base = await run_blocking(bench.open_base, seed) if can_execute(toolset) else None
        if slot.paradigm in STATELESS:
            drawn = await write_scenario(slot, toolset, seed, base, config)
            return Made([] if drawn.row is None else [drawn.row], [drawn.ledger])
        beginning = read_beginning(slot.prefix, seeds)
        written = await write_dialogue_task(slot, toolset, seed, base, models, config, beginning)
        return Made([] if written.row is None else [written.row], [written.ledger])

    made = await bench.work(
        STAGE,
        "dialogue_task",
        slots,
        make,
        identify=lambda slot: slot.id,
        about=lambda slot: slot,
    )
    return write_shard(run, tables, made)


def record_nothing_to_use(run: RunContext) -> list[LedgerRow]:
    """What becomes of the dialogues of a run that has no toolset."""
    stopped = find_stopped(run)
    reason = "no_toolset: no source gave a toolset; the ledger of prepare-tools says why"
    return [
        record_unit(
            STAGE,
            "dialogue_task",
            content_id("slot", [number]),
            "not_attempted" if stopped else "rejected",
            reasons=[reason],
            boundary=None if not stopped else "budget" if stopped == "budget" else "endpoint",
        )
        for number in range(run.config.dialogues)
    ]
