"""The retail domain: both sides of each write tool, on a small shop."""

from typing import Any

import pytest

from tests.domain_world import RETAIL, RETAIL_DATABASE, DomainWorld, open_world
from turnwright.environments.domain import DomainEnvironment


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> DomainWorld:
    return open_world(tmp_path_factory.mktemp("retail"), RETAIL, RETAIL_DATABASE)


@pytest.fixture
def shop(world: DomainWorld) -> DomainEnvironment:
    return world.environment()


def changed(shop: DomainEnvironment) -> dict[str, set[str]]:
    """For each record that differs the fields that do."""
    found: dict[str, set[str]] = {}
    for change in shop.changes():
        assert change.before is not None and change.after is not None
        key = str(change.after.get("order_id") or change.after["user_id"])
        before = change.before
        found[key] = {name for name, value in change.after.items() if before.get(name) != value}
    return found


def balance(shop: DomainEnvironment, user: str = "ann_1") -> float:
    profile = shop.call("get_user_details", {"user_id": user}).value
    return profile["payment_methods"]["gift_card_1"]["balance"]


def refused(shop: DomainEnvironment, tool: str, kind: str, **arguments: Any) -> str:
    before = shop.state_digest()
    result = shop.call(tool, arguments)
    assert result.error is not None and result.error.kind == kind, result.text
    assert shop.state_digest() == before
    assert result.value == {"error": kind, "message": result.error.message}
    return result.error.message


ADDRESS = {
    "address1": "2 Hill",
    "address2": "",
    "city": "York",
    "state": "NY",
    "country": "USA",
    "zip": "10001",
}


def test_cancelling_refunds_a_gift_card_at_once(shop: DomainEnvironment):
    order = shop.call("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"}).value
    assert order["status"] == "cancelled" and order["cancel_reason"] == "no longer needed"
    assert order["payment_history"][-1] == {
        "transaction_type": "refund",
        "amount": 40.1,
        "payment_method_id": "gift_card_1",
    }
    assert balance(shop) == 60.1
    assert changed(shop) == {"#W1": {"status", "cancel_reason", "payment_history"}, "ann_1": {"payment_methods"}}


def test_cancelling_leaves_cards_without_a_balance_alone(shop: DomainEnvironment):
    shop.call("cancel_pending_order", {"order_id": "#W4", "reason": "ordered by mistake"})
    assert changed(shop) == {"#W4": {"status", "cancel_reason", "payment_history"}}


