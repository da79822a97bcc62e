"""The clerk of a shop with tau2's retail tools: identifies the user, finds the order, follows the shop's policy."""

import re
from collections.abc import Sequence
from typing import Any, cast

from turnwright.selfplay.desk import Answer, Desk, find_card, find_last, find_named, say_card
from turnwright.selfplay.words import join_words, say_value

SIGNATURE = frozenset({"find_user_id_by_email", "find_user_id_by_name_zip", "get_order_details"})
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\w"
_ZIP = r"zip code\D{0,20}?(\d{5})\b"
_NAME = r"(?:account (?:called |named |whose name is |of |in the name of )?|name (?:is |should be )?|name, take )"
_FULL_NAME = re.compile(_NAME + r"([A-Z][\w'’-]+(?: [A-Z][\w'’-]+)+)")
_ADDRESS = re.compile(
    r"(?P<address1>(?<![#\w])\d+ [^,]+), (?:(?P<address2>[^,]+), )?(?P<city>[^,]+), "
    r"(?P<state>[A-Z]{2}) (?P<zip>\d{5}), (?P<country>[A-Z][A-Za-z]+)"
)
_REASONS = ("no longer needed", "ordered by mistake")
_ABILITIES = ("look up an order", "change a pending order", "take back a delivered order")


def serve(desk: Desk) -> Answer:
    """What to say to the user.

    Raises:
        NextCall, Answer: see Desk.
    """
    text = desk.text
    work = next((work for pattern, work in _WORKS if re.search(pattern, desk.texts[0], re.IGNORECASE)), None)
    if work is None:
        work = next((work for pattern, work in _WORKS if re.search(pattern, text, re.IGNORECASE)), None)
    if work is None:
        raise desk.decline(*_ABILITIES[:2])
    return work(desk, _identify(desk))


def _identify(desk: Desk) -> str:
    """The user's id; the policy wants it found by email, or by name and zip code, before anything else."""
    for episode in desk.earlier:
        for call in episode.calls:
            if call.tool in SIGNATURE and call.error is None and "user_id" in call.fields and call.tool[:4] == "find":
                return str(call.fields["user_id"])
    email = find_last(_EMAIL, desk.history)
    zip_code = find_last(_ZIP, desk.history)
    names = [match.group(1) for text in desk.history for match in _FULL_NAME.finditer(text)]
    if email is not None:
        found = desk.read("find_user_id_by_email", email=email)
    elif zip_code is not None and names:
        first, _, last = names[0].partition(" ")
        found = desk.read("find_user_id_by_name_zip", first_name=first, last_name=last, zip=zip_code)
    elif zip_code is not None:
        raise desk.ask("first and last name of the account")
    elif names:
        raise desk.ask("zip code or the email of the account")
    else:
        raise desk.ask("name", "zip code or the email of the account")
    if "user_id" not in found:
        raise Answer(
            f"I could not find an account with that. Could you tell me the {'zip code' if email else 'email'}?"
        )
    return str(found["user_id"])


# Orders and products -------------------------------------------------------------------------------------------------


def _find_order(desk: Desk, user: str) -> dict[str, Any]:
    """The order that the request names by number or by a product in it, else the one that was spoken of last."""
    for text in desk.history:
        number = find_last(r"#W\d+", [text])
        # A product names an order only after `order with the`; elsewhere it is what the request is about.
        told = re.search(r"order with the |product in the order", text, re.IGNORECASE)
        if number is not None and not (told and text is desk.text and desk.texts[-1].find("#W") < 0):
            order = desk.read("get_order_details", order_id=number)
            if not order:
                raise Answer(f"I could not find the order {number}. Could you tell me the order number again?")
            return order
        if told:
            return _search_orders(desk, user, text[told.end() :])
        if text is desk.text and not re.search(r"\b(?:it|that one|there)\b", text):
            break
    raise desk.ask("order number")


