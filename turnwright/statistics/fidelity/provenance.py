"""Where the values of arguments come from, and the dependency graph that follows from it.

An argument's value comes from whoever brought it into the conversation first: the user's words, a tool's result, the
tools' specifications (a default, a member of an enum, true or false), the system message; what nobody brought is
unknown (the assistant made it, inferred it or wrote it in other words). A result brings only what its own call and the
calls before it did not already hold, so an echo of an argument is no source. An edge runs from the call whose result
brought a value to every call that uses it.

Values that stand in many places by chance (numbers below 100, strings of one or two characters, members of an enum)
count as taken from a result only where the names agree: they are equal, one is the last word of the other (`id` and
`player_id`), or they name the same thing (`winning_pilot` and `pilot_id`). null, true and false never do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from turnwright.statistics.fidelity.trajectory import Call, Result, Said, Trajectory
from turnwright.statistics.fidelity.values import (
    Key,
    Leaf,
    is_identifier,
    is_weak,
    make_key,
    read_leaves,
    split_name,
)
from turnwright.validation.values import names

Provenance = Literal["user", "result_same_turn", "result_earlier_turn", "system", "default", "unknown"]
PROVENANCES: tuple[Provenance, ...] = (
    "user",
    "result_same_turn",
    "result_earlier_turn",
    "system",
    "default",
    "unknown",
)

_MOST_ARGUMENTS = 64
"""Values of one call that are traced."""


@dataclass(frozen=True)
class Argument:
    """One scalar inside the arguments of a call."""

    call: int
    name: str
    provenance: Provenance
    source: int | None
    """Position of the call whose result brought it."""


@dataclass(frozen=True)
class Trace:
    """The arguments of a dialogue, and what follows from them."""

    arguments: tuple[Argument, ...]
    edges: frozenset[tuple[int, int]]
    """Pairs of positions: from the call that brought a value to the one that uses it."""


@dataclass(frozen=True)
class _Brought:
    call: int
    request: int


class _Known:
    """What has been said and returned so far."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory
        self._users: list[str] = []
        self._system: list[str] = []
        self._strong: dict[Key, _Brought] = {}
        self._named: dict[tuple[Key, str], _Brought] = {}
        self._held: set[tuple[Key, str]] = set()
        self._said: dict[Key, tuple[int, int | None]] = {}

    def hear(self, said: Said) -> None:
        """A message of the user or the system."""
        if said.role == "user":
            self._users.append(said.text)
        elif said.role == "system":
            self._system.append(said.text)

    def learn(self, result: Result) -> None:
        """A result."""
        if result.failed:
            return
        brought = _Brought(result.call, len(self._users))
        for leaf in read_leaves(result.value):
            key = make_key(leaf.value)
            if key is None or (key, "" if not is_weak(key) else _read_name(leaf.name)) in self._held:
                continue
            name = _read_name(leaf.name)
            self._named.setdefault((key, name), brought)
            self._named.setdefault((key, f"*{name.rsplit(' ', 1)[-1]}"), brought)
            if is_identifier(leaf.name) and " " in name:
                self._named.setdefault((key, f"*{name.split(' ')[-2]}"), brought)
            if not is_weak(key):
                self._strong.setdefault(key, brought)

    def trace(self, call: Call, leaf: Leaf) -> Argument:
        """Where one argument of a call comes from; a result that echoes it from here on brings nothing."""
        key = make_key(leaf.value)
        if key is None:
            chosen = isinstance(leaf.value, bool) and leaf.name in self._trajectory.flags
            return Argument(call.position, leaf.name, "default" if chosen else "unknown", None)
        offered = key in self._trajectory.offers.get(leaf.name, ())
        weak = is_weak(key) or offered
        brought = self._find_named(key, leaf.name) if weak else self._strong.get(key)
        heard = self._find_said(key, leaf.value)
        # A small number that is a key by its name was returned, even where the user happened to say the same number.
        first = brought is not None and (
            heard is None or heard >= brought.request or (is_weak(key) and is_identifier(leaf.name))
        )
        if brought is not None and first:
            same = brought.request == len(self._users)
            return Argument(
                call.position, leaf.name, "result_same_turn" if same else "result_earlier_turn", brought.call
            )
        self._held.add((key, _read_name(leaf.name) if is_weak(key) else ""))
        if heard is not None:
            return Argument(call.position, leaf.name, "user", None)
        if offered:
            return Argument(call.position, leaf.name, "default", None)
        if not is_weak(key) and any(names(leaf.value, text) for text in self._system):
            return Argument(call.position, leaf.name, "system", None)
        return Argument(call.position, leaf.name, "unknown", None)

    def _find_named(self, key: Key, name: str) -> _Brought | None:
        words = _read_name(name)
        if " " not in words:
            return self._named.get((key, f"*{words}"))
        last = words.rsplit(" ", 1)[-1]
        found = self._named.get((key, words)) or self._named.get((key, last))
        return found or (None if is_identifier(name) else self._named.get((key, f"*{last}")))

    def _find_said(self, key: Key, value: object) -> int | None:
        """Number of the first user message that holds the value."""
        looked, found = self._said.get(key, (0, None))
        while found is None and looked < len(self._users):
            if names(value, self._users[looked]):
                found = looked
            looked += 1
        self._said[key] = (looked, found)
        return found


def _read_name(name: str) -> str:
    return " ".join(split_name(name))


def trace_arguments(trajectory: Trajectory) -> Trace:
    """Traces every argument of a dialogue."""
    arguments = tuple(_trace(trajectory))
    edges = frozenset(
        (argument.source, argument.call)
        for argument in arguments
        if argument.source is not None and argument.source < argument.call
    )
    return Trace(arguments, edges)


def _trace(trajectory: Trajectory) -> Iterator[Argument]:
    known = _Known(trajectory)
    for event in trajectory.events:
        if isinstance(event, Said):
            known.hear(event)
        elif isinstance(event, Result):
            known.learn(event)
        else:
            for number, leaf in enumerate(read_leaves(event.arguments)):
                if number >= _MOST_ARGUMENTS:
                    break
                yield known.trace(event, leaf)
