"""False alarms and speed of the deterministic layers, over the dialogues of finished runs.

    python -m benchmarks.validation RUN_FOLDER... [--json FILE] [--show N]

The dialogues of a run with `model: {kind: selfplay, mistake_rate: 0}` are clean: the assistant makes no mistake on
purpose,
so each alarm is either false or shows an honest mistake of the embedded endpoint. Two rates are given: over dialogues
whose replay and outcome match, and over all. docs/validation.md explains the figures.
"""

import argparse
import gc
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq

from schemas.config import RunConfig
from schemas.findings import Finding
from schemas.rows import DialogueRow, DialogueTaskRow, Row, SeedRow, ToolsetRow
from schemas.sources import SqlSource
from turnwright.environments.base import Base, open_base
from turnwright.rollout.tool_calls import offer_tools
from turnwright.storage.run_folder import open_store
from turnwright.validation.grounding.check import check_grounding
from turnwright.validation.outcome import compare_outcome
from turnwright.validation.reactions import check_reactions
from turnwright.validation.replay import replay_calls
from turnwright.validation.rules import check_rules
from turnwright.validation.trajectory import Trajectory

T = TypeVar("T", bound=Row)
NAMED = ("rules", "grounding", "replay")
"""Layers that a speed is promised for."""
OTHERS = "outcome and reactions"


@dataclass
class Tally:
    """What was counted so far."""

    dialogues: int = 0
    clean: int = 0
    """Dialogues that reached their goal: replay and outcome match."""
    turns: int = 0
    alarms: int = 0
    """Clean dialogues in which rules or grounding block."""
    blocked: int = 0
    """Dialogues in which rules or grounding block, clean or not."""
    codes: Counter[str] = field(default_factory=Counter[str])
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*NAMED, OTHERS), 0.0))
    """Time of each layer by the wall clock, which costs nothing to read."""
    cpu: float = 0.0
    """Processor seconds of all layers, read once a run: a look at that clock takes a millisecond on some machines."""
    shown: list[str] = field(default_factory=list[str])


def upper_bound(alarms: int, trials: int) -> float:
    """Upper end of the two-sided 95 % Clopper-Pearson interval of a rate, by bisection."""
    if trials == 0 or alarms >= trials:
        return 1.0
    low, high = alarms / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(alarms, trials, middle) > 0.025:
            low = middle
        else:
            high = middle
    return high


def _at_most(alarms: int, trials: int, rate: float) -> float:
    """Chance of so few alarms, or fewer, in that many trials."""
    term, total = (1 - rate) ** trials, 0.0
    for count in range(alarms + 1):
        total += term
        term *= (trials - count) / (count + 1) * rate / (1 - rate)
    return total


def read_rows(folder: Path, table: str, model: type[T]) -> list[T]:
    """The rows of one table of a run."""
    return [model.model_validate(row) for row in pq.read_table(folder / "tables" / f"{table}.parquet").to_pylist()]


def open_bases(folder: Path) -> dict[str, Base]:
    """The databases of a run, by the id of their seed."""
    config = RunConfig.model_validate(json.loads((folder / "run.json").read_text(encoding="utf-8"))["config"])
    store = open_store(folder.parent)
    bases: dict[str, Base] = {}
    for seed in read_rows(folder, "seeds", SeedRow):
        source: Any = config.sources[seed.source]
        if isinstance(source, SqlSource):  # the other kinds have no state to replay
            bases[seed.id] = open_base(seed, source, store, config)
    return bases


def measure_run(folder: Path, tally: Tally, show: int) -> None:
    """Counts the dialogues of one run."""
    bases = open_bases(folder)
    tasks = {row.id: row for row in read_rows(folder, "dialogue_tasks", DialogueTaskRow)}
    toolsets = {row.id: row for row in read_rows(folder, "toolsets", ToolsetRow)}
    rows = [row for row in read_rows(folder, "dialogues", DialogueRow) if row.seed_id in bases]
    # A run sets its imports aside too (tasks/memory.py), and has the rows of a shard in memory where these are all.
    gc.collect()
    gc.freeze()
    start = time.process_time()
    try:
        for row in rows:
            task = tasks[row.dialogue_task_id]
            _measure_dialogue(
                Trajectory(row, task, offer_tools(toolsets[row.toolset_id], task)), bases[row.seed_id], tally, show
            )
    finally:
        tally.cpu += time.process_time() - start
        for base in bases.values():
            base.close()


def _measure_dialogue(trajectory: Trajectory, base: Base, tally: Tally, show: int) -> None:
    start = time.perf_counter()
    rules = check_rules(trajectory)
    after_rules = time.perf_counter()
    grounding = check_grounding(trajectory)
    after_grounding = time.perf_counter()
    replay = replay_calls(trajectory, base)
    after_replay = time.perf_counter()
    outcome = compare_outcome(trajectory)
    findings: list[Finding] = [*rules, *grounding, *check_reactions(trajectory)]
    after_all = time.perf_counter()
    blocking = [finding for finding in findings if finding.blocks]
    clean = replay.match == "match" and outcome.match == "match"
    tally.dialogues += 1
    tally.clean += clean
    tally.turns += trajectory.row.turns
    tally.blocked += bool(blocking)
    tally.alarms += bool(blocking and clean)
    tally.seconds["rules"] += after_rules - start
    tally.seconds["grounding"] += after_grounding - after_rules
    tally.seconds["replay"] += after_replay - after_grounding
    tally.seconds[OTHERS] += after_all - after_replay
    for finding in blocking:
        tally.codes[f"{finding.layer}.{finding.code}{'' if clean else ' (goal not reached)'}"] += 1
        if len(tally.shown) < show:
            tally.shown.append(f"{trajectory.row.id} message {finding.message} {finding.code}: {finding.explanation}")


def summarise(tally: Tally) -> dict[str, Any]:
    """The figures."""
    turns = tally.turns / max(1, tally.dialogues)
    speed = tally.dialogues / tally.cpu if tally.cpu else 0.0
    share = sum(tally.seconds[name] for name in NAMED) / (sum(tally.seconds.values()) or 1.0)
    return {
        "dialogues": tally.dialogues,
        "clean": tally.clean,
        "false_alarms": tally.alarms,
        "false_alarm_rate": tally.alarms / max(1, tally.clean),
        "false_alarm_upper_95": upper_bound(tally.alarms, tally.clean),
        "blocked": tally.blocked,
        "blocked_upper_95": upper_bound(tally.blocked, tally.dialogues),
        "codes": dict(sorted(tally.codes.items())),
        "turns": turns,
        "milliseconds": {name: 1000 * each / max(1, tally.dialogues) for name, each in tally.seconds.items()},
        "cpu_milliseconds": 1000 * tally.cpu / max(1, tally.dialogues),
        "dialogues_per_second": speed,
        "dialogues_of_30_turns_per_second": speed * turns / 30,
        "the_same_of_rules_grounding_replay": speed * turns / 30 / (share or 1.0),
    }


def main() -> None:
    """Measures the runs and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders")
    parser.add_argument("--show", type=int, default=20, help="alarms that are printed")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    tally = Tally()
    for folder in options.runs:
        measure_run(folder, tally, options.show)
    figures = summarise(tally)
    text = json.dumps(figures, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print("\n".join([*tally.shown, text]))


if __name__ == "__main__":
    main()
