"""The clerks of the embedded endpoint: they chain calls, ask before they change, and keep to the service's rules."""

import json
import random
from typing import Any, cast

import pytest

from turnwright.domains.airline.tools import TOOLS as AIRLINE
from turnwright.domains.home_network.tools import TOOLS as HOME
from turnwright.domains.retail.tools import TOOLS as RETAIL
from turnwright.selfplay.assistant import reply
from turnwright.selfplay.desk import clean_text, find_card, find_named
from turnwright.selfplay.fares import choose_cheapest, list_passengers, price_booking
from turnwright.selfplay.request import Request
from turnwright.selfplay.user_deeds import read_deeds, say_deeds
from turnwright.selfplay.user_operator import list_asked

ORDER: dict[str, Any] = {
    "order_id": "#W1",
    "user_id": "ann_lee_1",
    "status": "pending",
    "items": [{"name": "Lamp", "item_id": "7", "product_id": "p", "price": 40.0, "options": {"color": "red"}}],
    "payment_history": [{"transaction_type": "payment", "amount": 40.0, "payment_method_id": "paypal_1"}],
}
ANN = "for the account of Ann Lee with the zip code 12345"


def make_specs(tools: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in tools
        if tool.side == "assistant"
    ]


def play(tools: Any, results: dict[str, Any], *said: str, policy: str = "Be kind.") -> list[dict[str, Any]]:
    """The messages of a conversation in which each tool gives its result; a list gives one after the other."""
    left: dict[str, list[Any]] = {
        name: cast("list[Any]", value).copy() if isinstance(value, list) else [value] * 9
        for name, value in results.items()
    }
    messages: list[dict[str, Any]] = [{"role": "system", "content": policy}]
    for text in said:
        messages.append({"role": "user", "content": text})
        for _ in range(12):
            made: dict[str, Any] = reply(
                Request({"messages": messages, "tools": make_specs(tools), "seed": 1}, seed=3, mistake_rate=0.0)
            )
            messages.append({"role": "assistant", **made})
            if not made.get("tool_calls"):
                break
            calls: list[dict[str, Any]] = made["tool_calls"]
            for call in calls:
                name = call["function"]["name"]
                content = json.dumps(left[name].pop(0))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
    return messages


