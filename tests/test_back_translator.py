"""The back-translator: it sees the request and nothing of the plan, and what it recovers is held against that plan."""

from collections.abc import Sequence

import pytest
from stateless_world import LINKS, NOW, TOOLS, call, errand, made, persona

from schemas.goals import PlannedCall
from schemas.replies import PlanDraft
from turnwright.roles.back_translator import ask_for_calls
from turnwright.roles.requester import ask_for_request
from turnwright.selfplay.back_translator import reply
from turnwright.selfplay.request import Request
from turnwright.selfplay.requester import reply as write_request
from turnwright.stateless.back_translation import check_recovered, find_hidden_again, is_same_plan
from turnwright.stateless.plans import EarlierCall, read_plan

PRIYA = made(
    call("c1", "find_employees", employee_name="Priya"), [{"employee_id": "E1", "city": "Leeds"}], employee_name="Priya"
)


def codes(recovered: Sequence[PlannedCall], planned: Sequence[PlannedCall]) -> set[str]:
    return {problem.code for problem in check_recovered(recovered, planned, TOOLS, [], most=8)}


def recover(
    request: str, earlier: Sequence[EarlierCall] = (), mistakes: float = 0.0, seed: int = 0
) -> tuple[PlannedCall, ...]:
    messages = ask_for_calls(list(TOOLS.values()), LINKS, request, earlier, 8)
    drafted = PlanDraft.model_validate(reply(Request({"messages": messages, "seed": seed}, 0, mistakes)))
    return read_plan(drafted, TOOLS, earlier).calls


def test_a_plan_that_loses_nothing_is_accepted_whatever_its_way() -> None:
    assert codes(errand(), errand()) == set()
    other = [
        call("c1", "get_order", order_code="w12"),
        call("c2", "find_employees", employee_name="priya", city="Leeds"),
        call("c3", "send_message", employee_id=("c2", "employee_id"), subject="Total", total=("c1", "total")),
    ]
    assert codes(other, errand()) == set()
    assert is_same_plan(other, errand())


def test_a_lost_literal_is_found() -> None:
    lost = [
        call("c1", "find_employees", employee_name="Priya"),
        *errand()[1:],
    ]
    assert codes(lost, errand()) == {"lost_literal"}


def test_the_rules_of_any_plan_hold_for_a_recovered_one() -> None:
    assert codes(errand()[:2], errand()[:2]) == {"no_reference", "not_connected"}


def test_plans_differ_where_a_reference_leads_elsewhere() -> None:
    other = [
        *errand()[:2],
        call("c3", "send_message", employee_id=("c2", "customer_id"), subject="Total", total=("c2", "total")),
    ]
    assert not is_same_plan(other, errand())
    assert not is_same_plan(errand()[:2], errand())


def test_hidden_calls_are_found_again_and_what_came_in_is_hidden_but_for_what_is_wanted() -> None:
    again = [call("c7", "get_order", order_code="W12"), *errand()[:1], errand()[2]]
    assert find_hidden_again(again, errand(), frozenset({"c1"})) == {"c1"}
    more = [
        *errand()[:2],
        call("c4", "get_customer", customer_id=("c2", "customer_id"), year=1),
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject=("c4", "customer_name")),
    ]
    assert find_hidden_again(more, errand(), frozenset({"c1", "c2"})) == {"c1", "c2", "c4"}


def test_its_prompt_holds_nothing_of_the_plan() -> None:
    messages = ask_for_calls(list(TOOLS.values()), LINKS, "Send Priya the total.", [PRIYA], 5)
    said = "".join(str(message["content"]) for message in messages)
    assert "Send Priya the total." in said
    assert "W12" not in said
    assert '"next_id"' in said


@pytest.mark.parametrize("hidden", [(), ("c1",), ("c2",), ("c1", "c2")])
def test_the_player_recovers_what_the_player_wrote(hidden: tuple[str, ...]) -> None:
    asked = [one for one in reversed(errand()) if one.id not in hidden]
    kept_back = [one for one in errand() if one.id in hidden]
    for seed in range(6):
        messages = ask_for_request(asked, kept_back, TOOLS, persona(), NOW, [])
        said = write_request(Request({"messages": messages, "seed": seed}, 0, 0.0))["request"]
        assert is_same_plan(recover(said), errand()), said


def test_the_player_goes_back_to_earlier_calls() -> None:
    later = [
        call("c2", "send_message", employee_id=("c1", "employee_id"), subject="Hello"),
        call("c3", "delete_message", message_id=("c2", "message_id"), reason="too early"),
    ]
    messages = ask_for_request(list(reversed(later)), [], TOOLS, persona(), NOW, [("Find Priya.", "Found her.")])
    said = write_request(Request({"messages": messages, "seed": 1}, 0, 0.0))["request"]
    assert is_same_plan(recover(said, [PRIYA]), later), said


def test_the_player_loses_something_at_the_mistake_rate() -> None:
    messages = ask_for_request(list(reversed(errand())), [], TOOLS, persona(), NOW, [])
    said = write_request(Request({"messages": messages, "seed": 3}, 0, 0.0))["request"]
    assert all(codes(recover(said, mistakes=1.0, seed=seed), errand()) for seed in range(5))
