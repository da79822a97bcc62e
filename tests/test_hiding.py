"""Hidden calls: closed under what they need, never what the user is after, drawn by the seed alone."""

import random
from collections import Counter

from stateless_world import call, errand

from schemas.goals import PlannedCall
from turnwright.stateless.hiding import draw_hidden
from turnwright.stateless.plans import find_sinks, list_references


def draw_plan(rng: random.Random) -> list[PlannedCall]:
    """A plan of 2 to 12 calls, each with a literal and references to any of those before it."""
    calls: list[PlannedCall] = []
    for number in range(1, rng.randint(2, 12) + 1):
        needs = rng.sample(calls, rng.randint(0, min(3, len(calls)))) if calls else []
        references = {f"p{place}": (one.id, "field") for place, one in enumerate(needs)}
        calls.append(call(f"c{number}", "get_order", order_code=f"W{number}", **references))
    return calls


def test_every_draw_is_ancestor_closed_and_leaves_the_sinks() -> None:
    rng = random.Random("hiding")
    sizes: Counter[int] = Counter()
    for _ in range(2_000):
        calls = draw_plan(rng)
        hidden = draw_hidden(calls, rng, first=rng.random() < 0.5)
        needs = {one.id: {source for _, source, _ in list_references(one)} for one in calls}
        assert not hidden & {sink.id for sink in find_sinks(calls)}
        assert all(needs[identifier] <= hidden for identifier in hidden)
        sizes[len(hidden)] += 1
    assert len(sizes) > 5 and sizes[0] < 1_200


def test_a_first_turn_keeps_a_literal_on_both_sides() -> None:
    bare = [errand()[0], call("c2", "send_message", employee_id=("c1", "employee_id"), subject=("c1", "city"))]
    draws = [draw_hidden(bare, random.Random(seed), first=True) for seed in range(30)]
    assert set(draws) == {frozenset()}
    assert {draw_hidden(bare, random.Random(seed), first=False) for seed in range(30)} == {
        frozenset(),
        frozenset({"c1"}),
    }


def test_calls_of_earlier_turns_stand_in_no_ones_way() -> None:
    later = [
        call("c4", "get_customer", customer_id=("c2", "customer_id"), year=2024),
        call("c5", "find_employees", employee_name=("c4", "customer_name"), city="York"),
    ]
    assert {draw_hidden(later, random.Random(seed), first=False) for seed in range(30)} == {
        frozenset(),
        frozenset({"c4"}),
    }


def test_the_same_chance_hides_the_same() -> None:
    assert draw_hidden(errand(), random.Random("a"), first=True) == draw_hidden(
        errand(), random.Random("a"), first=True
    )
