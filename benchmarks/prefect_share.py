"""What Prefect takes of a run: its share of the wall time, part by part, and what its database grows by.

    python -m benchmarks.prefect_share [--dialogues 10000] [--shard-size 1000] [--latency-ms 400] [--watched]

One run from nothing against `selfplay serve` in a process of its own, with a clock inside and one outside of each flow
and task (`benchmarks.clocked_run`). Prefect's is what lies between the two while nothing of ours works: submitting
tasks, states, results, the API. Where shards overlap, only time in which none is in work counts. To that come importing
Prefect, and the run's own server as far as anybody waits for it. With `--watched` the run reports to a server as a team
has it, with all of its services, logs and pages. Prints one JSON line, with the most
resident memory that the run held.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.pipeline import read_answer, run_command, write_config
from benchmarks.processes import ROOT, free_port, run_watched
from benchmarks.scale import measure_database
from benchmarks.spans import Span, measure_around, read_spans, unite
from flows.local_server import LocalServer
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint

_START_SECONDS = 120.0
_SETTLE_SECONDS = 10.0
"""The server writes what clients sent in batches."""


def split_share(spans: Sequence[Span]) -> dict[str, float]:
    """Seconds that are Prefect's, by part, and the whole run's."""
    by_kind = {kind: [one for one in spans if one.what == kind] for kind in {one.what for one in spans}}
    flows, bodies = by_kind.get("flow", []), by_kind.get("body", [])
    stages = [one for one in flows if one.name != "turnwright"]
    pipeline = [one for one in flows if one.name == "turnwright"]
    stage_bodies = [one for one in bodies if one.name != "turnwright"]
    return {
        "import": unite(by_kind.get("import", [])),
        "server": unite(by_kind.get("server", [])),
        "pipeline_flow": measure_around(pipeline, [one for one in bodies if one.name == "turnwright"]),
        "stage_flows": measure_around(stages, stage_bodies),
        "tasks": measure_around(by_kind.get("call", []), by_kind.get("work", [])),
        "whole": unite(by_kind["process"]),
    }


def measure_share(*, dialogues: int, shard_size: int, slots: int, latency_ms: float, watched: bool) -> dict[str, Any]:
    """Runs the pipeline once and says what of it was Prefect's.

    Raises:
        RuntimeError: the run failed, or the Prefect server did not start.
    """
    options = ServeOptions(slots=slots, latency_ms=latency_ms)
    with tempfile.TemporaryDirectory() as folder, EmbeddedEndpoint(options) as endpoint:
        place = Path(folder)
        runs, spans = place / "runs", place / "spans.json"
        concurrency = round(1.375 * slots) if slots else 64
        config = write_config(
            place / "share.yaml", endpoint.url, dialogues=dialogues, concurrency=concurrency, shard_size=shard_size
        )
        home = place / "prefect" if watched else runs / "store" / "prefect"
        with _serve(home) if watched else _make_database(home) as environment:
            before = measure_database(home)
            command = [sys.executable, "-m", "benchmarks.clocked_run", str(spans), "--", *run_command(config, runs)[3:]]
            done = run_watched(command, environment=environment)
            answer = read_answer(done)
            time.sleep(_SETTLE_SECONDS if watched else 0.0)
            grown = measure_database(home) - before
        found = read_spans(spans)
    parts = split_share(found)
    whole = parts.pop("whole")
    record_shards = sum(one.what == "work" for one in found)
    return {
        "dialogues": dialogues,
        "watched": watched,
        "calls": answer["model_calls"],
        "seconds": round(whole, 2),
        "peak_mb": round(done.peak_mb()),
        "prefect_seconds": {name: round(seconds, 2) for name, seconds in parts.items()},
        "prefect_share": round(sum(parts.values()) / whole, 4),
        "task_runs": record_shards,
        "database_kb_per_task_run": round(grown / record_shards / 1024, 1),
    }


@contextmanager
def _make_database(home: Path) -> Generator[dict[str, str]]:
    """The database of a run's own server, made beforehand: only the first run in a folder pays for that."""
    server = LocalServer(home)
    try:
        server.wait_until_ready()
    finally:
        server.close()
    yield {}


@contextmanager
def _serve(home: Path) -> Generator[dict[str, str]]:
    """A Prefect server with all that belongs to one; gives what points a run at it.

    Raises:
        RuntimeError: it did not start.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    environment = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the Prefect server did not start")
            time.sleep(0.2)
        yield environment
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5.0):
            return True
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    """Measures once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=10_000)
    parser.add_argument("--shard-size", type=int, default=1_000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=400.0)
    parser.add_argument("--watched", action="store_true", help="report to a server as a team has it")
    print(json.dumps(measure_share(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
