"""The acceptance rules of a plan: each planted fault is found by its own code, and a good plan has none."""

from collections.abc import Callable, Sequence

import pytest
from stateless_world import TOOLS, call, draft, errand, made

from schemas.goals import PlannedCall
from schemas.replies import PlanArgument, PlanCall, PlanDraft
from turnwright.stateless.acceptance import check_plan, find_components, fits_type
from turnwright.stateless.plans import EarlierCall, find_sinks, list_references, read_literal, read_plan

PRIYA = made(call("c1", "find_employees", employee_name="Priya"), [{"employee_id": "E1"}], employee_name="Priya")


def codes(calls: Sequence[PlannedCall], earlier: Sequence[EarlierCall] = (), most: int = 8) -> set[str]:
    return {problem.code for problem in check_plan(calls, TOOLS, earlier, most=most)}


def test_a_good_plan_breaks_no_rule() -> None:
    assert codes(errand()) == set()


PLANTED: dict[str, Callable[[], list[PlannedCall]]] = {
    "too_few_calls": lambda: errand()[:1],
    "too_many_calls": lambda: [*errand(), call("c4", "get_customer", customer_id=("c2", "customer_id"), year=2024)],
    "unknown_tool": lambda: [*errand()[:2], call("c3", "call_employee", employee_id=("c1", "employee_id"), when="now")],
    "unknown_argument": lambda: [
        *errand()[:2],
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject="Hi", urgent="yes"),
    ],
    "missing_argument": lambda: [*errand()[:2], call("c3", "send_message", subject="Hi", total=("c2", "total"))],
    "invalid_literal": lambda: [
        call("c1", "get_order", order_code="W12"),
        call("c2", "get_customer", customer_id=("c1", "customer_id"), year="last"),
    ],
    "forward_reference": lambda: [errand()[2], *errand()[:2]],
    "unknown_reference": lambda: [
        *errand()[:2],
        call("c3", "send_message", employee_id=("c9", "employee_id"), subject="Hi", total=("c2", "total")),
    ],
    "unknown_field": lambda: [
        errand()[0],
        call("c2", "send_message", employee_id=("c1", "staff_number"), subject="Hi"),
    ],
    "field_type": lambda: [
        call("c1", "get_order", order_code="W12"),
        call("c2", "send_message", employee_id=("c1", "total"), subject="Hi"),
    ],
    "not_connected": lambda: [*errand()[:2], call("c3", "get_customer", customer_id=("c2", "customer_id"))],
    "without_literal": lambda: [
        errand()[1],
        call("c2", "get_customer", customer_id=("c1", "customer_id")),
        call("c3", "send_message", employee_id=("c2", "customer_id"), subject=("c2", "customer_name")),
    ],
    "duplicate_call": lambda: [*errand(), errand()[1].model_copy(update={"id": "c4"})],
    "no_reference": lambda: [errand()[0], call("c2", "get_order", order_code="W12")],
}


@pytest.mark.parametrize("code", PLANTED)
def test_each_fault_has_its_reason(code: str) -> None:
    assert code in codes(PLANTED[code](), most=3)


def test_a_later_turn_must_use_a_result_of_an_earlier_one() -> None:
    loose = [
        call("c2", "get_order", order_code="W12"),
        call("c3", "get_customer", customer_id=("c2", "customer_id"), year=2),
    ]
    assert codes(loose) == set()
    assert codes(loose, [PRIYA]) == {"no_earlier_link"}
    linked = [
        call("c2", "get_order", order_code="W12"),
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject="Hi", total=("c2", "total")),
    ]
    assert codes(linked, [PRIYA]) == set()


def test_the_same_call_as_in_an_earlier_turn_is_a_duplicate() -> None:
    again = [
        call("c2", "find_employees", employee_name="Priya"),
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject="Hi"),
    ]
    assert "duplicate_call" in codes(again, [PRIYA])


def test_ids_are_compared_whole() -> None:
    """A reference to c1 is none to c10, and all references of a call are there."""
    calls = [call(f"c{number}", "get_order", order_code=f"W{number}") for number in range(1, 11)]
    calls.append(call("c11", "send_message", employee_id=("c10", "customer_id"), subject="Hi", total=("c10", "total")))
    assert len(find_components(calls)) == 10
    assert {"c10", "c11"} in find_components(calls)
    assert list_references(calls[-1]) == [("employee_id", "c10", "customer_id"), ("total", "c10", "total")]
    assert [sink.id for sink in find_sinks(calls)] == [f"c{number}" for number in range(1, 10)] + ["c11"]


