"""The real pipeline against `selfplay serve` in another process, with slots and latency.

    python -m benchmarks.pipeline [--dialogues 2000] [--slots 64] [--latency-ms 400] [--concurrency 88]

Utilisation is the busy time of the endpoint's slots over the window from the first call of the user simulator to the
last one of the assistant; CPU is that of the whole `turnwright run` process in this window, SQL and journal included.
Prints one JSON line.
"""

import argparse
import json
import sys
import tempfile
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import ROOT, Watched, run_watched
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint

_ROLES = ("user_simulator", "assistant")


@dataclass(frozen=True)
class PipelineFigures:
    """What one run came to."""

    dialogues: int
    valid: int
    calls: int
    """Calls of user simulator and assistant."""
    window_seconds: float
    """First to last of these calls."""
    utilisation: float
    cpu_ms_per_call: float
    """Of the run's process, in the window."""
    peak_mb: float
    """Resident, over the whole run."""
    window_peak_mb: float
    run_seconds: float
    run_cpu_seconds: float


def write_config(file: Path, url: str, *, dialogues: int, concurrency: int, **more: Any) -> Path:
    """A config for the example database and a served endpoint."""
    content = {
        "name": "bench",
        "seed": 7,
        "model": {"base_url": url, "name": "selfplay", **more.pop("model", {})},
        "sources": [{"kind": "sql", "url": f"sqlite:///{ROOT / 'examples' / 'club.sqlite'}"}],
        "dialogues": dialogues,
        "concurrency": concurrency,
        "checks": {"min_valid_rate": 0.0},
        **more,
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def run_command(config: Path, runs: Path, *arguments: str) -> list[str]:
    """The command line of a run."""
    return [sys.executable, "-m", "flows.cli", "run", str(config), "--runs", str(runs), "--json", *arguments]


def read_answer(watched: Watched) -> dict[str, Any]:
    """The JSON answer of a run.

    Raises:
        RuntimeError: there is none, or the run failed.
    """
    lines = watched.stdout.strip().splitlines()
    if watched.returncode != 0 or not lines:
        raise RuntimeError(f"the run ended with {watched.returncode}: {watched.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def ask(url: str, path: str, *, post: bool = False) -> dict[str, Any]:
    """`GET /stats` or `POST /reset` of a served endpoint, given the root of its API."""
    root = url.removesuffix("/v1")
    with urllib.request.urlopen(urllib.request.Request(root + path, method="POST" if post else "GET")) as response:
        answer: dict[str, Any] = json.loads(response.read())
        return answer


def measure_pipeline(
    *, dialogues: int, slots: int, latency_ms: float, latency_sigma: float, concurrency: int, runs: Path | None = None
) -> PipelineFigures:
    """Runs the pipeline once and measures it.

    Raises:
        RuntimeError: the run failed.
    """
    options = ServeOptions(slots=slots, latency_ms=latency_ms, latency_sigma=latency_sigma)
    with tempfile.TemporaryDirectory() as folder, EmbeddedEndpoint(options) as endpoint:
        place = runs or Path(folder) / "runs"
        config = write_config(Path(folder) / "bench.yaml", endpoint.url, dialogues=dialogues, concurrency=concurrency)
        watched = run_watched(run_command(config, place))
        answer = read_answer(watched)
        roles = {role: share for role, share in ask(endpoint.url, "/stats")["by_role"].items() if role in _ROLES}
    start = min(share["first_time"] for share in roles.values())
    stop = max(share["last_time"] for share in roles.values())
    busy = sum(share["busy_slot_seconds"] for share in roles.values())
    calls = sum(share["requests"] for share in roles.values())
    return PipelineFigures(
        dialogues=dialogues,
        valid=answer["valid"],
        calls=calls,
        window_seconds=round(stop - start, 2),
        utilisation=round(busy / slots / (stop - start), 3),
        cpu_ms_per_call=round(1000 * watched.cpu_between(start, stop) / calls, 2),
        peak_mb=round(watched.peak_mb()),
        window_peak_mb=round(watched.peak_mb(start, stop)),
        run_seconds=round(watched.seconds, 1),
        run_cpu_seconds=round(watched.cpu, 1),
    )


def main() -> None:
    """Measures once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=2000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=400.0)
    parser.add_argument("--latency-sigma", type=float, default=0.0)
    parser.add_argument("--concurrency", type=int, default=88)
    parser.add_argument("--runs", type=Path, help="runs folder to use and keep; default: a temporary one")
    print(json.dumps(asdict(measure_pipeline(**vars(parser.parse_args())))))


if __name__ == "__main__":
    main()
