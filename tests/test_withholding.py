"""Which value a request leaves out: one that is needed, that only the user knows, and that nothing gives away."""

import random
from typing import Any

import pytest
from stateless_world import LINKS, TOOLS, call

from schemas.goals import PlannedCall
from schemas.messages import Message
from schemas.tools import SpecTool
from turnwright.stateless.plans import list_literals
from turnwright.stateless.withholding import draw_withheld, leave_out, list_withholdable


def errand(subject: str = "Lunch") -> list[PlannedCall]:
    """Priya, in Leeds, is sent the total of an order under a subject that the tools say nothing of."""
    return [
        call("c1", "find_employees", employee_name="Priya", city="Leeds"),
        call("c2", "get_order", order_code="W12"),
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject=subject, total=("c2", "total")),
    ]


ALL = frozenset({("c1", "employee_name"), ("c2", "order_code"), ("c3", "subject")})


def able(calls: list[PlannedCall] | None = None, messages: list[Message] | None = None) -> set[tuple[str, str]]:
    found = list_withholdable(calls or errand(), TOOLS, LINKS, messages or [])
    return {(one.call, one.parameter) for one in found}


def test_required_literals_can_be_left_out_and_optional_ones_cannot() -> None:
    assert able() == ALL
    assert ("c1", "city") not in able()


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "The order is w12, as always."},
        {"role": "assistant", "content": "I found the order W12."},
        {"role": "tool", "content": '{"order_code": "W12"}', "tool_call_id": "x"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "x", "type": "function", "function": {"name": "get_order", "arguments": '{"order_code": "W12"}'}}
            ],
        },
    ],
)
def test_what_the_conversation_gives_away_stays_in_the_request(message: Any) -> None:
    assert able(messages=[message]) == ALL - {("c2", "order_code")}


def test_what_another_literal_of_the_turn_says_stays_as_well() -> None:
    calls = errand("W12")
    assert able(calls) == {("c1", "employee_name")}


def test_what_an_offered_tool_could_find_out_is_not_left_out() -> None:
    """send_message.employee_id is filled by find_employees: an assistant would look it up and not ask."""
    assert able([call("c1", "send_message", employee_id="E7", subject="Lunch")]) == {("c1", "subject")}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, True),
        ({"type": "string", "default": "W12"}, False),
        ({"const": "W12"}, False),
        ({"type": "string", "enum": ["W12"]}, False),
        ({"type": "string", "enum": ["W12", "W13"]}, True),
    ],
)
def test_a_value_that_the_schema_settles_is_not_left_out(schema: dict[str, Any], expected: bool) -> None:
    function = {
        "name": "get_order",
        "description": "Show an order.",
        "parameters": {"type": "object", "properties": {"order_code": schema}, "required": ["order_code"]},
    }
    tool = SpecTool(name="get_order", spec={"type": "function", "function": function}, output_schema={}, effect="read")
    found = list_withholdable([call("c1", "get_order", order_code="W12")], {"get_order": tool}, [], [])
    assert bool(found) is expected


@pytest.mark.parametrize("value", [True, None, "", "  ", ["W12"], {"code": "W12"}])
def test_what_nobody_can_say_in_a_word_is_not_left_out(value: Any) -> None:
    assert able([call("c1", "get_order", order_code=value)]) == set()


def test_a_value_that_the_description_of_a_wish_says_is_not_left_out() -> None:
    """`Show an order with its total.` says the subject."""
    assert able(errand("Total")) == ALL - {("c3", "subject")}


def test_the_value_left_out_belongs_to_a_call_that_is_asked_for() -> None:
    found = list_withholdable(errand(), TOOLS, LINKS, [])
    hidden = frozenset({"c1", "c2"})
    for seed in range(10):
        withheld, kept = draw_withheld(found, errand(), hidden, random.Random(seed), first=False)
        assert (withheld.parameter, kept) == ("subject", hidden)


def test_hidden_calls_come_out_where_nothing_else_can_be_left_out() -> None:
    found = [one for one in list_withholdable(errand(), TOOLS, LINKS, []) if one.parameter == "order_code"]
    withheld, kept = draw_withheld(found, errand(), frozenset({"c2"}), random.Random(0), first=False)
    assert (withheld.call, kept) == ("c2", frozenset())


def test_on_the_first_turn_something_is_left_that_tells_explicit_from_hidden() -> None:
    """The subject is the only explicit literal: without it no order could be told, so nothing is hidden."""
    found = list_withholdable(errand(), TOOLS, LINKS, [])
    hidden = frozenset({"c1", "c2"})
    assert draw_withheld(found, errand(), hidden, random.Random(0), first=True)[1] == frozenset()
    assert draw_withheld(found, errand(), hidden, random.Random(0), first=False)[1] == hidden


def test_leaving_out_takes_the_argument_of_that_call_alone() -> None:
    withheld = next(one for one in list_withholdable(errand(), TOOLS, LINKS, []) if one.parameter == "subject")
    told = [leave_out(one, withheld) for one in errand()]
    assert [list_literals(one) for one in told[:2]] == [list_literals(one) for one in errand()[:2]]
    assert "subject" not in told[2].sources and "subject" not in told[2].arguments
    assert told[2].sources.keys() == {"employee_id", "total"}
