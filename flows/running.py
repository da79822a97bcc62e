"""Running flows from the command line: a Prefect server where there is none, preflight, interrupts, clean ends."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from flows.local_server import LocalServer, has_own_server
from schemas.config import RunConfig

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_SECONDS = 0.25
_DRAIN_SECONDS = 5.0
"""How long what Prefect still has queued may take at the end."""
_GRACE_SECONDS = 8.0
"""How long an interrupted run may take to end in order; then it ends as it is. Nothing is lost either way."""


@contextmanager
def prefect_server(runs: Path, *, verbose: bool) -> Generator[Callable[[], None]]:
    """A Prefect server for the body: the user's own, or one of this process. Gives what waits until it answers.

    Must be entered before Prefect is imported.
    """
    # A server that somebody looks at gets the logs of its runs, whatever this terminal shows.
    told = verbose or has_own_server()
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "INFO" if told else "CRITICAL")
    if not verbose:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    if has_own_server():
        yield lambda: None
        return
    server = LocalServer(runs / "store" / "prefect")

    def wait() -> None:
        from prefect.events.clients import NullEventsClient
        from prefect.events.worker import EventsWorker

        # Nobody subscribes to the events of this server; sending them would only keep it busy.
        EventsWorker.set_client_override(NullEventsClient)
        server.wait_until_ready()

    try:
        server.point_prefect_here()
        yield wait
    finally:
        if "prefect.events.worker" in sys.modules:
            # What is still queued asks the server for names; afterwards there is none to ask.
            sys.modules["prefect.events.worker"].EventsWorker.drain_all(timeout=_DRAIN_SECONDS)
        server.close()


def require_needs(config: RunConfig, runs: Path, *, offline: bool) -> None:
    """Looks at everything that a run needs, in under 30 s.

    Raises:
        PreflightFailed: something is missing.
    """
    from flows.preflight import require_checks
    from tasks.preflight import check_needs

    require_checks(asyncio.run(check_needs(config, runs, offline=offline)))


def run_to_end(work: Coroutine[Any, Any, Any], run_id: str, when_killed: Callable[[], None]) -> Any:
    """Awaits a flow; ctrl-C and SIGTERM end it in order, or after a while without.

    Args:
        work: the flow.
        run_id: its run, whose work in this process is to end.
        when_killed: says the last word where the flow does not end by itself.

    Raises:
        KeyboardInterrupt: it was interrupted.
        Whatever the flow raises.
    """
    interrupted = threading.Event()

    def end_hard() -> None:
        when_killed()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            if interrupted.is_set():
                end_hard()
            interrupted.set()
            logging.getLogger("turnwright.command").warning("interrupted; keeping what was made …")
            timer = threading.Timer(_GRACE_SECONDS, end_hard)
            timer.daemon = True
            timer.start()
            from tasks.workbench import find_workbench

            workbench = find_workbench(run_id)
            if workbench is not None:
                workbench.interrupt()
            loop.call_soon_threadsafe(task.cancel)

        async def keep_handlers() -> None:
            # Prefect takes SIGTERM for itself in each flow, and then waits for its shards to end by themselves.
            while True:
                for number in _SIGNALS:
                    if signal.getsignal(number) is not interrupt:
                        signal.signal(number, interrupt)
                await asyncio.sleep(_LOOK_SECONDS)

        previous = {number: signal.getsignal(number) for number in _SIGNALS}
        keeper = asyncio.ensure_future(keep_handlers())
        try:
            return await task
        finally:
            keeper.cancel()
            for number, handler in previous.items():
                signal.signal(number, handler)

    try:
        return asyncio.run(main())
    except BaseException as error:
        if interrupted.is_set():
            raise KeyboardInterrupt from error
        raise
