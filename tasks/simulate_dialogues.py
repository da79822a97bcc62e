"""simulate-dialogues: one trajectory for each trial of each dialogue task."""

from collections.abc import Iterable
from dataclasses import dataclass

from prefect import task

from schemas.rows import DialogueRow, DialogueTaskRow, LedgerRow, SeedRow, TableRef, ToolsetRow
from schemas.vocabulary import SIMULATED, STATELESS
from tasks.cache_keys import compute_shard_key, compute_stage_key, hash_row, narrow_config
from tasks.caching import CACHED
from tasks.crew import works_in_crew
from tasks.ledger import record_unit
from tasks.packing import PackedRow, pack_row
from tasks.run_context import RunContext
from tasks.shards import Made, Shard, ShardResult, cut_positions, hash_grounds, write_shard
from tasks.workbench import open_workbench
from turnwright.environments.threads import run_blocking
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.stateless.dialogue import simulate_stateless
from turnwright.storage.tables import read_rows

STAGE = "simulate-dialogues"


@dataclass(frozen=True)
class Trial:
    """One of the times that a task is simulated."""

    task: PackedRow[DialogueTaskRow]
    calls: int
    """Calls and objectives planned: the longer ones begin first."""
    number: int
    """From 0; the draw index of every model call."""


def plan_trials(tasks: Iterable[DialogueTaskRow], trials: int) -> list[Trial]:
    """Every trial of every task, those of one task side by side, as in the table."""
    planned: list[Trial] = []
    for row in tasks:
        packed = pack_row(row)
        planned += [Trial(packed, row.planned_calls + row.task_count, number) for number in range(trials)]
    return planned


def name_trial(task_id: str, number: int) -> str:
    """The unit of work that a trial is in the ledger: the task itself for the first one."""
    return task_id if number == 0 else f"{task_id}#{number}"


def plan_dialogues(run: RunContext, seeds: TableRef, toolsets: TableRef, dialogue_tasks: TableRef) -> list[Shard]:
    """Shards of consecutive slots."""
    key = compute_stage_key(STAGE, run.config)
    grounds = hash_grounds(seeds, toolsets)
    inputs = {"seeds": seeds, "toolsets": toolsets, "dialogue_tasks": dialogue_tasks}
    shards: list[Shard] = []
    for number, (start, stop) in enumerate(cut_positions(dialogue_tasks.rows, run.config.shard_size)):
        tasks = [(hash_row(row), row.toolset_id) for row in read_rows(dialogue_tasks, DialogueTaskRow, start, stop)]
        hashes = {
            "dialogue_tasks": [own for own, _ in tasks],
            "grounds": sorted({grounds[toolset_id] for _, toolset_id in tasks}),
        }
        shards.append(
            Shard(
                stage=STAGE,
                number=number,
                key=compute_shard_key(key, hashes),
                inputs=inputs,
                start=start,
                stop=stop,
                ranges={"dialogue_tasks": (start, stop)},
            )
        )
    return shards


@task(name="simulate-dialogues", task_run_name="simulate-dialogues-{work.number}", **CACHED)
@works_in_crew
async def simulate_shard(run: RunContext, work: Shard) -> ShardResult:
    """Simulates the dialogues of the shard's tasks."""
    bench = open_workbench(run)
    models = bench.open_models()
    config = narrow_config(run.config, STAGE)
    trials = plan_trials(work.read(DialogueTaskRow, "dialogue_tasks"), config.trials)
    seeds = {row.id: row for row in work.read(SeedRow, "seeds")}
    toolsets = {row.id: row for row in work.read(ToolsetRow, "toolsets")}

    async def make(planned: Trial) -> Made:
        row = planned.task.open()
        simulated = row.paradigm in SIMULATED
        base = None if simulated else await run_blocking(bench.open_base, seeds[row.seed_id])
        simulate = simulate_stateless if row.paradigm in STATELESS else simulate_dialogue
        dialogue = await simulate(row, toolsets[row.toolset_id], base, models, config, planned.number)
        return Made([dialogue], [record_dialogue(dialogue)])

    made = await bench.work(
        STAGE,
        "dialogue",
        trials,
        make,
        identify=lambda planned: name_trial(planned.task.id, planned.number),
        about=lambda planned: planned.task.open(),
        weigh=lambda planned: planned.calls,
    )
    return write_shard(run, {"dialogues": DialogueRow}, made)


def record_dialogue(dialogue: DialogueRow) -> LedgerRow:
    """The ledger row of a dialogue; the unit is the trial of its task, planned before the dialogue was known."""
    unit_id = name_trial(dialogue.dialogue_task_id, dialogue.trial)
    if dialogue.ending == "task_complete":
        return record_unit(STAGE, "dialogue", unit_id, "accepted", about=dialogue)
    reasons = [f"{dialogue.ending}: {dialogue.detail}"]
    if dialogue.ending == "environment_failed":
        return record_unit(
            STAGE, "dialogue", unit_id, "failed", reasons=reasons, boundary="environment", about=dialogue
        )
    return record_unit(STAGE, "dialogue", unit_id, "rejected", reasons=reasons, about=dialogue)
