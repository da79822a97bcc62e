"""What every stage is told about the run that it belongs to."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from schemas.closed import Closed
from schemas.config import RunConfig
from turnwright.storage.mirrors import find_place, name_file
from turnwright.storage.run_folder import STORE, RunFolder, open_store
from turnwright.storage.store import Store


class Crew(Closed):
    """What the processes that share a run are told about each other."""

    processes: int = Field(ge=1)
    """How many there are; each takes its share of the calls in flight."""
    shards_each: int = Field(ge=1)
    """Shards that one process works on at once."""
    selfplay_url: str | None = None
    """Root of the embedded endpoint, which runs beside the process that leads."""
    began: float
    """Begin of the run in seconds since the epoch, from which the budget's minutes count."""


class RunContext(Closed):
    """One run: its config and its folders. Plain data, so that it crosses to any worker."""

    config: RunConfig
    run_id: str
    """Name of the run folder."""
    runs: str
    """Folder of all runs: an absolute path, or the URL of a place in an object store."""
    offline: bool = False
    """Only the journal answers; no endpoint is asked."""
    crew: Crew | None = None
    """Set where a shard may run in another process than the flow; None: all of the run is in one process."""

    @property
    def place(self) -> Path:
        """The folder of all runs on this machine."""
        return find_place(self.runs)

    @property
    def folder(self) -> RunFolder:
        """The folder of this run."""
        return RunFolder(self.place / self.run_id)

    @property
    def store(self) -> Store:
        """The content-addressed store that all runs of the runs folder share."""
        return open_store(self.place)

    @property
    def results(self) -> Path:
        """Where results of Prefect tasks are kept, one JSON file a cache key."""
        return self.place / STORE / "results"

    @property
    def journal(self) -> Path:
        """Folder of the call journal that all runs of the runs folder share."""
        return self.folder.journal


def begin_run(config: RunConfig, runs: Path | str, *, offline: bool = False, run_id: str | None = None) -> RunContext:
    """The context of a new run.

    Raises:
        BadPlace: `runs` is a URL that cannot be used.
    """
    place = runs if isinstance(runs, Path) else find_place(runs)
    return RunContext(config=config, run_id=run_id or make_run_id(config.name), runs=name_file(place), offline=offline)


def make_run_id(name: str) -> str:
    """`<name>-<UTC time>-<short>`: sorts by time, and two runs in one second differ."""
    return f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
