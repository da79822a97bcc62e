"""Counts, sums, times, identifiers and names: the parts of the fact ledger, each on its own."""

import random
from typing import Any

import pytest
from simulated_worlds import NOW, NUMBER, TEXT, WHOLE, several, spec, thing

from turnwright.environments.simulation.agreement import agree
from turnwright.environments.simulation.arithmetic import find_miscounts
from turnwright.environments.simulation.clock import find_now, find_time_faults
from turnwright.environments.simulation.facts import Facts
from turnwright.environments.simulation.field_names import identified_kind, nouns_of
from turnwright.environments.simulation.identifiers import draw_identifier
from turnwright.environments.simulation.output_check import find_misfits
from turnwright.environments.simulation.records import Entity, SimulatedCall
from turnwright.roles.tool_simulator import simplify_schema

LINES = [{"quantity": 2, "unit_price": 4.5, "line_total": 9.0}, {"quantity": 1, "unit_price": 3.0, "line_total": 3.0}]


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ({"items": LINES, "total": 12.0}, True),
        ({"items": LINES, "total": 12}, True),
        ({"items": LINES, "total": 13.0}, False),
        ({"items": LINES, "subtotal": 12.0, "tax": 1.2, "total": 13.2}, True),
        ({"items": LINES, "subtotal": 12.0, "tax": 1.2, "discount": 2.0, "total": 11.2}, True),
        ({"items": LINES, "subtotal": 13.2, "tax": 1.2, "total": 13.2}, False),
        ({"items": LINES, "tax_rate": 0.1, "total": 13.2}, True),
        ({"items": [{"price": 5.0}, {"price": 7.0, "status": "cancelled"}], "total": 5.0}, True),
        ({"items": [{"name": "a"}, {"name": "b"}], "total": 2}, True),
        ({"items": [{"name": "a"}, {"name": "b"}], "total": 3}, False),
        ({"items": [{"name": "a"}], "total": 40, "next_page": 2}, True),
        ({"orders": [1, 2, 3], "order_count": 3}, True),
        ({"orders": [1, 2, 3], "order_count": 4}, False),
        ({"orders": [1, 2], "review_count": 40}, True),
        ({"items": LINES, "item_count": 3}, True),
        ({"quantity": 3, "price": 2.0, "total": 6.0}, True),
        ({"quantity": 3, "price": 2.0, "total": 5.0}, False),
        ({"previous_balance": 10.0, "amount": 5.0, "new_balance": 15.0}, True),
        ({"previous_balance": 10.0, "amount": 5.0, "fee": 1.0, "new_balance": 4.0}, True),
        ({"previous_balance": 10.0, "amount": 5.0, "new_balance": 16.0}, False),
        ({"reviews": [{"rating": 3}, {"rating": 5}], "average_rating": 4.4}, True),
        ({"accounts": [{"balance": 3.0}, {"balance": 5.0}], "total_balance": 8.0}, True),
    ],
)
def test_only_figures_that_no_reading_gives_are_wrong(value: Any, right: bool) -> None:
    assert (find_miscounts(value) == []) is right


def test_a_wrong_figure_comes_with_the_right_one() -> None:
    (found,) = find_miscounts({"order": {"items": LINES, "total": 13.0}})
    assert (found.path, found.truth) == (("order", "total"), 12)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (25, 25.0, True),
        ("25.0", 25, True),
        (19.99, 19.98, False),
        ("York", " york", True),
        ("York", "Leeds", False),
        ("2024-05-03", "2024-05-03T10:00:00", True),
        ("2024-05-03T10:00:00", "2024-05-03T11:00:00", False),
        ("2024-05-03T10:00:00Z", "2024-05-03T12:00:00+02:00", True),
        ("next Friday", "2024-05-10", True),
        ("10:00 AM", "10:00", True),
        (None, "York", True),
        ({"a": 1}, "York", True),
        (["a", "b"], ["b", "a"], True),
        (["a", "b"], ["a"], False),
        (True, False, False),
        ("9" * 40, "9" * 39, False),
    ],
)
def test_values_agree_by_what_they_mean(first: Any, second: Any, same: bool) -> None:
    assert agree(first, second) is same
    assert agree(second, first) is same


@pytest.mark.parametrize(
    ("said", "now"),
    [
        ("Today is 5 March 2021. Book a table for 2021-04-01.", "2021-03-05T10:00:00"),
        ("It's now 14:30, is the shop open?", "2024-05-03T14:30:00"),
        ("It is currently 2023-12-31 23:15.", "2023-12-31T23:15:00"),
        ("Today's date is October 12th, 2023", "2023-10-12T10:00:00"),
        ("Today is Monday, the 3rd of June 2024, and it's 9 am", "2024-06-03T09:00:00"),
        ("I need a flight on 5 March 2021.", NOW),
        ("Today is 31 February 2021.", NOW),
        ("It is now or never.", NOW),
    ],
)
def test_only_a_time_named_as_the_present_counts_as_now(said: str, now: str) -> None:
    assert find_now(NOW, [said]) == now


