"""Error hints: wrong calls that fit their schema, before another call each, never one of the right ones."""

import random

from stateless_world import TOOLS, call, errand, made

from turnwright.stateless.error_hints import draw_hints
from turnwright.tools.argument_checks import find_argument_problem


def test_wrong_calls_fit_the_schema_and_are_none_of_the_right_ones() -> None:
    seen: set[str] = set()
    for seed in range(40):
        rng = random.Random(seed)
        hints = draw_hints(errand(), [], TOOLS, [], rng.randint(1, 5), rng)
        assert len(hints) <= 3
        assert len({hint.before for hint in hints}) == len(hints)
        for hint in hints:
            seen.add(hint.kind)
            assert find_argument_problem(TOOLS[hint.tool], hint.arguments) is None
            assert all((hint.tool, hint.arguments) != (one.tool, one.arguments) for one in errand())
            assert hint.hint and len(hint.hint) < 200
    assert seen


def test_what_a_losing_back_translation_did_comes_first() -> None:
    wrong = [call("c1", "get_customer", customer_id="W12"), *errand()[1:]]
    hints = draw_hints(errand(), [wrong, wrong], TOOLS, [], 3, random.Random(0))
    first = next(hint for hint in hints if hint.before == "c1")
    assert (first.kind, first.tool, first.arguments) == ("other_candidate", "get_customer", {"customer_id": "W12"})


def test_a_call_that_was_made_before_is_no_mistake_worth_showing() -> None:
    wrong = call("c1", "get_customer", customer_id="W12")
    earlier = [made(wrong, {}, customer_id="W12")]
    hints = draw_hints(errand(), [[wrong, *errand()[1:]]], TOOLS, earlier, 3, random.Random(0))
    assert all(hint.arguments != {"customer_id": "W12"} for hint in hints)


def test_the_same_chance_gives_the_same_hints() -> None:
    one, other = (draw_hints(errand(), [], TOOLS, [], 2, random.Random("a")) for _ in range(2))
    assert one == other