def _search_orders(desk: Desk, user: str, text: str) -> dict[str, Any]:
    profile = desk.read("get_user_details", user_id=user)
    text = re.sub(r"^(?: is| should be|, take)? ?", "", text)
    for number in _strings(profile.get("orders")):
        order = desk.read("get_order_details", order_id=number)
        names = [str(item.get("name")) for item in _items(order)]
        if any(
            text.lower().startswith(name.lower()) and not text[len(name) : len(name) + 1].isalnum() for name in names
        ):
            return order
    raise desk.ask("order number")


def _require_own(desk: Desk, order: dict[str, Any], user: str, action: str) -> None:
    if order.get("user_id") != user:
        raise desk.forbid(action, "the order belongs to somebody else", "help with your own orders")


def _items(order: dict[str, Any]) -> list[dict[str, Any]]:
    found = order.get("items")
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def _strings(value: Any) -> list[str]:
    return [str(item) for item in cast("list[Any]", value)] if isinstance(value, list) else []


def _choose_items(desk: Desk, order: dict[str, Any], pattern: str) -> list[dict[str, Any]]:
    """The items of the order that the request names between its verb and the order."""
    names = [str(item.get("name")) for item in _items(order)]
    match = re.search(pattern, desk.text, re.IGNORECASE)
    named = find_named(names, match.group(1)) if match else []
    if not named:
        named = find_named(names, " ".join(re.findall(r"\bproduct(?! in the order)[^.]*", desk.text)))
    if not named:
        raise desk.ask("product")
    return [next(item for item in _items(order) if item.get("name") == name) for name in named]


def _read_options(text: str, variants: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Option values that a text names with the option's name before or behind; the last one counts."""
    found: dict[str, tuple[int, str]] = {}
    for variant in variants:
        for name, value in _options(variant).items():
            label, said = re.escape(name), re.escape(say_value(value))
            pattern = (
                rf"\b{label}(?: is| should be|, take|:)? {said}(?![\w-])|"
                rf"(?<![\w-]){said} (?:as|for) the (?:new )?{label}\b"
            )
            for match in re.finditer(pattern, text, re.IGNORECASE):
                longer = name in found and found[name][0] == match.start() and len(found[name][1]) > len(said)
                if (name not in found or match.start() >= found[name][0]) and not longer:
                    found[name] = (match.start(), str(value))
    return {name: value for name, (_, value) in found.items()}


def _options(variant: dict[str, Any]) -> dict[str, Any]:
    found = variant.get("options")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _variants(product: dict[str, Any]) -> list[dict[str, Any]]:
    found = product.get("variants")
    values = list(cast("dict[str, Any]", found).values()) if isinstance(found, dict) else []
    return [cast("dict[str, Any]", value) for value in values if isinstance(value, dict)]


def _find_method(desk: Desk, user: str) -> dict[str, Any]:
    profile = desk.read("get_user_details", user_id=user)
    found = profile.get("payment_methods")
    method = find_card(cast("dict[str, Any]", found) if isinstance(found, dict) else {}, desk.text)
    if method is None:
        raise desk.ask("payment method")
    return method


def _payments(order: dict[str, Any]) -> list[dict[str, Any]]:
    found = order.get("payment_history")
    entries = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]


def _name(order: dict[str, Any]) -> str:
    return f"the order {order.get('order_id')}"


# What can be done ----------------------------------------------------------------------------------------------------


def _tell_order(desk: Desk, user: str) -> Answer:
    order = _find_order(desk, user)
    _require_own(desk, order, user, "tell about it")
    told: list[str] = []
    if re.search(r"\bstatus\b", desk.text, re.IGNORECASE):
        told.append(f"The status of {_name(order)} is {order.get('status')}.")
    if re.search(r"\btracking\b", desk.text, re.IGNORECASE):
        shipments = cast("list[dict[str, Any]]", order.get("fulfillments") or [])
        numbers = [number for shipment in shipments for number in _strings(shipment.get("tracking_id"))]
        told.append(f"The tracking number is {join_words(numbers)}." if numbers else "It has no tracking number yet.")
    if re.search(r"\b(?:paid|cost|total)\b", desk.text, re.IGNORECASE):
        amounts = [say_value(entry.get("amount")) for entry in _payments(order)]
        told.append(f"For {_name(order)}, {join_words(amounts)} dollars were paid.")
    return desk.tell(*told)


