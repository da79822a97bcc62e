"""The embedded endpoint as a process: serving it, and having it as a child that dies with its parent."""

import asyncio
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from turnwright.selfplay.options import ServeOptions

START_SECONDS = 30.0
"""Longest wait for the child; it takes a fraction of a second, more on a machine under load."""


class EndpointNotStarted(RuntimeError):
    """The embedded endpoint did not come up."""


def serve(options: ServeOptions, announce: Callable[[str], None] | None = None) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        options: how to serve.
        announce: is given the root of the API once requests are accepted; by default it is printed.

    Raises:
        OSError: the port cannot be taken.
    """
    # Imported here: whoever only starts a child does not need the server.
    from turnwright.selfplay.server import start

    async def run() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, stopped.set)
        runner, url = await start(options)
        try:
            (announce or _print_url)(url)
            await stopped.wait()
        finally:
            await runner.cleanup()

    try:
        import uvloop
    except ImportError:
        asyncio.run(run())
    else:
        uvloop.run(run())


def _print_url(url: str) -> None:
    sys.stdout.write(f"selfplay endpoint at {url}\n")
    sys.stdout.flush()


def exit_with_parent() -> None:
    """Ends this process when its standard input closes, which happens however its parent ends, kill -9 included."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class EmbeddedEndpoint:
    """The embedded endpoint in a child process, on a free loopback port.

    It accepts requests when the constructor returns. `close` ends it; so does the end of this process, whatever its
    cause, because the child watches a pipe that only this process holds open.

    Raises:
        EndpointNotStarted: the child ended or stayed silent.
    """

    def __init__(self, options: ServeOptions | None = None) -> None:
        options = options or ServeOptions()
        command = [sys.executable, "-P", "-m", "turnwright.selfplay", "--embedded"]
        command += ["--host", options.host, "--port", str(options.port), "--slots", str(options.slots)]
        command += ["--latency-ms", str(options.latency_ms), "--latency-sigma", str(options.latency_sigma)]
        command += ["--seed", str(options.seed), "--mistake-rate", str(options.mistake_rate)]
        for kind, rate in sorted(options.faults.items()):
            command += ["--fault", f"{kind}={rate}"]
        # -P keeps the working directory off the module path, so that no file of the user's shadows a module; the
        # package itself may be importable only through that directory, and is named instead.
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            # Its own session: ctrl-C reaches the parent, which still needs its endpoint to finish what is in flight.
            start_new_session=True,
        )
        self.url = self._wait_until_ready()

    def _wait_until_ready(self) -> str:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        output = self._process.stdout
        assert output is not None
        threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = b""
        if not line:
            self.close()
            raise EndpointNotStarted(
                f"the embedded endpoint did not start (exit status {self._process.returncode}); its messages are above"
            )
        return json.loads(line)["url"]

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def close(self) -> None:
        """Ends the child; may be called twice."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
