"""What can be done to an order or a profile: each function checks its preconditions, then changes what it must.

They raise `Refusal` before the first write, and a call that refuses has no effect in any case.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from turnwright.domains.money import add_up, cents, dollars
from turnwright.environments.domain import Refusal
from turnwright.environments.domain_state import DomainState, Record

Write = Callable[[DomainState, Mapping[str, Any]], Any]
_ADDRESS = ("address1", "address2", "city", "state", "country", "zip")
ITEMS_MODIFIED = "pending (item modified)"


def find_user(state: DomainState, user_id: str) -> Record:
    """A profile.

    Raises:
        Refusal: there is none.
    """
    user = state.find("users", user_id)
    if user is None:
        raise Refusal("not_found", f"There is no user {user_id}.")
    return user


def find_order(state: DomainState, order_id: str) -> Record:
    """An order.

    Raises:
        Refusal: there is none.
    """
    order = state.find("orders", order_id)
    if order is None:
        raise Refusal("not_found", f"There is no order {order_id}. Order numbers look like '#W0000000'.")
    return order


def find_variant(state: DomainState, item_id: str) -> tuple[str, Record]:
    """The product id and the variant of an item.

    Raises:
        Refusal: there is none.
    """
    for product_id, product in state.records("products"):
        variant = product["variants"].get(item_id)
        if variant is not None:
            return product_id, variant
    raise Refusal("not_found", f"There is no item {item_id}.")


def cancel_pending_order(state: DomainState, arguments: Mapping[str, Any]) -> Any:
    """Cancels an order and books every payment back; gift cards are credited at once."""
    order = _require_status(find_order(state, arguments["order_id"]), "pending", "cancelled")
    changed = state.edit("orders", order["order_id"])
    refunds: list[dict[str, Any]] = [
        {
            "transaction_type": "refund",
            "amount": entry["amount"] if entry["transaction_type"] == "payment" else -entry["amount"],
            "payment_method_id": entry["payment_method_id"],
        }
        for entry in order["payment_history"]
    ]
    for refund in refunds:
        _credit(state, order["user_id"], refund["payment_method_id"], refund["amount"])
    changed["status"] = "cancelled"
    changed["cancel_reason"] = arguments["reason"]
    changed["payment_history"] += refunds
    return changed


def modify_pending_order_address(state: DomainState, arguments: Mapping[str, Any]) -> Any:
    """Writes another shipping address."""
    order = _require_status(find_order(state, arguments["order_id"]), "pending", "modified")
    changed = state.edit("orders", order["order_id"])
    changed["address"] = _read_address(arguments)
    return changed


def modify_pending_order_payment(state: DomainState, arguments: Mapping[str, Any]) -> Any:
    """Pays the order's total with another method and refunds the one that had paid."""
    order = _require_status(find_order(state, arguments["order_id"]), "pending", "modified")
    method = _find_method(state, order["user_id"], arguments["payment_method_id"])
    history = order["payment_history"]
    if len(history) != 1 or history[0]["transaction_type"] != "payment":
        raise Refusal("refused", "The payment can only be changed where the order was paid once with one method.")
    paid = history[0]
    if paid["payment_method_id"] == method["id"]:
        raise Refusal("refused", f"The order is paid with {method['id']} already; choose another payment method.")
    _require_funds(method, paid["amount"])
    changed = state.edit("orders", order["order_id"])
    changed["payment_history"] += [
        {"transaction_type": "payment", "amount": paid["amount"], "payment_method_id": method["id"]},
        {"transaction_type": "refund", "amount": paid["amount"], "payment_method_id": paid["payment_method_id"]},
    ]
    _credit(state, order["user_id"], method["id"], -paid["amount"])
    _credit(state, order["user_id"], paid["payment_method_id"], paid["amount"])
    return changed


def modify_pending_order_items(state: DomainState, arguments: Mapping[str, Any]) -> Any:
    """Puts other variants into the order, and pays or refunds the difference."""
    order = _require_status(find_order(state, arguments["order_id"]), "pending", "modified")
    swaps, difference = _plan_swaps(state, order, arguments)
    method = _find_method(state, order["user_id"], arguments["payment_method_id"])
    _require_funds(method, difference)
    changed = state.edit("orders", order["order_id"])
    for old, variant in swaps:
        item = next(item for item in changed["items"] if item["item_id"] == old)
        item.update(item_id=variant["item_id"], price=variant["price"], options=dict(variant["options"]))
    if difference:
        changed["payment_history"].append(
            {
                "transaction_type": "payment" if difference > 0 else "refund",
                "amount": abs(difference),
                "payment_method_id": method["id"],
            }
        )
        _credit(state, order["user_id"], method["id"], -difference)
    changed["status"] = ITEMS_MODIFIED
    return changed


def return_delivered_order_items(state: DomainState, arguments: Mapping[str, Any]) -> Any:
    """Notes which items come back and where the refund goes. Money moves once they have arrived."""
    order = _require_status(find_order(state, arguments["order_id"]), "delivered", "returned")
    _require_items(order, arguments["item_ids"])
    method = _find_method(state, order["user_id"], arguments["payment_method_id"])
    if method["source"] != "gift_card" and method["id"] not in _paid_with(order):
        raise Refusal("refused", "The refund must go to the original payment method or to a gift card.")
    changed = state.edit("orders", order["order_id"])
    changed["status"] = "return requested"
    changed["return_items"] = sorted(arguments["item_ids"])
    changed["return_payment_method_id"] = method["id"]
    return changed


