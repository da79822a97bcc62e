"""What a stage has used, over all processes of the run and all its tries.

Its page, its progress, `run.json` and the report show this one figure, wherever shards run: the difference between what
the run has used by now and what it had used when the stage began. Processes that work on shards keep accounts
(tasks/crew.py), and the last account of each is written before its last shard ends.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.closed import Closed
from schemas.vocabulary import Stage
from tasks.crew import Account, sum_usage
from tasks.run_context import RunContext
from turnwright.models.usage import Usage
from turnwright.storage.run_folder import RunNotFound

_FIELD = "usage_by_stage"


class StageUsage(Closed):
    """The calls that a stage made."""

    requests: int = 0
    """Sent to endpoints."""
    tokens: int = 0
    """Of new replies, prompt and completion."""
    cost_usd: float | None = 0.0
    """None where a role that the stage asked has no price."""


@dataclass(frozen=True)
class StageStart:
    """How things stood when a stage began to work, this time."""

    seconds: float
    """`time.monotonic()`."""
    used: Usage
    """What the run had used."""
    earlier: StageUsage
    """What earlier tries of the stage used in this run."""


def begin_stage_usage(run: RunContext, stage: Stage) -> StageStart:
    """Remembers how things stand now.

    Raises:
        OSError: the accounts of the run's processes cannot be read.
    """
    return StageStart(time.monotonic(), sum_usage(run), _read_usage(run, stage))


def measure_stage_usage(run: RunContext, start: StageStart, accounts: Iterable[Account] | None = None) -> StageUsage:
    """What the stage has used by now, earlier tries included.

    Args:
        run: the run.
        start: how things stood when the stage began.
        accounts: of the run's processes, where they were read already.

    Raises:
        OSError: the accounts of the run's processes cannot be read.
    """
    used = sum_usage(run, accounts).since(start.used)
    costs = start.earlier.cost_usd, used.cost_usd
    return StageUsage(
        requests=start.earlier.requests + used.requests,
        tokens=start.earlier.tokens + used.tokens,
        cost_usd=None if costs[0] is None or costs[1] is None else costs[0] + costs[1],
    )


def record_stage_usage(run: RunContext, stage: Stage, start: StageStart) -> None:
    """Writes what the stage has used into `run.json`.

    Raises:
        RunNotFound: there is no readable `run.json`.
        OSError: the run folder cannot be written.
    """
    record = run.folder.read_run()
    used = measure_stage_usage(run, start).model_dump(mode="json")
    run.folder.write_run(record | {_FIELD: record.get(_FIELD, {}) | {stage: used}})


def _read_usage(run: RunContext, stage: Stage) -> StageUsage:
    try:
        recorded = run.folder.read_run().get(_FIELD, {}).get(stage)
    except RunNotFound:
        recorded = None
    return StageUsage() if recorded is None else StageUsage.model_validate(recorded)
