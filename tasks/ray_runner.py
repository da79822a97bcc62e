"""Shards on Ray: processes of this machine for the run, or a cluster that is there, by the address of its head node."""

import logging
from typing import Any

from prefect import Task
from prefect.futures import PrefectFuture

from tasks.run_context import RunContext
from tasks.runner_errors import RunnerNotAvailable
from tasks.shards import Shard


class RayRunner:
    """Workers of a Ray cluster; each works on one shard at a time.

    Raises:
        RunnerNotAvailable: prefect-ray is not installed, or the head node does not answer.
    """

    shards_each = 1

    def __init__(self, processes: int, address: str | None) -> None:
        try:
            from prefect_ray.task_runners import RayTaskRunner  # pyright: ignore
        except ImportError as error:
            raise RunnerNotAvailable(f"workers.kind is ray: install turnwright[ray] ({error})") from None
        self.processes = processes
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if address is None:
            options |= {"num_cpus": processes, "include_dashboard": False}
        self._futures: list[Any] = []
        self._runner: Any = RayTaskRunner(address=address, init_kwargs=options)
        try:
            self._runner.__enter__()
        except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
            self._runner = None
            raise RunnerNotAvailable(f"Ray at {address or 'this machine'} does not start: {error}") from None

    def submit(self, shard_task: Task[..., Any], run: RunContext, shard: Shard) -> PrefectFuture[Any]:
        """See Runner."""
        future: PrefectFuture[Any] = self._runner.submit(shard_task, {"run": run, "work": shard})
        self._futures.append(future)
        return future

    def interrupt(self, run: RunContext) -> None:  # noqa: ARG002 all that this object sent off is of one run
        """Ends the processes that work on this run's shards."""
        import ray  # pyright: ignore

        for future in self._futures:
            ray.cancel(future.wrapped_future, force=True)  # pyright: ignore

    def close(self) -> None:
        """See Runner."""
        runner, self._runner = self._runner, None
        self._futures.clear()
        if runner is not None:
            runner.__exit__(None, None, None)
