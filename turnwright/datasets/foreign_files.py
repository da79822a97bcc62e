"""The lines of a file of dialogues made elsewhere: each one is read, or rejected with a reason; none is lost."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.parquet as pq

from turnwright.datasets.dialogue_forms import find_tools
from turnwright.datasets.reference import BadReference, ReferenceDialogue, parse_line, read_line
from turnwright.sources.documents import Entry
from turnwright.sources.json_text import DocumentProblem, parse_json
from turnwright.sources.specifications import read_specification, spread_tools

LONGEST_LINE: Final = 64 * 2**20
"""Bytes of one dialogue; a longer one is rejected."""
_MOST_BYTES: Final = 512 * 2**20
"""Bytes of a file that is one JSON document, which has to be read as a whole."""
_ROWS: Final = 256


@dataclass(frozen=True)
class ForeignLine:
    """One line of a file, or one item of its list."""

    number: int
    """From 1."""
    dialogue: ReferenceDialogue | None
    problem: str | None = None
    """Why it holds no dialogue."""
    loose: tuple[str, ...] = ()
    """What had to be forgiven, as `code: explanation`."""


def read_foreign(file: Path) -> Iterator[ForeignLine]:
    """The dialogues of a file: JSON Lines, one JSON list, or Parquet with a column of messages.

    Raises:
        BadReference: the file cannot be read, or there is nothing in it.
    """
    found = False
    try:
        for line in _read_parquet(file) if is_parquet(file) else _read_text(file):
            found = True
            yield line
    except OSError as error:
        raise BadReference(f"{file} cannot be read: {error.strerror or error}") from None
    except pa.ArrowInvalid as error:
        raise BadReference(f"{file} cannot be read as Parquet: {str(error)[:200]}") from None
    if not found:
        raise BadReference(f"{file} has no dialogues")


def is_parquet(file: Path) -> bool:
    """Whether a file begins as Parquet does.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def read_tools_file(file: Path) -> list[dict[str, Any]]:
    """The function specifications of a file: a JSON list, `{tools: […]}`, or one object a line.

    Raises:
        BadReference: it cannot be read or holds none.
    """
    try:
        text = file.read_bytes()
    except OSError as error:
        raise BadReference(f"{file} cannot be read: {error.strerror or error}") from None
    try:
        document = parse_json(text)
        items = spread_tools(document)
        items = [document] if items is None else items
    except DocumentProblem as whole:
        try:
            items = [parse_json(line) for line in text.splitlines() if line.strip()]
        except DocumentProblem:
            raise BadReference(f"{file} {whole}") from None
    read = [read_specification(Entry(f"{file.name} item {number}", item)) for number, item in enumerate(items)]
    named: list[dict[str, Any]] = []
    for tool in read:
        spec = cast("dict[str, Any]", tool.spec) if isinstance(tool.spec, dict) else {}
        if isinstance(spec.get("function"), dict):
            named.append(spec if tool.output_schema is None else spec | {"output_schema": tool.output_schema})
    if not named:
        raise BadReference(f"{file} holds no function specification")
    return named


def _read_text(file: Path) -> Iterator[ForeignLine]:
    with file.open("rb") as stream:
        start = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
        stream.seek(0)
        if start[:1] == b"[" and (listed := _read_list(stream.read(_MOST_BYTES))) is not None:
            for number, item in enumerate(listed, start=1):
                yield _read_value(item, number, file.name)
            return
        stream.seek(0)
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(LONGEST_LINE)
                yield ForeignLine(number, None, f"is longer than {LONGEST_LINE // 2**20} MiB")
                continue
            line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if line.strip():
                yield _read_bytes(line, number, file.name)


def _read_list(content: bytes) -> list[Any] | None:
    """The items of a document that is one list of objects; none for anything else, which is then read by lines."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return items if items and all(isinstance(item, dict) for item in items) else None


def _read_bytes(line: bytes, number: int, name: str) -> ForeignLine:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return ForeignLine(number, None, f"is not UTF-8 text (byte {error.start})")
    loose: list[str] = []
    try:
        value = parse_json(line)
    except DocumentProblem as problem:
        try:
            value = parse_line(line)
        except (ValueError, RecursionError):
            return ForeignLine(number, None, str(problem))
        loose.append(f"loose_json: the line {problem}")
    return _read_value(value, number, name, loose)


def _read_value(value: Any, number: int, name: str, loose: list[str] | None = None) -> ForeignLine:
    try:
        dialogue = read_line(value, number, name)
    except ValueError as error:
        return ForeignLine(number, None, str(error))
    except RecursionError:
        return ForeignLine(number, None, "is nested too deeply")
    told = loose or []
    offered = find_tools(cast("dict[str, Any]", value))
    if not dialogue.tools and offered not in (None, "", [], {}, "[]"):
        told.append("unreadable_tools: what the line gives as tools is no list of function specifications")
    return ForeignLine(number, dialogue, None, tuple(told))


def _read_parquet(file: Path) -> Iterator[ForeignLine]:
    """Nested columns give objects with a null for each key that only other rows have: those say nothing."""
    number = 0
    for batch in pq.ParquetFile(file).iter_batches(batch_size=_ROWS):
        for record in batch.to_pylist():
            number += 1
            value = {key: _parse_text(item) for key, item in _drop_nulls(record).items()}
            yield _read_value(value, number, file.name)


def _parse_text(value: Any) -> Any:
    """A column of messages or tools that is JSON text, as tables keep what Arrow would spoil."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return parse_line(value.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return value


def _drop_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: _drop_nulls(child) for key, child in fields.items() if child is not None}
    return [_drop_nulls(child) for child in cast("list[Any]", value)] if isinstance(value, list) else value
