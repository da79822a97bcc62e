"""Files of JSON and JSON Lines from outside: found, bounded, and read item by item."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from turnwright.sources.errors import SourceError
from turnwright.sources.json_text import DocumentProblem, excerpt, parse_json

MOST_BYTES: Final = 32 * 2**20
"""Largest file."""
MOST_BYTES_TOGETHER: Final = 128 * 2**20
"""Largest sum of the files of one source: a seed is one row."""
MOST_FILES: Final = 2_000
"""Most files of one folder."""
LONGEST_LINE: Final = 2**20
"""Bytes of one line of JSON Lines."""
_EXCERPT_BYTES: Final = 8_192


@dataclass(frozen=True)
class Entry:
    """One item of a file."""

    origin: str
    """Where it stood, for messages: `tools.jsonl:12`, `tools.json[3]`."""
    value: Any
    """What it holds; where it could not be read, its text, shortened."""
    problem: str | None = None
    """Why it could not be read, as `code: explanation`."""


@dataclass(frozen=True)
class FoundFile:
    """One file of a source."""

    path: Path
    name: str
    """As messages name it: relative to the source's folder, with `/`."""


def find_files(path: str, suffixes: Sequence[str], title: str) -> list[FoundFile]:
    """The file at a path, or the files with one of the suffixes in a folder and the folders in it, sorted by name.

    Hidden files and folders are left out. Links to folders are not followed.

    Raises:
        SourceError: there is nothing at the path, or no such file in the folder, or too many.
    """
    place = Path(path).expanduser()
    wanted = " or ".join(suffixes)
    try:
        if place.is_file():
            return [FoundFile(place, place.name)]
        if not place.is_dir():
            origin = "the root" if place.is_absolute() else "the working directory"
            what = "there is no such file or folder" if not place.exists() else "is neither a file nor a folder"
            raise SourceError(f"{title}: {what}", f"check the path; it was taken from {origin}")
        found: list[FoundFile] = []
        for folder, folders, names in os.walk(place, onerror=_raise):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in names:
                if not name.startswith(".") and name.lower().endswith(tuple(suffixes)):
                    file = Path(folder) / name
                    found.append(FoundFile(file, file.relative_to(place).as_posix()))
            if len(found) > MOST_FILES:
                raise SourceError(f"{title}: has more than {MOST_FILES:,} files", "give a folder for each part")
    except (OSError, ValueError) as error:
        raise _unreadable(title, error) from None
    if not found:
        raise SourceError(f"{title}: the folder has no {wanted} file", f"give a {wanted} file, or a folder with some")
    return sorted(found, key=lambda file: file.name)


def read_items(
    path: str, suffixes: Sequence[str], title: str, spread: Callable[[Any], list[Any] | None]
) -> Iterator[tuple[FoundFile, list[Entry]]]:
    """The items of the file at a path, or of each file in a folder.

    In a folder a file that cannot be read is one entry with a problem, and the others are read.

    Args:
        path: of the file or folder.
        suffixes: of the files that are looked for in a folder.
        title: of the source, for errors.
        spread: gives the items that a JSON document holds; none where the document itself is the item.

    Raises:
        SourceError: there is nothing to read, the only file cannot be read, or all have too much together.
    """
    files = find_files(path, suffixes, title)
    total = 0
    for file in files:
        try:
            content = read_content(file.path, file.name if len(files) > 1 else title)
            total += len(content)
            entries = read_entries(file.name, content, file.name if len(files) > 1 else title, spread)
        except SourceError as error:
            if len(files) == 1:
                raise
            entries = [Entry(file.name, "", f"unreadable: {error.message}")]
        if total > MOST_BYTES_TOGETHER:
            raise SourceError(
                f"{title}: the files have more than {MOST_BYTES_TOGETHER // 2**20} MiB together",
                "give a part of them, or several sources",
            )
        yield file, entries


def read_content(path: Path, title: str) -> bytes:
    """The bytes of a text file, without a byte order mark.

    Raises:
        SourceError: it cannot be read, is empty, too large, or no text.
    """
    try:
        if not path.exists():
            raise SourceError(f"{title}: there is no such file", "check the path")
        if not path.is_file():
            raise SourceError(f"{title}: is not a file", "give the path of the file itself")
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(title, error) from None
    if len(content) > MOST_BYTES:
        raise too_large(title)
    return check_text(content, title)


def check_text(content: bytes, title: str) -> bytes:
    """Content that is text, without a byte order mark. Single lines may still be no UTF-8.

    Raises:
        SourceError: it is empty or binary.
    """
    if b"\0" in content:
        raise SourceError(f"{title}: is not UTF-8 text", "give a text file in UTF-8, without compression")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise SourceError(f"{title}: is empty", "give a file that holds something")
    return content


def too_large(title: str) -> SourceError:
    """That a document is larger than can be taken."""
    return SourceError(f"{title}: is larger than {MOST_BYTES // 2**20} MiB", "give a part of it")


def read_entries(name: str, content: bytes, title: str, spread: Callable[[Any], list[Any] | None]) -> list[Entry]:
    """The items of a JSON or JSON Lines file.

    A file is one JSON document if it can be read as one, otherwise each line is an item of its own: a bad line is an
    entry with a problem, and its neighbours are read.

    Args:
        name: of the file, for origins.
        content: its bytes.
        title: of the source, for errors.
        spread: gives the items that a document holds; none where the document itself is the item.

    Raises:
        SourceError: the file is no JSON Lines and cannot be read as one document.
    """
    lines = content.split(b"\n")
    if name.lower().endswith(".jsonl"):
        return list(_read_lines(name, lines))
    try:
        document = parse_json(content)
    except DocumentProblem as problem:
        if _is_lines(lines):
            return list(_read_lines(name, lines))
        raise SourceError(
            f"{title}: {problem}", "correct the file; several objects, one a line, are a .jsonl"
        ) from None
    items = spread(document)
    if items is None:
        return [Entry(name, document)]
    return [Entry(f"{name}[{number}]", item) for number, item in enumerate(items)]


def _is_lines(lines: list[bytes]) -> bool:
    """Several objects, one a line: what some call .json."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2 or not filled[0].lstrip().startswith(b"{"):
        return False
    try:
        parse_json(filled[0])
    except DocumentProblem:
        return False
    return True


def _read_lines(name: str, lines: list[bytes]) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        origin = f"{name}:{number}"
        if len(line) > LONGEST_LINE:
            problem = f"too_large: the line has {len(line):,} bytes; at most {LONGEST_LINE:,} are read"
            yield Entry(origin, excerpt(line[:_EXCERPT_BYTES]), problem)
            continue
        try:
            yield Entry(origin, parse_json(line))
        except DocumentProblem as problem:
            yield Entry(origin, excerpt(line), f"unreadable: the line {problem}")


def _raise(error: OSError) -> None:
    raise error


def _unreadable(title: str, error: Exception) -> SourceError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "the path is not one"
    return SourceError(f"{title}: cannot be read: {reason}", "check the path and its permissions")
