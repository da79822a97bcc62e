"""What every stage is told about the run that it belongs to."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from schemas.closed import Closed
from schemas.config import RunConfig
from turnwright.storage.run_folder import STORE, RunFolder, open_store
from turnwright.storage.store import Store


class RunContext(Closed):
    """One run: its config and its folders. Plain data, so that it crosses to any worker."""

    config: RunConfig
    run_id: str
    """Name of the run folder."""
    runs: str
    """Folder of all runs, absolute."""
    offline: bool = False
    """Only the journal answers; no endpoint is asked."""

    @property
    def folder(self) -> RunFolder:
        """The folder of this run."""
        return RunFolder(Path(self.runs) / self.run_id)

    @property
    def store(self) -> Store:
        """The content-addressed store that all runs of the runs folder share."""
        return open_store(Path(self.runs))

    @property
    def results(self) -> Path:
        """Where results of Prefect tasks are kept, one JSON file a cache key."""
        return Path(self.runs) / STORE / "results"

    @property
    def journal(self) -> Path:
        """Folder of the call journal that all runs of the runs folder share."""
        return self.folder.journal


def begin_run(config: RunConfig, runs: Path, *, offline: bool = False, run_id: str | None = None) -> RunContext:
    """The context of a new run."""
    return RunContext(
        config=config, run_id=run_id or make_run_id(config.name), runs=str(runs.resolve()), offline=offline
    )


def make_run_id(name: str) -> str:
    """`<name>-<UTC time>-<short>`: sorts by time, and two runs in one second differ."""
    return f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
