"""Shards on Dask: processes of this machine for the run, or a cluster that is there, by its scheduler's address."""

import logging
import threading
import time
from concurrent.futures import CancelledError
from typing import Any

from prefect import Task
from prefect.client.schemas.objects import State
from prefect.states import Failed

from tasks.run_context import RunContext
from tasks.runner_errors import RunnerNotAvailable, ShardRunFailed
from tasks.shards import SHARDS_AT_ONCE, Shard
from tasks.workbench import find_workbench

_CONNECT_SECONDS = "20s"
_LOOK_SECONDS = 5.0
_LONELY_SECONDS = 120.0
"""How long a cluster may be without any worker before its shards are given up. A process of this machine that died is
replaced within seconds; a cluster that grows as it is used takes a minute or two for its first one."""

_log = logging.getLogger("turnwright.workers")


class DaskRunner:
    """Workers of a Dask cluster.

    Raises:
        RunnerNotAvailable: prefect-dask is not installed, or the scheduler does not answer.
    """

    shards_each = SHARDS_AT_ONCE

    def __init__(self, processes: int, address: str | None) -> None:
        try:
            from distributed import LocalCluster
            from prefect_dask.task_runners import DaskTaskRunner
        except ImportError as error:
            raise RunnerNotAvailable(f"workers.kind is dask: install turnwright[dask] ({error})") from None
        self.processes = processes
        self._watch = _ClusterWatch(self)
        self._cluster: Any = None
        if address is None:
            logging.getLogger("distributed").setLevel(logging.CRITICAL)
            # What Dask counts as memory of a worker is not what a shard holds: it must neither pause nor kill one.
            self._cluster = LocalCluster(
                n_workers=processes,
                threads_per_worker=SHARDS_AT_ONCE,
                processes=True,
                memory_limit=0,
                preload=["tasks.dask_process"],
                dashboard_address=None,  # pyright: ignore[reportArgumentType] its type leaves out the way to have none
                silence_logs=logging.CRITICAL,
            )
        self._runner: Any = DaskTaskRunner(
            cluster=self._cluster, address=address, client_kwargs={"timeout": _CONNECT_SECONDS}
        )
        self._runner.__enter__()
        try:
            _ = self._runner.client
        except OSError as error:
            self.close()
            raise RunnerNotAvailable(f"the Dask scheduler at {address} does not answer: {error}") from None

    def submit(self, shard_task: Task[..., Any], run: RunContext, shard: Shard) -> "DaskFuture":
        """See Runner. A shard whose process dies is given to another one, by Dask itself, three times at most."""
        future = self._runner.submit(shard_task, {"run": run, "work": shard})
        return DaskFuture(future, f"{shard.stage} {shard.number}", self._watch)

    def count_workers(self) -> int:
        """Processes that the cluster has.

        Raises:
            OSError: the scheduler does not answer.
        """
        return len(self._runner.client.nthreads())

    def interrupt(self, run: RunContext) -> None:
        """Ends the cluster of this run; on one that others share, the shards in work."""
        if self._cluster is None:
            self._runner.client.run(_interrupt, run.run_id, wait=False)
        else:
            self.close()

    def close(self) -> None:
        """See Runner."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.__exit__(None, None, None)
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close(timeout=10)


class _ClusterWatch:
    """Whether a cluster can still work; shared by all futures of a run, which ask from threads of their own."""

    def __init__(self, runner: DaskRunner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._lonely_since: float | None = None
        self._looked = 0.0
        self._loss: str | None = None

    def find_loss(self) -> str | None:
        """Why no shard will ever end, if that is so."""
        with self._lock:
            if self._loss is None and time.monotonic() - self._looked >= _LOOK_SECONDS:
                self._loss = self._look()
                self._looked = time.monotonic()
            return self._loss

    def _look(self) -> str | None:
        try:
            workers = self._runner.count_workers()
        except (OSError, RuntimeError, AttributeError):
            return None  # it is being closed, or the future says itself that the scheduler is gone
        if workers:
            self._lonely_since = None
            return None
        now = time.monotonic()
        if self._lonely_since is None:
            self._lonely_since = now
            _log.warning("the Dask cluster has no worker; waiting for one")
        if now - self._lonely_since < _LONELY_SECONDS:
            return None
        return f"the Dask cluster has had no worker for {_LONELY_SECONDS:.0f} s: start some, or look why they ended"


class DaskFuture:
    """A shard on its way, with what can happen to a cluster told in words that help."""

    def __init__(self, future: Any, name: str, watch: _ClusterWatch) -> None:
        self._future = future
        self._name = name
        self._watch = watch
        self._error: Exception | None = None

    def wait(self) -> None:
        """See tasks.runners.Future."""
        from distributed import KilledWorker

        while self._error is None:
            try:
                self._future.wrapped_future.result(timeout=_LOOK_SECONDS)
            except TimeoutError:
                loss = self._watch.find_loss()
                self._error = None if loss is None else ShardRunFailed(f"{self._name}: {loss}")
            except KilledWorker as error:
                self._error = ShardRunFailed(
                    f"{self._name}: {error.allowed_failures + 1} processes died while they worked on it; look for a "
                    "lack of memory, and lower shard_size or concurrency"
                )
            except CancelledError as error:
                self._error = ShardRunFailed(f"{self._name}: the Dask cluster is gone ({error})")
            except Exception as error:  # noqa: BLE001 `result` raises it
                self._error = error
            else:
                self._future.wait()
                return

    @property
    def state(self) -> State[Any]:
        """See tasks.runners.Future."""
        return self._future.state if self._error is None else Failed(message=str(self._error))

    def result(self) -> Any:
        """See tasks.runners.Future.

        Raises:
            ShardRunFailed: the cluster, or process after process, was lost under it.
            Whatever the shard raises.
        """
        self.wait()
        if self._error is not None:
            raise self._error
        return self._future.result()


def _interrupt(run_id: str) -> None:
    """Runs in a worker."""
    workbench = find_workbench(run_id)
    if workbench is not None:
        workbench.interrupt()
