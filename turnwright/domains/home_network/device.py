"""The router and its line: what is shown on either side follows from one shared state."""

from typing import Any

from turnwright.environments.domain import Refusal
from turnwright.environments.domain_state import DomainState, Record

NEWEST_FIRMWARE = "2.1"
_OLD_SHARE = 0.25
"""Share of the booked speed that old firmware reaches."""


def find_customer(state: DomainState, number: str) -> Record:
    """A customer.

    Raises:
        Refusal: there is none.
    """
    customer = state.find("customers", number)
    if customer is None:
        raise Refusal("not_found", f"There is no customer {number}.")
    return customer


def find_router(state: DomainState, serial: str) -> Record:
    """A router.

    Raises:
        Refusal: there is none.
    """
    router = state.find("routers", serial)
    if router is None:
        raise Refusal("not_found", f"There is no router with the serial number {serial}.")
    return router


def outage_of(state: DomainState, router: Record) -> str | None:
    """Expected end of an outage where the router stands, or none."""
    area = state.find("areas", router["area"])
    return area["outage_until"] if area is not None else None


def is_connected(state: DomainState, router: Record) -> bool:
    """Whether the router is on the internet."""
    return (
        router["cable_in"]
        and not router["hung"]
        and not router["defect"]
        and router["profile"] == "fresh"
        and outage_of(state, router) is None
    )


def read_lights(state: DomainState, router: Record) -> dict[str, str]:
    """What the front of the router shows."""
    return {
        "power": "green",
        "internet": "green" if is_connected(state, router) else "red",
        "wifi": "green" if router["wifi_on"] else "off",
    }


def measure_speed(state: DomainState, router: Record) -> float:
    """Download speed at home in Mbit/s.

    Raises:
        Refusal: there is no connection to measure.
    """
    if not is_connected(state, router):
        raise Refusal("refused", "The speed test cannot start: there is no connection.")
    booked = router["booked_speed"]
    return booked if router["firmware"] == NEWEST_FIRMWARE else round(booked * _OLD_SHARE, 1)


def restart(state: DomainState, serial: str) -> dict[str, str]:
    """Restarts the router, which installs waiting firmware and takes a reset line's profile up.

    One restart more than needed changes nothing: people restart things.
    """
    router = state.edit("routers", find_router(state, serial)["serial"])
    router["hung"] = False
    if router["pending_firmware"] is not None:
        router["firmware"], router["pending_firmware"] = router["pending_firmware"], None
    lights = read_lights(state, router)
    return {"internet": lights["internet"], "wifi": lights["wifi"]}


def plug_in(state: DomainState, serial: str) -> dict[str, str]:
    """Plugs the line's cable in.

    Raises:
        Refusal: it is plugged in.
    """
    if find_router(state, serial)["cable_in"]:
        raise Refusal("refused", "The cable is plugged in already.")
    state.edit("routers", serial)["cable_in"] = True
    return {"line_cable": "plugged in"}


def press_wifi_button(state: DomainState, serial: str) -> dict[str, Any]:
    """Turns Wi-Fi on or off."""
    router = state.edit("routers", find_router(state, serial)["serial"])
    router["wifi_on"] = not router["wifi_on"]
    return {"wifi": "green" if router["wifi_on"] else "off"}
