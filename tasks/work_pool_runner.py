"""Shards as flow runs of a deployment: the workers of a Prefect work pool pick them up, on whatever machine they are.

Each shard is a flow run, of `work-shard/work-shard` unless the config names another deployment. Its idempotency key is
the run and the shard's cache key, so that a leader which is started again finds the flow runs that it left. What comes
back is the shard's record in the results of the runs folder, which the workers share.
"""

import asyncio
import contextvars
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import orjson
from prefect import Task, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.serializers import JSONSerializer
from prefect.states import Cancelling, Completed, Crashed, Failed

from tasks.crew import read_pulse
from tasks.run_context import RunContext
from tasks.runner_errors import RunnerNotAvailable, ShardRunFailed
from tasks.shards import Shard, ShardResult
from turnwright.storage.mirrors import pull_fresh

DEPLOYMENT = "work-shard/work-shard"
_LOOK_SECONDS = 2.0
_MOST_TRIES = 50
_MOST_LOST = 3
"""Flow runs of one shard whose process died before the shard is given up: a fourth would die of the same."""
_SILENT_SECONDS = 120.0
"""How long a flow run may be `Running` without a sign of life. Its process gives one every two seconds, from when it
has loaded its code; one that was killed together with its worker has nobody who would report its end."""
_START_SECONDS = 600.0
"""The same for one that a worker has taken up and that is not `Running` yet: a container may have to be fetched."""
_IDLE_SECONDS = 60.0
"""How long a flow run may wait for a worker until that is said."""

_log = logging.getLogger("turnwright.workers")


class WorkPoolRunner:
    """Flow runs of one deployment, at most `processes` of them at a time."""

    shards_each = 1

    def __init__(self, processes: int, deployment: str | None) -> None:
        self.processes = processes
        self._deployment = deployment or DEPLOYMENT
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="work-pool")
        self._open: dict[str, FlowRun] = {}

    def submit(self, shard_task: Task[..., Any], run: RunContext, shard: Shard) -> "PoolFuture":  # noqa: ARG002
        """See Runner. The flow run finds the task of its stage by itself."""
        context = contextvars.copy_context()
        return PoolFuture(self._threads.submit(context.run, asyncio.run, self._work(run, shard)))

    def interrupt(self, run: RunContext) -> None:  # noqa: ARG002 all that this object began is of one run
        """Asks the server to cancel the flow runs that have not ended."""
        with get_client(sync_client=True) as client:
            for begun in list(self._open.values()):
                client.set_flow_run_state(begun.id, Cancelling())

    def close(self) -> None:
        """See Runner."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self, run: RunContext, shard: Shard) -> ShardResult:
        lost = 0
        while True:
            begun = await self._begin(run, shard)
            self._open[shard.key] = begun
            try:
                ended = await self._await_end(run, shard, begun)
            finally:
                del self._open[shard.key]
            state = ended.state
            assert state is not None
            if state.is_completed():
                break
            lost += state.is_crashed()
            if state.is_crashed() and lost < _MOST_LOST:
                _log.warning("%s ended as %s: it is begun again", ended.name, state.name)
                continue
            raise ShardRunFailed(
                f"{ended.name} ended as {state.name}: {state.message or 'no message'}; "
                f"look at the flow run {ended.id}, mend what it says, and run again: what was made is reused"
            )
        record = run.results / shard.key
        pull_fresh(record)
        return JSONSerializer().loads(orjson.loads(record.read_bytes())["result"].encode())

    async def _await_end(self, run: RunContext, shard: Shard, begun: FlowRun) -> FlowRun:
        """Waits for the end of a flow run; one that gives no sign of life is called crashed, in Prefect as well."""
        waiting_since = changed = time.monotonic()
        told, last = False, None
        async with get_client() as client:
            while not (state := begun.state) or not state.is_final():
                await asyncio.sleep(_LOOK_SECONDS)
                begun = await client.read_flow_run(begun.id)
                if begun.state is not None and (begun.state.is_running() or begun.state.is_pending()):
                    longest = _SILENT_SECONDS if begun.state.is_running() else _START_SECONDS
                    sign = begun.state.type, await asyncio.to_thread(read_pulse, run, shard)
                    if sign != last:
                        last, changed = sign, time.monotonic()
                    elif time.monotonic() - changed > longest:
                        words = f"its process has given no sign of life for {longest:.0f} s"
                        await client.set_flow_run_state(begun.id, Crashed(message=words), force=True)
                        begun = await client.read_flow_run(begun.id)
                elif not told and time.monotonic() - waiting_since > _IDLE_SECONDS:
                    told = True
                    _log.warning(
                        "no worker has taken %s up: start one for the pool of %s", begun.name, self._deployment
                    )
        return begun

    async def _begin(self, run: RunContext, shard: Shard) -> FlowRun:
        """The flow run of the shard: a new one, or one that is under way or done since an earlier try."""
        parameters = {"run": run.model_dump(mode="json"), "shard": shard.model_dump(mode="json")}
        for number in range(_MOST_TRIES):
            try:
                begun = await arun_deployment(
                    self._deployment,
                    parameters=parameters,
                    flow_run_name=f"{shard.stage} {shard.number} of {run.run_id}",
                    idempotency_key=f"{run.run_id}:{shard.key}:{number}",
                    timeout=0,
                )
            except ObjectNotFound:
                raise RunnerNotAvailable(
                    f"workers.kind is work_pool, but the server has no deployment {self._deployment}: run `prefect "
                    "--no-prompt deploy --all`, or name yours in workers.address"
                ) from None
            if begun.state is None or not begun.state.is_final() or begun.state.is_completed():
                return begun
        raise ShardRunFailed(f"{shard.stage} {shard.number} has failed {_MOST_TRIES} times")


class PoolFuture:
    """A flow run on its way."""

    def __init__(self, future: "Future[ShardResult]") -> None:
        self._future = future

    def wait(self) -> None:
        """See tasks.runners.Future."""
        self._future.exception()

    @property
    def state(self) -> State[Any]:
        """How the shard ended, as the futures of other engines say it."""
        error = self._future.exception()
        return Completed() if error is None else Failed(message=str(error))

    def result(self) -> ShardResult:
        """See tasks.runners.Future.

        Raises:
            ShardRunFailed: the flow run did not complete.
            RunnerNotAvailable: there is no such deployment.
        """
        return self._future.result()
