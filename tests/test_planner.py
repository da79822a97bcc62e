"""The planner: what it is shown, and the plans of its player."""

from typing import Any

from stateless_world import LINKS, NOW, TOOLS, call, made, persona

from schemas.replies import PlanDraft
from turnwright.roles.planner import ask_for_plan
from turnwright.selfplay.planner import reply
from turnwright.selfplay.request import Request, read_blocks
from turnwright.stateless.acceptance import check_plan
from turnwright.stateless.plans import EarlierCall, list_literals, read_plan

PRIYA = made(
    call("c1", "find_employees", employee_name="Priya"), [{"employee_id": "E1", "city": "Leeds"}], employee_name="Priya"
)


def draw(
    seed: int, earlier: list[EarlierCall], mistakes: float = 0.0, values: dict[str, Any] | None = None
) -> tuple[set[str], Any]:
    messages = ask_for_plan(list(TOOLS.values()), LINKS, persona(), NOW, [], earlier, values or {}, 5)
    drafted = PlanDraft.model_validate(reply(Request({"messages": messages, "seed": seed}, 0, mistakes)))
    plan = read_plan(drafted, TOOLS, earlier)
    problems = [*plan.problems, *check_plan(plan.calls, TOOLS, earlier, most=5)]
    return {problem.code for problem in problems}, plan.calls


def test_tools_and_links_come_first_and_are_the_same_in_every_turn() -> None:
    first = ask_for_plan(list(TOOLS.values()), LINKS, persona(), NOW, [], [], {}, 5)
    later = ask_for_plan(list(TOOLS.values()), LINKS, persona(), NOW, ["Find Priya."], [PRIYA], {}, 3)
    assert first[0] == later[0]
    blocks = read_blocks(str(later[1]["content"]))
    assert (blocks["most"], blocks["next_id"], blocks["now"]) == (3, "c2", NOW)
    assert blocks["earlier"][0]["id"] == "c1"
    assert read_blocks(str(first[0]["content"]))["tools"][1]["returns"]["total"] == "number"


def test_the_player_plans_by_the_rules_on_first_and_later_turns() -> None:
    for earlier in ([], [PRIYA]):
        found = [draw(seed, earlier) for seed in range(30)]
        assert sum(not problems for problems, _ in found) >= 29
        assert len({repr(calls) for _, calls in found}) > 20


def test_the_player_breaks_a_rule_at_the_mistake_rate() -> None:
    assert sum(bool(draw(seed, [], mistakes=1.0)[0]) for seed in range(20)) >= 18


def test_the_player_takes_literals_from_the_values_that_exist() -> None:
    values = {"find_employees": {"employee_name": ["Zora Quill"]}, "get_order": {"order_code": ["W77"]}}
    for seed in range(10):
        for planned in draw(seed, [], values=values)[1]:
            for name, value in list_literals(planned):
                known = values.get(planned.tool, {}).get(name)
                assert known is None or value in known
