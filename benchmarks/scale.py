"""What scale-out costs and brings on this machine: Prefect's part, and the pipeline on one process and on several.

    python -m benchmarks.scale --shards 40              # Prefect alone: shards without work
    python -m benchmarks.scale --dialogues 1000         # the pipeline: threads, then two Dask processes

Prints one JSON object a measurement. The pipeline runs against `selfplay serve` in a process of its own, first from
nothing and then once more in the same runs folder: the second run finds every shard done, so that its whole duration is
an upper bound of what Prefect, planning and the report cost.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.pipeline import ask, read_answer, run_command, write_config
from benchmarks.processes import run_watched
from flows.running import prefect_server
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint


def measure_prefect(shards: int, workers: Sequence[str] = ("threads",)) -> Iterator[dict[str, Any]]:
    """Seconds and bytes of the server's database that a shard task costs which does nothing, by kind of worker."""
    with tempfile.TemporaryDirectory() as folder, prefect_server(Path(folder), verbose=False) as wait:
        wait()
        for kind in workers:
            yield _measure_empty(Path(folder), kind, shards)


def _measure_empty(folder: Path, kind: str, shards: int) -> dict[str, Any]:
    from prefect import flow

    from benchmarks.empty_shards import plan_empty, work_empty
    from schemas.config import RunConfig
    from tasks.run_context import begin_run
    from tasks.runners import close_runner, run_shards

    config = RunConfig.model_validate(
        {"name": kind, "sources": [{"kind": "sql", "url": "sqlite:///none"}], "workers": {"kind": kind, "count": 2}}
    )
    run = begin_run(config, folder / kind)
    seconds: list[float] = []
    used: list[float] = []

    @flow(name="empty")
    async def empty(count: int, first: int) -> None:
        started, cpu = time.monotonic(), time.process_time()
        task = work_empty.with_options(result_storage=run.results)
        await run_shards(task, run, plan_empty(first, count))
        seconds.append(time.monotonic() - started)
        used.append(time.process_time() - cpu)

    began = time.monotonic()
    asyncio.run(empty(1, 0))
    start = time.monotonic() - began
    before = measure_database(folder / "store" / "prefect")
    asyncio.run(empty(shards, 1))
    time.sleep(3)  # the server writes what clients sent in batches
    grown = measure_database(folder / "store" / "prefect") - before
    close_runner(run)
    return {
        "workers": kind,
        "shards": shards,
        "start_seconds": round(start, 2),
        "ms_per_shard": round(1000 * seconds[1] / shards, 1),
        "leader_cpu_ms_per_shard": round(1000 * used[1] / shards, 1),
        "database_kb_per_shard": round(grown / shards / 1024, 1),
    }


def measure_database(folder: Path) -> int:
    """Bytes in use; the file and its log are larger, and grow in steps."""
    with closing(sqlite3.connect(folder / "prefect.db")) as connection:
        pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    return (pages - free) * size


def measure_pipeline(
    *, dialogues: int, shard_size: int, workers: dict[str, Any], slots: int, latency_ms: float
) -> dict[str, Any]:
    """One run from nothing, and the same again.

    Raises:
        RuntimeError: a run failed.
    """
    options = ServeOptions(slots=slots, latency_ms=latency_ms)
    with tempfile.TemporaryDirectory() as folder, EmbeddedEndpoint(options) as endpoint:
        runs = Path(folder) / "runs"
        config = write_config(
            Path(folder) / "scale.yaml",
            endpoint.url,
            dialogues=dialogues,
            concurrency=round(1.375 * slots) if slots else 64,
            shard_size=shard_size,
            workers=workers,
        )
        first = run_watched(run_command(config, runs))
        answer = read_answer(first)
        stats = ask(endpoint.url, "/stats")
        again = run_watched(run_command(config, runs))
        repeated = read_answer(again)
        record = json.loads((Path(answer["run_dir"]) / "run.json").read_text())
        database = measure_database(runs / "store" / "prefect")
        sizes = {
            "tables": _folder_bytes(Path(answer["run_dir"]) / "tables"),
            "journal": _folder_bytes(runs / "store" / "journal"),
            "exports": _folder_bytes(Path(answer["run_dir"]) / "export"),
        }
    same = all(repeated["tables"][name]["sha256"] == table["sha256"] for name, table in answer["tables"].items())
    return {
        "workers": workers,
        "dialogues": dialogues,
        "shard_size": shard_size,
        "slots": slots,
        "latency_ms": latency_ms,
        "seconds": round(first.seconds, 1),
        "rerun_seconds": round(again.seconds, 1),
        "rerun_calls": repeated["model_calls"],
        "rerun_same_tables": same,
        "leader_cpu_seconds": round(first.cpu, 1),
        "calls": answer["model_calls"],
        "tokens": answer["tokens"],
        "stages": record["timings"],
        "shards": {stage: entry["shards"] for stage, entry in record["stages"].items()},
        "calls_by_role": {role: share["requests"] for role, share in stats["by_role"].items()},
        "endpoint_busy_seconds": round(sum(share["busy_slot_seconds"] for share in stats["by_role"].values()), 1),
        "bytes_per_dialogue": {name: round(size / dialogues) for name, size in sizes.items()},
        "servermeasure_database": database,
        "tables": {name: table["sha256"] for name, table in answer["tables"].items()},
    }


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=0, help="shards without work, to measure Prefect alone")
    parser.add_argument("--dialogues", type=int, default=0, help="of the pipeline; 0 leaves it out")
    parser.add_argument("--shard-size", type=int, default=250)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=400.0)
    parser.add_argument("--kinds", nargs="*", default=["threads", "dask"])
    parser.add_argument("--count", type=int, default=2, help="processes of a cluster")
    options = parser.parse_args()
    if options.shards:
        for figures in measure_prefect(options.shards, options.kinds):
            print(json.dumps(figures), flush=True)
    for kind in options.kinds if options.dialogues else ():
        figures = measure_pipeline(
            dialogues=options.dialogues,
            shard_size=options.shard_size,
            workers={"kind": kind} if kind == "threads" else {"kind": kind, "count": options.count},
            slots=options.slots,
            latency_ms=options.latency_ms,
        )
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
