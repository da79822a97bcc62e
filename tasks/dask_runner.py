"""Shards on Dask: processes of this machine for the run, or a cluster that is there, by its scheduler's address."""

import logging
from typing import Any

from prefect import Task
from prefect.futures import PrefectFuture

from tasks.run_context import RunContext
from tasks.runner_errors import RunnerNotAvailable
from tasks.shards import SHARDS_AT_ONCE, Shard
from tasks.workbench import find_workbench

_CONNECT_SECONDS = "20s"


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
        self._cluster: Any = None
        if address is None:
            logging.getLogger("distributed").setLevel(logging.CRITICAL)
            # What Dask counts as memory of a worker is not what a shard holds: it must neither pause nor kill one.
            self._cluster = LocalCluster(
                n_workers=processes,
                threads_per_worker=SHARDS_AT_ONCE,
                processes=True,
                memory_limit=0,
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

    def submit(self, shard_task: Task[..., Any], run: RunContext, shard: Shard) -> PrefectFuture[Any]:
        """See Runner."""
        future: PrefectFuture[Any] = self._runner.submit(shard_task, {"run": run, "work": shard})
        return future

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


def _interrupt(run_id: str) -> None:
    """Runs in a worker."""
    workbench = find_workbench(run_id)
    if workbench is not None:
        workbench.interrupt()
