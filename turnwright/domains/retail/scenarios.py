"""What the users of the retail domain may want, written for their own orders.

A user knows their name, email, zip code and order numbers, what they ordered and how they pay, in plain words; ids of
users, items and payment methods they do not know.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from schemas.goals import Fact, KnownDetail
from turnwright.domains.money import add_up
from turnwright.domains.retail.forbidden import draw_forbidden
from turnwright.domains.retail.shopper import Shopper, describe_method, say_address
from turnwright.environments.domain_state import DomainState, Record
from turnwright.goals.scenarios import Scenario, ScenarioCall
from turnwright.goals.words import join_words

Draw = Callable[[Shopper, Random], Scenario | None]
_REASONS = {
    "no longer needed": "because it is no longer needed",
    "ordered by mistake": "because it was ordered by mistake",
}


def draw_scenarios(state: DomainState, person: str, rng: Random) -> Iterator[Scenario]:
    """At most one scenario of each kind that this user's records allow."""
    shopper = Shopper(state, person)
    for draw in (*KINDS, *draw_forbidden()):
        scenario = draw(shopper, rng)
        if scenario is not None:
            yield scenario


def _order_status(shopper: Shopper, rng: Random) -> Scenario | None:
    order = shopper.draw_order(rng, None)
    if order is None:
        return None
    named = shopper.name_order(order, rng)
    label = f"the order {order['order_id']}" if named.by_number else named.words
    facts = [Fact(label=f"status of {label}", value=order["status"])]
    wanted = "the status"
    if order["fulfillments"] and rng.random() < 0.5:
        facts.append(Fact(label=f"tracking number of {label}", value=order["fulfillments"][0]["tracking_id"][0]))
        wanted = "the status and the tracking number"
    calls = (*shopper.identify(), *named.lookups, ScenarioCall("get_order_details", {"order_id": order["order_id"]}))
    return Scenario(
        "order_status",
        f"find out {wanted} of {named.words}",
        (*shopper.known, *named.known),
        calls,
        tuple(facts),
        order["order_id"],
    )


def _order_total(shopper: Shopper, rng: Random) -> Scenario | None:
    order = shopper.draw_order(rng, None)
    if order is None or len(order["payment_history"]) != 1:
        return None
    named = shopper.name_order(order, rng)
    fact = Fact(label=f"amount paid for {named.words}", value=order["payment_history"][0]["amount"])
    return Scenario(
        "order_total",
        f"find out how much was paid for {named.words}",
        (*shopper.known, *named.known),
        (*shopper.identify(), *named.lookups, ScenarioCall("get_order_details", {"order_id": order["order_id"]})),
        (fact,),
        order["order_id"],
    )


def _product_price(shopper: Shopper, rng: Random) -> Scenario | None:
    products = [product for _, product in shopper.state.records("products") if len(product["variants"]) > 1]
    product = rng.choice(products)
    variants = [one for one in product["variants"].values() if one["available"]]
    alone = [one for one in variants if [other["options"] for other in variants].count(one["options"]) == 1]
    if not alone:
        return None
    variant = rng.choice(alone)
    options = _say_options(variant["options"])
    known = [KnownDetail(label="product name", value=product["name"])]
    known += [KnownDetail(label=name, value=value) for name, value in variant["options"].items()]
    calls = (
        *shopper.identify(),
        ScenarioCall("list_all_product_types", {}, lookup=True),
        ScenarioCall("get_product_details", {"product_id": product["product_id"]}),
    )
    return Scenario(
        "product_price",
        f"find out the price of the {product['name']} with {options}",
        (*shopper.known, *known),
        calls,
        (Fact(label=f"price of the {product['name']} with {options}", value=variant["price"]),),
        product["product_id"],
    )


def _cancel(shopper: Shopper, rng: Random) -> Scenario | None:
    order = shopper.draw_order(rng, "pending")
    if order is None:
        return None
    named = shopper.name_order(order, rng)
    reason = rng.choice(sorted(_REASONS))
    paid = add_up(entry["amount"] for entry in order["payment_history"])
    call = ScenarioCall("cancel_pending_order", {"order_id": order["order_id"], "reason": reason})
    return Scenario(
        "cancel_order",
        f"cancel {named.words} {_REASONS[reason]} and find out how much is refunded",
        (*shopper.known, *named.known, KnownDetail(label="reason", value=reason)),
        (*shopper.identify(), *named.lookups, shopper.look_at(order), call),
        (Fact(label=f"refund for {named.words}", value=paid),),
        order["order_id"],
    )


def _order_address(shopper: Shopper, rng: Random) -> Scenario | None:
    order = shopper.draw_order(rng, "pending")
    if order is None:
        return None
    named = shopper.name_order(order, rng)
    address = shopper.draw_address(rng, order["address"])
    if address is None:
        return None
    call = ScenarioCall("modify_pending_order_address", {"order_id": order["order_id"], **address})
    return Scenario(
        "order_address",
        f"have {named.words} sent to {say_address(address)}",
        (*shopper.known, *named.known, KnownDetail(label="new shipping address", value=say_address(address))),
        (*shopper.identify(), *named.lookups, shopper.look_at(order), call),
        about=order["order_id"],
    )


def _profile_address(shopper: Shopper, rng: Random) -> Scenario | None:
    address = shopper.draw_address(rng, shopper.user["address"])
    if address is None:
        return None
    call = ScenarioCall("modify_user_address", {"user_id": shopper.person, **address})
    return Scenario(
        "profile_address",
        f"change the default address of the account to {say_address(address)}",
        (*shopper.known, KnownDetail(label="new default address", value=say_address(address))),
        (*shopper.identify(), call),
        about=shopper.person,
    )


