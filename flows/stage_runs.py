"""How the pipeline runs its stages: in its own process, or each as a flow run of the stage's own deployment.

A stage that is a flow run of its own can be retried alone. Its idempotency key names the pipeline's run and the stage,
so a pipeline that is retried finds the stages that it has started: those that completed are not run again.
"""

import asyncio
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry

from flows.failures import StageFailed
from schemas.rows import TableRef
from schemas.vocabulary import STAGES, Stage
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tasks.stage_record import read_stage
from turnwright.storage.run_folder import RunNotFound

_LOOK_SECONDS = 1.0
"""Between two looks at a stage that works elsewhere; each is one request to the Prefect server."""
_PREFECTS_WORDS = "Flow run encountered an exception: StageFailed: "


class StageRuns:
    """Runs the stages of one run, in the one way or the other."""

    def __init__(self, run: RunContext, *, as_deployments: bool) -> None:
        self._run = run
        self._as_deployments = as_deployments

    async def __call__(self, stage: Flow[..., Any], **tables: TableRef) -> dict[str, TableRef]:
        """Runs a stage on tables of earlier ones, and gives the tables that it made.

        Raises:
            StageFailed: it did not finish.
        """
        if self._as_deployments:
            return await self._run_elsewhere(stage.name, tables)
        made = await stage(self._run, **tables)
        return made.tables if isinstance(made, StageResult) else {}

    async def _run_elsewhere(self, stage: str, tables: dict[str, TableRef]) -> dict[str, TableRef]:
        parameters: dict[str, Any] = {"run": self._run.model_dump(mode="json")}
        parameters |= {name: table.model_dump(mode="json") for name, table in tables.items()}
        try:
            child = await arun_deployment(
                f"{stage}/{stage}",
                parameters=parameters,
                flow_run_name=f"{stage} {self._run.run_id}",
                idempotency_key=f"{_root_run_id()}:{stage}",
                timeout=0,
            )
        except ObjectNotFound:
            hint = "deploy the stages with `prefect --no-prompt deploy --all`"
            raise StageFailed(stage, f"there is no deployment {stage}/{stage}", hint) from None
        ended = await self._wait(child)
        if ended.state is None or not ended.state.is_completed():
            state = "unknown" if ended.state is None else ended.state.name
            words = ("" if ended.state is None else ended.state.message or "").removeprefix(_PREFECTS_WORDS)
            first = words.splitlines()[0] if words else "it says nothing"
            hint = f"mend the cause and retry flow run {ended.name!r}"
            raise StageFailed(stage, f"flow run {ended.name!r} ended as {state}: {first}", hint)
        if stage not in STAGES:
            return {}  # it makes no tables of the run
        try:
            return read_stage(self._run, _as_stage(stage))
        except RunNotFound as error:
            hint = "give `runs` as a folder that all workers share, by its absolute path, and start a new run"
            raise StageFailed(stage, str(error), hint) from error

    async def _wait(self, child: FlowRun) -> FlowRun:
        """Waits for a stage's end. One that had failed before the pipeline came back to it gets another try."""
        async with get_client() as client:
            if child.state is not None and child.state.is_final() and not child.state.is_completed():
                await client.set_flow_run_state(child.id, AwaitingRetry(message="Retried by its pipeline"))
            while True:
                child = await client.read_flow_run(child.id)
                if child.state is not None and child.state.is_final():
                    return child
                await asyncio.sleep(_LOOK_SECONDS)


def name_run(name: str) -> str | None:
    """The name of a run folder that belongs to the current flow run: the same one when it is retried.

    None where no server made the flow run.
    """
    context = FlowRunContext.get()
    flow_run = None if context is None else context.flow_run
    created = None if flow_run is None else flow_run.created
    if flow_run is None or created is None:
        return None
    # Ids of flow runs begin with the time; what tells two of one second apart stands at the end.
    return f"{name}-{created:%Y%m%dT%H%M%SZ}-{flow_run.id.hex[-4:]}"


def _root_run_id() -> str:
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    return str(context.flow_run.id)


def _as_stage(name: str) -> Stage:
    return next(stage for stage in STAGES if stage == name)
