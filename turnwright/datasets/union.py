"""The tables of a new version: what the last one has, and of a run's tables what is not there yet."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.rows import Row, TableRef
from schemas.tables import TABLES
from turnwright.storage.store import Store
from turnwright.storage.tables import merge_tables, read_columns, read_rows, write_table

_EXAMPLES = "dataset"


@dataclass(frozen=True)
class United:
    """One table of a new version."""

    table: TableRef
    before: int
    """Rows of the last version."""
    fresh: TableRef
    """The rows that were added."""
    repeated: int
    """Rows of the run that the last version has."""


def unite_tables(before: Mapping[str, TableRef], run: Mapping[str, TableRef], store: Store) -> dict[str, United]:
    """Every table of either side. What was published stays as it was, in its order where the table has one.

    A row is repeated if its id is there; an example also if one with the same messages is. What a run made of a
    repeated row's parents is kept, whatever it says now: ids cover what made a row, and nothing published changes.

    Raises:
        TableError: a table cannot be read, or was written with another schema.
        OSError: the store cannot be written.
    """
    return {
        table: _unite(table, before.get(table), run.get(table), store)
        for table in TABLES
        if table in before or table in run
    }


def _unite(table: str, before: TableRef | None, added: TableRef | None, store: Store) -> United:
    if added is None:
        assert before is not None
        return United(before, before.rows, write_table(table, [], store), 0)
    if before is None:
        before = write_table(table, [], store)
    ids = {_shorten(str(row["id"])) for row in read_columns(before, table, ["id"])}
    said: set[bytes] = set()
    if table == _EXAMPLES:
        said = {_shorten(str(row["messages"])) for row in read_columns(before, table, ["messages"])}
    repeated = 0

    def choose() -> Iterator[Row]:
        nonlocal repeated
        for row in read_rows(added, table):
            content = _shorten(getattr(row, "messages", "")) if table == _EXAMPLES else b""
            if _shorten(row.id) in ids or content in said:
                repeated += 1
                continue
            yield row

    fresh = write_table(table, choose(), store)
    if not before.rows:
        return United(fresh, 0, fresh, repeated)
    merged = merge_tables(table, [before, fresh], store) if fresh.rows else before
    return United(merged, before.rows, fresh, repeated)


def _shorten(text: str) -> bytes:
    """Sixteen bytes in the place of a text, so that the ids of a million rows fit into memory."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
