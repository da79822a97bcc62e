"""Runs folders in an object store: a URL that fsspec can open, and the folder of this machine that mirrors it.

All code works on paths of the mirror; what it finishes is pushed, and what it lacks is pulled. The mapping is fixed,
`s3://bucket/a/b` <-> `<cache>/s3/bucket/a/b`, so a path says by itself whether it has a twin in a store, and a file
travels between machines by its URL. On a path outside the cache every function here does nothing more than a local
folder needs.

Credentials come from the environment, in the variables of the store's own client (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`, ...), never from a URL.
"""

import hashlib
import os
import re
import uuid
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import fsspec
from fsspec.registry import known_implementations

CACHE_ENV = "TURNWRIGHT_CACHE"
"""Environment variable with the folder of all mirrors; default: `turnwright` in the user's cache folder."""

_URL = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadPlace(ValueError):
    """What was given as a place is neither a folder nor a URL that can be used."""


class StoreUnreachable(OSError):
    """The object store did not do what was asked; the message says which URL and why."""


def find_place(text: str) -> Path:
    """The local path that stands for a path or URL. Nothing is read.

    Raises:
        BadPlace: the URL names no known protocol, holds a password, or leaves its folder.
    """
    match = _URL.fullmatch(text)
    if match is None:
        return Path(text)
    protocol, rest = match["protocol"], match["rest"].rstrip("/")
    if protocol == "file":
        return Path(rest)
    if protocol not in known_implementations:
        raise BadPlace(f"{protocol}:// is no protocol that fsspec knows; use a folder, or a URL as s3://bucket/folder")
    if "@" in rest.split("/", 1)[0]:
        raise BadPlace(f"a {protocol}:// URL must not hold a user or password; set the variables of its client instead")
    parts = rest.split("/")
    if not rest or any(part in ("", ".", "..") for part in parts) or not rest.isprintable() or "?" in rest:
        raise BadPlace(f"{protocol}:// needs a bucket and a plain path, as in {protocol}://bucket/folder")
    return _cache_root() / protocol / Path(*parts)


def find_url(path: Path) -> str | None:
    """The URL that a path of a mirror stands for; None for a path outside."""
    try:
        protocol, *rest = path.relative_to(_cache_root()).parts
    except ValueError:
        return None
    return f"{protocol}://{'/'.join(rest)}" if rest else None


def name_file(path: Path) -> str:
    """How a file is named to other machines: its URL where it has one, otherwise its absolute path."""
    return find_url(path) or str(path.resolve())


def find_file(name: str) -> Path:
    """The local file of a path or URL that `name_file` gave; pulled where it is not here yet.

    Raises:
        StoreUnreachable: the store does not give it.
        FileNotFoundError: the store has no such file.
    """
    place = find_place(name)
    pull_file(place)
    return place


def pull_file(path: Path) -> None:
    """Fetches a file of a mirror that is not here. A file named by its SHA-256 is held against it.

    Raises:
        FileNotFoundError: the store does not have it.
        StoreUnreachable: it cannot be read, or is damaged.
    """
    url = find_url(path)
    if url is None or path.exists():
        return
    _fetch(url, path)


def pull_fresh(path: Path) -> None:
    """Fetches a file of a mirror as the store has it now, whether or not it is here; for files that are replaced.

    Raises:
        FileNotFoundError: the store does not have it.
        StoreUnreachable: it cannot be read.
    """
    url = find_url(path)
    if url is not None:
        _fetch(url, path)


def push_file(path: Path) -> None:
    """Puts a file of a mirror into the store, in place of what is there.

    Raises:
        StoreUnreachable: it cannot be written.
        FileNotFoundError: there is no such file here.
    """
    url = find_url(path)
    if url is not None:
        with _explained(url):
            _open_store(url).put_file(str(path), url)


def push_new(path: Path) -> None:
    """Puts an immutable file of a mirror into the store, unless it is there.

    Raises:
        StoreUnreachable: it cannot be written.
    """
    url = find_url(path)
    if url is not None and not has_file(path):
        push_file(path)


def copy_pushed(source: Path, place: Path) -> None:
    """Copies within the store what was pushed there: the same bytes under a second name, without sending them again.

    Raises:
        StoreUnreachable: it cannot be written.
        FileNotFoundError: the store does not have the source.
    """
    there, url = find_url(source), find_url(place)
    if there is not None and url is not None:
        with _explained(url):
            _open_store(url).cp_file(there, url)
        stat = place.stat()
        _pushed[place] = (stat.st_mtime_ns, stat.st_size)


def has_file(path: Path) -> bool:
    """Whether the store has the file; for a path without a store, whether it is here.

    Raises:
        StoreUnreachable: the store does not answer.
    """
    url = find_url(path)
    if url is None:
        return path.exists()
    with _explained(url):
        return bool(_open_store(url, fresh=True).exists(url))