def test_a_closed_set_is_filled_from_a_closed_set_alone() -> None:
    kinds: dict[str, object] = {"type": "string", "enum": ["cup", "league"]}
    assert not fits_type({"type": "string"}, kinds)
    assert not fits_type({"type": "string", "enum": ["open"]}, kinds)
    assert fits_type({"type": "string", "enum": ["cup"]}, kinds)
    assert fits_type(kinds, {"type": "string"})
    assert not fits_type({"type": "number"}, {"type": "string"})
    assert fits_type({"type": "array", "items": {"type": "string"}}, {"type": "string"})


def test_two_calls_that_share_an_earlier_result_hang_together() -> None:
    calls = [
        call("c2", "send_message", employee_id=("c1", "employee_id"), subject="One"),
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject="Two"),
    ]
    assert codes(calls, [PRIYA]) == set()


def test_a_draft_is_read_into_the_types_of_the_tools_and_numbered_after_what_was_made() -> None:
    plan = read_plan(
        draft(
            call("a", "get_order", order_code="12"),
            call("b", "get_customer", customer_id=("a", "customer_id"), year="2024"),
        ),
        TOOLS,
        [PRIYA],
    )
    assert plan.problems == ()
    assert [(one.id, one.arguments) for one in plan.calls] == [
        ("c2", {"order_code": "12"}),
        ("c3", {"customer_id": None, "year": 2024}),
    ]
    assert list_references(plan.calls[1]) == [("customer_id", "c2", "customer_id")]


def test_what_cannot_be_read_of_a_draft_is_named() -> None:
    twice = PlanDraft(
        calls=[
            PlanCall(id="c1", tool="get_order", arguments=[PlanArgument(name="order_code", value="x" * 600)] * 2),
            PlanCall(id="c1", tool="get_order", arguments=[]),
        ]
    )
    found = {problem.code for problem in read_plan(twice, TOOLS, []).problems}
    assert found == {"reused_id", "repeated_argument", "oversized_literal"}
    assert "reused_id" in {problem.code for problem in read_plan(draft(*errand()), TOOLS, [PRIYA]).problems}


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("12", {"type": "integer"}, 12),
        ("12.5", {"type": "number"}, 12.5),
        ("-3", {"type": ["number", "null"]}, -3),
        ("yes", {"type": "boolean"}, True),
        ("12", {"type": "string"}, "12"),
        ("12", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, 12),
        ("Leeds", {"type": "array", "items": {"type": "string"}}, ["Leeds"]),
        ('["Leeds", "York"]', {"type": "array"}, ["Leeds", "York"]),
        ('{"a": 1}', {"type": "object"}, {"a": 1}),
        ("soon", {"type": "integer"}, "soon"),
        ("9" * 40, {"type": "integer"}, "9" * 40),
        ("[" * 900, {"type": "array", "items": {"type": "array"}}, "["),
        ("2", {"enum": [1, 2]}, 2),
    ],
)
def test_literals_take_the_type_of_their_parameter(text: str, schema: dict[str, object], value: object) -> None:
    read = read_literal(text, schema)
    if text.startswith("[[["):
        assert isinstance(read, list)  # nothing breaks; that it fits no tool is found by its schema
    else:
        assert read == value
        assert type(read) is type(value)


def test_hostile_drafts_come_to_reasons_not_to_errors() -> None:
    strange = PlanDraft(
        calls=[
            PlanCall(id="\ud800", tool="get_order\udfff", arguments=[PlanArgument(name="\udc00", value="\ud800" * 9)]),
            PlanCall(id="", tool="", arguments=[PlanArgument(name="", from_call="c1", from_field="__class__")]),
        ]
    )
    plan = read_plan(strange, TOOLS, [])
    assert {"unknown_tool"} <= {problem.code for problem in check_plan(plan.calls, TOOLS, [], most=8)}
    assert "\ud800" not in repr(plan)


def test_a_field_may_be_written_with_its_tool_as_the_links_write_it() -> None:
    drafted = draft(
        call("c1", "get_order", order_code="W12"),
        call("c2", "get_customer", customer_id=("c1", "get_order.customer_id")),
        call("c3", "get_customer", customer_id=("c1", "no_tool.customer_id")),
    )
    calls = read_plan(drafted, TOOLS, ()).calls
    assert [call.sources["customer_id"].field for call in calls[1:]] == ["customer_id", "no_tool.customer_id"]
