"""Tables in and out of Parquet: explicit Arrow schema, zstd, fixed row groups, the same bytes for the same rows.

A table is written in order and streamed, so memory holds one row group however long the table is. Nothing that varies
from run to run (a time, a path, a host) goes into the file, so the SHA-256 of a file names its rows.
"""

import hashlib
import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, TypeVar, cast, overload

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.rows import Row, TableRef
from schemas.tables import TABLES, arrow_schema, schema_fingerprint
from turnwright.storage.mirrors import find_file, name_file
from turnwright.storage.store import Store

ROWS_PER_GROUP = 1000
"""Rows of a row group, where they are small."""
_BYTES_PER_GROUP = 1 << 23
"""A row group ends before it has that many rows once it takes this much: whoever writes or reads one has all of it in
memory, and a thousand dialogues take 50 MB."""
_ROWS_AT_ONCE = 100
"""Rows that are Python objects at once where a row group is written or read; as such they take five times the room."""
SUFFIX = ".parquet"

R = TypeVar("R", bound=Row)

_SORT_KEYS: dict[str, tuple[str, ...]] = {
    "seeds": ("source", "id"),
    "questions": ("domain", "position", "id"),
    "tool_specs": ("domain", "name", "id"),
    "toolsets": ("domain", "id"),
    "dataflow_edges": ("domain", "source", "target", "parameter", "id"),
    "dialogue_tasks": ("slot", "id"),
    "dialogues": ("slot", "trial", "id"),
    "verdicts": (),
    "repaired_dialogues": ("slot", "trial", "id"),
    "repaired_verdicts": (),
    "dataset": (),
    "ledger": ("stage", "unit", "unit_id", "id"),
}
"""Order of the rows in a table; tables not named are in the order of their ids. It does not depend on shards: parts of
a table without a key come in the order of the dialogues that they are about, and stay in it."""


class TableError(ValueError):
    """A file is not the table that it is taken for, or a table holds rows that it must not."""


def sort_key(table: str) -> tuple[str, ...]:
    """The columns that a table is sorted by."""
    return _SORT_KEYS.get(table, ("id",))


def write_table(table: str, rows: Iterable[Row], store: Store) -> TableRef:
    """Writes rows, in the order given, as one file of the store.

    Raises:
        TableError: a row is not of the table's class.
        OSError: the store cannot be written.
    """
    kind = _row_class(table)
    names = tuple(kind.model_fields)

    def groups() -> Iterator[pa.Table]:
        group: list[pa.Table] = []
        for portion in portions(iter(rows)):
            group.append(portion)
            if len(group) * _ROWS_AT_ONCE >= ROWS_PER_GROUP or sum(part.nbytes for part in group) >= _BYTES_PER_GROUP:
                yield pa.concat_tables(group)
                group = []
        if group:
            yield pa.concat_tables(group)

    def portions(iterator: Iterator[Row]) -> Iterator[pa.Table]:
        while portion := list(islice(iterator, _ROWS_AT_ONCE)):
            for row in portion:
                if type(row) is not kind:
                    raise TableError(f"a row of table {table} is a {type(row).__name__}, not a {kind.__name__}")
            columns = {name: [getattr(row, name) for row in portion] for name in names}
            yield pa.table(columns, schema=arrow_schema(table))

    return _write(table, groups(), store)


@overload
def read_rows(source: TableRef | Path, table: type[R], start: int = 0, stop: int | None = None) -> Iterator[R]: ...
@overload
def read_rows(source: TableRef | Path, table: str, start: int = 0, stop: int | None = None) -> Iterator[Row]: ...
def read_rows(
    source: TableRef | Path, table: str | type[Row], start: int = 0, stop: int | None = None
) -> Iterator[Row]:
    """The rows of a file, one row group in memory at a time.

    Rows of a reference are not validated again: they were checked when they were made, and the reference's schema
    fingerprint says that nothing has changed since. Rows of a bare path are validated.

    Args:
        source: the file.
        table: name of the table, or its row class.
        start: position of the first row wanted; row groups before it are not read.
        stop: position after the last row wanted; default: all.

    Raises:
        TableError: the file is missing, is not Parquet, holds another table, or (bare path) a row is not valid.
    """
    name = table if isinstance(table, str) else _table_name(table)
    if isinstance(source, TableRef) and not isinstance(table, str) and TABLES.get(source.table) is table:
        name = source.table  # two tables may have rows of one class
    kind = _row_class(name)
    if isinstance(source, TableRef):
        _check_reference(source, name)
        for record in _read_records(find_table(source), name, start=start, stop=stop):
            yield kind.model_construct(**record)
        return
    for number, record in enumerate(_read_records(source, name, start=start, stop=stop), start):
        try:
            yield kind.model_validate(record)
        except ValueError as error:
            raise TableError(f"{source}, row {number}: {error}") from error


