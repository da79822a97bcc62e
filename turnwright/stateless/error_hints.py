"""Wrong calls with a hint (TC, error hints): what a model most likely gets wrong, and a short word that sets it right.

A wrong call fits its tool's schema: it is a mistake of sense, not of form. It comes, in this order, from a
back-translation that lost (a mistake that a model did make), from the tool that looks most like the right one, or from
another value of the same conversation in the place of the right one.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from schemas.content import canonical_json
from schemas.goals import PlannedCall
from schemas.stateless import ErrorHint
from schemas.tools import Tool
from turnwright.stateless.plans import EarlierCall, list_literals, list_references
from turnwright.statistics.fidelity.tool_words import read_tool_words
from turnwright.tools.argument_checks import find_argument_problem
from turnwright.tools.naming import to_words
from turnwright.tools.tool_text import first_sentence

_MOST = 3


def draw_hints(
    calls: Sequence[PlannedCall],
    losers: Sequence[Sequence[PlannedCall]],
    tools: Mapping[str, Tool],
    earlier: Sequence[EarlierCall],
    count: int,
    rng: random.Random,
) -> tuple[ErrorHint, ...]:
    """At most `count` hints, three at most, each before another call of the turn; in the order of the calls.

    Args:
        calls: the right calls, of one turn.
        losers: plans of back-translations that were not taken.
        tools: those that are offered, by name.
        earlier: the calls of the turns before.
        count: how many are wanted.
        rng: chance.
    """
    chosen = rng.sample(list(calls), min(count, _MOST, len(calls)))
    hints = [hint for call in chosen if (hint := _find_hint(call, calls, losers, tools, earlier)) is not None]
    order = {call.id: place for place, call in enumerate(calls)}
    return tuple(sorted(hints, key=lambda hint: order[hint.before]))


def _find_hint(
    call: PlannedCall,
    calls: Sequence[PlannedCall],
    losers: Sequence[Sequence[PlannedCall]],
    tools: Mapping[str, Tool],
    earlier: Sequence[EarlierCall],
) -> ErrorHint | None:
    right = {canonical_json([other.tool, other.arguments]) for other in calls}
    made = {canonical_json([known.call.tool, dict(known.arguments)]) for known in earlier}
    for kind, tool, arguments, hint in (
        *_list_lost(call, calls, losers, tools),
        *_list_look_alikes(call, tools),
        *_list_mixed_up(call, calls),
    ):
        key = canonical_json([tool, arguments])
        if key not in right | made and find_argument_problem(tools[tool], arguments) is None:
            return ErrorHint(before=call.id, tool=tool, arguments=arguments, hint=hint, kind=cast("Any", kind))
    return None


_Wrong = tuple[str, str, dict[str, Any], str]


def _list_lost(
    call: PlannedCall, calls: Sequence[PlannedCall], losers: Sequence[Sequence[PlannedCall]], tools: Mapping[str, Tool]
) -> Iterator[_Wrong]:
    """Calls of losing plans at the same place, of literals alone, the most frequent first."""
    place = [other.id for other in calls].index(call.id)
    found: Counter[str] = Counter()
    by_key: dict[str, PlannedCall] = {}
    for plan in losers:
        if place < len(plan) and plan[place].tool in tools and not list_references(plan[place]):
            key = canonical_json([plan[place].tool, plan[place].arguments])
            found[key] += 1
            by_key[key] = plan[place]
    for key, _ in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        wrong = by_key[key]
        yield "other_candidate", wrong.tool, dict(wrong.arguments), _point_at(tools[call.tool])


def _list_look_alikes(call: PlannedCall, tools: Mapping[str, Tool]) -> Iterator[_Wrong]:
    """The literals of the call given to another tool that can take them, the one with most words in common first."""
    literals = dict(list_literals(call))
    if not literals:
        return
    verbs, objects = read_tool_words(call.tool)
    ranked: list[tuple[int, str, dict[str, Any]]] = []
    for name, tool in tools.items():
        if name == call.tool:
            continue
        properties = cast("dict[str, Any]", tool.parameters.get("properties") or {})
        required = [str(key) for key in cast("list[Any]", tool.parameters.get("required") or [])]
        taken = {key: value for key, value in literals.items() if key in properties}
        left = [value for key, value in literals.items() if key not in taken]
        for key in required:
            if key not in taken and left:
                taken[key] = left.pop(0)
        if taken:
            theirs = read_tool_words(name)
            ranked.append((-len(objects & theirs[1]) * 2 - bool(verbs & theirs[0]), name, taken))
    for _, name, taken in sorted(ranked, key=lambda item: item[:2]):
        yield "look_alike", name, taken, _point_at(tools[call.tool])


def _list_mixed_up(call: PlannedCall, calls: Sequence[PlannedCall]) -> Iterator[_Wrong]:
    """The call with a value that was said of something else in the place of a reference or of a literal."""
    said = [value for other in calls for _, value in list_literals(other)]
    literals = dict(list_literals(call))
    places = [name for name, _, _ in list_references(call)] or list(literals)
    for name in places:
        for value in said:
            if value == literals.get(name):
                continue
            arguments = {**literals, **{other: value for other in places if other not in literals}, name: value}
            label = to_words(name)
            takes = f"Not that {label}: it has to be the one that an earlier call returns."
            hint = takes if name not in literals else f"Not that {label}: take the one that was asked for."
            yield "mixed_up", call.tool, arguments, hint


def _point_at(tool: Tool) -> str:
    """The hint for a wrong tool: what has to be done instead, in the words of the right one."""
    does = first_sentence(tool.description, 120)
    return f"That does not lead there. What is needed here: {does[:1].lower()}{does[1:]}."
