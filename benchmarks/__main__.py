"""`make bench`: client, permits, journal and pipeline against endpoints of our own, in one table with ratios.

    python -m benchmarks [--quick] [--repeats 5] [--workload heavy] [--json FILE]

Each row is the median of the repeats, which are interleaved, so that a noisy moment of the machine meets every client.
Each repeat of heavy tails has another guess of the lengths, because a schedule is luckier with some than with others.
docs/performance.md explains the figures.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.client import CLIENTS
from benchmarks.journal import measure_journal
from benchmarks.pipeline import ask, measure_pipeline
from benchmarks.processes import run_watched
from benchmarks.stub import Stub
from benchmarks.workloads import Workload, read_workload

SLOTS = 64
CONCURRENCY = 88
"""1.375 x the slots: hides the time that a client takes between a reply and the next request."""
_WORKLOADS = ("singles", "chains", "heavy")
_QUICK = ("singles:500", "chains:96:6", "heavy:96")


def measure_client(client: str, workload: Workload, slots: int, concurrency: int) -> dict[str, float]:
    """One client on one workload, against a fresh stub.

    Raises:
        RuntimeError: the client failed.
    """
    with Stub(workload, slots) as stub:
        command = ["benchmarks.client", client, workload.name, "--url", stub.url, "--concurrency", str(concurrency)]
        watched = run_watched([sys.executable, "-m", *command])
        if watched.returncode:
            raise RuntimeError(f"{client} on {workload.name}: {watched.stderr[-2000:]}")
        figures: dict[str, float] = json.loads(watched.stdout.strip().splitlines()[-1])
        stats = ask(stub.url, "/stats")
    return figures | {
        "utilisation": stats["busy"] / slots / stats["seconds"],
        "times_ideal": figures["seconds"] / workload.ideal_seconds(slots),
    }


def take_medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def measure_clients(workloads: Sequence[str], repeats: int) -> list[dict[str, Any]]:
    """Every client on every workload."""
    rows: list[dict[str, Any]] = []
    for name in workloads:
        found: dict[str, list[dict[str, float]]] = {client: [] for client in CLIENTS}
        for draw in range(repeats):
            workload = read_workload(f"{name}{'' if ':' in name else ':'}:{draw}" if name.startswith("heavy") else name)
            for client in CLIENTS:
                found[client].append(measure_client(client, workload, SLOTS, CONCURRENCY))
        least = take_medians(found["aiohttp"])["cpu_per_1000"]
        for client in CLIENTS:
            figures = take_medians(found[client])
            rows.append({"workload": name, "client": client, **figures, "cpu_ratio": figures["cpu_per_1000"] / least})
    return rows


def show(rows: Sequence[dict[str, Any]]) -> Table:
    """The table."""
    table = Table(title=f"{SLOTS} slots, concurrency {CONCURRENCY}; medians", title_justify="left", box=None)
    for column in ("workload", "client"):
        table.add_column(column)
    for column in ("calls", "s", "x ideal", "utilisation", "CPU s / 1,000", "x aiohttp", "peak MB"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row["workload"],
            row["client"],
            f"{row['calls']:,.0f}",
            f"{row['seconds']:.2f}",
            f"{row['times_ideal']:.3f}" if "times_ideal" in row else "–",
            f"{row['utilisation']:.3f}",
            f"{row['cpu_per_1000']:.2f}",
            f"{row['cpu_ratio']:.1f}" if "cpu_ratio" in row else "–",
            f"{row['peak_mb']:.0f}",
        )
    return table


def main() -> None:
    """Measures everything and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small workloads, once: a look, not a measurement")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workload", action="append", help="only this one (benchmarks/workloads.py); may be repeated")
    parser.add_argument("--dialogues", type=int, default=2000, help="of the pipeline; 0 leaves it out")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    repeats = 1 if options.quick else options.repeats
    rows = measure_clients(options.workload or (_QUICK if options.quick else _WORKLOADS), repeats)
    dialogues = min(options.dialogues, 100) if options.quick else options.dialogues
    pipeline: dict[str, Any] = {}
    if dialogues:
        pipeline = asdict(
            measure_pipeline(
                dialogues=dialogues, slots=SLOTS, latency_ms=400.0, latency_sigma=0.0, concurrency=CONCURRENCY
            )
        )
        rows.append(
            {
                "workload": f"{dialogues} dialogues, 400 ms",
                "client": "turnwright run",
                "calls": pipeline["calls"],
                "seconds": pipeline["window_seconds"],
                "utilisation": pipeline["utilisation"],
                "cpu_per_1000": pipeline["cpu_ms_per_call"],
                "peak_mb": pipeline["peak_mb"],
            }
        )
    journal = asdict(measure_journal(rate=500.0, seconds=2.0 if options.quick else 6.0))
    if options.json:
        figures = {"rows": rows, "pipeline": pipeline, "journal": journal}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console = Console(width=max(110, Console().width), highlight=False)
    console.print(show(rows))
    console.print(
        f"journal at {journal['rate']:.0f} calls/s: {journal['share_of_core']:.1%} of a core, "
        f"{journal['wait_ms']:.1f} ms until durable, {journal['bytes_per_call']:.0f} bytes a call"
    )


if __name__ == "__main__":
    main()
