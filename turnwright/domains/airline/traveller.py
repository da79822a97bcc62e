"""One user of the airline domain, as scenarios need them: what they know, and what their reservations allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from schemas.goals import KnownDetail
from turnwright.domains.airline.flights import CITIES, find_departure, has_left
from turnwright.environments.domain_state import DomainState, Record
from turnwright.goals.scenarios import ScenarioCall

_BY_NUMBER = 0.6


@dataclass(frozen=True)
class NamedReservation:
    """A reservation in the user's words."""

    words: str
    known: tuple[KnownDetail, ...]
    lookups: tuple[ScenarioCall, ...]
    """Calls that find its number, where the user does not know it."""


class Traveller:
    """A user with their reservations in a given state; nothing here changes it."""

    def __init__(self, state: DomainState, person: str, now: str) -> None:
        found = state.find("users", person)
        if found is None:
            raise KeyError(person)
        self.state = state
        self.person = person
        self.now = datetime.fromisoformat(now)
        self.user: Record = found
        there = [state.find("reservations", key) for key in found["reservations"]]
        self.reservations: list[Record] = [
            reservation for reservation in there if reservation is not None and "status" not in reservation
        ]

    @property
    def known(self) -> tuple[KnownDetail, ...]:
        """What the user can say about themselves: the policy wants the user id from them."""
        name = self.user["name"]
        return (
            KnownDetail(label="name", value=f"{name['first_name']} {name['last_name']}"),
            KnownDetail(label="user id", value=self.person),
        )

    def look_at_profile(self) -> ScenarioCall:
        """The call that shows membership, payment methods and reservation numbers."""
        return ScenarioCall("get_user_details", {"user_id": self.person}, lookup=True)

    def look_at(self, reservation: Record) -> ScenarioCall:
        """The call that shows a reservation."""
        return ScenarioCall("get_reservation_details", {"reservation_id": reservation["reservation_id"]}, lookup=True)

    def name_reservation(self, reservation: Record, rng: Random) -> NamedReservation:
        """A reservation by its number, or by a route that only it has."""
        route = (reservation["origin"], reservation["destination"])
        routes = [(other["origin"], other["destination"]) for other in self.reservations]
        if routes.count(route) > 1 or rng.random() < _BY_NUMBER:
            number = reservation["reservation_id"]
            return NamedReservation(
                f"the reservation {number}", (KnownDetail(label="reservation number", value=number),), ()
            )
        cities = f"{name_airport(route[0])} to {name_airport(route[1])}"
        known = (KnownDetail(label="trip", value=cities),)
        return NamedReservation(f"the trip from {cities}", known, (self.look_at_profile(),))

    def departures(self, reservation: Record) -> list[Record]:
        """The flights of a reservation on their days."""
        return [
            find_departure(self.state, segment["flight_number"], segment["date"])[1]
            for segment in reservation["flights"]
        ]

    def is_ahead(self, reservation: Record) -> bool:
        """Whether no part was flown."""
        return not any(has_left(departure) for departure in self.departures(reservation))

    def may_cancel(self, reservation: Record, covered: bool) -> bool:
        """What the policy says on cancelling; `covered`: the reason is one that insurance covers."""
        recent = self.now - datetime.fromisoformat(reservation["created_at"]) <= timedelta(hours=24)
        by_airline = any(departure["status"] == "cancelled" for departure in self.departures(reservation))
        insured = reservation["insurance"] == "yes" and covered
        return recent or by_airline or insured or reservation["cabin"] == "business"

    def draw_card(self, rng: Random, amount: int) -> Record | None:
        """A credit card or gift card that can pay `amount` dollars and that a few words single out."""
        methods = [method for method in self.user["payment_methods"].values() if method["source"] != "certificate"]
        words = [describe_method(method) for method in methods]
        usable = [
            method
            for method, said in zip(methods, words, strict=True)
            if words.count(said) == 1 and (method["source"] == "credit_card" or method["amount"] >= amount)
        ]
        return rng.choice(usable) if usable else None


def describe_method(method: Mapping[str, Any]) -> str:
    """A payment method in a person's words."""
    if method["source"] == "credit_card":
        return f"the {method['brand']} card ending in {method['last_four']}"
    return "the gift card" if method["source"] == "gift_card" else "the travel certificate"


def name_airport(code: str) -> str:
    """City and code, as people tell airports apart."""
    city = CITIES.get(code)
    return f"{city} ({code})" if city else code