def test_cancelling_is_refused(shop: DomainEnvironment):
    refused(shop, "cancel_pending_order", "not_found", order_id="#W99", reason="no longer needed")
    assert "delivered" in refused(shop, "cancel_pending_order", "refused", order_id="#W2", reason="no longer needed")
    refused(shop, "cancel_pending_order", "invalid_arguments", order_id="#W1", reason="found it cheaper")
    shop.call("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
    refused(shop, "cancel_pending_order", "refused", order_id="#W1", reason="no longer needed")


def test_an_order_goes_to_another_address_and_the_profile_stays(shop: DomainEnvironment):
    order = shop.call("modify_pending_order_address", {"order_id": "#W1", **ADDRESS}).value
    assert order["address"] == ADDRESS
    assert changed(shop) == {"#W1": {"address"}}
    refused(shop, "modify_pending_order_address", "refused", order_id="#W3", **ADDRESS)
    refused(shop, "modify_pending_order_address", "not_found", order_id="W1", **ADDRESS)
    refused(shop, "modify_pending_order_address", "invalid_arguments", order_id="#W1", **{**ADDRESS, "city": " "})


def test_a_profile_gets_another_address_and_orders_stay(shop: DomainEnvironment):
    user = shop.call("modify_user_address", {"user_id": "ann_1", **ADDRESS}).value
    assert user["address"] == ADDRESS
    assert changed(shop) == {"ann_1": {"address"}}
    refused(shop, "modify_user_address", "not_found", user_id="nobody", **ADDRESS)
    refused(shop, "modify_user_address", "invalid_arguments", user_id="ann_1", **{**ADDRESS, "zip": ""})


def test_payment_moves_to_another_method(shop: DomainEnvironment):
    order = shop.call("modify_pending_order_payment", {"order_id": "#W4", "payment_method_id": "gift_card_1"}).value
    assert [(one["transaction_type"], one["payment_method_id"]) for one in order["payment_history"]] == [
        ("payment", "card_1"),
        ("payment", "gift_card_1"),
        ("refund", "card_1"),
    ]
    assert balance(shop) == 7.65
    assert changed(shop) == {"#W4": {"payment_history"}, "ann_1": {"payment_methods"}}


def test_payment_moves_off_a_gift_card(shop: DomainEnvironment):
    shop.call("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "paypal_1"})
    assert balance(shop) == 60.1


def test_payment_is_refused(shop: DomainEnvironment):
    tool = "modify_pending_order_payment"
    refused(shop, tool, "refused", order_id="#W1", payment_method_id="gift_card_1")
    refused(shop, tool, "not_found", order_id="#W1", payment_method_id="paypal_2")
    refused(shop, tool, "refused", order_id="#W2", payment_method_id="card_1")
    shop.call(tool, {"order_id": "#W1", "payment_method_id": "paypal_1"})
    assert "once" in refused(shop, tool, "refused", order_id="#W1", payment_method_id="card_1")


def test_a_gift_card_must_have_enough_for_an_order(shop: DomainEnvironment):
    refused(shop, "modify_pending_order_payment", "refused", order_id="#W6", payment_method_id="gift_card_1")
    shop.call("modify_pending_order_payment", {"order_id": "#W4", "payment_method_id": "gift_card_1"})
    assert balance(shop) == 7.65


def swap(order: str, old: list[str], new: list[str], method: str) -> dict[str, Any]:
    return {"order_id": order, "item_ids": old, "new_item_ids": new, "payment_method_id": method}


def test_items_of_a_pending_order_are_swapped_once(shop: DomainEnvironment):
    order = shop.call("modify_pending_order_items", swap("#W1", ["m-red"], ["m-blue"], "gift_card_1")).value
    assert [(item["item_id"], item["price"]) for item in order["items"]] == [("m-blue", 12.35), ("l-1", 30.0)]
    assert order["items"][0]["options"] == {"color": "blue"}
    assert order["status"] == "pending (item modified)"
    assert order["payment_history"][-1]["amount"] == 2.25
    assert balance(shop) == 17.75
    assert changed(shop) == {"#W1": {"items", "status", "payment_history"}, "ann_1": {"payment_methods"}}
    refused(shop, "modify_pending_order_items", "refused", **swap("#W1", ["l-1"], ["l-2"], "paypal_1"))
    refused(shop, "cancel_pending_order", "refused", order_id="#W1", reason="no longer needed")


def test_a_cheaper_item_is_refunded(shop: DomainEnvironment):
    order = shop.call("modify_pending_order_items", swap("#W1", ["l-1"], ["l-2"], "gift_card_1")).value
    assert order["payment_history"][-1]["transaction_type"] == "refund"
    assert balance(shop) == 30.0


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("refused", swap("#W1", ["m-red"], ["l-2"], "paypal_1")),
        ("refused", swap("#W1", ["m-red"], ["m-gone"], "paypal_1")),
        ("refused", swap("#W1", ["m-red"], ["m-red"], "paypal_1")),
        ("refused", swap("#W1", ["m-red"], ["m-gold"], "gift_card_1")),
        ("refused", swap("#W3", ["l-2"], ["l-1"], "paypal_1")),
        ("not_found", swap("#W1", ["m-blue"], ["m-red"], "paypal_1")),
        ("not_found", swap("#W1", ["m-red", "m-red"], ["m-blue", "m-blue"], "paypal_1")),
        ("not_found", swap("#W1", ["m-red"], ["m-pink"], "paypal_1")),
        ("not_found", swap("#W1", ["m-red"], ["m-blue"], "paypal_2")),
        ("invalid_arguments", swap("#W1", ["m-red"], ["m-blue", "l-2"], "paypal_1")),
        ("invalid_arguments", swap("#W1", [], [], "paypal_1")),
    ],
)
def test_swaps_are_refused(shop: DomainEnvironment, kind: str, arguments: dict[str, Any]):
    refused(shop, "modify_pending_order_items", kind, **arguments)


