"""Who is at work in a runs folder: locks that the operating system takes back when a process ends, however it ends.

A run holds a lock of its own, by which others see that it is alive, and shares one on the folder. What deletes files
needs the folder's lock for itself. Folders that are no local directory have no locks: nobody is known to be at work.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_FOLDER = ".folder"


class AtWork(Exception):
    """Somebody is at work in the runs folder."""


@contextmanager
def hold_presence(runs: Path, run_id: str) -> Generator[None]:
    """Shows that a run is alive while the body runs. May be held several times, by several processes.

    Raises:
        OSError: the folder cannot be written.
    """
    place = _locks(runs)
    place.mkdir(parents=True, exist_ok=True)
    own = place / run_id
    folder = _open(place / _FOLDER)
    try:
        fcntl.flock(folder, fcntl.LOCK_SH)
        descriptor = _open(own)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)
    finally:
        os.close(folder)


def is_present(runs: Path, run_id: str) -> bool:
    """Whether a process is at work on a run."""
    return _is_held(_locks(runs) / run_id)


@contextmanager
def hold_alone(runs: Path) -> Generator[None]:
    """Keeps runs from starting while the body runs.

    Raises:
        AtWork: a run is at work in the folder.
        OSError: the folder cannot be written.
    """
    place = _locks(runs)
    place.mkdir(parents=True, exist_ok=True)
    descriptor = _open(place / _FOLDER)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            names = sorted(file.name for file in place.iterdir() if file.name != _FOLDER and _is_held(file))
            raise AtWork(f"at work in {runs}: {', '.join(names[:5]) or 'another process'}") from None
        for file in place.iterdir():
            if file.name != _FOLDER:
                file.unlink(missing_ok=True)  # the run that it stood for has ended
        yield
    finally:
        os.close(descriptor)


@contextmanager
def hold_turn(file: Path) -> Generator[None]:
    """Lets one process at a time into the body.

    Raises:
        OSError: the file cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _locks(runs: Path) -> Path:
    return runs / "store" / "presence"


def _open(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _is_held(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
