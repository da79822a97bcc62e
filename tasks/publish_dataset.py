"""publish-dataset: what a run made becomes the next version of a dataset."""

import asyncio

from prefect import task

from schemas.closed import Closed
from schemas.rows import TableRef
from tasks.announce import announce_version
from tasks.register import register_dataset
from tasks.run_context import RunContext
from tasks.run_record import find_stopped, record_dataset
from turnwright.datasets.publishing import PAGE, publish_version
from turnwright.reports.difference_page import write_difference_page
from turnwright.storage.tables import read_columns


class PublishedVersion(Closed):
    """What came of publishing."""

    name: str
    """`<dataset>@v<number>`; the version that there was before where nothing was added."""
    folder: str | None
    """None where nothing was published."""
    rows: int
    """Rows of the dataset in that version."""
    added: int
    """Rows that the run added."""
    difference: str
    """The page that says what changed; empty where nothing was compared."""
    why_not: str = ""
    """Why nothing was published."""


@task(name="publish-dataset")
async def publish_run(run: RunContext) -> PublishedVersion:
    """Publishes the next version of the dataset that the run adds to, and records it in `run.json`.

    Raises:
        DriftFailed: what the run made is too far from the last version.
        OSError: something cannot be written.
    """
    return await asyncio.to_thread(_publish, run)


def adds_nothing(run: RunContext, seeds: TableRef) -> bool:
    """Whether a run that is for new seeds alone finds none: then there is nothing to make."""
    incremental = run.config.incremental
    if incremental is None or incremental.mode != "new_seeds":
        return False
    known = set(incremental.known_seeds)
    return all(row["id"] in known for row in read_columns(seeds, "seeds", ["id"]))


def _publish(run: RunContext) -> PublishedVersion:
    incremental = run.config.incremental
    assert incremental is not None
    name = f"{incremental.dataset}@v{incremental.base}"
    tables = run.folder.find_tables()
    stopped = find_stopped(run)
    if "dataset" not in tables:
        outcome = PublishedVersion(
            name=name, folder=None, rows=0, added=0, difference="", why_not="the sources have no seed that is new"
        )
    elif stopped is not None and incremental.incomplete == "hold":
        why = f"the run stopped early ({stopped}); run it again to complete it, or set incremental.incomplete: publish"
        outcome = PublishedVersion(name=name, folder=None, rows=0, added=0, difference="", why_not=why)
    else:
        made = publish_version(run.folder, run.config, incremental, run.store, write_difference_page)
        version = made.version
        page = (run.folder.root if version is None else version.folder.root) / "report" / PAGE
        outcome = PublishedVersion(
            name=name if version is None else version.name,
            folder=None if version is None else str(version.folder.root),
            rows=0 if version is None else version.manifest.rows,
            added=made.difference.added,
            difference=str(page),
            why_not="" if version is not None else "the run made no example that the dataset does not have",
        )
        if version is not None:
            register_dataset(run.place, version)
            announce_version(run, version)
    record_dataset(run, outcome.model_dump(mode="json"))
    return outcome
