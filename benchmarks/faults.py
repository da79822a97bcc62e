"""The real pipeline against an endpoint that misbehaves, beside the same run against one that does not.

    python -m benchmarks.faults [--dialogues 300] [--latency-ms 200] [--slots 64]

Faults: 5 % status 429, 3 % status 500, 3 % dropped connections, 3 % malformed and 3 % truncated content, 1 % silence.
Every dialogue must stand in the ledger, and none may be lost to infrastructure. Prints one JSON line.
"""

import argparse
import json
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.pipeline import ask, read_answer, run_command, write_config
from benchmarks.processes import run_watched
from schemas.rows import LedgerRow
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint
from turnwright.storage.tables import read_rows

FAULTS = {"429": 0.05, "500": 0.03, "drop": 0.03, "malformed": 0.03, "truncated": 0.03, "hang": 0.01}
_SEMANTIC = ("MalformedReply", "malformed_reply", "RequestRejected", "ContextOverflow")


@dataclass(frozen=True)
class FaultFigures:
    """What a run came to."""

    dialogues: int
    accounted: int
    """Dialogues that the ledger knows the end of."""
    valid: int
    lost: int
    """Units that failed or were not attempted for the infrastructure's sake."""
    malformed: int
    """Units that ended with a reply that could not be used even after its repair."""
    requests: int
    faults: dict[str, int]
    seconds: float
    window_seconds: float
    """First to last call of user simulator and assistant."""


def measure(dialogues: int, slots: int, latency_ms: float, concurrency: int, faults: dict[str, float]) -> FaultFigures:
    """Runs the pipeline once.

    Raises:
        RuntimeError: the run failed.
    """
    options = ServeOptions(slots=slots, latency_ms=latency_ms, faults=faults)
    with tempfile.TemporaryDirectory() as folder, EmbeddedEndpoint(options) as endpoint:
        place = Path(folder)
        config = write_config(place / "bench.yaml", endpoint.url, dialogues=dialogues, concurrency=concurrency)
        watched = run_watched(run_command(config, place / "runs"))
        answer = read_answer(watched)
        stats = ask(endpoint.url, "/stats")
        ledger = list(read_rows(Path(answer["tables"]["ledger"]["path"]), LedgerRow))
        record: dict[str, Any] = json.loads((Path(answer["run_dir"]) / "run.json").read_text())
    ends = Counter(_classify(row) for row in ledger if row.outcome in ("failed", "not_attempted"))
    rejected = sum(any(word in reason for word in _SEMANTIC for reason in row.reasons) for row in ledger)
    roles = [stats["by_role"][role] for role in ("user_simulator", "assistant")]
    counted = record["dialogues"]
    return FaultFigures(
        dialogues=dialogues,
        accounted=sum(counted[end] for end in ("valid", "rejected", "failed", "not_attempted")),
        valid=answer["valid"],
        lost=ends["infrastructure"],
        malformed=rejected,
        requests=answer["model_calls"],
        faults=stats["faults"],
        seconds=round(watched.seconds, 1),
        window_seconds=round(max(r["last_time"] for r in roles) - min(r["first_time"] for r in roles), 2),
    )


def _classify(row: LedgerRow) -> str:
    return "semantic" if any(word in reason for word in _SEMANTIC for reason in row.reasons) else "infrastructure"


def measure_faults(dialogues: int, slots: int, latency_ms: float, concurrency: int = 88) -> dict[str, Any]:
    """The same run without and with faults, and the ratio of their times.

    Raises:
        RuntimeError: a run failed.
    """
    calm = measure(dialogues, slots, latency_ms, concurrency, {})
    stormy = measure(dialogues, slots, latency_ms, concurrency, FAULTS)
    return {
        "without": asdict(calm),
        "with": asdict(stormy),
        "run_ratio": round(stormy.seconds / calm.seconds, 3),
        "window_ratio": round(stormy.window_seconds / calm.window_seconds, 3),
    }


def main() -> None:
    """Measures once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=300)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--concurrency", type=int, default=88)
    print(json.dumps(measure_faults(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
