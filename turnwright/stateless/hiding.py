"""Which calls of a turn the user does not ask for (TC, hide): look-ups that others need, never what the user wants."""

import random
from collections.abc import Sequence

from schemas.goals import PlannedCall
from turnwright.stateless.plans import find_sinks, list_literals, list_references


def draw_hidden(calls: Sequence[PlannedCall], rng: random.Random, *, first: bool) -> frozenset[str]:
    """Ids of the calls to hide: closed under what they depend on, and without a sink.

    m is drawn evenly from none to all that are eligible, which are the calls that another one depends on; then a random
    eligible call is hidden, m times, all of whose own dependencies in this turn are hidden already. Earlier turns are
    settled and stand in no one's way.

    On the first turn the set is cut back to what leaves a literal on both sides: otherwise nothing would tell which of
    them the request speaks of first, and no request could pass.
    """
    own = {call.id for call in calls}
    sinks = {call.id for call in find_sinks(calls)}
    needs = {call.id: {identifier for _, identifier, _ in list_references(call) if identifier in own} for call in calls}
    eligible = [call.id for call in calls if call.id not in sinks]
    order: list[str] = []
    for _ in range(rng.randint(0, len(eligible))):
        able = [identifier for identifier in eligible if identifier not in order and needs[identifier] <= {*order}]
        if not able:
            break
        order.append(rng.choice(able))
    # Whatever was hidden first needs nothing that was hidden later, so any beginning of the order is closed as well.
    while order and first and not _is_told_apart(calls, order):
        order.pop()
    return frozenset(order)


def _is_told_apart(calls: Sequence[PlannedCall], hidden: Sequence[str]) -> bool:
    """Whether hidden and explicit calls have a literal each."""
    return all(
        any(list_literals(call) for call in calls if (call.id in hidden) is kept_back) for kept_back in (True, False)
    )
