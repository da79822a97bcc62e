"""What is measured of a run on one machine, reproduced by a simulation, and carried to where no machine is.

    python -m benchmarks.scale_simulation measured.json      # lines of `python -m benchmarks.scale --dialogues N`
    python -m benchmarks.scale_simulation --predict

`benchmarks/scale_model.py` says what is simulated.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.scale_model import Machinery, Stage, simulate_run

_STAGES = {
    "write-dialogue-tasks": ("task_writer",),
    "simulate-dialogues": ("user_simulator", "assistant"),
    "validate-dialogues": ("judge",),
}


def read_stages(measured: dict[str, Any], cpu_ms: float, leader_ms: float) -> list[Stage]:
    """The stages as a measured run had them: calls by role; the CPU of a call and of a row are given."""
    stages: list[Stage] = []
    for name, roles in _STAGES.items():
        calls = sum(measured["calls_by_role"].get(role, 0) for role in roles) / measured["dialogues"]
        stages.append(Stage(name, calls, 0.35 if name == "simulate-dialogues" else 0.0, cpu_ms, leader_ms, 2.5))
    return stages


def compare(measured: Sequence[dict[str, Any]], machinery: Machinery, cpu_ms: float, leader_ms: float) -> None:
    """Prints measured and simulated seconds of each stage, run by run."""
    for run in measured:
        workers = run["workers"]
        processes = 1 if workers["kind"] == "threads" else workers["count"]
        here = replace(
            machinery,
            processes=processes,
            shards_each=4 if processes == 1 else 2,
            slots=run["slots"],
            concurrency=round(1.375 * run["slots"]),
            latency_ms=run["latency_ms"],
        )
        stages = read_stages(run, cpu_ms, leader_ms)
        print(f"{workers['kind']} x {processes}, {run['dialogues']} dialogues, {run['calls']} calls")
        for stage in simulate_run(stages, run["dialogues"], run["shard_size"], here):
            seconds = run["stages"][stage.name]
            error = stage.seconds / seconds - 1
            print(f"  {stage.name:22} measured {seconds:7.1f} s   simulated {stage.seconds:7.1f} s   {error:+.0%}")


@dataclass(frozen=True)
class Scenario:
    """A size and what it runs on."""

    name: str
    dialogues: int
    """Of one run."""
    runs: int
    shard_size: int
    processes: int
    slots: int


SCENARIOS = (
    Scenario("10 thousand", 10_000, 1, 1_000, 1, 64),
    Scenario("1 million", 1_000_000, 1, 5_000, 16, 2_048),
    Scenario("1 million, 4 x", 1_000_000, 1, 5_000, 64, 8_192),
    Scenario("100 million", 1_000_000, 100, 5_000, 64, 8_192),
)


def predict(stages: Sequence[Stage], machinery: Machinery) -> None:
    """Prints what each scenario takes."""
    print(
        f"{'dialogues':16}{'processes':>10}{'slots':>8}{'days':>9}{'utilisation':>13}{'slot-hours':>14}{'CPU-hours':>12}"
    )
    for scenario in SCENARIOS:
        here = replace(
            machinery,
            processes=scenario.processes,
            shards_each=2,
            slots=scenario.slots,
            concurrency=round(1.375 * scenario.slots),
            cores=0,
            endpoint_ms=0.0,
        )
        figures = simulate_run(stages, scenario.dialogues, scenario.shard_size, here)
        seconds = (here.start_seconds + sum(one.seconds for one in figures)) * scenario.runs
        busy = sum(one.busy_slot_seconds for one in figures) * scenario.runs
        cpu = sum(one.cpu_seconds for one in figures) * scenario.runs
        print(
            f"{scenario.name:16}{scenario.processes:>10}{scenario.slots:>8}{seconds / 86400:>9.2f}"
            f"{busy / scenario.slots / seconds:>13.0%}{busy / 3600:>14,.0f}{cpu / 3600:>12,.1f}"
        )


def main() -> None:
    """Compares with what was measured, or predicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, nargs="?", help="JSON lines of benchmarks.scale")
    parser.add_argument("--predict", action="store_true")
    parser.add_argument("--cpu-ms", type=float, default=5.0, help="of one call, in its process")
    parser.add_argument("--leader-ms", type=float, default=0.6, help="of one row of a stage, in the leader")
    parser.add_argument("--endpoint-ms", type=float, default=2.0, help="of one call, in the embedded endpoint")
    parser.add_argument("--latency-ms", type=float, default=1_200.0, help="of one call, where it is predicted")
    parser.add_argument("--sigma", type=float, default=0.6, help="shape of that latency")
    parser.add_argument("--cores", type=int, default=2, help="of the machine that was measured")
    options = parser.parse_args()
    machinery = Machinery(1, 4, 64, 88, options.latency_ms, 0.0, options.cores, options.endpoint_ms)
    if options.measured:
        lines = [json.loads(line) for line in options.measured.read_text().splitlines() if line.startswith("{")]
        compare([line for line in lines if "stages" in line], machinery, options.cpu_ms, options.leader_ms)
    if options.predict:
        calls = {"write-dialogue-tasks": 1.1, "simulate-dialogues": 14.0, "validate-dialogues": 1.0}
        stages = [
            Stage(name, mean, 0.35 if mean > 2 else 0.0, options.cpu_ms, options.leader_ms, 2.5)
            for name, mean in calls.items()
        ]
        predict(stages, replace(machinery, sigma=options.sigma))


if __name__ == "__main__":
    main()
