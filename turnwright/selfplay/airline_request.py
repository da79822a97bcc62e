"""What a request to an airline is about: the user, the reservation, the flight, and the words for them."""

import re
from typing import Any

from turnwright.selfplay import fares
from turnwright.selfplay.desk import Answer, Desk, find_card, find_last
from turnwright.selfplay.fares import read_dict, read_rows, read_strings

USER_ID = r"\b[a-z]+(?:_[a-z]+)+_\d{2,}\b"
FLIGHT = r"\bHAT\d{3}\b"
DATE = r"\b\d{4}-\d{2}-\d{2}\b"
_NUMBER = (
    r"\b(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]*\d)[A-Z0-9]{6}\b|\breservation (?:number (?:is |should be )?)?([A-Z0-9]{6})\b"
)
_CODE = r"\(([A-Z]{3})\)"


def identify(desk: Desk) -> dict[str, Any]:
    """The user's profile; the policy wants the id from the user."""
    user = find_last(USER_ID, desk.history)
    if user is None:
        raise desk.ask("user id")
    profile = desk.read("get_user_details", user_id=user)
    if not profile:
        raise Answer("I could not find a profile with that id. Could you tell me the user id again?")
    return profile


def find_reservation(desk: Desk) -> dict[str, Any]:
    """The reservation that the request names by number or route, else the one that was spoken of last."""
    if find_last(USER_ID, desk.history) is None:
        raise desk.ask("user id")
    for text in desk.history:
        number = _find_number(text)
        if number is not None:
            reservation = desk.read("get_reservation_details", reservation_id=number)
            if not reservation:
                raise Answer(f"I could not find {number}. Could you tell me the reservation number again?")
            return reservation
        codes = re.findall(_CODE, text)
        if len(codes) >= 2 and re.search(r"\btrip\b", text):
            return _find_trip(desk, codes[-2], codes[-1])
        if text is desk.text and not re.search(r"\b(?:it|that one|there)\b", text):
            break
    raise desk.ask("reservation number")


def _find_number(text: str) -> str | None:
    found = [match.group(1) or match.group() for match in re.finditer(_NUMBER, text)]
    named = [number for number in found if not re.fullmatch(FLIGHT, number) and not number.isdigit()]
    return named[-1] if named else None


def _find_trip(desk: Desk, origin: str, destination: str) -> dict[str, Any]:
    for number in read_strings(identify(desk), "reservations"):
        reservation = desk.read("get_reservation_details", reservation_id=number)
        route = (reservation.get("origin"), reservation.get("destination"))
        if route == (origin, destination) and reservation.get("status") != "cancelled":
            return reservation
    raise desk.ask("reservation number")


def choose_card(desk: Desk, profile: dict[str, Any]) -> dict[str, Any]:
    """The payment method that the user names."""
    method = find_card(read_dict(profile, "payment_methods"), desk.text)
    if method is None:
        raise desk.ask("payment method")
    return method


def name_reservation(desk: Desk, reservation: dict[str, Any]) -> str:
    """The reservation with its number, and with the route where the user named it so."""
    trip = re.search(r"\b(?:the )?trip from ([^,()]+ \([A-Z]{3}\) to [^,()]+ \([A-Z]{3}\))", desk.text)
    name = f"the reservation {reservation.get('reservation_id')}"
    return f"{name} (from {trip.group(1)})" if trip else name


def list_flights(reservation: dict[str, Any]) -> list[dict[str, Any]]:
    """The flights of a reservation, as tools take them."""
    return [
        {"flight_number": one.get("flight_number"), "date": one.get("date")}
        for one in read_rows(reservation, "flights")
    ]


def search_flights(desk: Desk, origin: Any, destination: Any, day: Any) -> list[dict[str, Any]]:
    """The direct flights of a day with their prices."""
    return desk.read_list("search_direct_flight", origin=origin, destination=destination, date=day)


def require_own(desk: Desk, reservation: dict[str, Any], action: str) -> None:
    """Says no where the reservation is not that of the user who asks."""
    if reservation.get("user_id") != find_last(USER_ID, desk.history):
        raise desk.forbid(action, "the reservation belongs to somebody else", "help with your own reservations")


def was_cancelled(desk: Desk, reservation: dict[str, Any]) -> bool:
    """Whether the airline cancelled one of the flights."""
    return any(
        desk.read("get_flight_status", **flight).get("status") == "cancelled" for flight in list_flights(reservation)
    )


def find_cheapest(desk: Desk, count: int) -> tuple[dict[str, Any], str]:
    """The cheapest direct flight that the request describes with so many free seats, and the cabin."""
    codes, day, cabin = (
        re.findall(_CODE, desk.text),
        find_last(DATE, [_without_births(desk.text)]),
        read_cabin(desk.text),
    )
    if len(codes) < 2:
        raise desk.ask("departure airport" if not codes else "arrival airport")
    if day is None or cabin is None:
        raise desk.ask("date" if day is None else "cabin")
    offers = search_flights(desk, *_order_codes(desk.text, codes), day)
    best = fares.choose_cheapest(offers, cabin, count)
    if best is None:
        raise Answer(f"I could not find a direct flight with free seats in {cabin.replace('_', ' ')} on {day}.")
    return best, cabin


def _order_codes(text: str, codes: list[str]) -> tuple[str, str]:
    """Departure and arrival; one that was supplied later says which it is."""
    origin = re.search(r"departure airport[^.]*?\(([A-Z]{3})\)", text)
    destination = re.search(r"arrival airport[^.]*?\(([A-Z]{3})\)", text)
    if origin is not None and destination is None:
        other = [code for code in codes if code != origin.group(1)] or codes
        return origin.group(1), other[0]
    if destination is not None:
        other = [code for code in codes if code != destination.group(1)] or codes
        return origin.group(1) if origin else other[0], destination.group(1)
    return codes[0], codes[1]


def _without_births(text: str) -> str:
    """The text without dates of birth."""
    return re.sub(rf"(?:born on|date of birth)(?:[^.]*?{DATE}(?: and)?)+", "", text)


def read_cabin(text: str) -> str | None:
    """The cabin that a text asks for, as tools name it."""
    cabins = "(basic economy|economy|business)"
    found = find_last(rf"\bcabin\b[^.]*?\b{cabins}\b", [text]) or find_last(rf"\b(?:in|to) {cabins}\b", [text])
    return found.lower().replace(" ", "_") if found else None