def _tell_price(desk: Desk, user: str) -> Answer:
    del user
    types = desk.read("list_all_product_types")
    named = find_named(list(types), desk.text)
    if not named:
        raise desk.ask("product name")
    variants = _variants(desk.read("get_product_details", product_id=types[named[0]]))
    said = _read_options(desk.text, variants)
    fits = [one for one in variants if all(str(_options(one).get(name)) == value for name, value in said.items())]
    if not fits:
        raise Answer(f"I could not find a {named[0]} with these options. Another choice would let me look again.")
    if len(fits) > 1:
        open_options = [name for name in _options(fits[0]) if name not in said]
        raise desk.ask(*open_options[:3])
    options = join_words([f"{name} {say_value(value)}" for name, value in _options(fits[0]).items()])
    return desk.tell(f"The {named[0]} with {options} costs {say_value(fits[0].get('price'))} dollars.")


def _cancel(desk: Desk, user: str) -> Answer:
    order = _find_order(desk, user)
    _require_own(desk, order, user, "cancel it")
    reason = find_last("|".join(_REASONS), [desk.text])
    words = f"cancel {_name(order)}"
    if reason is None:
        if re.search(r"\bbecause\b|\breason\b", desk.text, re.IGNORECASE):
            allowed = "an order is only cancelled when it is no longer needed or was ordered by mistake"
            raise desk.forbid(words, allowed, _ABILITIES[0], "keep the order as it is")
        raise desk.ask("reason")
    cancelled = any(call.tool == "cancel_pending_order" for call in desk.episode.calls)
    if order.get("status") != "pending" and not cancelled:
        raise desk.forbid(words, f"the status of the order is {order.get('status')}", _ABILITIES[0])
    words = f"{words} because it {'is' if reason.startswith('no') else 'was'} {reason.lower()}"
    arguments = {"order_id": order.get("order_id"), "reason": reason.lower()}
    result = desk.change("cancel_pending_order", arguments, words)
    refunds = [say_value(one.get("amount")) for one in _payments(result) if one.get("transaction_type") == "refund"]
    return desk.report(words, f"The refund is {join_words(refunds)} dollars." if refunds else "")


def _read_address(desk: Desk) -> dict[str, str]:
    found = list(_ADDRESS.finditer(" ; ".join(desk.texts)))
    if not found:
        raise desk.ask("new address")
    return {name: value or "" for name, value in found[-1].groupdict().items()}


def _say_address(address: dict[str, str]) -> str:
    lines = [address["address1"], address["address2"], address["city"], f"{address['state']} {address['zip']}"]
    return ", ".join(part for part in (*lines, address["country"]) if part)


def _send_elsewhere(desk: Desk, user: str) -> Answer:
    order = _find_order(desk, user)
    _require_own(desk, order, user, "change it")
    address = _read_address(desk)
    words = f"have {_name(order)} sent to {_say_address(address)}"
    _require_pending(desk, order, words)
    desk.change("modify_pending_order_address", {"order_id": order.get("order_id"), **address}, words)
    return desk.report(words)


def _require_pending(desk: Desk, order: dict[str, Any], words: str) -> None:
    if not str(order.get("status")).startswith("pending"):
        raise desk.forbid(words, f"the status of the order is {order.get('status')}", _ABILITIES[0])


def _move_home(desk: Desk, user: str) -> Answer:
    address = _read_address(desk)
    words = f"change the default address of the account to {_say_address(address)}"
    desk.change("modify_user_address", {"user_id": user, **address}, words)
    return desk.report(words)


def _pay_otherwise(desk: Desk, user: str) -> Answer:
    order = _find_order(desk, user)
    _require_own(desk, order, user, "change it")
    method = _find_method(desk, user)
    words = f"have {_name(order)} paid with {say_card(method)} instead"
    _require_pending(desk, order, words)
    arguments = {"order_id": order.get("order_id"), "payment_method_id": method.get("id")}
    desk.change("modify_pending_order_payment", arguments, words)
    return desk.report(words)


