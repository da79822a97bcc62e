"""Literals that stand for a value and are none."""

import pytest
from stateless_world import TOOLS, call

from turnwright.stateless.acceptance import check_plan
from turnwright.stateless.placeholders import is_placeholder


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("booking_id", "your_booking_id"),
        ("booking_id", "booking_id_value"),
        ("bookingId", "Your booking ID here"),
        ("client_secret", "clientSecret123"),
        ("access_token", "access_token"),
        ("city", "<city>"),
        ("city", "{{ city }}"),
        ("city", "[your city]"),
        ("city", "$city"),
        ("note", "n/a"),
        ("note", "Lorem ipsum"),
    ],
)
def test_what_stands_for_a_value_is_found(parameter: str, value: str) -> None:
    assert is_placeholder(parameter, value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("gate", "Gate 12"),
        ("order_id", "order123"),
        ("booking_id", "BK-7731"),
        ("city", "The Hague"),
        ("note", "my birthday"),
        ("title", "The Value of Nothing"),
        ("reason", "[urgent] the corner is crushed"),
        ("guest_name", "Guest Example"),
        ("query", ""),
    ],
)
def test_what_may_be_a_value_is_not(parameter: str, value: str) -> None:
    assert not is_placeholder(parameter, value)


def test_a_plan_with_one_is_rejected() -> None:
    plan = [
        call("c1", "find_employees", employee_name="Priya", city="your_city"),
        call("c2", "send_message", employee_id=("c1", "employee_id"), subject="Total"),
    ]
    assert [problem.code for problem in check_plan(plan, TOOLS, (), most=4)] == ["placeholder"]
