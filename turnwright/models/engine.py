"""The engine: one thread with one event loop per process, on which every model call and every dialogue runs.

Prefect may run async tasks in several threads with loops of their own. They hand their coroutines to the engine, so
that connection pools and permits exist once. SQL and other blocking work must not run on this loop.
"""

import asyncio
import atexit
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SHUTDOWN_SECONDS = 10.0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


class Engine:
    """An event loop in a daemon thread; starts on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's event loop, started if need be."""
        with self._lock:
            if self._loop is None:
                self._loop = self._start()
            return self._loop

    def owns_current_loop(self) -> bool:
        """Whether the caller already runs on the engine."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Schedules a coroutine from any thread; cancelling the future cancels the coroutine."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Awaits a coroutine on the engine, from whatever loop the caller is on.

        When the caller is cancelled the coroutine is cancelled too, and has ended when this returns.
        """
        if self.owns_current_loop():
            return await coroutine
        loop = self.loop
        ended = threading.Event()
        finished = asyncio.Event()
        here = asyncio.get_running_loop()

        async def watched() -> T:
            try:
                return await coroutine
            finally:
                ended.set()
                if not here.is_closed():
                    here.call_soon_threadsafe(finished.set)

        future = asyncio.run_coroutine_threadsafe(watched(), loop)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.cancel()
            if not ended.is_set():
                try:
                    async with asyncio.timeout(_SHUTDOWN_SECONDS):
                        await finished.wait()
                except TimeoutError:
                    pass  # a coroutine that swallows its cancellation must not keep the caller
            coroutine.close()  # nothing happens unless it was cancelled before its first step
            raise

    def close(self) -> None:
        """Cancels what still runs, waits a little for it to end, and stops the thread. The engine can start again."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        if not loop.is_closed():
            asyncio.run_coroutine_threadsafe(_cancel_others(), loop)
        thread.join(_SHUTDOWN_SECONDS)

    def _start(self) -> asyncio.AbstractEventLoop:
        ready: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()

        def serve() -> None:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                loop = runner.get_loop()
                loop.call_soon(ready.set_result, loop)
                loop.run_forever()

        self._thread = threading.Thread(target=serve, name="turnwright-engine", daemon=True)
        self._thread.start()
        return ready.result()


async def _cancel_others() -> None:
    """Ends every other task of the loop, then the loop."""
    me = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not me]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_SHUTDOWN_SECONDS / 2)
    asyncio.get_running_loop().stop()


_engine = Engine()


def shared_engine() -> Engine:
    """The engine of this process."""
    return _engine


def _forget_engine() -> None:
    """A forked child has the parent's objects but not its thread."""
    global _engine
    _engine = Engine()


os.register_at_fork(after_in_child=_forget_engine)
atexit.register(lambda: _engine.close())
