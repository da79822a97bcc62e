"""Whether what tools return agrees with what was written before, and with what they returned before.

A record is an object in a result with exactly one member that names a thing (an `id`, `order_id`, `code`); the thing is
that member and its value, for a bare `id` within its own tool. Facts are the record's other scalar members. An argument
that does not stand in the record may shape its facts (the date of a fare), so records are compared only where the calls
agree in such arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from schemas.content import canonical_json
from turnwright.statistics.fidelity.tool_words import fold_word
from turnwright.statistics.fidelity.trajectory import Call, Result, Trajectory
from turnwright.statistics.fidelity.values import Key, is_identifier, make_key, read_leaves, split_name

Thing = tuple[str, Key]
Place = tuple[Thing, frozenset[Key], str]
"""A fact of a thing, and the arguments that may have shaped it."""
_MOST_RECORDS = 200


@dataclass
class Consistency:
    """Counts over one dialogue."""

    reads_after_write: int = 0
    """Facts that were written and later read back."""
    reads_agreeing: int = 0
    """Those that came back as written; a deleted thing that comes back does not agree."""
    comparisons: int = 0
    """Facts, and whole results of equal calls, that were returned again with no write in between."""
    contradictions: int = 0
    """Those that differed."""


@dataclass
class _Memory:
    facts: dict[Place, Any] = field(default_factory=dict[Place, Any])
    results: dict[str, str] = field(default_factory=dict[str, str])
    written: dict[tuple[Key, str], tuple[frozenset[str], Any]] = field(
        default_factory=dict[tuple[Key, str], tuple[frozenset[str], Any]]
    )
    deleted: dict[Key, frozenset[str]] = field(default_factory=dict[Key, frozenset[str]])


def measure_consistency(trajectory: Trajectory) -> Consistency:
    """Counts agreements and contradictions in one dialogue."""
    calls = {call.position: call for call in trajectory.calls}
    memory, counts = _Memory(), Consistency()
    for event in trajectory.events:
        if not isinstance(event, Result) or event.failed:
            continue
        call = calls[event.call]
        if call.effect == "write":
            _note_write(call, memory)
        else:
            _check_read(call, event.value, memory, counts)
    return counts


def _note_write(call: Call, memory: _Memory) -> None:
    # A write may change more than it names, so nothing read before it can be contradicted after it.
    memory.facts.clear()
    memory.results.clear()
    leaves = [(leaf.name, leaf.value, make_key(leaf.value)) for leaf in read_leaves(call.arguments)]
    identifiers = [(name, key) for name, _, key in leaves if key is not None and is_identifier(name)]
    removing = any(word in ("delete", "remove", "erase") for word in split_name(call.tool)[:2])
    if len(identifiers) != 1:
        return
    ((name, key),) = identifiers
    kind = _read_kind(name)
    if removing:
        # Who removes a booking by the client's id has not removed the client.
        if kind and kind <= _fold_name(call.tool):
            memory.deleted[key] = kind
        return
    for fact, value, _ in leaves:
        if fact != name:
            memory.written[key, fact] = (kind, value)


def _check_read(call: Call, value: Any, memory: _Memory, counts: Consistency) -> None:
    identity = f"{call.tool} {_dump(call.arguments)}"
    text = _dump(value)
    if identity in memory.results:
        counts.comparisons += 1
        counts.contradictions += memory.results[identity] != text
    memory.results.setdefault(identity, text)
    found: dict[Place, Any] = {}
    unclear: set[Place] = set()
    arguments = {key for leaf in read_leaves(call.arguments) if (key := make_key(leaf.value)) is not None}
    for name, key, record in _find_records(value):
        thing = (_qualify(name, call.tool), key)
        kind = _read_kind(name) or _fold_name(call.tool)
        counts.reads_after_write += key in memory.deleted and memory.deleted[key] <= kind
        shaping = _find_shaping(arguments, record)
        for fact, held in record.items():
            if fact == name or isinstance(held, dict | list):
                continue
            written = memory.written.get((key, fact))
            if written is not None and written[0] <= kind:
                counts.reads_after_write += 1
                counts.reads_agreeing += _agree(written[1], held)
            place = (thing, shaping, fact)
            if place in found and not _agree(found[place], held):
                unclear.add(place)
            found.setdefault(place, held)
    for place, held in found.items():
        if place in unclear:
            continue
        if place in memory.facts:
            counts.comparisons += 1
            counts.contradictions += not _agree(memory.facts[place], held)
        memory.facts.setdefault(place, held)


def _find_shaping(arguments: set[Key], record: Mapping[str, Any]) -> frozenset[Key]:
    """The arguments that do not stand in the record, not even as part of a text: they did more than select it."""
    if not arguments:
        return frozenset()
    keys = {key for leaf in read_leaves(record) if (key := make_key(leaf.value)) is not None}
    texts = [key for key in keys if isinstance(key, str)]
    return frozenset(
        key for key in arguments - keys if not isinstance(key, str) or not any(key in text for text in texts)
    )


def _find_records(value: Any) -> Iterator[tuple[str, Key, Mapping[str, Any]]]:
    waiting: list[tuple[Any, int]] = [(value, 0)]
    found = 0
    while waiting and found < _MOST_RECORDS:
        item, depth = waiting.pop()
        if isinstance(item, list) and depth < 8:
            waiting.extend((held, depth + 1) for held in reversed(cast("list[Any]", item)[:_MOST_RECORDS]))
        elif isinstance(item, dict):
            record = cast("dict[str, Any]", item)
            named = [(name, make_key(held)) for name, held in record.items() if is_identifier(name)]
            if len(named) == 1 and named[0][1] is not None:
                found += 1
                yield named[0][0], named[0][1], record
            if depth < 8:
                waiting.extend((held, depth + 1) for held in record.values())


def _read_kind(name: str) -> frozenset[str]:
    """The words before `id`: what kind of thing it names; nothing for a bare `id`."""
    return frozenset(fold_word(word) for word in split_name(name)[:-1])


def _fold_name(tool: str) -> frozenset[str]:
    return frozenset(fold_word(word) for word in split_name(tool))


def _qualify(name: str, tool: str) -> str:
    return name if len(split_name(name)) > 1 else f"{tool}.{name}"


def _agree(first: Any, second: Any) -> bool:
    one, other = make_key(first), make_key(second)
    return first == second if one is None or other is None else one == other


def _dump(value: Any) -> str:
    try:
        return canonical_json(value)
    except (TypeError, ValueError, RecursionError):
        return "\0".join(f"{leaf.name}={leaf.value!r}" for leaf in read_leaves(value))
