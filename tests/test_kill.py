"""kill -9 in the middle of a run: the same command again ends with the same tables and pays for nothing twice."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.kill import digest_tables
from benchmarks.pipeline import ask, read_answer, run_command, write_config
from benchmarks.processes import ROOT, run_watched
from turnwright.models.journal import Journal
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint

CONCURRENCY = 16
LONGEST_WAIT = 120.0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="watches processes through /proc")
def test_a_killed_run_ends_with_the_same_tables_and_repeats_nothing_but_what_was_in_flight(tmp_path: Path) -> None:
    with EmbeddedEndpoint(ServeOptions(slots=CONCURRENCY, latency_ms=15.0)) as endpoint:
        config = write_config(tmp_path / "kill.yaml", endpoint.url, dialogues=12, concurrency=CONCURRENCY)
        expected = digest_tables(read_answer(run_watched(run_command(config, tmp_path / "undisturbed"))))
        whole = ask(endpoint.url, "/stats")["by_role"]["assistant"]["requests"]

        ask(endpoint.url, "/reset", post=True)
        killed = kill_when(config, tmp_path / "killed", endpoint.url, assistant_calls=whole // 2)
        asked = ask(endpoint.url, "/stats")["requests"]
        with Journal(tmp_path / "killed" / "store" / "journal") as journal:
            durable = len(journal)
        assert killed == -signal.SIGKILL
        assert 0 < durable <= asked

        again = read_answer(run_watched(run_command(config, tmp_path / "killed")))
        assert digest_tables(again) == expected
        assert 0 < again["model_calls"] < asked + whole
        assert ask(endpoint.url, "/stats")["repeated"] <= asked - durable <= CONCURRENCY


def kill_when(config: Path, runs: Path, url: str, *, assistant_calls: int) -> int:
    """Starts a run and kills it once the assistant was asked so often; returns its exit status."""
    process = subprocess.Popen(
        run_command(config, runs),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + LONGEST_WAIT
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if ask(url, "/stats")["by_role"].get("assistant", {}).get("requests", 0) >= assistant_calls:
                break
            time.sleep(0.01)
    finally:
        process.kill()
    return process.wait()