def exchange_delivered_order_items(state: DomainState, arguments: Mapping[str, Any]) -> Any:
    """Notes which items are exchanged for which, and the difference in price. Money moves once they have arrived."""
    order = _require_status(find_order(state, arguments["order_id"]), "delivered", "exchanged")
    swaps, difference = _plan_swaps(state, order, arguments)
    method = _find_method(state, order["user_id"], arguments["payment_method_id"])
    _require_funds(method, difference)
    pairs = sorted((old, variant["item_id"]) for old, variant in swaps)
    changed = state.edit("orders", order["order_id"])
    changed["status"] = "exchange requested"
    changed["exchange_items"] = [old for old, _ in pairs]
    changed["exchange_new_items"] = [new for _, new in pairs]
    changed["exchange_payment_method_id"] = method["id"]
    changed["exchange_price_difference"] = difference
    return changed


def modify_user_address(state: DomainState, arguments: Mapping[str, Any]) -> Any:
    """Writes another default address."""
    user = find_user(state, arguments["user_id"])
    changed = state.edit("users", user["user_id"])
    changed["address"] = _read_address(arguments)
    return changed


WRITES: dict[str, Write] = {
    "cancel_pending_order": cancel_pending_order,
    "modify_pending_order_address": modify_pending_order_address,
    "modify_pending_order_payment": modify_pending_order_payment,
    "modify_pending_order_items": modify_pending_order_items,
    "return_delivered_order_items": return_delivered_order_items,
    "exchange_delivered_order_items": exchange_delivered_order_items,
    "modify_user_address": modify_user_address,
}


def _require_status(order: Record, status: str, done: str) -> Record:
    if order["status"] != status:
        text = f"Order {order['order_id']} is {order['status']}; only {status} orders can be {done}."
        raise Refusal("refused", text)
    return order


def _read_address(arguments: Mapping[str, Any]) -> dict[str, Any]:
    address = {name: arguments[name].strip() for name in _ADDRESS}
    empty = [name for name in _ADDRESS if not address[name] and name != "address2"]
    if empty:
        raise Refusal("invalid_arguments", f"The address has no {', '.join(empty)}.")
    return address


def _find_method(state: DomainState, user_id: str, method_id: str) -> Record:
    method = find_user(state, user_id)["payment_methods"].get(method_id)
    if method is None:
        raise Refusal("not_found", f"User {user_id} has no payment method {method_id}.")
    return method


def _require_funds(method: Record, amount: float) -> None:
    if method["source"] == "gift_card" and cents(method["balance"]) < cents(amount):
        raise Refusal("refused", f"The gift card {method['id']} does not have enough balance for {amount:.2f}.")


def _credit(state: DomainState, user_id: str, method_id: str, amount: float) -> None:
    """Puts money on a gift card, or takes it off; other methods have no balance."""
    method = _find_method(state, user_id, method_id)
    if method["source"] == "gift_card" and cents(amount):
        card = state.edit("users", user_id)["payment_methods"][method_id]
        card["balance"] = dollars(cents(card["balance"]) + cents(amount))


def _paid_with(order: Record) -> set[str]:
    return {entry["payment_method_id"] for entry in order["payment_history"] if entry["transaction_type"] == "payment"}


def _require_items(order: Record, item_ids: Sequence[str]) -> None:
    there = Counter(item["item_id"] for item in order["items"])
    for item_id, count in Counter(item_ids).items():
        if count > there[item_id]:
            raise Refusal(
                "not_found", f"Order {order['order_id']} has {there[item_id]} of item {item_id}, not {count}."
            )


def _plan_swaps(
    state: DomainState, order: Record, arguments: Mapping[str, Any]
) -> tuple[list[tuple[str, Record]], float]:
    """What replaces what, and the dollars that the user has to pay on top (below zero: gets back)."""
    old_ids, new_ids = arguments["item_ids"], arguments["new_item_ids"]
    if len(old_ids) != len(new_ids):
        raise Refusal("invalid_arguments", "There must be as many new items as items that they replace.")
    _require_items(order, old_ids)
    swaps: list[tuple[str, Record]] = []
    amounts: list[float] = []
    for old_id, new_id in zip(old_ids, new_ids, strict=True):
        item = next(item for item in order["items"] if item["item_id"] == old_id)
        product_id, variant = find_variant(state, new_id)
        if product_id != item["product_id"]:
            raise Refusal("refused", f"Item {new_id} is no variant of the product {item['name']}.")
        if new_id == old_id:
            raise Refusal("refused", f"Item {new_id} is the one that is there already.")
        if not variant["available"]:
            raise Refusal("refused", f"Item {new_id} is not in stock.")
        swaps.append((old_id, variant))
        amounts += [variant["price"], -item["price"]]
    return swaps, add_up(amounts)
