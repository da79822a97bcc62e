"""Takes the content of an SQLite file without touching the file or anything beside it.

Opening a file, even read-only, may create `-wal` and `-shm` files beside it or roll a journal back. So the bytes are
read; where a write-ahead log or a journal lies beside the file, all are copied to a folder of our own and SQLite
settles them there.
"""

import shutil
import sqlite3
import tempfile
from pathlib import Path

from turnwright.sources.errors import SourceError

_MAGIC = b"SQLite format 3\0"
_BESIDE = ("-wal", "-journal")
_ATTEMPTS = 3
MOST_BYTES = 2**30 - 2**27
"""Largest file that fits into a database in memory with room to grow."""


def read_snapshot(path: Path, title: str) -> bytes:
    """The file's content as one consistent database in rollback mode, fit for deserialising.

    Raises:
        SourceError: the file is missing, not a database, damaged, too large, or changes while it is read.
    """
    check_file(path, title)
    for _ in range(_ATTEMPTS):
        before = _stamp(path)
        try:
            content = _read_settled(path) if _has_log(path) else path.read_bytes()
        except OSError as problem:
            raise SourceError(f"{title}: cannot be read: {problem.strerror}", "check the file's permissions") from None
        except sqlite3.DatabaseError as problem:
            raise SourceError(f"{title}: is damaged: {problem}", "restore it from a copy, or run `.recover`") from None
        if before == _stamp(path):
            return _in_rollback_mode(content)
    raise SourceError(f"{title}: changes while it is read", "stop the program that writes to it, or give a copy")


def check_file(path: Path, title: str) -> None:
    """Looks whether there is a database file, by its first bytes.

    Raises:
        SourceError: there is none.
    """
    if not path.exists():
        raise SourceError(f"{title}: there is no such file", f"check the path; it was taken from {_folder_word(path)}")
    if not path.is_file():
        raise SourceError(f"{title}: is not a file", "give the path of the database file itself")
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(len(_MAGIC))
    except OSError as problem:
        raise SourceError(f"{title}: cannot be read: {problem.strerror}", "check the file's permissions") from None
    if size == 0 and not _has_log(path):
        raise SourceError(f"{title}: the database is empty", "give a database that has tables with rows")
    if head != _MAGIC and size:
        raise SourceError(f"{title}: is not an SQLite database", "give an SQLite 3 file that is not encrypted")
    if size > MOST_BYTES:
        raise SourceError(
            f"{title}: has {size // 2**20} MiB; at most {MOST_BYTES // 2**20} MiB can be copied for each dialogue",
            "make a smaller copy, or use PostgreSQL",
        )


def _folder_word(path: Path) -> str:
    return "the root" if path.is_absolute() else "the working directory"


def _has_log(path: Path) -> bool:
    return any(_beside(path, suffix).exists() for suffix in _BESIDE)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _stamp(path: Path) -> list[tuple[int, int] | None]:
    stamps: list[tuple[int, int] | None] = []
    for file in (path, *(_beside(path, suffix) for suffix in _BESIDE)):
        try:
            status = file.stat()
        except FileNotFoundError:
            stamps.append(None)
        else:
            stamps.append((status.st_size, status.st_mtime_ns))
    return stamps


def _read_settled(path: Path) -> bytes:
    with tempfile.TemporaryDirectory(prefix="turnwright-") as folder:
        copy = Path(folder) / "copy.sqlite"
        for suffix in ("", *_BESIDE):
            origin = _beside(path, suffix)
            if origin.exists():
                shutil.copyfile(origin, _beside(copy, suffix))
        connection = sqlite3.connect(copy, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
        return copy.read_bytes()


def _in_rollback_mode(content: bytes) -> bytes:
    """Sets the file format versions to 1: a database in memory cannot keep a write-ahead log."""
    if content[18:20] == b"\1\1":
        return content
    return content[:18] + b"\1\1" + content[20:]