def read_columns(source: TableRef | Path, table: str, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Some columns of each row, as plain values: cheap where whole rows are not needed.

    Raises:
        TableError: as for `read_rows`.
    """
    _row_class(table)
    yield from _read_records(find_table(source) if isinstance(source, TableRef) else source, table, columns)


def describe_table(path: Path, table: str) -> TableRef:
    """The reference of a file that was made elsewhere.

    Raises:
        TableError: the file is missing, is not Parquet, or its columns are not those of the table.
    """
    _row_class(table)
    file = _open(path, table)
    return TableRef(
        table=table,
        path=str(path.resolve()),
        sha256=hash_file(path),
        rows=file.metadata.num_rows,
        schema_fingerprint=schema_fingerprint(table),
    )


def merge_tables(table: str, parts: Sequence[TableRef], store: Store) -> TableRef:
    """One table of several, sorted by the table's key. The result does not depend on how rows were divided.

    Parts whose ranges do not overlap (shards of consecutive rows) are read one after the other, others are merged as
    streams; a part that is not in order is sorted in memory.

    Raises:
        TableError: a part is of another table or was written with another schema.
        OSError: the store cannot be written.
    """
    key = sort_key(table)

    def place(row: Row) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in key)

    known = [(found, part) for part in parts if (found := _find_range(part, table, key)) is not None]
    known.sort(key=lambda pair: (pair[0].first, pair[0].last))

    def read(found: _Range, part: TableRef) -> Iterator[Row]:
        rows = read_rows(part, table)
        return rows if found.in_order else iter(sorted(rows, key=place))

    if all(earlier.last <= later.first for (earlier, _), (later, _) in pairwise(known)):
        return write_table(table, (row for found, part in known for row in read(found, part)), store)
    return write_table(table, heapq.merge(*(read(*pair) for pair in known), key=place), store)


@dataclass(frozen=True)
class _Range:
    """The keys of a part."""

    first: tuple[Any, ...]
    last: tuple[Any, ...]
    in_order: bool


def _find_range(part: TableRef, table: str, key: Sequence[str]) -> _Range | None:
    """None for a part without rows."""
    first = last = before = None
    in_order = True
    for record in read_columns(part, table, key or ("id",)):
        place = tuple(record[name] for name in key)
        first = place if first is None else min(first, place)
        last = place if last is None else max(last, place)
        in_order &= before is None or before <= place
        before = place
    return None if first is None or last is None else _Range(first, last, in_order)


def find_table(reference: TableRef) -> Path:
    """The file of a table on this machine; fetched where it lies in an object store.

    Raises:
        TableError: it is gone.
        OSError: the object store cannot be read.
    """
    try:
        return find_file(reference.path)
    except FileNotFoundError:
        raise TableError(f"{reference.path} does not exist") from None


def bring_tables(references: Mapping[str, TableRef]) -> dict[str, TableRef]:
    """References to tables on this machine, for those who open the files by their path.

    Raises:
        TableError: one is gone.
        OSError: an object store cannot be read.
    """
    return {name: one.model_copy(update={"path": str(find_table(one))}) for name, one in references.items()}


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _row_class(table: str) -> type[Row]:
    if table not in TABLES:
        raise TableError(f"there is no table {table!r}; tables are {', '.join(TABLES)}")
    return TABLES[table]


def _table_name(kind: type[Row]) -> str:
    return next(name for name, row_class in TABLES.items() if row_class is kind)


def _check_reference(reference: TableRef, table: str) -> None:
    if reference.table != table:
        raise TableError(f"{reference.path} is table {reference.table}, not {table}")
    if reference.schema_fingerprint != schema_fingerprint(table):
        raise TableError(f"{reference.path} was written with another schema of table {table}; run its stage again")


def _open(path: Path, table: str) -> pq.ParquetFile:
    if not path.is_file():
        raise TableError(f"{path} does not exist")
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"{path} cannot be read as Parquet: {error}") from error
    _check_columns(path, table, file.schema_arrow)
    return file


def _check_columns(path: Path, table: str, found: pa.Schema) -> None:
    expected = cast("Iterable[pa.Field[Any]]", arrow_schema(table))
    present = cast("Iterable[pa.Field[Any]]", found)
    wanted = {field.name: _type_name(field.type) for field in expected}
    given = {field.name: _type_name(field.type) for field in present}
    problems = [
        *(f"column {name} is missing" for name in wanted if name not in given),
        *(f"column {name} is not known" for name in given if name not in wanted),
        *(
            f"column {name} is {given[name]}, must be {wanted[name]}"
            for name in wanted
            if name in given and given[name] != wanted[name]
        ),
    ]
    if problems:
        raise TableError(f"{path} does not hold table {table}: {'; '.join(problems)}")


def _type_name(kind: Any) -> str:
    # Parquet calls the items of a list `element`, Arrow `item`: the same type under two names.
    return f"list<{_type_name(kind.value_type)}>" if isinstance(kind, pa.ListType) else str(kind)


def _read_records(
    path: Path, table: str, columns: Sequence[str] | None = None, start: int = 0, stop: int | None = None
) -> Iterator[Mapping[str, Any]]:
    file = _open(path, table)
    chosen = list(columns) if columns is not None else None
    first = 0
    for number in range(file.num_row_groups):
        length = file.metadata.row_group(number).num_rows
        skipped, wanted = max(0, start - first), length if stop is None else min(length, stop - first)
        first += length
        if skipped >= length or wanted <= 0:
            continue
        batches = file.iter_batches(batch_size=_ROWS_AT_ONCE, row_groups=[number], columns=chosen)
        yield from islice(chain.from_iterable(batch.to_pylist() for batch in batches), skipped, wanted)


def _write(table: str, groups: Iterator[pa.Table], store: Store) -> TableRef:
    store.root.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=store.root, prefix=".writing-", suffix=SUFFIX)
    os.close(handle)
    temporary = Path(name)
    rows = 0
    try:
        with pq.ParquetWriter(
            temporary, arrow_schema(table), compression="zstd", compression_level=3, write_page_index=False
        ) as writer:
            for group in groups:
                writer.write_table(group, row_group_size=ROWS_PER_GROUP)
                rows += group.num_rows
        # Published tables are links to this file: whoever writes into one must not change the store.
        temporary.chmod(0o444)
        sha256 = store.put_file(temporary, SUFFIX)
    finally:
        temporary.unlink(missing_ok=True)
    return TableRef(
        table=table,
        path=name_file(store.path(sha256, SUFFIX)),
        sha256=sha256,
        rows=rows,
        schema_fingerprint=schema_fingerprint(table),
    )
