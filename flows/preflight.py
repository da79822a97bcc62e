"""Whether what a run needs is there, asked before it starts."""

from collections.abc import Sequence
from pathlib import Path

from prefect.context import FlowRunContext

from flows.exit_codes import NOT_WRITABLE, UNREACHABLE, PreflightFailed
from flows.failures import telling_what_to_do
from schemas.config import RunConfig
from tasks.preflight import Check, check_needs


def require_checks(checks: Sequence[Check]) -> None:
    """Stops where something is missing.

    Raises:
        PreflightFailed: with a message and a hint for each thing.
    """
    problems = [check for check in checks if not check.ok]
    if problems:
        code = NOT_WRITABLE if problems[0].kind == "output" else UNREACHABLE
        raise PreflightFailed([(check.message, check.hint) for check in problems], code)


async def require_deployed_needs(config: RunConfig, runs: Path, *, offline: bool) -> None:
    """Looks at everything before a deployed run begins. Elsewhere the command line has looked.

    Raises:
        StageFailed: something is missing.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return
    with telling_what_to_do("preflight"):
        require_checks(await check_needs(config, runs, offline=offline))
