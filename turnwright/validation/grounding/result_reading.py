"""What a tool's result holds, read once: the same result comes back in dialogue after dialogue over a database."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from turnwright.validation.documents import read_document
from turnwright.validation.grounding.known import Known, Notes, read_label, read_value
from turnwright.validation.grounding.records import RecordReading, Scalar, read_records, walk_leaves

_SHORT = 1500
"""Characters up to which a result is remembered."""
_MOST_COLUMN = 2000
"""Records of one result of which the fields are read as columns."""


class ResultReading(NamedTuple):
    """A result. Nothing of it may be changed: dialogues share it."""

    value: Any
    """What it is as JSON; the text itself where it is none."""
    known: Known = Known()
    records: tuple[RecordReading, ...] = ()
    columns: tuple[tuple[str, Sequence[float]], ...] = ()
    """The numbers of each field that has any."""
    counts: tuple[int, ...] = ()
    """How many different values a field has, and how often one stands in it."""
    sizes: tuple[int, ...] = ()
    """How many entries its lists have."""


def read_result(text: str) -> ResultReading:
    """The reading of a result; of one that is text only its value."""
    return _read_short(text) if len(text) <= _SHORT else _read(text)


@lru_cache(maxsize=512)
def _read_short(text: str) -> ResultReading:
    return _read(text)


def _read(text: str) -> ResultReading:
    value = read_document(text)
    if isinstance(value, str):
        return ResultReading(value)
    records = tuple(read_records(value))
    columns, counts = _read_columns(records[:_MOST_COLUMN])
    return ResultReading(value, _gather(value, records), records, columns, counts, tuple(_list_sizes(value)))


def _gather(value: Any, records: Iterable[RecordReading]) -> Known:
    """What the leaves of a result say, and then the names of its fields."""
    notes = Notes()
    for _, leaf in walk_leaves(value):
        if isinstance(leaf, str):
            notes.take(read_value(leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            notes.numbers[leaf] = None
    for label in dict.fromkeys(label for record in records for label in record.cells):
        notes.take(read_label(label))
    return notes.finish()


def _read_columns(
    records: Sequence[RecordReading],
) -> tuple[tuple[tuple[str, Sequence[float]], ...], tuple[int, ...]]:
    cells: dict[str, list[Scalar]] = {}
    for record in records:
        for label, cell in record.cells.items():
            cells.setdefault(label, []).append(cell)
    columns: list[tuple[str, Sequence[float]]] = []
    counts: dict[int, None] = {}
    for label, column in cells.items():
        figures = [each for each in column if isinstance(each, int | float) and not isinstance(each, bool)]
        if figures:
            columns.append((label, figures))
        tally: dict[Scalar, int] = {}
        for each in column:
            if not isinstance(each, float):
                tally[each] = tally.get(each, 0) + 1
        if tally:
            counts[len(tally)] = None
            counts |= dict.fromkeys(tally.values())
    return tuple(columns), tuple(counts)


def _list_sizes(value: Any) -> set[int]:
    sizes: set[int] = set()
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            items = cast("list[Any]", node)
            sizes.add(len(items))
            stack += [child for child in items if isinstance(child, dict | list)]
        elif isinstance(node, dict):
            stack += [child for child in cast("dict[str, Any]", node).values() if isinstance(child, dict | list)]
    return sizes