def _swap(desk: Desk, user: str) -> Answer:
    order = _find_order(desk, user)
    _require_own(desk, order, user, "change it")
    item = _choose_items(
        desk, order, r"\b(?:swap|exchange|replace)\b(.*?)(?:\b(?:of|from|in) the order\b|\bfor one\b|$)"
    )[0]
    variants = _variants(desk.read("get_product_details", product_id=item.get("product_id")))
    asked = re.split(r"\bfor one with\b", desk.text, maxsplit=1, flags=re.IGNORECASE)[-1]
    said = _read_options(asked, variants)
    if not said:
        raise desk.ask(*(f"new {name}" for name in list(_options(item))[:3]))
    wanted = {name: str(value) for name, value in _options(item).items()} | said
    fits = [one for one in variants if all(str(_options(one).get(name)) == value for name, value in wanted.items())]
    if not fits:
        raise Answer(f"I could not find a {item.get('name')} like that. Another choice would let me look again.")
    method = _find_method(desk, user)
    pending = str(order.get("status")).startswith("pending")
    tool = "modify_pending_order_items" if pending else "exchange_delivered_order_items"
    options = join_words([f"{name} {value}" for name, value in said.items()])
    verb = "swap" if pending else "exchange"
    words = f"{verb} the {item.get('name')} of {_name(order)} for one with {options} and settle the difference with "
    words += say_card(method)
    if not pending and order.get("status") != "delivered":
        raise desk.forbid(words, f"the status of the order is {order.get('status')}", _ABILITIES[0])
    arguments = {
        "order_id": order.get("order_id"),
        "item_ids": [item.get("item_id")],
        "new_item_ids": [fits[0].get("item_id")],
        "payment_method_id": method.get("id"),
    }
    result = desk.change(tool, arguments, words)
    difference = result.get("exchange_price_difference")
    if difference is None and _payments(result):
        difference = _payments(result)[-1].get("amount")
    if not isinstance(difference, int | float):
        return desk.report(words)
    return desk.report(words, f"The difference in price is {say_value(abs(difference))} dollars.")


def _take_back(desk: Desk, user: str) -> Answer:
    order = _find_order(desk, user)
    _require_own(desk, order, user, "take it back")
    items = _choose_items(desk, order, r"\breturn\b(.*?)(?:\b(?:of|from|in) the order\b|$)")
    method = _find_method(desk, user)
    things = join_words([f"the {item.get('name')}" for item in items])
    words = f"return {things} of {_name(order)} with the refund to {say_card(method)}"
    if order.get("status") != "delivered":
        raise desk.forbid(words, f"the status of the order is {order.get('status')}", _ABILITIES[0])
    paid_with = {entry.get("payment_method_id") for entry in _payments(order)}
    if method.get("source") != "gift_card" and method.get("id") not in paid_with:
        allowed = "a refund goes to the payment method of the order or to a gift card"
        raise desk.forbid(words, allowed, "refund it to what the order was paid with")
    amount = items[0].get("price")
    if len(items) > 1:
        expression = " + ".join(f"{float(item.get('price') or 0):.2f}" for item in items)
        amount = desk.read("calculate", expression=expression).get("result")
    arguments = {
        "order_id": order.get("order_id"),
        "item_ids": [item.get("item_id") for item in items],
        "payment_method_id": method.get("id"),
    }
    desk.change("return_delivered_order_items", arguments, words)
    return desk.report(words, f"The refund is {say_value(amount)} dollars.")


_WORKS = (
    (r"\bdefault address\b", _move_home),
    (r"\b(?:cancel|cancelled)\b", _cancel),
    (r"\breturn\b", _take_back),
    (r"\b(?:swap|exchange) the\b", _swap),
    (r"\bprice of the\b", _tell_price),
    (r"\bsent\b|\bshipping address\b", _send_elsewhere),
    (r"\bpay for\b|\bpaid with\b", _pay_otherwise),
    (r"\bstatus\b|\btracking\b|\b(?:was|were) paid\b|\bpaid for\b", _tell_order),
)
