"""Telling the catalog about runs and datasets, outside of the work itself.

A run is registered when it begins and when it ends, never for a row or a call. The folders are the truth, so a catalog
that cannot be reached is a warning: whoever reads it next registers what it lacks.
"""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tasks.announce import announce_begin, announce_end
from tasks.cache_keys import list_roles
from tasks.run_context import RunContext
from tasks.run_course import leave_record, resume_record
from turnwright.datasets.versions import DatasetVersion
from turnwright.lineage.presence import hold_presence
from turnwright.lineage.prompt_files import keep_prompts
from turnwright.storage.mirrors import find_url
from turnwright.storage.run_folder import RunNotFound

_log = logging.getLogger("turnwright.catalog")


@contextmanager
def accompany_run(run: RunContext) -> Generator[None]:
    """Makes the run folder, shows that the run is alive while the body works, and registers it at both ends.

    At the beginning on a thread of its own, so that the work does not wait for a database.

    Raises:
        OSError: the runs folder cannot be written.
    """
    if find_url(run.place) is not None:
        # No directory of this machine: there are no locks, and the catalog lists files of directories.
        resume_record(run)
        try:
            with _announced(run):
                yield
        finally:
            leave_record(run)
        return
    try:
        with hold_presence(run.place, run.run_id):
            resume_record(run)
            keep_prompts(run.place, list_roles())
            begin = threading.Thread(target=_register, args=(run,), name="catalog", daemon=True)
            begin.start()
            try:
                with _announced(run):
                    yield
            finally:
                begin.join()
    finally:
        leave_record(run)
        # After the lock is given back: what says `running` by then has no process any more.
        if run.folder.run_file.is_file():
            _register(run)


@contextmanager
def _announced(run: RunContext) -> Generator[None]:
    announce_begin(run)
    try:
        yield
    finally:
        announce_end(run)


def register_dataset(runs: Path, version: DatasetVersion) -> None:
    """Registers a version of a dataset that was just published."""

    def register() -> None:
        from turnwright.lineage.catalog import Catalog
        from turnwright.lineage.registration import register_version

        with Catalog(runs) as catalog:
            register_version(catalog, version)

    _try(register, version.name)


def _register(run: RunContext) -> None:
    def register() -> None:
        from turnwright.lineage.catalog import Catalog
        from turnwright.lineage.registration import register_run

        with Catalog(run.place) as catalog:
            register_run(catalog, run.folder)

    _try(register, run.run_id)


def _try(register: Callable[[], None], name: str) -> None:
    from turnwright.lineage.schema import CatalogError

    try:
        register()
    except (CatalogError, OSError, RunNotFound) as error:
        _log.warning("%s is not in the catalog yet: %s", name, error)
