"""The state of a stateful domain: tables of JSON records, shared by all dialogues until one of them writes.

A dialogue's state lays the records that it wrote over those of the base, so a fresh one costs nothing and a read never
copies. Records that can be read are frozen all the way down: code that forgets to ask for a copy before it writes is
stopped by a TypeError instead of changing the base of its neighbours.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, cast

from schemas.content import canonical_json
from schemas.goals import RowChange
from turnwright.environments.values import sort_changes

Record = Mapping[str, Any]
Tables = Mapping[str, Mapping[str, Record]]
"""Table name -> key -> record. A record is a JSON object."""


class FrozenRecord(dict[str, Any]):
    """A JSON object that cannot be changed; the same to readers and to JSON writers as any other."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a record that was read cannot be changed; ask the state for a copy with edit()")

    __setitem__ = __delitem__ = __ior__ = _refuse  # pyright: ignore[reportAssignmentType]
    clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]


def freeze(value: Any) -> Any:
    """A JSON value that cannot be changed: objects as FrozenRecord, lists as tuples."""
    if isinstance(value, dict):
        return FrozenRecord({str(key): freeze(item) for key, item in cast("dict[Any, Any]", value).items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in cast("list[Any]", value))
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a record holds a {type(value).__name__}, which is no JSON value")


def thaw(value: Any) -> Any:
    """A JSON value of one's own: plain dicts and lists."""
    if isinstance(value, dict):
        return {key: thaw(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in cast("list[Any]", value)]
    return value


class DomainState:
    """One dialogue's view of the tables. Not thread-safe: an environment uses it under its lock.

    Writes gather in a draft until `commit`; `discard` leaves everything as it was. So a call that refuses half way has
    changed nothing.
    """

    def __init__(self, base: Tables) -> None:
        """`base` must be frozen (see `freeze`); it is shared and never written."""
        self._base = base
        self._own: dict[str, dict[str, Record | None]] = {}
        self._draft: dict[tuple[str, str], dict[str, Any] | None] = {}

    def find(self, table: str, key: str) -> Record | None:
        """The record with that key, or none. It cannot be changed, unless `edit` gave it out in the same call."""
        if (table, key) in self._draft:
            return self._draft[table, key]
        own = self._own.get(table)
        if own is not None and key in own:
            return own[key]
        return self._base.get(table, {}).get(key)

    def records(self, table: str) -> Iterator[tuple[str, Record]]:
        """All records of a table with their keys: those of the base in their order, then added ones by key."""
        base = self._base.get(table, {})
        own = self._own.get(table, {})
        drafted = [key for name, key in self._draft if name == table]
        if not own and not drafted:
            yield from base.items()
            return
        added = sorted({key for key in (*own, *drafted) if key not in base})
        for key in (*base, *added):
            record = self.find(table, key)
            if record is not None:
                yield key, record

    def edit(self, table: str, key: str) -> dict[str, Any]:
        """A copy of a record that may be changed, and that takes its place when the call succeeds.

        Raises:
            KeyError: there is no such record.
        """
        found = self.find(table, key)
        if found is None:
            raise KeyError(f"{table} has no record {key}")
        drafted = self._draft.get((table, key))
        if drafted is None:
            drafted = self._draft[table, key] = thaw(found)
        return drafted

    def add(self, table: str, key: str, record: dict[str, Any]) -> None:
        """Adds a record.

        Raises:
            KeyError: there is one with that key.
        """
        if self.find(table, key) is not None:
            raise KeyError(f"{table} has a record {key} already")
        self._draft[table, key] = record

    def remove(self, table: str, key: str) -> None:
        """Removes a record.

        Raises:
            KeyError: there is no such record.
        """
        if self.find(table, key) is None:
            raise KeyError(f"{table} has no record {key}")
        self._draft[table, key] = None

    def commit(self) -> int:
        """Keeps what the draft holds and says how many records differ from before.

        Raises:
            TypeError: a record holds what is no JSON value; the draft stays.
        """
        frozen = [(place, None if record is None else freeze(record)) for place, record in self._draft.items()]
        self._draft = {}
        changed = 0
        for (table, key), record in frozen:
            if record == self.find(table, key):
                continue
            self._own.setdefault(table, {})[key] = record
            changed += 1
        return changed

    def discard(self) -> None:
        """Drops the draft."""
        self._draft = {}

    @property
    def drafted(self) -> bool:
        """Whether the call wrote anything, be it what stood there before."""
        return bool(self._draft)

    def changes(self, unordered: Mapping[str, frozenset[str]]) -> list[RowChange]:
        """Records that differ from the base, in canonical order.

        `unordered` names for each table the fields whose lists have no order: a list that only stands in another order
        is no difference.
        """
        changes: list[RowChange] = []
        for table, records in self._own.items():
            loose = unordered.get(table, frozenset[str]())
            for key, record in records.items():
                before = _settle(self._base.get(table, {}).get(key), loose)
                after = _settle(record, loose)
                if before != after:
                    changes.append(RowChange(table=table, before=before, after=after))
        return sort_changes(changes)


def _settle(record: Record | None, loose: frozenset[str]) -> dict[str, Any] | None:
    """A record as plain JSON, lists without an order in a canonical one."""
    if record is None:
        return None
    plain: dict[str, Any] = thaw(record)
    for field in loose:
        if isinstance(plain.get(field), list):
            plain[field] = sorted(plain[field], key=canonical_json)
    return plain