def remove_file(path: Path) -> None:
    """Removes a file here and in the store; nothing happens where there is none.

    Raises:
        StoreUnreachable: the store does not answer.
        OSError: it cannot be removed here.
    """
    path.unlink(missing_ok=True)
    url = find_url(path)
    if url is not None and has_file(path):
        with _explained(url):
            _open_store(url).rm_file(url)


def read_range(path: Path, start: int | None, end: int | None) -> bytes:
    """Bytes of a file of a mirror, read from the store without fetching it; a negative start counts from the end.

    Raises:
        FileNotFoundError: the store does not have it.
        StoreUnreachable: it cannot be read.
    """
    url = find_url(path)
    if url is None:
        raise BadPlace(f"{path} is in no store")
    with _explained(url):
        return bytes(_open_store(url).cat_file(url, start=start, end=end))


def list_files(folder: Path, suffix: str = "") -> list[Path]:
    """The files directly in a folder, here and in its store, sorted; with that end of the name.

    Raises:
        StoreUnreachable: the store does not answer.
    """
    names = {file.name for file in folder.glob(f"*{suffix}") if file.is_file() and not file.name.startswith(".")}
    url = find_url(folder)
    if url is not None:
        names |= {name for name in _list_store(url, "file") if name.endswith(suffix)}
    return [folder / name for name in sorted(names)]


def list_folders(folder: Path) -> list[Path]:
    """The folders directly in a folder, here and in its store, sorted.

    Raises:
        StoreUnreachable: the store does not answer.
    """
    names = {child.name for child in folder.glob("*") if child.is_dir()}
    url = find_url(folder)
    if url is not None:
        names |= _list_store(url, "directory")
    return [folder / name for name in sorted(names)]


def push_folder(folder: Path) -> None:
    """Puts the files of a folder, at any depth, into the store where it has none of the same size and content.

    Raises:
        StoreUnreachable: it cannot be written.
    """
    if find_url(folder) is None:
        return
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith(".writing-"):
            content = _pushed.get(file)
            stat = file.stat()
            if content != (stat.st_mtime_ns, stat.st_size):
                push_file(file)
                _pushed[file] = (stat.st_mtime_ns, stat.st_size)


def pull_folder(folder: Path) -> None:
    """Fetches the files of a folder, at any depth, as the store has them now.

    Raises:
        StoreUnreachable: it cannot be read.
    """
    url = find_url(folder)
    if url is None:
        return
    with _explained(url):
        store = _open_store(url, fresh=True)
        found: dict[str, Any] = store.find(url, detail=True) if store.exists(url) else {}
    root = store._strip_protocol(url)  # pyright: ignore[reportPrivateUsage] fsspec has no public name for it
    for name, entry in sorted(found.items()):
        path = folder / str(name)[len(root) :].lstrip("/")
        if not path.is_file() or path.stat().st_size != entry["size"] or path.suffix != ".parquet":
            _fetch(f"{url}{str(name)[len(root) :]}", path)


_pushed: dict[Path, tuple[int, int]] = {}
"""Time and size of the files that this process has pushed."""


def _list_store(url: str, kind: str) -> set[str]:
    with _explained(url):
        store = _open_store(url, fresh=True)
        try:
            found: Iterable[dict[str, Any]] = store.ls(url, detail=True)
        except FileNotFoundError:
            return set()
        names = {str(entry["name"]).rstrip("/").rpartition("/")[2] for entry in found if entry["type"] == kind}
    return names - {"", ".", ".."}


def _fetch(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing-{path.name}-{uuid.uuid4().hex[:12]}")
    try:
        with _explained(url):
            _open_store(url).get_file(url, str(temporary))
        wanted = path.name.partition(".")[0]
        if _SHA256.fullmatch(wanted) and path.parent.name == wanted[:2]:
            with temporary.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != wanted:
                    raise StoreUnreachable(f"{url} does not hold what its name says: it was damaged or replaced")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _cache_root() -> Path:
    given = os.environ.get(CACHE_ENV)
    if given:
        return Path(given).resolve()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home).resolve() / "turnwright"


@cache
def _open(protocol: str, _process: int) -> Any:
    try:
        return fsspec.filesystem(protocol)
    except ImportError as error:
        raise BadPlace(f"{protocol}:// needs another package: {error}") from None


def _open_store(url: str, *, fresh: bool = False) -> Any:
    # One object a process: clients hold threads and connections, which a forked child does not have.
    store = _open(url.partition("://")[0], os.getpid())
    if fresh:
        store.invalidate_cache()  # others write, too
    return store


@contextmanager
def _explained(url: str) -> Generator[None]:
    try:
        yield
    except (FileNotFoundError, BadPlace):
        raise
    except Exception as error:
        raise StoreUnreachable(f"{url}: {type(error).__name__}: {error}") from error