def _order_payment(shopper: Shopper, rng: Random) -> Scenario | None:
    order = shopper.draw_order(rng, "pending")
    if order is None or len(order["payment_history"]) != 1:
        return None
    paid = order["payment_history"][0]
    method = shopper.draw_method(rng, paid["amount"], avoid=paid["payment_method_id"])
    if method is None:
        return None
    named = shopper.name_order(order, rng)
    call = ScenarioCall(
        "modify_pending_order_payment", {"order_id": order["order_id"], "payment_method_id": method["id"]}
    )
    return Scenario(
        "order_payment",
        f"pay for {named.words} with {describe_method(method)} instead",
        (*shopper.known, *named.known, KnownDetail(label="payment method", value=describe_method(method))),
        (*shopper.identify(), *named.lookups, shopper.look_at_profile(), shopper.look_at(order), call),
        about=order["order_id"],
    )


def _modify_items(shopper: Shopper, rng: Random) -> Scenario | None:
    return _swap(shopper, rng, "pending", "modify_items", "modify_pending_order_items")


def _exchange(shopper: Shopper, rng: Random) -> Scenario | None:
    return _swap(shopper, rng, "delivered", "exchange_items", "exchange_delivered_order_items")


def _swap(shopper: Shopper, rng: Random, status: str, kind: str, tool: str) -> Scenario | None:
    order = shopper.draw_order(rng, status)
    item = shopper.draw_item(rng, order) if order is not None else None
    if order is None or item is None:
        return None
    variant = shopper.draw_variant(rng, item)
    if variant is None:
        return None
    difference = add_up((variant["price"], -item["price"]))
    method = shopper.draw_method(rng, max(0.0, difference))
    if method is None or not difference:
        return None
    named = shopper.name_order(order, rng, besides=item["name"])
    changed = {name: value for name, value in variant["options"].items() if item["options"].get(name) != value}
    verb = "exchange" if status == "delivered" else "swap"
    call = ScenarioCall(
        tool,
        {
            "order_id": order["order_id"],
            "item_ids": [item["item_id"]],
            "new_item_ids": [variant["item_id"]],
            "payment_method_id": method["id"],
        },
    )
    product = ScenarioCall("get_product_details", {"product_id": item["product_id"]}, lookup=True)
    same = ", all else as it is," if len(changed) < len(item["options"]) else ""
    settle = "pay the difference with" if difference > 0 else "have the difference refunded to"
    known = [KnownDetail(label="product", value=item["name"])]
    known += [KnownDetail(label=f"new {name}", value=value) for name, value in changed.items()]
    known.append(KnownDetail(label="payment method", value=describe_method(method)))
    return Scenario(
        kind,
        f"{verb} the {item['name']} of {named.words} for one with {_say_options(changed)}{same} "
        f"and {settle} {describe_method(method)}",
        (*shopper.known, *named.known, *known),
        (*shopper.identify(), *named.lookups, shopper.look_at_profile(), shopper.look_at(order), product, call),
        (Fact(label=f"difference in price of the {item['name']}", value=abs(difference)),),
        order["order_id"],
    )


def _return(shopper: Shopper, rng: Random) -> Scenario | None:
    order = shopper.draw_order(rng, "delivered")
    if order is None:
        return None
    items = shopper.alone(order)
    if not items:
        return None
    chosen = rng.sample(items, rng.randint(1, min(3, len(items))))
    original = order["payment_history"][0]["payment_method_id"]
    methods = [
        method for method in shopper.sayable_methods() if method["id"] == original or method["source"] == "gift_card"
    ]
    if not methods:
        return None
    method = rng.choice(methods)
    prices = [item["price"] for item in chosen]
    things = join_words([f"the {item['name']}" for item in chosen])
    named = shopper.name_order(order, rng, besides=chosen[0]["name"])
    calls = [*shopper.identify(), *named.lookups, shopper.look_at_profile(), shopper.look_at(order)]
    if len(prices) > 1:
        sum_up = {"expression": " + ".join(f"{price:.2f}" for price in prices)}
        calls.append(ScenarioCall("calculate", sum_up, lookup=True, worked_out=frozenset({"expression"})))
    calls.append(
        ScenarioCall(
            "return_delivered_order_items",
            {
                "order_id": order["order_id"],
                "item_ids": [item["item_id"] for item in chosen],
                "payment_method_id": method["id"],
            },
        )
    )
    known = [KnownDetail(label="product", value=item["name"]) for item in chosen]
    known.append(KnownDetail(label="refund to", value=describe_method(method)))
    return Scenario(
        "return_items",
        f"return {things} of {named.words}, have the money refunded to {describe_method(method)}, "
        "and find out how much that is",
        (*shopper.known, *named.known, *known),
        tuple(calls),
        (Fact(label=f"refund for {things}", value=add_up(prices)),),
        order["order_id"],
    )


KINDS: tuple[Draw, ...] = (
    _order_status,
    _order_total,
    _product_price,
    _cancel,
    _order_address,
    _profile_address,
    _order_payment,
    _modify_items,
    _exchange,
    _return,
)


def _say_options(options: Mapping[str, Any] | Record) -> str:
    return join_words([f"{name} {value}" for name, value in options.items()])
