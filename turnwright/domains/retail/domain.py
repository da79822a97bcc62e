"""The retail domain: a shop whose users cancel, change, return and exchange orders.

Facts (tables, tools, policy) are tau2's; the database, the policy and the tasks are loaded from the path of the config.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from schemas.tools import DomainTool
from turnwright.domains.arithmetic import calculate
from turnwright.domains.retail import scenarios
from turnwright.domains.retail.orders import WRITES, find_order, find_user, find_variant
from turnwright.domains.retail.tools import TOOLS
from turnwright.domains.shapes import read_tables
from turnwright.domains.tau2_tasks import read_tasks
from turnwright.environments.domain import DomainContent, DomainFiles, Refusal
from turnwright.environments.domain_state import DomainState
from turnwright.goals.scenarios import Scenario

_WANTED = {
    "products": ("name", "product_id", "variants"),
    "users": ("user_id", "name", "address", "email", "payment_methods", "orders"),
    "orders": ("order_id", "user_id", "address", "items", "status", "fulfillments", "payment_history"),
}
_POLICY = (
    "You help the users of a retail shop. First find out who the user is, by email or by name and zip code. Before you "
    "change anything, say what you are going to do and wait for a yes. Only orders of this user concern you."
)


class Retail:
    """Products with variants, users with payment methods, and orders."""

    name = "retail"
    tools: Sequence[DomainTool] = TOOLS
    unordered: Mapping[str, frozenset[str]] = {"orders": frozenset({"items", "return_items"})}

    def load(self, files: DomainFiles) -> DomainContent:
        """Database, policy and tasks as tau2's files have them; the policy may be left out, tasks as well.

        Raises:
            ValueError: the database lacks something.
        """
        tables = read_tables(files.database, _WANTED)
        return DomainContent(tables, files.policy or _POLICY, read_tasks(files.tasks or [], TOOLS))

    def call(self, tool: str, arguments: Mapping[str, Any], state: DomainState, now: str) -> Any:
        """The result of a call; an order or profile that was changed is returned whole.

        Raises:
            Refusal: it cannot be done.
        """
        del now
        if tool in WRITES:
            return WRITES[tool](state, arguments)
        match tool:
            case "find_user_id_by_email":
                return {"user_id": _find_by_email(state, arguments["email"])}
            case "find_user_id_by_name_zip":
                return {"user_id": _find_by_name(state, arguments)}
            case "get_user_details":
                return find_user(state, arguments["user_id"])
            case "get_order_details":
                return find_order(state, arguments["order_id"])
            case "get_product_details":
                return _find_product(state, arguments["product_id"])
            case "get_item_details":
                return find_variant(state, arguments["item_id"])[1]
            case "list_all_product_types":
                return {
                    product["name"]: key for key, product in sorted(_products(state), key=lambda one: one[1]["name"])
                }
            case "calculate":
                return {"result": calculate(arguments["expression"])}
            case "transfer_to_human_agents":
                return {"transferred": True}
            case _:
                raise Refusal("not_found", f"There is no tool named {tool}.")

    def people(self, state: DomainState) -> Sequence[str]:
        """The users who may come, by id."""
        return [key for key, _ in state.records("users")]

    def full_name(self, state: DomainState, person: str) -> str:
        """First and last name."""
        name = find_user(state, person)["name"]
        return f"{name['first_name']} {name['last_name']}"

    def scenarios(self, state: DomainState, person: str, now: str, rng: Random) -> Iterator[Scenario]:
        """What this user may want, see turnwright/domains/retail/scenarios.py."""
        del now
        return scenarios.draw_scenarios(state, person, rng)


def _products(state: DomainState) -> Iterator[tuple[str, Any]]:
    return state.records("products")


def _find_product(state: DomainState, product_id: str) -> Any:
    product = state.find("products", product_id)
    if product is None:
        raise Refusal("not_found", f"There is no product {product_id}. Product ids are no item ids.")
    return product


def _find_by_email(state: DomainState, email: str) -> str:
    wanted = email.strip().casefold()
    for key, user in state.records("users"):
        if user["email"].casefold() == wanted:
            return key
    raise Refusal("not_found", "No user has this email address.")


def _find_by_name(state: DomainState, arguments: Mapping[str, Any]) -> str:
    wanted = [arguments[name].strip().casefold() for name in ("first_name", "last_name", "zip")]
    for key, user in state.records("users"):
        name = user["name"]
        if [name["first_name"].casefold(), name["last_name"].casefold(), user["address"]["zip"]] == wanted:
            return key
    raise Refusal("not_found", "No user has this name and zip code.")
