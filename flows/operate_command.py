"""The command `operate`: a Prefect server, a work pool, the deployments and a worker, on this machine, until ctrl-C.

For trying, for one person, and for tests. docs/operate.md says how the same parts are run for a team.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from flows.answers import Answer
from flows.exit_codes import UsageError
from flows.local_server import START_SECONDS, ServerNotStarted

POOL = "turnwright"
_ROOT = Path(__file__).resolve().parent.parent
_QUERY_SECONDS = "2"
"""Between two looks of the worker for flow runs; Prefect's own 10 s would be most of a small stage."""
_END_SECONDS = 20.0
"""How long a process may take to end in order."""


@dataclass
class Processes:
    """Child processes that end together."""

    environment: Mapping[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])

    def start(self, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Starts `prefect` with these arguments; what it says goes to a file."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                _prefect(arguments),
                env=dict(self.environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C comes to this process, which ends the others in the right order.
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def close(self) -> None:
        """Ends all of them, the last one first; may be called twice."""
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # What it has started, as the worker its flow runs, must not outlive the server that it reports to.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self.running.clear()


def operate(answer: Answer, *, port: int, home: Path, prefect_file: Path) -> None:
    """Starts everything, says where the UI is, and waits until it is interrupted.

    Args:
        answer: says what happens.
        port: of the server; 0 takes any free one.
        home: folder for the server's database and logs.
        prefect_file: the deployments.

    Raises:
        UsageError: the port is taken, or there is no file of deployments.
        ServerNotStarted: a part did not start; the message has its last words.
        OSError: `home` cannot be written.
    """
    if not prefect_file.is_file():
        raise UsageError(f"{prefect_file} does not exist", "run it where prefect.yaml is, or give --prefect-file")
    home.mkdir(parents=True, exist_ok=True)
    port = _claim_port(port)
    api = f"http://127.0.0.1:{port}/api"
    processes = Processes(_environment(api, home))
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server = processes.start(["server", "start", "--host", "127.0.0.1", "--port", str(port)], home / "server.log")
        _wait_for(api, server, home / "server.log", stopped)
        if not stopped.is_set():
            _finish(processes, ["work-pool", "create", "--type", "process", "--overwrite", POOL], home / "deploy.log")
            deploy = ["--no-prompt", "deploy", "--all", "--prefect-file", str(prefect_file.resolve())]
            _finish(processes, deploy, home / "deploy.log")
            worker = processes.start(["worker", "start", "--pool", POOL, "--name", "local"], home / "worker.log")
            answer.fields = {"url": api.removesuffix("/api"), "api": api, "pool": POOL, "home": str(home)}
            answer.finish()
            answer.say(f"Prefect at {api.removesuffix('/api')}, pool {POOL} with one worker; logs in {home}")
            answer.say(f"export PREFECT_API_URL={api}   # other terminals find the server by it; ctrl-C here ends all")
            while not stopped.wait(0.5):
                for process, log in ((server, "server.log"), (worker, "worker.log")):
                    if process.poll() is not None:
                        raise ServerNotStarted(f"a part has ended: {_last_words(home / log)}")
    finally:
        answer.as_json = False
        processes.close()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _prefect(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "prefect", *arguments]


def _environment(api: str, home: Path) -> dict[str, str]:
    # The code beside prefect.yaml is the code that runs, whatever else is installed.
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "PREFECT_HOME": str(home.resolve()),
        "PREFECT_API_URL": api,
        "PREFECT_UI_API_URL": api,
        "PREFECT_WORKER_QUERY_SECONDS": os.environ.get("PREFECT_WORKER_QUERY_SECONDS", _QUERY_SECONDS),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        # A sign of life every half minute of each flow run, of no use once the run has ended.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES": '{"prefect.flow-run.heartbeat": 3600}',
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _claim_port(port: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} cannot be used: {error.strerror}", "choose another --port") from None
        return int(probe.getsockname()[1])


def _wait_for(api: str, server: subprocess.Popen[bytes], log: Path, stopped: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None and not stopped.is_set():
        try:
            with urllib.request.urlopen(f"{api}/health", timeout=5.0):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    if not stopped.is_set():
        raise ServerNotStarted(f"the Prefect server did not start: {_last_words(log)}")


def _finish(processes: Processes, arguments: Sequence[str], log: Path) -> None:
    process = processes.start(arguments, log)
    if process.wait() != 0:
        raise ServerNotStarted(f"prefect {' '.join(arguments)} failed: {_last_words(log)}")
    processes.running.remove(process)


def _last_words(log: Path) -> str:
    words = log.read_text(errors="replace").strip().splitlines()[-5:] if log.is_file() else []
    return " / ".join(words or ["it said nothing"])
