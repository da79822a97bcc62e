"""The home network domain: one state, seen and changed from two sides.

It brings a database of its own (`homes.toml`); another one of the same shape can be given as the source's path.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from schemas.tools import DomainTool
from turnwright.domains.home_network import device
from turnwright.domains.home_network.scenarios import draw_scenarios
from turnwright.domains.home_network.tools import TOOLS
from turnwright.domains.shapes import read_tables
from turnwright.domains.tau2_tasks import read_tasks
from turnwright.environments.domain import DomainContent, DomainFiles, Refusal
from turnwright.environments.domain_state import DomainState, Record
from turnwright.goals.scenarios import Scenario

_FOLDER = Path(__file__).parent
_WANTED = {
    "customers": ("customer_number", "name", "phone", "area", "booked_speed", "router_serial", "replacement"),
    "routers": (
        "serial",
        "customer_number",
        "area",
        "booked_speed",
        "cable_in",
        "hung",
        "defect",
        "wifi_on",
        "profile",
        "firmware",
        "pending_firmware",
    ),
    "areas": ("name", "outage_until"),
}
_OPTIONAL = {"replacement": None, "pending_firmware": None, "outage_until": None, "defect": False}
_DELIVERY_DAYS = 3


class HomeNetwork:
    """Customers with a line and a router each; the assistant works on the line, the user on the router."""

    name = "home_network"
    tools: Sequence[DomainTool] = TOOLS
    unordered: Mapping[str, frozenset[str]] = {}

    def load(self, files: DomainFiles) -> DomainContent:
        """The database of the files, or the one that comes with the domain.

        Raises:
            ValueError: the database lacks something.
        """
        database = files.database
        if database is None:
            database = tomllib.loads((_FOLDER / "homes.toml").read_text(encoding="utf-8"))
        tables = read_tables(_fill_in(database), _WANTED)
        for customer in tables["customers"].values():
            if customer["router_serial"] not in tables["routers"]:
                raise ValueError(f"customers.{customer['customer_number']} has a router that does not exist")
        policy = files.policy or (_FOLDER / "policy.md").read_text(encoding="utf-8").strip()
        return DomainContent(tables, policy, read_tasks(files.tasks or [], TOOLS))

    def call(self, tool: str, arguments: Mapping[str, Any], state: DomainState, now: str) -> Any:
        """The result of a call, of either side.

        Raises:
            Refusal: it cannot be done.
        """
        match tool:
            case "find_customer":
                return _find_by_phone(state, arguments["phone"])
            case "get_line" | "reset_line" | "update_firmware" | "order_replacement":
                return _serve(tool, device.find_customer(state, arguments["customer_number"]), state, now)
            case "read_lights":
                return device.read_lights(state, device.find_router(state, arguments["serial"]))
            case "check_cable":
                router = device.find_router(state, arguments["serial"])
                return {"line_cable": "plugged in" if router["cable_in"] else "loose"}
            case "plug_in_cable":
                return device.plug_in(state, arguments["serial"])
            case "restart_router":
                return device.restart(state, arguments["serial"])
            case "press_wifi_button":
                return device.press_wifi_button(state, arguments["serial"])
            case "run_speed_test":
                router = device.find_router(state, arguments["serial"])
                return {"download_speed": device.measure_speed(state, router)}
            case _:
                raise Refusal("not_found", f"There is no tool named {tool}.")

    def people(self, state: DomainState) -> Sequence[str]:
        """The customers who may call, by number."""
        return [key for key, _ in state.records("customers")]

    def full_name(self, state: DomainState, person: str) -> str:
        """First and last name."""
        return device.find_customer(state, person)["name"]

    def scenarios(self, state: DomainState, person: str, now: str, rng: Random) -> Iterator[Scenario]:
        """What this customer may want, see turnwright/domains/home_network/scenarios.py."""
        del now, rng
        return draw_scenarios(state, person)


def _fill_in(database: Mapping[str, Any]) -> dict[str, Any]:
    """The database with what TOML cannot say (null) and what a record may leave out."""
    filled: dict[str, Any] = {}
    for table, records in database.items():
        if not isinstance(records, dict):
            filled[table] = records
            continue
        wanted = _WANTED.get(table, ())
        defaults = {name: value for name, value in _OPTIONAL.items() if name in wanted}
        filled[table] = {
            key: {**defaults, **record} if isinstance(record, dict) else record
            for key, record in records.items()  # pyright: ignore[reportUnknownVariableType]
        }
    return filled


def _find_by_phone(state: DomainState, phone: str) -> Record:
    wanted = _digits(phone)
    for _, customer in state.records("customers"):
        if wanted and _digits(customer["phone"]) == wanted:
            return customer
    raise Refusal("not_found", "No customer has this phone number.")


def _digits(phone: str) -> str:
    return "".join(character for character in phone if character.isdigit())


def _serve(tool: str, customer: Record, state: DomainState, now: str) -> Any:
    serial = customer["router_serial"]
    router = device.find_router(state, serial)
    match tool:
        case "get_line":
            return {
                "connected": device.is_connected(state, router),
                "profile": router["profile"],
                "firmware": router["firmware"],
                "newest_firmware": device.NEWEST_FIRMWARE,
                "outage_until": device.outage_of(state, router),
            }
        case "reset_line":
            if router["profile"] == "fresh":
                raise Refusal("refused", "The profile of this line is fresh; there is nothing to reset.")
            changed = state.edit("routers", serial)
            changed["profile"] = "fresh"
            changed["hung"] = True
            return {"profile": "fresh"}
        case "update_firmware":
            if not device.is_connected(state, router):
                raise Refusal("refused", "The router is not connected, so it cannot take an update.")
            if device.NEWEST_FIRMWARE in (router["firmware"], router["pending_firmware"]):
                raise Refusal(
                    "refused", "The router has the newest firmware already, or takes it with its next restart."
                )
            state.edit("routers", serial)["pending_firmware"] = device.NEWEST_FIRMWARE
            return {"pending_firmware": device.NEWEST_FIRMWARE}
        case _:
            if customer["replacement"] is not None:
                raise Refusal("refused", "A replacement is on its way already.")
            order = {
                "order_number": f"R-{customer['customer_number'].removeprefix('C-')}",
                "delivery_date": (datetime.fromisoformat(now) + timedelta(days=_DELIVERY_DAYS)).date().isoformat(),
            }
            state.edit("customers", customer["customer_number"])["replacement"] = order
            return order