def test_an_exchange_notes_what_is_exchanged_and_moves_no_money(shop: DomainEnvironment):
    exchange = swap("#W2", ["m-red", "m-red"], ["m-blue", "m-gold"], "card_1")
    order = shop.call("exchange_delivered_order_items", exchange).value
    assert order["status"] == "exchange requested"
    assert order["exchange_items"] == ["m-red", "m-red"] and order["exchange_new_items"] == ["m-blue", "m-gold"]
    assert order["exchange_price_difference"] == 91.15
    assert set(changed(shop)) == {"#W2"}
    refused(shop, "exchange_delivered_order_items", "refused", **exchange)


def test_exchanges_are_refused(shop: DomainEnvironment):
    tool = "exchange_delivered_order_items"
    refused(shop, tool, "refused", **swap("#W1", ["m-red"], ["m-blue"], "card_1"))
    refused(shop, tool, "refused", **swap("#W2", ["m-red"], ["m-gold"], "gift_card_1"))
    refused(shop, tool, "refused", **swap("#W2", ["m-red"], ["m-gone"], "card_1"))
    refused(shop, tool, "not_found", **swap("#W2", ["l-1"], ["l-2"], "card_1"))


@pytest.mark.parametrize("method", ["paypal_1", "gift_card_1"])
def test_a_return_is_noted(shop: DomainEnvironment, method: str):
    arguments = {"order_id": "#W2", "item_ids": ["m-red"], "payment_method_id": method}
    order = shop.call("return_delivered_order_items", arguments).value
    assert (order["status"], order["return_items"], order["return_payment_method_id"]) == (
        "return requested",
        ["m-red"],
        method,
    )
    assert changed(shop) == {"#W2": {"status", "return_items", "return_payment_method_id"}}
    refused(shop, "return_delivered_order_items", "refused", **arguments)


def test_returns_are_refused(shop: DomainEnvironment):
    tool = "return_delivered_order_items"
    refused(shop, tool, "refused", order_id="#W2", item_ids=["m-red"], payment_method_id="card_1")
    refused(shop, tool, "refused", order_id="#W1", item_ids=["m-red"], payment_method_id="gift_card_1")
    refused(shop, tool, "not_found", order_id="#W2", item_ids=["m-red"] * 3, payment_method_id="paypal_1")
    refused(shop, tool, "not_found", order_id="#W2", item_ids=["m-red"], payment_method_id="paypal_2")


def test_reads_find_what_is_there_and_change_nothing(shop: DomainEnvironment):
    start = shop.state_digest()
    assert shop.call("find_user_id_by_email", {"email": "ANN@example.com"}).value == {"user_id": "ann_1"}
    name = {"first_name": "ann", "last_name": "LEE", "zip": "80279"}
    assert shop.call("find_user_id_by_name_zip", name).value == {"user_id": "ann_1"}
    assert shop.call("get_item_details", {"item_id": "l-2"}).value["price"] == 20.0
    assert shop.call("list_all_product_types", {}).value == {"Lamp": "p2", "Mug": "p1"}
    assert shop.call("calculate", {"expression": "10.1 + 2*(3 - 1)"}).value == {"result": 14.1}
    assert shop.call("transfer_to_human_agents", {"summary": "?"}).value == {"transferred": True}
    refused(shop, "get_product_details", "not_found", product_id="m-red")
    refused(shop, "find_user_id_by_email", "not_found", email="nobody@example.com")
    assert shop.state_digest() == start


def test_the_order_of_items_is_no_difference(shop: DomainEnvironment, world: DomainWorld):
    exchange = swap("#W2", ["m-red", "m-red"], ["m-blue", "m-gold"], "card_1")
    shop.call("exchange_delivered_order_items", exchange)
    other = world.environment()
    other.call("exchange_delivered_order_items", exchange | {"new_item_ids": ["m-gold", "m-blue"]})
    assert shop.state_digest() == other.state_digest()
