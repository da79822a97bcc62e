"""How far a stage is while it works: an artifact of its flow run, updated in place every few seconds, and log lines."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from schemas.vocabulary import Stage
from tasks.crew import read_accounts, sum_progress
from tasks.run_context import RunContext
from tasks.stage_artifact import name_artifact
from tasks.stage_usage import StageStart, measure_stage_usage
from tasks.watching import is_watched
from turnwright.reports.formats import format_cost, format_count, format_seconds, format_share

_SECONDS = 5.0
"""Between two updates; each costs the server some milliseconds."""
_JUDGED: frozenset[Stage] = frozenset(
    {"write-dialogue-tasks", "simulate-dialogues", "validate-dialogues", "repair-dialogues"}
)
"""Stages in which a unit of work is one row, accepted or not."""
_LAST_SECONDS = 10.0
"""How long the last update may take; a server that is gone must not hold a stage that is done."""

_log = logging.getLogger("turnwright.progress")


@dataclass(frozen=True)
class Standing:
    """How far a stage is."""

    shards: int
    shards_done: int
    reused: int
    """Shards done that came from the cache."""
    shards_failed: int
    done: int
    """Units of work done, those of reused shards not counted."""
    expected: int
    """Units of work of all shards that are not reused, those that have not begun at the size of the others; 0 where
    none has begun."""
    accepted: int | None
    """Units whose whole work was accepted; none in a stage whose units have many parts."""
    tokens: int
    """That the stage used, in all its tries."""
    cost_usd: float | None
    seconds: float
    """Since the stage began, this time."""
    earlier_tokens: int = 0
    """Of the tokens, those of earlier tries."""

    @property
    def share(self) -> float:
        """How much of the stage is done, from 0 to 1."""
        if self.shards_done >= self.shards:
            return 1.0
        of_units = self.done / self.expected if self.expected else 0.0
        return max((self.reused + (self.shards - self.reused) * of_units) / self.shards, self.shards_done / self.shards)

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; none where nothing is done yet."""
        return self.seconds * (1.0 - self.share) / self.share if self.share else None

    def describe(self) -> str:
        """One line: done, valid, tokens per second, cost, time left."""
        parts = [f"{format_count(self.shards_done)} of {format_count(self.shards)} shards"]
        if self.shards_failed:
            parts.append(f"{format_count(self.shards_failed)} failed")
        if self.done:
            parts.append(f"{format_count(self.done)} of {format_count(self.expected)} done")
        if self.done and self.accepted is not None:
            parts.append(f"{format_count(self.accepted)} accepted ({format_share(self.accepted / self.done)})")
        if self.tokens:
            rate = (self.tokens - self.earlier_tokens) / self.seconds if self.seconds else 0.0
            parts += [f"{format_count(rate)} tokens/s", f"{format_count(self.tokens)} tokens"]
            parts.append("cost unknown" if self.cost_usd is None else format_cost(self.cost_usd))
        if self.share < 1.0 and not self.shards_failed and self.seconds_left is not None:
            parts.append(f"{format_seconds(round(self.seconds_left))} left")
        return " · ".join(parts)


@dataclass
class StageWatch:
    """Counts what has ended; whoever waits for shards tells it."""

    run: RunContext
    stage: Stage
    shards: int
    start: StageStart
    shards_done: int = 0
    reused: int = 0
    shards_failed: int = 0

    def end_shard(self, state: State[Any]) -> None:
        """Counts one shard that ended."""
        self.shards_done += state.is_completed()
        self.shards_failed += not state.is_completed()
        self.reused += state.name == "Cached"

    def measure(self) -> Standing:
        """How far the stage is, in all processes of the run."""
        accounts = read_accounts(self.run)
        progress = sum_progress(self.run, accounts).get(self.stage)
        used = measure_stage_usage(self.run, self.start, accounts)
        begun = 0 if progress is None else progress.shards
        # Shards that came from the cache never begin here; the others are about as large as those that did.
        waiting = max(self.shards - self.reused - begun, 0)
        total_units = 0 if progress is None else progress.total
        return Standing(
            shards=self.shards,
            shards_done=self.shards_done,
            reused=self.reused,
            shards_failed=self.shards_failed,
            done=0 if progress is None else progress.done,
            expected=total_units + (round(total_units / begun * waiting) if begun else 0),
            accepted=None if progress is None or self.stage not in _JUDGED else progress.accepted,
            tokens=used.tokens,
            cost_usd=used.cost_usd,
            seconds=time.monotonic() - self.start.seconds,
            earlier_tokens=self.start.earlier.tokens,
        )


@asynccontextmanager
async def watch_stage(run: RunContext, stage: Stage, shards: int, start: StageStart) -> AsyncGenerator[StageWatch]:
    """Tells how far a stage is while the body works.

    Nothing depends on it: trouble with the Prefect server is logged once, and ends the telling.
    """
    watch = StageWatch(run, stage, shards, start)
    ended = asyncio.Event()
    telling = asyncio.ensure_future(_tell(watch, ended))
    try:
        yield watch
    finally:
        ended.set()
        await asyncio.wait([telling], timeout=_LAST_SECONDS)
        telling.cancel()


async def _tell(watch: StageWatch, ended: asyncio.Event) -> None:
    artifact: UUID | None = None
    try:
        if is_watched():
            artifact = await acreate_progress_artifact(
                progress=0.0, key=name_artifact(watch.run, f"{watch.stage}-progress"), description=_head(watch)
            )
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _SECONDS)
            await _update(artifact, watch, await asyncio.to_thread(watch.measure))
    except Exception as error:  # noqa: BLE001 the stage goes on, only nobody is told how far it is
        _log.warning("the progress of %s cannot be told: %s", watch.stage, error)


async def _update(artifact: UUID | None, watch: StageWatch, standing: Standing) -> None:
    _log.info("%s: %s", watch.stage, standing.describe(), extra={"turnwright": _fields(watch, standing)})
    if artifact is not None:
        description = f"{_head(watch)}\n\n{standing.describe()}"
        change = {"data": round(100 * standing.share, 1), "description": description}
        async with get_client() as client:
            # Prefect's own function also sends an event each time, and seven kilobytes an event would fill the server's
            # database in a long stage.
            await client.request("PATCH", "/artifacts/{id}", path_params={"id": artifact}, json=change)


def _head(watch: StageWatch) -> str:
    return f"{watch.stage} of {watch.run.run_id}"


def _fields(watch: StageWatch, standing: Standing) -> dict[str, object]:
    return {
        "run_id": watch.run.run_id,
        "stage": watch.stage,
        "shards": standing.shards,
        "shards_done": standing.shards_done,
        "reused": standing.reused,
        "shards_failed": standing.shards_failed,
        "done": standing.done,
        "expected": standing.expected,
        "accepted": standing.accepted,
        "tokens": standing.tokens,
        "cost_usd": standing.cost_usd,
        "seconds": round(standing.seconds, 1),
    }