def test_the_latest_present_counts() -> None:
    assert find_now(NOW, ["Today is 5 March 2021.", "Hm.", "Sorry, today is 6 March 2021."]) == "2021-03-06T10:00:00"


EVENT = spec("get_event", "read", {}, event_id=WHOLE)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ({"start_time": "2024-05-05T10:00:00", "end_time": "2024-05-05T09:00:00"}, ["time_order"]),
        ({"start_date": "2024-05-05", "end_date": "2024-05-05"}, []),
        ({"check_in_date": "2024-05-05", "check_out_date": "2024-05-04"}, ["time_order"]),
        ({"created_at": "2024-05-02T10:00:00", "updated_at": "2024-05-01T10:00:00"}, ["time_order"]),
        ({"created_at": "2024-06-02T10:00:00"}, ["future_time"]),
        ({"created_at": "2024-05-03T18:00:00Z"}, []),
        (
            {"scheduled_at": "2024-06-02T10:00:00", "due_date": "2030-01-01", "departure_time": "2024-06-02T10:00:00"},
            [],
        ),
        ({"nested": [{"ordered_at": "2025-01-01"}]}, ["future_time"]),
        ({"created_at": "99999-01-01", "updated_at": "soon"}, []),
    ],
)
def test_times_that_cannot_be(value: Any, codes: list[str]) -> None:
    found = find_time_faults(SimulatedCall(EVENT, {"event_id": 1}, value), Facts(), NOW)
    assert [item.code for item in found] == codes


@pytest.mark.parametrize(
    ("proposed", "known", "shape"),
    [
        ("ORD-1041", ["ORD-1040"], "ORD-10"),
        ("ORD-0007", [], "ORD-"),
        (7, [3, 9], ""),
        ("6f0f3f0a-94a7-4cf1-8a35-3f7d5c1c2f77", [], "-4"),
        ("QXZPRT", ["QXZPRT"], ""),
    ],
)
def test_identifiers_are_new_and_keep_their_shape(proposed: Any, known: list[Any], shape: str) -> None:
    facts = Facts(seen={Entity("order", str(one).casefold(), one): 1 for one in known})
    drawn = draw_identifier(proposed, "order", facts, random.Random("a"))
    assert drawn not in known
    assert drawn == draw_identifier(proposed, "order", facts, random.Random("a"))
    assert type(drawn) is type(proposed)
    assert shape in str(drawn)
    assert len(str(drawn)) >= len(str(proposed)) if isinstance(proposed, str) else drawn > 9


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("order_id", "order"),
        ("orderId", "order"),
        ("id", ""),
        ("from_account_id", "account"),
        ("booking_reference", "booking"),
        ("phone_number", None),
        ("paid", None),
        ("", None),
        ("_", None),
        ("bid", None),
    ],
)
def test_identifiers_are_known_by_their_names(name: str, kind: str | None) -> None:
    assert identified_kind(name) == kind


def test_a_tool_is_about_its_head_noun() -> None:
    assert nouns_of("list_customer_orders")[:2] == ("customer order", "order")
    assert nouns_of("get_order_details")[0] == "order"
    assert nouns_of("find_doctors_by_city")[0] == "doctor"
    assert nouns_of("") == nouns_of("get") == ()


def test_results_are_held_against_the_schema_with_formats() -> None:
    tool = spec(
        "get_order", "read", thing(order_id=WHOLE, at={"type": "string", "format": "date-time"}), order_id=WHOLE
    )
    assert find_misfits(tool, {"order_id": 1, "at": NOW}) == []
    assert len(find_misfits(tool, {"order_id": "1", "at": "soon"})) == 2
    deep: Any = []
    for _ in range(50):
        deep = [deep]
    assert find_misfits(tool, deep) == ["the result is too deep or too large"]


@pytest.mark.parametrize("schema", [{"$ref": "http://127.0.0.1:1/x"}, {"type": "nonsense"}, {"pattern": "("}, {}])
def test_a_schema_that_cannot_be_used_lets_everything_pass(schema: Any) -> None:
    assert find_misfits(spec("get_order", "read", schema), {"a": 1}) == []


def test_an_endpoint_is_asked_for_nothing_that_it_may_not_know() -> None:
    hard = thing(
        code={"type": "string", "pattern": "^(?<=a)b$", "format": "x"}, ref={"$ref": "#/$defs/a"}, odd={"type": "dict"}
    )
    simple = simplify_schema({**several(hard), "uniqueItems": True})
    assert simple == {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"code": {"type": "string"}, "ref": {}, "odd": {}},
            "required": ["code", "ref", "odd"],
            "additionalProperties": False,
        },
    }
    assert simplify_schema({"type": "number", "minimum": 1, "description": "d"}) == {
        "type": "number",
        "description": "d",
    }
    assert simplify_schema(True) == simplify_schema({"$ref": "#"}) == {}
    assert simplify_schema(NUMBER) == NUMBER
    assert simplify_schema(TEXT) == TEXT
