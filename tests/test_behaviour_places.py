"""Behaviours that a dialogue cannot bear go to one that can, as if all others were looked through each time."""

import random
from collections import Counter
from itertools import product

import pytest

from schemas.vocabulary import BEHAVIOURS, Paradigm
from turnwright.goals.behaviour_places import Place, can_bear, place_behaviours

PARADIGMS: tuple[Paradigm, ...] = ("user_oriented_executed", "user_oriented", "task_oriented", "stateless")
PLACES = [Place(paradigm, in_domain) for paradigm, in_domain in product(PARADIGMS, (False, True))]


def look_through(drawn: list[str], places: list[Place]) -> list[str]:
    """The rule in the plainest way: for each behaviour that cannot stay all dialogues are looked through."""
    placed = list(drawn)
    for here, place in enumerate(places):
        if can_bear(placed[here], place):
            continue
        able = [
            other
            for other, elsewhere in enumerate(places)
            if can_bear(placed[here], elsewhere) and can_bear(placed[other], place)
        ]
        if able:
            other = next((one for one in able if placed[one] == "none"), able[0])
            placed[here], placed[other] = placed[other], placed[here]
        else:
            placed[here] = "none"
    return placed


@pytest.mark.parametrize("seed", range(60))
def test_exchanges_are_those_of_looking_through_all(seed: int) -> None:
    rng = random.Random(seed)
    kinds = rng.sample(PLACES, rng.randint(1, len(PLACES)))
    names = ["none", *rng.sample(BEHAVIOURS, rng.randint(1, len(BEHAVIOURS)))]
    weights = [rng.choice([0.0, 0.5, 8.0]), *(rng.random() for _ in names[1:])]
    count = rng.randint(1, 120)
    places = rng.choices(kinds, k=count)
    drawn = rng.choices(names, weights, k=count)
    placed = place_behaviours(drawn, places)
    assert placed == look_through(drawn, places)
    assert all(can_bear(behaviour, place) for behaviour, place in zip(placed, places, strict=True))


def test_nothing_moves_where_every_dialogue_bears_what_was_drawn() -> None:
    drawn = ["changed_mind", "none", "wrong_premise", "tool_fault"]
    assert place_behaviours(drawn, [Place("user_oriented_executed", in_domain=False)] * 4) == drawn
    assert place_behaviours([], []) == []


def test_many_dialogues_that_cannot_bear_what_was_drawn_are_placed() -> None:
    """With a look through all dialogues for each of these, this would take hours."""
    half = 50_000
    places = [Place("task_oriented", in_domain=False)] * half + [Place("user_oriented", in_domain=False)] * half
    drawn = ["changed_mind"] * half + ["none"] * (half // 2) + ["tool_fault"] * (half // 2)
    placed = place_behaviours(drawn, places)
    assert Counter(placed) == Counter(drawn)
    assert set(placed[:half]) == {"none", "tool_fault"} and set(placed[half:]) == {"changed_mind"}
