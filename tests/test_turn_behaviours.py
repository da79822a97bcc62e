"""Behaviours of stateless dialogues before the dialogue: which turn, which wish, which tool is taken away."""

import random
from typing import Any

import pytest
from spec_world import STRING, tool
from stateless_world import LINKS, TOOLS

from schemas.goals import BehaviourPlan
from schemas.stateless import FieldLink, Generation, Refusal, TurnPlan
from turnwright.goals.behaviour_places import Place, can_bear
from turnwright.goals.behaviours.refused import WISHES
from turnwright.stateless.behaviours import fill_behaviour, plan_behaviour

ALL = set(TOOLS)


def planned(name: str, seed: int = 0, offered: set[str] | None = None, turns: int = 3) -> BehaviourPlan | None:
    return plan_behaviour(name, list(TOOLS.values()), offered or ALL, LINKS, turns, random.Random(seed))


@pytest.mark.parametrize("name", ["missing_parameter", "out_of_scope", "removed_tool"])
def test_every_turn_may_have_it(name: str) -> None:
    found = {plan.objective for seed in range(60) if (plan := planned(name, seed)) is not None}
    assert found == {0, 1, 2}


def test_a_wish_that_speaks_of_what_was_found_comes_later_than_the_first_turn() -> None:
    plans = [plan for seed in range(300) if (plan := planned("out_of_scope", seed)) is not None]
    leaning = [plan for plan in plans if "answer" in plan.detail["request"]]
    assert leaning and min(plan.objective for plan in leaning) == 1
    assert {plan.detail["request"] for plan in plans} <= set(WISHES)


def test_a_tool_beside_those_that_were_drawn_is_taken_first_and_one_that_they_feed() -> None:
    """get_customer is fed by get_order; delete_message by nobody who stays."""
    offered = {"find_employees", "get_order", "send_message"}
    for seed in range(20):
        plan = planned("removed_tool", seed, offered)
        assert plan is not None
        assert plan.detail["tools"][0] in ("get_customer", "delete_message")
        assert plan.detail["links"]


def test_what_stays_still_feeds_each_other() -> None:
    for seed in range(40):
        plan = planned("removed_tool", seed)
        assert plan is not None
        left = ALL - set(plan.detail["tools"])
        assert any({link.source, link.target} <= left for link in LINKS)
        assert all(
            link["target"] == plan.detail["tools"][0] and link["source"] in left for link in plan.detail["links"]
        )


def test_tools_that_do_the_same_go_together() -> None:
    tools = [
        *TOOLS.values(),
        tool("fetch_customer", {"customer_id": STRING}, {"customer_name": STRING}, description="Fetch a customer."),
    ]
    link = FieldLink(source="get_order", field="customer_id", target="fetch_customer", parameter="customer_id")
    for seed in range(40):
        plan = plan_behaviour("removed_tool", tools, {*TOOLS, "fetch_customer"}, [*LINKS, link], 2, random.Random(seed))
        assert plan is not None
        gone = set(plan.detail["tools"])
        assert not gone & {"get_customer", "fetch_customer"} or gone == {"get_customer", "fetch_customer"}


def test_without_a_tool_to_spare_there_is_none() -> None:
    offered = {"get_order", "get_customer"}
    few = [TOOLS[name] for name in sorted(offered)]
    links = [link for link in LINKS if {link.source, link.target} <= offered]
    assert plan_behaviour("removed_tool", few, offered, links, 2, random.Random(0)) is None


@pytest.mark.parametrize(
    ("behaviour", "stateless", "task_oriented"),
    [
        ("missing_parameter", True, False),
        ("out_of_scope", True, False),
        ("removed_tool", True, False),
        ("tool_fault", True, True),
        ("ambiguous_reference", False, False),
        ("forbidden_action", False, False),
        ("changed_mind", False, False),
    ],
)
def test_what_each_paradigm_can_bear(behaviour: str, stateless: bool, task_oriented: bool) -> None:
    assert can_bear(behaviour, Place("stateless", in_domain=False)) is stateless
    assert can_bear(behaviour, Place("task_oriented", in_domain=False)) is task_oriented


def generation(*turns: TurnPlan) -> Generation:
    return Generation(turns=turns, wanted=3, candidates={}, rejections=())


def turn(request: str, **more: Any) -> TurnPlan:
    return TurnPlan(calls=(), planned=(), request=request, summary="", **more)


def test_a_plan_is_filled_by_the_turn_that_carries_it_out() -> None:
    plan = planned("out_of_scope", 3)
    assert plan is not None
    wish = str(plan.detail["request"])
    declined = turn("Taxi, please.", refusal=Refusal(behaviour="out_of_scope", wish=wish))
    filled = fill_behaviour(plan, generation(turn("Show it."), declined))
    assert filled is not None
    assert (filled.objective, filled.detail["said"], filled.detail["request"]) == (1, "Taxi, please.", wish)
    missed = fill_behaviour(plan, generation(turn("Show it.")))
    assert missed is not None and missed.detail["said"] == ""
    fault = BehaviourPlan(name="tool_fault", objective=0, instruction="", detail={"tool": "get_order"})
    assert fill_behaviour(fault, generation(turn("Show it."))) == fault
