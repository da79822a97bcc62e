"""A run whose last stages fail once each, and then the same command: what is done besides the failed shard?

    python -m benchmarks.last_stage [--dialogues 1000] [--shard-size 100]

Four runs in one runs folder, with one command. The first finds the disk full in one shard of validate-dialogues, the
second in build-dataset, the third in the report, the fourth nothing. What a run does besides the work of the shard that
had failed before it, and of what comes after for the first time, is what a retry costs. A line a retry, and a JSON line
at the end.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.pipeline import ask, run_command, write_config
from benchmarks.processes import run_watched
from benchmarks.spans import Span, read_spans, unite
from flows.exit_codes import DONE, NOT_WRITABLE
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint

_FAILING = ("validate-dialogues", "build-dataset", "report")


def split_retry(spans: list[Span], failed: str) -> dict[str, Any]:
    """Seconds of a run after a failure: whole, in the shards made anew, and besides them, by stage."""
    whole = next(one for one in spans if one.what == "process")
    anew = [one for one in spans if one.what == "work" and one.name in _FAILING[_FAILING.index(failed) :]]
    bodies = [one for one in spans if one.what == "body" and one.name != "turnwright"]
    return {
        "failed": failed,
        "seconds": round(whole.seconds, 2),
        "made_anew": round(unite(anew), 2),
        "besides": round(whole.seconds - unite(anew), 2),
        "stages": {one.name: round(one.seconds, 2) for one in bodies},
        "before_first_stage": round(min((one.start for one in bodies), default=0.0), 2),
    }


def measure_retries(*, dialogues: int, shard_size: int, slots: int, latency_ms: float) -> list[dict[str, Any]]:
    """Fails a run in each of its last stages and runs it again.

    Raises:
        RuntimeError: a run ended otherwise than it must.
    """
    retries: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedEndpoint(ServeOptions(slots=slots, latency_ms=latency_ms)) as endpoint,
    ):
        place = Path(folder)
        config = write_config(
            place / "retry.yaml",
            endpoint.url,
            dialogues=dialogues,
            concurrency=round(1.375 * slots) if slots else 64,
            shard_size=shard_size,
        )
        earlier: str | None = None
        for fails in (*_FAILING, None):
            spans = place / "spans.json"
            fault = [] if fails is None else ["--fail", fails]
            command = run_command(config, place / "runs")[3:]
            ask(endpoint.url, "/reset", post=True)
            done = run_watched([sys.executable, "-m", "benchmarks.clocked_run", str(spans), *fault, "--", *command])
            if done.returncode != (DONE if fails is None else NOT_WRITABLE):
                raise RuntimeError(f"the run ended with {done.returncode}: {done.stderr[-2000:]}")
            if earlier is not None:
                calls = ask(endpoint.url, "/stats")["requests"]
                retries.append(split_retry(read_spans(spans), earlier) | {"calls": calls})
                print(json.dumps(retries[-1]), flush=True)
            earlier = fails
    return retries


def main() -> None:
    """Measures and says the longest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=1_000)
    parser.add_argument("--shard-size", type=int, default=100)
    parser.add_argument("--slots", type=int, default=0, help="of the endpoint; 0: any number")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    retries = measure_retries(**vars(options))
    print(json.dumps({"dialogues": options.dialogues, "most_besides": max(one["besides"] for one in retries)}))


if __name__ == "__main__":
    main()
