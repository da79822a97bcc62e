"""What it costs to plan write-dialogue-tasks: once for the run, and again in each shard.

    python -m benchmarks.planning [DIALOGUES ...] [--shard-size 5000] [--paradigms]

No model is asked and nothing is written but the plan. A line a size, in CPU seconds, so that others on the machine do
not count.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from schemas.config import RunConfig
from schemas.rows import SeedRow, ToolsetRow
from tasks.cache_keys import compute_stage_key
from tasks.run_context import begin_run
from tasks.slot_files import read_slots
from tasks.write_dialogue_tasks import STAGE, plan_tasks
from turnwright.storage.tables import write_table

_MIX = {"user_oriented_executed": 0.6, "user_oriented": 0.2, "task_oriented": 0.1, "stateless": 0.1}
_DOMAINS, _TOOLSETS = 3, 10


def make_inputs() -> tuple[list[SeedRow], list[ToolsetRow]]:
    """Seeds and toolsets of some domains; nobody calls their tools."""
    seeds = [
        SeedRow(
            id=f"seed_{domain}",
            kind="sql",
            domain=f"domain {domain}",
            source=0,
            locator="none",
            base_digest="none",
            dialect="sqlite",
            content="{}",
        )
        for domain in range(_DOMAINS)
    ]
    toolsets = [
        ToolsetRow(
            id=f"toolset_{number:016x}_{seed.id}",
            seed_id=seed.id,
            domain=seed.domain,
            tool_ids=[],
            tools="[]",
        )
        for seed in seeds
        for number in range(_TOOLSETS)
    ]
    return seeds, toolsets


def measure_planning(dialogues: int, shard_size: int, *, paradigms: bool) -> str:
    """One line: the plan of the whole, what each shard reads of it, and the room that it takes."""
    with tempfile.TemporaryDirectory() as folder:
        config = RunConfig.model_validate(
            {
                "name": "planning",
                "sources": [{"kind": "sql", "url": "sqlite:///none.sqlite"}],
                "dialogues": dialogues,
                "shard_size": shard_size,
                "paradigms": _MIX if paradigms else {},
            }
        )
        run = begin_run(config, Path(folder))
        seeds, toolsets = make_inputs()
        tables = write_table("seeds", seeds, run.store), write_table("toolsets", toolsets, run.store)
        compute_stage_key(STAGE, config)  # reads the sources once a process, however large the run
        began = time.process_time()
        shards = plan_tasks(run, *tables)
        planned = time.process_time()
        for shard in shards:
            read_slots(shard.slots or "", run.store)
        read = time.process_time()
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.slots"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{dialogues:,} dialogues in {len(shards)} shards: plan {planned - began:.2f} s, "
        f"each shard {(read - planned) / len(shards):.4f} s, files {size / 1e6:.2f} MB, process at most {peak:.0f} MB"
    )


def main() -> None:
    """Measures the sizes that are given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dialogues", nargs="*", type=int, default=[1000, 100_000])
    parser.add_argument("--shard-size", type=int, default=5000)
    parser.add_argument("--paradigms", action="store_true", help="mix paradigms, so that behaviours have to move")
    given = parser.parse_args()
    for dialogues in given.dialogues:
        sys.stdout.write(measure_planning(dialogues, given.shard_size, paradigms=given.paradigms) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
