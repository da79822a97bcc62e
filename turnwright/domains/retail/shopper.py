"""One user of the retail domain, as scenarios need them: what they know, and what their records allow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.goals import KnownDetail
from turnwright.domains.money import cents
from turnwright.environments.domain_state import DomainState, Record
from turnwright.goals.scenarios import ScenarioCall

_BY_NUMBER = 0.6


@dataclass(frozen=True)
class NamedOrder:
    """An order in the user's words."""

    words: str
    known: tuple[KnownDetail, ...]
    lookups: tuple[ScenarioCall, ...]
    """Calls that find its number, where the user does not know it."""
    by_number: bool


class Shopper:
    """A user with their orders in a given state; nothing here changes it."""

    def __init__(self, state: DomainState, person: str) -> None:
        found = state.find("users", person)
        if found is None:
            raise KeyError(person)
        self.state = state
        self.person = person
        self.user: Record = found
        orders = [state.find("orders", order_id) for order_id in found["orders"]]
        self.orders: list[Record] = [order for order in orders if order is not None]
        # Fixed for a person: they identify themselves once, whatever they want.
        self._by_email = Random(f"{person}:identity").random() < 0.5

    @property
    def known(self) -> tuple[KnownDetail, ...]:
        """What the user can say about themselves."""
        name = self.user["name"]
        full = KnownDetail(label="name", value=f"{name['first_name']} {name['last_name']}")
        if self._by_email:
            return (full, KnownDetail(label="email", value=self.user["email"]))
        return (full, KnownDetail(label="zip code", value=self.user["address"]["zip"]))

    def identify(self) -> tuple[ScenarioCall, ...]:
        """The call that finds out who the user is; the policy wants it first."""
        name = self.user["name"]
        if self._by_email:
            return (ScenarioCall("find_user_id_by_email", {"email": self.user["email"]}, lookup=True),)
        arguments = {
            "first_name": name["first_name"],
            "last_name": name["last_name"],
            "zip": self.user["address"]["zip"],
        }
        return (ScenarioCall("find_user_id_by_name_zip", arguments, lookup=True),)

    def look_at_profile(self) -> ScenarioCall:
        """The call that shows payment methods and order numbers."""
        return ScenarioCall("get_user_details", {"user_id": self.person}, lookup=True)

    def look_at(self, order: Record) -> ScenarioCall:
        """The call that shows an order."""
        return ScenarioCall("get_order_details", {"order_id": order["order_id"]}, lookup=True)

    def draw_order(self, rng: Random, status: str | None) -> Record | None:
        """One of the user's orders with that status."""
        orders = [order for order in self.orders if status is None or order["status"] == status]
        return rng.choice(orders) if orders else None

    def name_order(self, order: Record, rng: Random, besides: str = "") -> NamedOrder:
        """An order by its number, or by something that only it contains; `besides` is a product named anyway."""
        others = {item["name"] for other in self.orders if other is not order for item in other["items"]}
        telling = sorted({item["name"] for item in order["items"]} - others - {besides})
        if not telling or rng.random() < _BY_NUMBER:
            number = order["order_id"]
            return NamedOrder(f"the order {number}", (KnownDetail(label="order number", value=number),), (), True)
        product = rng.choice(telling)
        known = (KnownDetail(label="product in the order", value=product),)
        return NamedOrder(f"the order with the {product}", known, (self.look_at_profile(),), False)

    def alone(self, order: Record) -> list[Record]:
        """Items that the product's name singles out in their order."""
        names = [item["name"] for item in order["items"]]
        return [item for item in order["items"] if names.count(item["name"]) == 1]

    def draw_item(self, rng: Random, order: Record) -> Record | None:
        """An item that its product's name singles out."""
        items = self.alone(order)
        return rng.choice(items) if items else None

    def draw_variant(self, rng: Random, item: Record) -> Record | None:
        """Another variant in stock that its options single out; one or two of them differ from what the user has."""
        product = self.state.find("products", item["product_id"])
        if product is None:
            return None
        there = [one for one in product["variants"].values() if one["options"].keys() == item["options"].keys()]
        near = [
            one
            for one in there
            if one["available"]
            and one["item_id"] != item["item_id"]
            and 1 <= _distance(one, item) <= 2
            and [other["options"] for other in there].count(one["options"]) == 1
        ]
        return rng.choice(near) if near else None

    def sayable_methods(self) -> list[Record]:
        """Payment methods that a few words single out."""
        methods: Sequence[Record] = list(self.user["payment_methods"].values())
        words = [describe_method(method) for method in methods]
        return [method for method, said in zip(methods, words, strict=True) if words.count(said) == 1]

    def draw_method(self, rng: Random, amount: float, avoid: str = "") -> Record | None:
        """A payment method that can pay `amount` dollars."""
        methods = [
            method
            for method in self.sayable_methods()
            if method["id"] != avoid and (method["source"] != "gift_card" or cents(method["balance"]) >= cents(amount))
        ]
        return rng.choice(methods) if methods else None

    def draw_address(self, rng: Random, current: Record) -> dict[str, Any] | None:
        """Another real address of the database, somebody else's; none where there is no other."""
        addresses = [address for address in self._addresses() if address != current]
        return dict(rng.choice(addresses)) if addresses else None

    def _addresses(self) -> Iterator[Record]:
        for key, user in self.state.records("users"):
            if key != self.person and all(user["address"].get(part) for part in ("address1", "city", "zip")):
                yield user["address"]


def describe_method(method: Record) -> str:
    """A payment method in a person's words."""
    match method["source"]:
        case "credit_card":
            return f"the {method['brand']} card ending in {method['last_four']}"
        case "gift_card":
            return "the gift card"
        case "paypal":
            return "the PayPal account"
        case other:
            return f"the {other}"


def say_address(address: Record | dict[str, Any]) -> str:
    """An address on one line."""
    parts = (
        address["address1"],
        address["address2"],
        address["city"],
        f"{address['state']} {address['zip']}",
        address["country"],
    )
    return ", ".join(part for part in parts if part)


def _distance(one: Record, other: Record) -> int:
    return sum(other["options"][name] != value for name, value in one["options"].items())
