"""The content-addressed store: each file once, named by the SHA-256 of its bytes, written whole or not at all."""

import hashlib
import os
import uuid
from pathlib import Path

from turnwright.storage.mirrors import pull_file, push_new


class Store:
    """A folder of immutable files, `<root>/<first two hex digits>/<sha256><suffix>`.

    Where the folder mirrors an object store, what is put here is there, too, before `put_bytes` or `put_file` returns.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str, suffix: str = "") -> Path:
        """Where content of that digest is, or would be."""
        return self.root / sha256[:2] / f"{sha256}{suffix}"

    def put_bytes(self, content: bytes, suffix: str = "") -> str:
        """Stores `content` and returns its SHA-256.

        Raises:
            OSError: the store cannot be written.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256, suffix)
        if not path.exists():
            replace_file(path, content)
        push_new(path)
        return sha256

    def find(self, sha256: str, suffix: str = "") -> Path:
        """The file of that content; fetched where it is in the object store alone.

        Raises:
            FileNotFoundError: it is nowhere.
            OSError: the object store cannot be read.
        """
        path = self.path(sha256, suffix)
        pull_file(path)
        return path

    def put_file(self, source: Path, suffix: str = "") -> str:
        """Moves a finished file into the store and returns its SHA-256; `source` is gone afterwards.

        Raises:
            OSError: the store cannot be written.
        """
        with source.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        path = self.path(sha256, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        source.replace(path)
        push_new(path)
        return sha256


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file so that a crash leaves the old content or the new, never a part.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing-{path.name}-{uuid.uuid4().hex[:12]}")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
