"""The records that tool results hold, by the names that stand in them: which value belongs to whom.

A record is a JSON object with scalar fields. Later writes are laid over earlier reads, so that what a record says is
what it would say if it were read again.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from turnwright.validation.grounding.plain_text import key_of, label_of

_MOST_NAME_WORDS = 12
"""Longer texts are descriptions: nobody calls a record by one."""
_LONGEST_NAME = 120
_MOST_NODES = 200_000
"""JSON nodes of one result that are read; what lies beyond is evidence by its words alone."""

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Record:
    """One object of a result."""

    number: int
    message: int
    group: int
    """Number of the result it came in."""
    cells: dict[str, Scalar]
    """By label, as in `home town`."""
    fetched_by: frozenset[str | float | int]
    """Argument values of the call that returned it: folded texts and numbers."""
    parent: int | None = None
    outdated: dict[str, list[Scalar]] = field(default_factory=dict[str, list[Scalar]])
    """Values that a later write replaced."""
    written: int = -1
    """Message with the result of the last write that replaced one."""


class RecordReading(NamedTuple):
    """One object of a result as it is read, whatever dialogue it stands in. Nothing of it may be changed."""

    cells: dict[str, Scalar]
    parent: int | None
    """Position of the object around it."""
    names: tuple[str, ...]
    """What its texts are looked up by, but for descriptions."""


@dataclass
class Records:
    """All records of a dialogue, in order, and how to find them."""

    all: list[Record] = field(default_factory=list[Record])
    by_name: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Numbers of the records that hold a text, by its words."""
    by_label: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    name_sizes: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    """By the first word of a name, how many words such names have."""
    label_sizes: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    by_fetch: dict[str | float | int, list[int]] = field(default_factory=dict[str | float | int, list[int]])
    """Numbers of the records that a call with this argument value returned."""
    children: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    groups: int = 0
    rewritten: list[int] = field(default_factory=list[int])
    """Numbers of the records of which a write replaced a value, in the order of the writes."""

    def add(self, readings: Iterable[RecordReading], message: int, arguments: Iterable[Scalar]) -> None:
        """Adds the records of one result."""
        self.groups += 1
        start = len(self.all)
        fetched = frozenset(key_of(each) if isinstance(each, str) else each for each in arguments if each is not None)
        for number, (cells, parent, names) in enumerate(readings, start):
            above = start + parent if parent is not None else None
            self.all.append(Record(number, message, self.groups, cells.copy(), fetched, above))
            for each in fetched:
                self.by_fetch.setdefault(each, []).append(number)
            if above is not None:
                self.children.setdefault(above, []).append(number)
            for label in cells:
                known = self.by_label.get(label)
                if known is None:
                    self.by_label[label] = [number]
                    _note(self.label_sizes, label)
                else:
                    known.append(number)
            for name in names:
                self._name(name, number)

    def _name(self, key: str, number: int) -> None:
        known = self.by_name.get(key)
        if known is None:
            self.by_name[key] = [number]
            _note(self.name_sizes, key)
        elif known[-1] != number:
            known.append(number)

    def overwrite(
        self, keys: dict[str, Scalar], values: dict[str, Scalar], spoilt: Iterable[str], message: int
    ) -> None:
        """Lays a write over the records that it met: those that hold all of `keys`.

        `spoilt` are labels whose values it changed in a way that nobody can tell from here; `message` has its result.
        """
        if not keys:
            return
        label, wanted = next(iter(keys.items()))
        for number in self.by_label.get(label, ()):
            record = self.all[number]
            if record.cells.get(label) != wanted or any(
                name in record.cells and record.cells[name] != value for name, value in keys.items()
            ):
                continue
            for name, value in values.items():
                if name in record.cells and not same_scalar(record.cells[name], value):
                    record.outdated.setdefault(name, []).append(record.cells[name])
                    record.cells[name] = value
                    record.written = message
                    self.rewritten.append(number)
                    if isinstance(value, str) and (key := _name_of(value)):
                        self._name(key, number)
            for name in spoilt:
                record.cells.pop(name, None)

    def named(self, key: str) -> list[Record]:
        """The records that hold a text, and the ones inside them."""
        return [self.all[number] for number in self.by_name.get(key, ())]


def _note(sizes: dict[str, set[int]], phrase: str) -> None:
    first = phrase.partition(" ")[0]
    sizes.setdefault(first, set()).add(1 + phrase.count(" "))


def same_scalar(first: Scalar, second: Scalar) -> bool:
    """Equality by value: 25 equals 25.0 and float noise is allowed."""
    if isinstance(first, int | float) and isinstance(second, int | float):
        return first == second or math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
    return first == second


def read_records(value: Any) -> Iterator[RecordReading]:
    """The objects of a JSON document."""
    for cells, parent in walk_objects(value):
        names = tuple([key for cell in cells.values() if isinstance(cell, str) and (key := _name_of(cell))])
        yield RecordReading(cells, parent, names)


def _name_of(text: str) -> str:
    """What a text is looked up by; nothing where it is no name."""
    if not text or len(text) > _LONGEST_NAME:
        return ""
    key = key_of(text)
    return key if key.count(" ") < _MOST_NAME_WORDS else ""


def walk_objects(value: Any) -> Iterator[tuple[dict[str, Scalar], int | None]]:
    """The objects of a JSON document with their scalar fields by label, and the position of the one around them.

    Without recursion: a document may be as deep as it likes.
    """
    stack: list[tuple[Any, int | None]] = [(value, None)]
    position = -1
    nodes = 0
    while stack:
        node, parent = stack.pop()
        nodes += 1
        if nodes > _MOST_NODES:
            return
        if isinstance(node, dict):
            fields = cast("dict[str, Any]", node)
            position += 1
            here = position
            yield (
                {label_of(name): cell for name, cell in fields.items() if not isinstance(cell, dict | list)},
                parent,
            )
            stack += [(child, here) for child in reversed(fields.values()) if isinstance(child, dict | list)]
        elif isinstance(node, list):
            stack += [(child, parent) for child in reversed(cast("list[Any]", node)) if isinstance(child, dict | list)]


def walk_leaves(value: Any) -> Iterator[tuple[str, Scalar]]:
    """Each scalar of a JSON document with the nearest field name above it; without recursion."""
    stack: list[tuple[str, Any]] = [("", value)]
    nodes = 0
    while stack:
        name, node = stack.pop()
        nodes += 1
        if nodes > _MOST_NODES:
            return
        if isinstance(node, dict):
            stack += reversed(cast("dict[str, Any]", node).items())
        elif isinstance(node, list):
            stack += [(name, child) for child in reversed(cast("list[Any]", node))]
        else:
            yield name, node
