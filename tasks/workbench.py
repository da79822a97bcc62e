"""What one process keeps open while it works on a run: models, journal, embedded endpoint, databases.

Everything is opened when a shard first needs it, so that a run served from the cache opens nothing, and closed once at
the end of the run. Several shards, on several threads, share one workbench.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from schemas.endpoints import SelfplayModel
from schemas.rows import SeedRow
from schemas.vocabulary import Stage
from tasks.cache_keys import list_roles
from tasks.ledger import Planned
from tasks.memory import leave_out_pandas, limit_arenas, return_memory, set_imports_aside
from tasks.run_context import RunContext
from tasks.shards import SHARDS_AT_ONCE, Finished, Made, work_units
from turnwright.environments.base import Base, open_base
from turnwright.models.engine import shared_engine
from turnwright.models.errors import ModelError
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.rates import Rate, TokenBucket
from turnwright.models.usage import Usage
from turnwright.sources.errors import SourceError
from turnwright.storage.mirrors import find_url
from turnwright.storage.run_folder import RunNotFound

if TYPE_CHECKING:
    from turnwright.models.leases import Leases
    from turnwright.selfplay.process import EmbeddedEndpoint

T = TypeVar("T")

_AT_ONCE_PER_CALL = 1.5
"""Units alive in a stage, as a multiple of the calls in flight: while some run SQL, others keep the endpoint busy."""
_LEAST_AT_ONCE = 2
"""Not many more than the calls in flight: a server with few slots keeps the prefixes of few dialogues."""
_RETURN_EVERY = 200
"""Units after which freed memory goes back to the system while a stage goes on; giving it back takes milliseconds."""


@dataclass
class Progress:
    """How far a stage is, for whoever watches."""

    stage: Stage
    total: int
    """Units of the shards that have begun."""
    shards: int = 0
    """Shards that have begun."""
    done: int = 0
    accepted: int = 0
    """Units done whose ledger row says accepted."""


class Workbench:
    """The open things of one run in this process."""

    def __init__(self, run: RunContext, used: Mapping[str, Any] | None = None) -> None:
        """Opens nothing.

        Args:
            run: the run.
            used: what the run used so far in other processes, as `Usage.to_dict` gives it; counts towards its budget.
        """
        limit_arenas()
        leave_out_pandas()
        set_imports_aside()
        self.run = run
        self._used: Mapping[str, Any] = used or {}
        self.progress: dict[Stage, Progress] = {}
        self._lock = threading.RLock()
        self.usage = Usage()
        """What the run used so far, here and in earlier processes; nothing where no model was needed."""
        self.usage.add(self._used)
        self.elsewhere = Usage()
        """What other processes of the run's crew have used, as far as is known."""
        self._models: Models | None = None
        self._journal: Journal | None = None
        self._endpoint: EmbeddedEndpoint | None = None
        self._leases: Leases | None = None
        self._bases: dict[str, Base] = {}
        self._trouble: BaseException | None = None
        self._working: dict[asyncio.Task[object], asyncio.AbstractEventLoop] = {}

    @property
    def at_once(self) -> int:
        """Units that a shard keeps alive at once: the shards that run side by side share what the calls need."""
        config, crew = self.run.config, self.run.crew
        beside = crew.shards_each if crew else config.workers.count or SHARDS_AT_ONCE
        shards = min(beside, -(-config.dialogues // config.shard_size))
        return max(_LEAST_AT_ONCE, int(_AT_ONCE_PER_CALL * self.calls_at_once / shards))

    @property
    def calls_at_once(self) -> int:
        """Most calls of this process in flight: its share of the run's."""
        crew = self.run.crew
        return -(-self.run.config.concurrency // (crew.processes if crew else 1))

    def open_models(self) -> Models:
        """The run's models, with the journal; starts the embedded endpoint where a role needs it.

        Raises:
            ModelSetupError: a key is not set.
            EndpointNotStarted: the embedded endpoint did not come up.
            OSError: the journal cannot be written.
        """
        with self._lock:
            if self._models is None:
                self._journal = Journal(self.run.journal)
                self._models = Models(
                    self.run.config.model_copy(update={"concurrency": self.calls_at_once}),
                    journal=self._journal,
                    selfplay_url=None if self.run.offline else self.open_endpoint(),
                    offline=self.run.offline,
                    elsewhere=lambda: self.elsewhere,
                    began=self.run.crew.began if self.run.crew else None,
                    rates=self.open_rate,
                )
                self._models.usage.add(self._used)
                self.usage = self._models.usage
            return self._models

    def open_rate(self, per_minute: float, name: str) -> Rate:
        """The rate of an endpoint: this process's own, or its part of the one that all of the crew share.

        Raises:
            ModelSetupError: the database of shared rates cannot be used.
        """
        crew, workers = self.run.crew, self.run.config.workers
        if crew is None:
            return TokenBucket(per_minute, name)
        if self._leases is None:
            from turnwright.models.leases import Leases, find_database

            folder = self.run.journal.parent
            here = find_url(folder) is None or (workers.address is None and workers.kind != "work_pool")
            self._leases = Leases(find_database(workers.rates_url_env, str(folder), is_local=here), crew.processes)
        return self._leases.open(per_minute, name)

    def refresh(self) -> None:
        """Takes in the replies that other processes recorded since the journal was opened.

        Raises:
            OSError: the journal cannot be read.
        """
        with self._lock:
            if self._journal is not None:
                self._journal.refresh()

    def open_base(self, seed: SeedRow) -> Base:
        """The state that a seed's dialogues start from; the same object for every caller.

        Raises:
            SourceError: it cannot be opened.
        """
        with self._lock:
            base = self._bases.get(seed.id)
            if base is None:
                config = self.run.config
                base = self._bases[seed.id] = open_base(seed, config.sources[seed.source], self.run.store, config)
            return base

    async def work(
        self,
        stage: Stage,
        unit: str,
        items: Sequence[T],
        make: Callable[[T], Awaitable[Made]],
        *,
        identify: Callable[[T], str],
        about: Callable[[T], Planned],
        weigh: Callable[[T], float] = lambda item: 0.0,  # noqa: ARG005
    ) -> Finished:
        """Works on items, on the engine; see `work_units`. Once one shard met trouble that all share, none begins.

        Raises:
            Whatever `work_units` raises.
        """
        if self._trouble is not None:
            raise self._trouble
        advance = self.begin_stage(stage, len(items))
        here, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        with self._lock:
            self._working[task] = here
        try:
            return await shared_engine().run(
                work_units(
                    stage,
                    unit,
                    items,
                    make,
                    identify=identify,
                    about=about,
                    at_once=self.at_once,
                    weigh=weigh,
                    advance=advance,
                )
            )
        except (ModelError, SourceError) as error:
            self._trouble = error
            raise
        finally:
            with self._lock:
                del self._working[task]
            return_memory()

    def interrupt(self) -> None:
        """Ends what is in work, from any thread. Replies received so far are in the journal."""
        with self._lock:
            self._trouble = asyncio.CancelledError()
            working = dict(self._working)
        for task, loop in working.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)

    def begin_stage(self, stage: Stage, units: int) -> Callable[[Made], None]:
        """Adds units to a stage's progress; the function returned counts one as done."""
        with self._lock:
            progress = self.progress.get(stage)
            if progress is None:
                progress = self.progress[stage] = Progress(stage, 0)
            progress.total += units
            progress.shards += 1

        def advance(made: Made) -> None:
            progress.done += 1
            if progress.done % _RETURN_EVERY == 0:
                return_memory()
            progress.accepted += bool(made.ledger) and all(row.outcome == "accepted" for row in made.ledger)

        return advance

    def close(self) -> None:
        """Closes everything and seals the journal; may be called twice."""
        with self._lock:
            models, self._models = self._models, None
            journal, self._journal = self._journal, None
            endpoint, self._endpoint = self._endpoint, None
            leases, self._leases = self._leases, None
            bases, self._bases = self._bases, {}
        if models is not None:
            shared_engine().submit(models.close()).result(timeout=10.0)
        if leases is not None:
            leases.close()
        if journal is not None:
            journal.close()
        if self._trouble is None:
            # After an interrupt a thread may still be inside a statement; closing its database under it would crash
            # the process, whose end closes it anyway.
            for base in bases.values():
                base.close()
        if endpoint is not None:
            endpoint.close()

    def open_endpoint(self) -> str | None:
        """Root of the embedded endpoint: the crew's, or one of this process; None where no role is played by it.

        Raises:
            EndpointNotStarted: it did not come up.
        """
        if self.run.crew is not None:
            return self.run.crew.selfplay_url
        model = self.run.config.model
        if not isinstance(model, SelfplayModel) or all(
            self.run.config.model_for(role) != model for role in list_roles()
        ):
            return None
        from turnwright.selfplay.options import ServeOptions
        from turnwright.selfplay.process import EmbeddedEndpoint

        with self._lock:
            if self._endpoint is None:
                options = ServeOptions(seed=model.seed, mistake_rate=model.mistake_rate, slots=0)
                self._endpoint = EmbeddedEndpoint(options)
            return self._endpoint.url


_workbenches: dict[str, Workbench] = {}
_registry = threading.Lock()


def open_workbench(run: RunContext) -> Workbench:
    """The workbench of a run in this process; every caller gets the same one until it is closed."""
    with _registry:
        bench = _workbenches.get(run.run_id)
        if bench is None:
            bench = _workbenches[run.run_id] = Workbench(run, _read_usage(run))
        return bench


def _read_usage(run: RunContext) -> Mapping[str, Any]:
    """What earlier processes used that led the run; a member of a crew keeps an account of its own."""
    if run.crew is not None:
        return {}
    try:
        return run.folder.read_run()["own_usage"]
    except (RunNotFound, KeyError):
        return {}


def find_workbench(run_id: str) -> Workbench | None:
    """The workbench of a run in this process, if there is one: for those who watch or end a run."""
    with _registry:
        return _workbenches.get(run_id)


def close_workbench(run: RunContext) -> None:
    """Closes the workbench of a run, if this process has one."""
    with _registry:
        workbench = _workbenches.pop(run.run_id, None)
    if workbench is not None:
        workbench.close()
