"""Watching a child process: CPU seconds and resident memory over time, from /proc (Linux)."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
_EVERY_SECONDS = 0.05


@dataclass(frozen=True)
class Sample:
    """One look at a process."""

    time: float
    """Seconds since the epoch."""
    cpu: float
    """CPU seconds since it started, all threads, without its children."""
    rss_mb: float


def look(pid: int) -> Sample | None:
    """What a process has used so far; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return Sample(time.time(), (int(stat[11]) + int(stat[12])) / _TICKS, pages * _PAGE_MB)


@dataclass
class Watched:
    """A finished process and what was seen of it."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    samples: list[Sample] = field(default_factory=list[Sample])

    @property
    def cpu(self) -> float:
        """CPU seconds, up to the last look."""
        return self.samples[-1].cpu if self.samples else 0.0

    def cpu_between(self, start: float, stop: float) -> float:
        """CPU seconds used between two moments (seconds since the epoch)."""
        inside = [sample.cpu for sample in self.samples if start <= sample.time <= stop]
        return inside[-1] - inside[0] if inside else 0.0

    def peak_mb(self, start: float = 0.0, stop: float = float("inf")) -> float:
        """Most resident memory between two moments, MB."""
        return max((sample.rss_mb for sample in self.samples if start <= sample.time <= stop), default=0.0)


def run_watched(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, kill_after: float | None = None
) -> Watched:
    """Runs a command to its end and watches it; with `kill_after` it gets SIGKILL after so many seconds."""
    started = time.time()
    process = subprocess.Popen(
        list(command),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    samples: list[Sample] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY_SECONDS):
            sample = look(process.pid)
            if sample is not None and sample.rss_mb:
                samples.append(sample)
            if kill_after is not None and time.time() - started >= kill_after and process.poll() is None:
                process.kill()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        output, errors = process.communicate()
    finally:
        if process.poll() is None:
            process.kill()
        ended.set()
        watcher.join()
    return Watched(process.returncode, output, errors, time.time() - started, samples)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
