"""The Prefect server of a run that has none: a child process that starts while the run checks its sources.

Prefect's own ephemeral server would do, at a price: it starts only when the first flow does (six to twelve seconds
that nothing else fills), prints into the run's output, outlives a killed run, and keeps its database in the home
folder, which may be read-only and which two runs at once would share. This one is told by a closed pipe when its parent
is gone. Its database lies in the runs folder, so that only the first run there waits for it to be made; a second run
at the same time gets a temporary one. Where PREFECT_API_URL is set, that server is used and none is started.

Nothing here imports Prefect: the environment must be complete before that happens.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS = 120.0
_LARGEST_DATABASE = 64 * 1024 * 1024
"""A database that grew beyond this is made anew; it holds the history of past runs, which nobody can see."""

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # A flow that runs by itself has nobody who would read its logs from the database.
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
}

_SERVICES = (
    "CANCELLATION_CLEANUP",
    "EVENT_PERSISTER",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "REPOSSESSOR",
    "SCHEDULER",
    "TASK_RUN_RECORDER",
    "TRIGGERS",
)
"""What a server does by the side. One that nobody looks at needs none of it, and each of them writes: while one writes,
SQLite refuses the others, and the refused client waits two seconds before it asks again."""


class ServerNotStarted(RuntimeError):
    """The local Prefect server did not come up."""


class LocalServer:
    """A Prefect server for this process alone. It is starting when the constructor returns."""

    def __init__(self, folder: Path) -> None:
        """Starts the server.

        Args:
            folder: where its database may be kept between runs; made if it can be.
        """
        self._home, self._lock = _claim_home(folder)
        self._temporary = self._lock is None
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        self._log = self._home / "server.log"
        environment = os.environ | _QUIET
        environment |= {
            "PREFECT_HOME": str(self._home),
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
            "PREFECT_UI_ENABLED": "0",
        }
        environment |= {f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in _SERVICES}
        environment.pop("PREFECT_API_URL", None)
        with self._log.open("wb") as log, listener:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CHILD, str(listener.fileno())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[listener.fileno()],
                # Ctrl-C must reach the run first: it still reports to its server how it ended.
                start_new_session=True,
            )

    def point_prefect_here(self) -> None:
        """Sets the environment that Prefect reads when it is imported."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        os.environ["PREFECT_HOME"] = str(self._home)
        os.environ["PREFECT_API_URL"] = self.url

    def wait_until_ready(self) -> None:
        """Returns when the server answers.

        Raises:
            ServerNotStarted: it ended, or was silent for too long; the message has its last words.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5.0):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        words = self._log.read_text(errors="replace").strip().splitlines()[-5:]
        raise ServerNotStarted("the local Prefect server did not start: " + " / ".join(words or ["it said nothing"]))

    def close(self) -> None:
        """Ends the server; may be called twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._temporary:
            shutil.rmtree(self._home, ignore_errors=True)


_CHILD = """
import os, sys, threading
def watch():
    while os.read(0, 4096):
        pass
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
import uvicorn
uvicorn.run("prefect.server.api.server:create_app", factory=True, fd=int(sys.argv[1]), log_level="error", lifespan="on")
"""


def has_own_server() -> bool:
    """Whether the user runs a Prefect server, or has chosen a Prefect profile or home, that a run belongs to."""
    return any(os.environ.get(name) for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_HOME"))


def _claim_home(folder: Path) -> tuple[Path, int | None]:
    """The folder for this server's database, with the lock that makes it ours, or a temporary folder without one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="turnwright-prefect-")), None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return Path(tempfile.mkdtemp(prefix="turnwright-prefect-")), None
    database = folder / "prefect.db"
    if database.is_file() and database.stat().st_size > _LARGEST_DATABASE:
        for file in folder.glob("prefect.db*"):
            file.unlink(missing_ok=True)
    return folder, lock
