"""Which behaviour can come about in which dialogue, and moving those that were drawn for one that cannot bear them."""

import heapq
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from schemas.vocabulary import STATELESS, Paradigm

WITHOUT_USER = frozenset({"none", "tool_fault", "parallel_calls"})
"""Behaviours that nobody has to answer the assistant for: the only ones of task-oriented dialogues."""
IN_PLANS = WITHOUT_USER | {"missing_parameter", "out_of_scope", "removed_tool"}
"""Behaviours of stateless dialogues: the plan of a turn says what the user answers, or that nothing is called."""
NEEDS_DATA = frozenset({"ambiguous_reference", "wrong_premise"})
"""Behaviours that are about what stands in the data: they need tools that run."""
IN_DOMAINS = frozenset({"none", "missing_parameter", "changed_mind", "tool_fault", "out_of_scope", "forbidden_action"})
"""Behaviours that the scenarios of a stateful domain can carry."""


class Place(NamedTuple):
    """All that decides which behaviours a dialogue can bear; there are few different ones, however many dialogues."""

    paradigm: Paradigm
    in_domain: bool
    """Whether some of its tools are those of a stateful domain."""


def can_bear(behaviour: str, place: Place) -> bool:
    """Whether a behaviour can come about in dialogues made this way over such tools."""
    if place.paradigm in STATELESS:
        return behaviour in IN_PLANS
    if place.paradigm == "task_oriented" and behaviour not in WITHOUT_USER:
        return False
    if place.paradigm != "user_oriented_executed":
        return behaviour not in NEEDS_DATA
    return behaviour in IN_DOMAINS or not place.in_domain


def place_behaviours(drawn: Sequence[str], places: Sequence[Place]) -> list[str]:
    """The behaviours, each moved to a dialogue that can bear it by exchange with one that bears what it gets.

    The exchange is with the first such dialogue that has none, otherwise with the first one; a behaviour that no
    exchange can place is dropped. Where every dialogue bears what was drawn for it, nothing moves.

    Dialogues are looked up by what they can bear and what they have, so that the time grows with their number, not with
    its square.
    """
    placed = list(drawn)
    pairs = [*product(dict.fromkeys(places), dict.fromkeys([*drawn, "none"]))]
    bearable = {(place, behaviour) for place, behaviour in pairs if can_bear(behaviour, place)}
    having: dict[tuple[Place, str], list[int]] = {pair: [] for pair in pairs}
    """Heaps of positions. One that has something else by now is left out when it comes to the top."""
    for position, pair in enumerate(zip(places, placed, strict=True)):
        having[pair].append(position)

    def find_first(able: Iterable[tuple[Place, str]]) -> int | None:
        tops: list[int] = []
        for pair in able:
            heap = having[pair]
            while heap and placed[heap[0]] != pair[1]:
                heapq.heappop(heap)
            tops += heap[:1]
        return min(tops, default=None)

    def put(position: int, behaviour: str) -> None:
        placed[position] = behaviour
        heapq.heappush(having[places[position], behaviour], position)

    for position, place in enumerate(places):
        behaviour = placed[position]
        if (place, behaviour) in bearable:
            continue
        able = [(other, has) for other, has in pairs if (other, behaviour) in bearable and (place, has) in bearable]
        partner = find_first(pair for pair in able if pair[1] == "none")
        if partner is None:
            partner = find_first(able)
        given = "none" if partner is None else placed[partner]
        put(position, given)
        if partner is not None:
            put(partner, behaviour)
    return placed
