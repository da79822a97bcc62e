"""Shards: the pieces that a stage is worked off in, one Prefect task each, and what comes back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal, TypeVar

from schemas.closed import Closed
from schemas.rows import LedgerRow, Row, SeedRow, TableRef, ToolsetRow
from schemas.vocabulary import Stage
from tasks.cache_keys import hash_row
from tasks.ledger import Planned, record_error
from tasks.packing import pack, unpack
from tasks.run_context import RunContext
from turnwright.models.errors import BudgetSpent, EndpointRefused, EndpointUnavailable, ModelSetupError, NotInJournal
from turnwright.sources.errors import SourceError
from turnwright.storage.tables import read_rows, sort_key, write_table

_log = logging.getLogger("turnwright.stages")

Stopped = Literal["budget", "offline"]
"""Why work ended before everything was attempted: a cap was reached, or the journal lacks replies."""

R = TypeVar("R", bound=Row)
T = TypeVar("T")

SHARDS_AT_ONCE = 2
"""Shards in work at once in a process: the end of one overlaps with the beginning of the next. More would take more
memory, because each holds what its finished units made."""


class Shard(Closed):
    """Part of a stage's work."""

    stage: Stage
    number: int
    key: str
    """Cache key: everything that the shard's result depends on."""
    inputs: dict[str, TableRef]
    start: int
    """Position of its first row in the stage's leading input."""
    stop: int
    ranges: dict[str, tuple[int, int]] = {}
    """For inputs of which only some rows are needed: first and last position, exclusive."""
    slots: str | None = None
    """Of write-dialogue-tasks: names the file with its slots (tasks/slot_files.py); None where there are none."""

    def read(self, kind: type[R], table: str) -> Iterator[R]:
        """The rows of an input that this shard needs."""
        start, stop = self.ranges.get(table, (0, None))
        return read_rows(self.inputs[table], kind, start, stop)


class ShardResult(Closed):
    """What one shard made: part of each of the stage's tables, and its part of the ledger."""

    tables: dict[str, TableRef]
    ledger: TableRef
    stopped: Stopped | None = None


class StageResult(Closed):
    """What a stage made. The tables are those of the run folder."""

    stage: Stage
    tables: dict[str, TableRef]
    ledger: TableRef
    stopped: Stopped | None
    seconds: float
    shards: int


@dataclass
class Made:
    """What came of one unit of work."""

    rows: list[Row] = field(default_factory=list[Row])
    """Rows of any of the stage's tables."""
    ledger: list[LedgerRow] = field(default_factory=list[LedgerRow])
    stopped: Stopped | None = None


class Finished:
    """What came of the units of a shard, in their order, each packed until it is written.

    A shard writes its rows when all of them are there, in an order that no timing decides; packed they take a fifth.
    """

    def __init__(self, count: int) -> None:
        self._packed: list[bytes | None] = [None] * count

    def put(self, position: int, made: Made) -> None:
        """Keeps what came of the unit at a position."""
        self._packed[position] = pack(made)

    def __iter__(self) -> Iterator[Made]:
        """What came of each unit that was worked on."""
        for packed in self._packed:
            if packed is not None:
                yield unpack(packed)


async def work_units(
    stage: Stage,
    unit: str,
    items: Sequence[T],
    make: Callable[[T], Awaitable[Made]],
    *,
    identify: Callable[[T], str],
    about: Callable[[T], Planned],
    at_once: int,
    weigh: Callable[[T], float] = lambda item: 0.0,  # noqa: ARG005
    advance: Callable[[Made], None] = lambda made: None,  # noqa: ARG005
) -> Finished:
    """Works on items, at most `at_once` of them at a time, and returns what came of each, in the order given.

    They are begun in the order of their weight, the heaviest first: a run is as long as its longest unit, and a long
    one that begins last leaves the endpoint idle. `advance` is told of each that is done.

    An item that cannot be made is a ledger row. Only what concerns all items is raised; the others are then cancelled,
    and lose nothing but calls in flight, because every reply received is in the journal.

    Raises:
        EndpointUnavailable: the endpoint did not answer.
        EndpointRefused: it will not serve us.
        ModelSetupError: the configuration cannot be served.
        SourceError: a source that was there before is gone.
        OSError: the disk is full or gone.
    """
    finished = Finished(len(items))
    positions = iter(sorted(range(len(items)), key=lambda position: -weigh(items[position])))

    async def work() -> None:
        for position in positions:
            item = items[position]
            try:
                made = await make(item)
            except (EndpointUnavailable, EndpointRefused, ModelSetupError, SourceError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 an item that fails is a row; its neighbours go on
                row = record_error(stage, unit, identify(item), error, about(item))
                if row.boundary == "code":
                    _log.exception("%s %s failed: %s", unit, identify(item), error)
                made = Made(ledger=[row], stopped=_stopped_by(error))
            finished.put(position, made)
            advance(made)

    workers = [asyncio.ensure_future(work()) for _ in range(min(at_once, len(items)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return finished


def _stopped_by(error: Exception) -> Stopped | None:
    match error:
        case BudgetSpent():
            return "budget"
        case NotInJournal():
            return "offline"
        case _:
            return None


def write_shard(run: RunContext, tables: Mapping[str, type[Row]], made: Sequence[Made] | Finished) -> ShardResult:
    """Writes what a shard made to the store.

    Args:
        run: the run.
        tables: the tables of the stage with their row classes; each is written, if only empty.
        made: what came of the shard's items; is gone through once a table. Its ledger is put in order here, so that
            the ledgers of many shards can be merged without any of them whole in memory.

    Raises:
        OSError: the store cannot be written.
    """
    in_order = attrgetter(*sort_key("ledger"))
    return ShardResult(
        tables={
            table: write_table(table, (row for unit in made for row in unit.rows if isinstance(row, kind)), run.store)
            for table, kind in tables.items()
        },
        ledger=write_table("ledger", sorted((row for unit in made for row in unit.ledger), key=in_order), run.store),
        stopped=join_stopped(unit.stopped for unit in made),
    )


def join_stopped(reasons: Iterable[Stopped | None]) -> Stopped | None:
    """Why the whole stopped early: for the budget if any part did, otherwise for the journal."""
    found = set(reasons)
    return "budget" if "budget" in found else "offline" if "offline" in found else None


def cut_positions(count: int, size: int) -> list[tuple[int, int]]:
    """Ranges of at most `size` positions that cover `count`; one empty range where there is nothing."""
    return [(start, min(start + size, count)) for start in range(0, count, size)] or [(0, 0)]


def hash_grounds(seeds: TableRef, toolsets: TableRef) -> dict[str, str]:
    """For each toolset the hash of all that a dialogue with it stands on: the toolset and its seed."""
    by_seed = {seed.id: hash_row(seed) for seed in read_rows(seeds, SeedRow)}
    return {row.id: f"{by_seed[row.seed_id]}:{hash_row(row)}" for row in read_rows(toolsets, ToolsetRow)}
