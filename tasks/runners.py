"""Where shards run: on threads of this process, on a cluster, or on the workers of a work pool. The config decides."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from prefect import Task
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from schemas.settings import Workers
from tasks.caching import drop_stale_record
from tasks.run_context import Crew, RunContext
from tasks.shards import SHARDS_AT_ONCE, Shard
from tasks.workbench import open_workbench
from turnwright.storage.mirrors import has_file


class Future(Protocol):
    """A shard on its way."""

    def wait(self) -> None:
        """Returns when it has ended, however it did."""
        ...

    def result(self) -> Any:
        """What it made; raises what it raised."""
        ...

    @property
    def state(self) -> State[Any]:
        """How it ended."""
        ...


class Runner(Protocol):
    """An engine that shards run on, kept for a whole run because starting one takes seconds."""

    processes: int
    """Processes that work on shards; 0: shards run in this process."""
    shards_each: int

    def submit(self, shard_task: Task[..., Any], run: RunContext, shard: Shard) -> Future:
        """Sends one shard off, as a task of the flow that calls."""
        ...

    def interrupt(self, run: RunContext) -> None:
        """Ends what is in work; replies received so far are in the journal."""
        ...

    def close(self) -> None:
        """Lets go of the engine; may be called twice."""
        ...


class ThreadRunner:
    """Threads of this process, which share its workbench."""

    processes = 0

    def __init__(self, shards: int) -> None:
        self.shards_each = shards
        self._pool: Any = ThreadPoolTaskRunner(max_workers=shards)
        self._pool.__enter__()

    def submit(self, shard_task: Task[..., Any], run: RunContext, shard: Shard) -> PrefectFuture[Any]:
        """See Runner."""
        future: PrefectFuture[Any] = self._pool.submit(shard_task, {"run": run, "work": shard})
        return future

    def interrupt(self, run: RunContext) -> None:
        """The workbench of this process is interrupted by itself."""

    def close(self) -> None:
        """See Runner."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.__exit__(None, None, None)


def choose_runner(workers: Workers) -> Runner:
    """Starts the engine that the config names; takes seconds for a cluster.

    Raises:
        RunnerNotAvailable: it is not installed or cannot be reached.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    match workers.kind:
        case "threads":
            return ThreadRunner(workers.count or SHARDS_AT_ONCE)
        case "dask":
            from tasks.dask_runner import DaskRunner

            return DaskRunner(workers.count or cores, workers.address)
        case "ray":
            from tasks.ray_runner import RayRunner

            return RayRunner(workers.count or cores, workers.address)
        case "work_pool":
            from tasks.work_pool_runner import WorkPoolRunner

            return WorkPoolRunner(workers.count or cores, workers.address)


_runners: dict[str, Runner] = {}
_began: dict[str, float] = {}
_lock = threading.Lock()


def open_runner(run: RunContext) -> Runner:
    """The runner of a run in this process; every caller gets the same one until it is closed.

    Raises:
        RunnerNotAvailable: as `choose_runner`.
    """
    with _lock:
        runner = _runners.get(run.run_id)
        if runner is None:
            runner = _runners[run.run_id] = choose_runner(run.config.workers)
            _began.setdefault(run.run_id, time.time())
        return runner


def close_runner(run: RunContext) -> None:
    """Closes the runner of a run, if this process has one."""
    with _lock:
        runner = _runners.pop(run.run_id, None)
        _began.pop(run.run_id, None)
    if runner is not None:
        runner.close()


def lead_crew(run: RunContext, runner: Runner, shards: Sequence[Shard]) -> RunContext:
    """The context that shards are given: with a crew where they run in other processes.

    The embedded endpoint is started here if a shard may need it, and shared by its URL.

    Raises:
        EndpointNotStarted: it did not come up.
    """
    if not runner.processes:
        return run
    fresh = not run.offline and any(_is_left(run, shard) for shard in shards)
    crew = Crew(
        processes=runner.processes,
        shards_each=runner.shards_each,
        selfplay_url=open_workbench(run).open_endpoint() if fresh else None,
        began=_began[run.run_id],
    )
    return run.model_copy(update={"crew": crew})


def _is_left(run: RunContext, shard: Shard) -> bool:
    """Whether there is no result of the shard that may be used again."""
    record = run.results / shard.key
    drop_stale_record(record)
    return not has_file(record)


async def run_shards(
    shard_task: Task[..., Any],
    run: RunContext,
    shards: Sequence[Shard],
    on_end: Callable[[Shard, Future], None] = lambda shard, future: None,  # noqa: ARG005
) -> list[Any]:
    """What each shard made, in their order. All end before the first failure is raised.

    `on_end` is told of each shard that has ended, in their order.

    Raises:
        RunnerNotAvailable: as `choose_runner`.
        Whatever a shard raises.
    """
    runner = await asyncio.to_thread(open_runner, run)
    told = await asyncio.to_thread(lead_crew, run, runner, shards)
    futures = [runner.submit(shard_task, told, shard) for shard in shards]
    try:
        for shard, future in zip(shards, futures, strict=True):
            # Waiting on a thread keeps the flow's loop free to be cancelled.
            await asyncio.to_thread(future.wait)
            on_end(shard, future)
    except asyncio.CancelledError:
        runner.interrupt(run)
        raise
    return [future.result() for future in futures]
