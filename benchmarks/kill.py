"""kill -9 at random moments: does the same command, run again, end with the same tables and repeat no paid call?

    python -m benchmarks.kill [--kills 20] [--dialogues 300] [--latency-ms 50]

For each kill: a fresh runs folder, a run that gets SIGKILL at a random moment, the same command again. Its tables must
be byte for byte those of an undisturbed run, and the endpoint must have answered no request twice but those whose reply
was not on the disk yet when the process died. Prints a line a kill, and a JSON line at the end.
"""

import argparse
import json
import random
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.pipeline import ask, read_answer, run_command, write_config
from benchmarks.processes import run_watched
from turnwright.models.journal import Journal
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint


@dataclass(frozen=True)
class Kill:
    """One run that was killed, and what came after."""

    after_seconds: float
    was_running: bool
    """The signal came before the run had ended."""
    ran_seconds: float
    """How long the run lasted, killed or not."""
    requests: int
    """Requests that had reached the endpoint when the process died."""
    durable: int
    """Replies in the journal by then."""
    repeated: int
    """Requests that the endpoint had answered before and was sent again."""
    same_tables: bool

    @property
    def holds(self) -> bool:
        """Whether nothing was lost or paid for twice but what was in flight."""
        return self.same_tables and self.repeated <= max(0, self.requests - self.durable)


def digest_tables(answer: dict[str, Any]) -> dict[str, str]:
    """SHA-256 of each table of a finished run."""
    return {name: table["sha256"] for name, table in answer["tables"].items()}


def kill_once(config: Path, url: str, expected: dict[str, str], after_seconds: float) -> Kill:
    """Kills a run after so many seconds and runs it again.

    Raises:
        RuntimeError: the second run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        ask(url, "/reset", post=True)
        first = run_watched(run_command(config, runs), kill_after=after_seconds)
        requests = ask(url, "/stats")["requests"]
        place = runs / "store" / "journal"
        durable = 0
        if place.is_dir():
            with Journal(place) as journal:
                durable = len(journal)
        answer = read_answer(run_watched(run_command(config, runs)))
        repeated = ask(url, "/stats")["repeated"]
    return Kill(
        after_seconds=round(after_seconds, 2),
        was_running=first.returncode < 0,
        ran_seconds=round(first.seconds, 2),
        requests=requests,
        durable=durable,
        repeated=repeated,
        same_tables=digest_tables(answer) == expected,
    )


def measure_kills(
    kills: int, dialogues: int, latency_ms: float, *, seed: int = 0, concurrency: int = 88, slots: int = 64
) -> list[Kill]:
    """Kills runs at random moments of their time.

    Raises:
        RuntimeError: a run that was not killed failed.
    """
    rng = random.Random(f"kill:{seed}")
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedEndpoint(ServeOptions(slots=slots, latency_ms=latency_ms)) as endpoint,
    ):
        place = Path(folder) / "bench.yaml"
        config = write_config(place, endpoint.url, dialogues=dialogues, concurrency=concurrency)
        undisturbed = run_watched(run_command(config, Path(folder) / "runs"))
        expected = digest_tables(read_answer(undisturbed))
        found: list[Kill] = []
        within = undisturbed.seconds
        while len(found) < kills:
            kill = kill_once(config, endpoint.url, expected, rng.uniform(0.05, 0.95) * within)
            print(json.dumps(asdict(kill) | {"holds": kill.holds}), flush=True)
            if kill.was_running:
                found.append(kill)
            else:  # the machine is faster than it was: the moment was none of this run's
                within = min(within, kill.ran_seconds)
        return found


def main() -> None:
    """Measures and says how many kills were survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--dialogues", type=int, default=300)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--seed", type=int, default=0, help="chooses the moments")
    found = measure_kills(**vars(parser.parse_args()))
    held = sum(kill.holds for kill in found)
    print(
        json.dumps(
            {"kills": len(found), "held": held, "most_repeated": max((kill.repeated for kill in found), default=0)}
        )
    )


if __name__ == "__main__":
    main()