def list_calls(messages: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for message in messages:
        calls: list[dict[str, Any]] = message.get("tool_calls") or []
        found += [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]
    return found


def test_a_cancellation_is_identified_looked_at_confirmed_and_reported() -> None:
    after = ORDER | {"status": "cancelled", "payment_history": [{"transaction_type": "refund", "amount": 40.0}]}
    results: dict[str, Any] = {
        "find_user_id_by_name_zip": {"user_id": "ann_lee_1"},
        "get_order_details": ORDER,
        "cancel_pending_order": after,
    }
    wish = f"I want to cancel the order #W1 because it is no longer needed and find out how much is refunded, {ANN}."
    messages = play(RETAIL, results, wish)
    assert [name for name, _ in list_calls(messages)] == ["find_user_id_by_name_zip", "get_order_details"]
    assert messages[-1]["content"].endswith("?")
    messages = play(RETAIL, results, wish, "Yes, please go ahead.")
    assert list_calls(messages)[0][1] == {"first_name": "Ann", "last_name": "Lee", "zip": "12345"}
    assert list_calls(messages)[-1] == ("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
    assert "40" in messages[-1]["content"]
    assert all(not message.get("content") for message in messages if message.get("tool_calls"))


@pytest.mark.parametrize(
    ("change", "wish"),
    [
        ({}, "cancel the order #W1 because the reviews are bad"),
        ({"status": "delivered"}, "cancel the order #W1 because it is no longer needed"),
        ({"user_id": "bob_ray_2"}, "cancel the order #W1 because it was ordered by mistake"),
    ],
)
def test_what_the_shop_does_not_allow_is_declined(change: dict[str, Any], wish: str) -> None:
    results = {"find_user_id_by_name_zip": {"user_id": "ann_lee_1"}, "get_order_details": ORDER | change}
    messages = play(RETAIL, results, f"I'd like to {wish}, {ANN}.", "Yes, do it.")
    assert "cancel_pending_order" not in [name for name, _ in list_calls(messages)]


def test_a_no_leaves_everything_as_it_was() -> None:
    results = {"find_user_id_by_name_zip": {"user_id": "ann_lee_1"}, "get_order_details": ORDER}
    wish = f"Please cancel the order #W1 because it was ordered by mistake, {ANN}."
    messages = play(RETAIL, results, wish, "No, leave it.")
    assert "cancel_pending_order" not in [name for name, _ in list_calls(messages)]


def test_a_corrected_address_counts_and_a_failure_is_retried() -> None:
    results: dict[str, Any] = {
        "find_user_id_by_email": {"user_id": "ann_lee_1"},
        "modify_user_address": [{"error": "timeout", "message": "Late."}, {"user_id": "ann_lee_1"}],
    }
    first, final = "1 Elm Road, Suite 2, Austin, TX 78701, USA", "9 Oak Lane, Boston, MA 02101, USA"
    wish = f"I want to change the default address of the account to {first}, for the account with the email a@b.com."
    fixed = f"Actually, make the new default address {final} instead of {first}."
    messages = play(RETAIL, results, f"{wish} {fixed}", "Yup, exactly.")
    changes = [arguments for name, arguments in list_calls(messages) if name == "modify_user_address"]
    assert len(changes) == 2 and changes[0] == changes[1]
    assert (changes[0]["address1"], changes[0]["address2"], changes[0]["zip"]) == ("9 Oak Lane", "", "02101")


def test_an_item_is_swapped_for_the_variant_that_was_described() -> None:
    variants = {
        key: {"item_id": key, "options": {"color": color}, "available": True, "price": price}
        for key, color, price in (("7", "red", 40.0), ("8", "green", 42.0), ("9", "blue", 50.0))
    }
    results: dict[str, Any] = {
        "find_user_id_by_name_zip": {"user_id": "ann_lee_1"},
        "get_user_details": {
            "orders": ["#W1"],
            "payment_methods": {"paypal_1": {"id": "paypal_1", "source": "paypal"}},
        },
        "get_order_details": ORDER,
        "get_product_details": {"name": "Lamp", "product_id": "p", "variants": variants},
        "modify_pending_order_items": ORDER,
    }
    wish = "I want to swap the Lamp of the order #W1 for one with color green and pay the difference with the "
    wish += "PayPal account"
    messages = play(RETAIL, results, f"{wish}, {ANN}.", "Yes, that's right.")
    name, arguments = list_calls(messages)[-1]
    assert name == "modify_pending_order_items"
    assert (arguments["item_ids"], arguments["new_item_ids"]) == (["7"], ["8"])


def test_bags_are_free_or_charged_as_the_policy_says() -> None:
    reservation: dict[str, Any] = {
        "reservation_id": "AB12CD",
        "user_id": "ann_lee_1234",
        "cabin": "economy",
        "passengers": [{"first_name": "Ann", "last_name": "Lee", "dob": "1990-01-01"}],
        "total_baggages": 1,
        "nonfree_baggages": 0,
    }
    card = {"id": "credit_card_1", "source": "credit_card", "brand": "visa", "last_four": "1111"}
    results: dict[str, Any] = {
        "get_user_details": {"user_id": "ann_lee_1234", "membership": "regular", "payment_methods": {"c": card}},
        "get_reservation_details": reservation,
        "update_reservation_baggages": reservation | {"payment_history": [{"amount": 100}]},
    }
    wish = "I want to add two checked bags to the reservation AB12CD, pay with the visa card ending in 1111, "
    messages = play(AIRLINE, results, wish + "for the account with the user id ann_lee_1234.", "Yes please.")
    arguments = list_calls(messages)[-1][1]
    assert (arguments["total_baggages"], arguments["nonfree_baggages"]) == (3, 2)
    assert "100" in messages[-1]["content"]


@pytest.mark.parametrize(("created", "allowed"), [("2024-05-15T02:00:00", True), ("2024-05-01T02:00:00", False)])
def test_a_cheap_fare_is_cancelled_within_a_day_only(created: str, allowed: bool) -> None:
    reservation: dict[str, Any] = {
        "reservation_id": "AB12CD",
        "user_id": "ann_lee_1234",
        "cabin": "economy",
        "created_at": created,
        "insurance": "no",
        "flights": [],
    }
    results = {"get_reservation_details": reservation, "cancel_reservation": reservation}
    wish = "Please cancel the reservation AB12CD because of a change of plans, for the account with the user id "
    now = "The current time is 2024-05-15 15:00:00 EST."
    messages = play(AIRLINE, results, f"{wish}ann_lee_1234.", "Yes, please go ahead.", policy=now)
    assert ("cancel_reservation" in [name for name, _ in list_calls(messages)]) is allowed


def test_the_helpdesk_guides_the_user_and_looks_before_it_says_that_it_works() -> None:
    lines = [{"connected": False, "profile": "fresh"}, {"connected": True, "profile": "fresh"}]
    results = {"find_customer": {"customer_number": "C-1"}, "get_line": lines}
    wish = "I want to get the internet at home working again, for the account with the phone number 555-720-4111."
    loose, plugged = "Done. The line cable is loose.", "Okay, done. The line cable is plugged in."
    messages = play(HOME, results, wish, loose, plugged)
    actions: list[dict[str, Any]] = [
        {"name": tool.name, "description": tool.description, "parameters": {}} for tool in HOME if tool.side == "user"
    ]
    asked = [message["content"] for message in messages if message["role"] == "assistant" and message.get("content")]
    assert [[one["name"] for one in list_asked(text, actions)] for text in asked] == [
        ["check_cable"],
        ["plug_in_cable"],
        [],
    ]
    assert [name for name, _ in list_calls(messages)] == ["find_customer", "get_line", "get_line"]


def test_an_outage_is_told_and_nothing_else_is_done() -> None:
    results: dict[str, Any] = {
        "find_customer": {"customer_number": "C-1", "area": "Old Mill"},
        "get_line": {"connected": False, "profile": "stale", "outage_until": "18:30"},
    }
    wish = "I want to get the internet at home working again, for the account with the phone number 555-720-4111."
    messages = play(HOME, results, wish)
    assert "18:30" in messages[-1]["content"]
    assert "reset_line" not in [name for name, _ in list_calls(messages)]


@pytest.mark.parametrize("result", [None, 7, [], "x", {"items": 3, "payment_history": "?", "status": None}, {"x": {}}])
@pytest.mark.parametrize(
    "wish",
    [
        "cancel the order #W1 because it is no longer needed",
        "exchange the Lamp of the order #W1 for one with color red",
        "return the Lamp of the order with the Lamp",
        "know the status and the tracking number of the order #W1",
    ],
)
def test_results_of_any_shape_end_in_words_or_a_call(result: Any, wish: str) -> None:
    names = ("find_user_id_by_name_zip", "get_order_details", "get_user_details", "get_product_details")
    results: dict[str, Any] = dict.fromkeys(names, result) | {"find_user_id_by_name_zip": {"user_id": "ann_lee_1"}}
    results = {name: [value] * 9 for name, value in results.items()}
    messages = play(RETAIL, results, f"I want to {wish}, {ANN}.")
    assert messages[-1]["content"]


def test_the_smaller_pieces() -> None:
    assert clean_text('I mean "May 4", not May 3.') == "I mean May 4."
    assert find_named(["Lamp", "Desk Lamp"], "the Desk Lamp of it") == ["Desk Lamp"]
    cards = {"a": {"id": "a", "last_four": "1"}, "b": {"id": "b", "source": "gift_card"}}
    assert find_card(cards, "not the card ending in 1 but the gift card") == cards["b"]
    offers = [
        {"flight_number": "A", "prices": {"economy": 9}, "available_seats": {"economy": 1}},
        {"flight_number": "B", "prices": {"economy": 12}, "available_seats": {"economy": 4}},
    ]
    best = choose_cheapest(offers, "economy", 2)
    assert best is offers[1]
    assert price_booking(offers[1], "economy", 2, 1, True) == "2 * 12 + 1 * 50 + 2 * 30"
    assert list_passengers({"name": {}}, ["Bo Ray"], "nothing") is None
    steps = read_deeds([{"action": "read_lights", "seen": {"wifi": "off"}}, 3])
    assert "wifi is off" in say_deeds(steps, random.Random(1)).lower()
