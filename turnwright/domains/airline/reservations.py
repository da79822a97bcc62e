"""What can be done to a reservation or a profile: each function checks its preconditions, then changes what it must.

What the policy leaves to the assistant (may this fare be changed, may this booking be cancelled, is a compensation
due) is not checked here. Seats are taken and given back on the days concerned.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from schemas.content import digest
from turnwright.domains.airline.flights import departure_key, find_departure, has_left
from turnwright.environments.domain import Refusal
from turnwright.environments.domain_state import DomainState, Record

Write = Callable[[DomainState, Mapping[str, Any], str], Any]
BAG_PRICE = 50
INSURANCE_PRICE = 30
MOST_PASSENGERS = 5
_MOST_CARDS = {"certificate": 1, "credit_card": 1, "gift_card": 3}
_FREE_BAGS = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 4},
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ID_LENGTH = 6


def find_user(state: DomainState, user_id: str) -> Record:
    """A profile.

    Raises:
        Refusal: there is none.
    """
    user = state.find("users", user_id)
    if user is None:
        raise Refusal("not_found", f"There is no user {user_id}.")
    return user


def find_reservation(state: DomainState, reservation_id: str) -> Record:
    """A reservation.

    Raises:
        Refusal: there is none.
    """
    reservation = state.find("reservations", reservation_id)
    if reservation is None:
        raise Refusal("not_found", f"There is no reservation {reservation_id}.")
    return reservation


def count_free_bags(membership: str, cabin: str, passengers: int) -> int:
    """Checked bags that cost nothing (airline policy, checked bag allowance)."""
    return _FREE_BAGS[membership][cabin] * passengers


def book_reservation(state: DomainState, arguments: Mapping[str, Any], now: str) -> Any:
    """Books flights, takes the seats, charges the payment methods; a certificate that was used is gone."""
    user = find_user(state, arguments["user_id"])
    passengers = _check_passengers(arguments["passengers"])
    count = len(passengers)
    if count > MOST_PASSENGERS:
        raise Refusal("refused", f"A reservation can have at most {MOST_PASSENGERS} passengers, not {count}.")
    cabin = arguments["cabin"]
    segments = [_price_segment(state, flight, cabin, count) for flight in arguments["flights"]]
    _check_route(arguments, segments)
    _check_bags(arguments)
    price = sum(segment["price"] for segment in segments) * count
    price += BAG_PRICE * arguments["nonfree_baggages"]
    price += INSURANCE_PRICE * count if arguments["insurance"] == "yes" else 0
    payments = _check_payments(user, arguments["payment_methods"], price)
    _take_seats(state, segments, cabin, count)
    for payment in payments:
        _charge(state, user["user_id"], payment["payment_id"], payment["amount"])
    reservation_id = _make_id(state, [user["user_id"], now, [dict(flight) for flight in arguments["flights"]]])
    reservation = {
        "reservation_id": reservation_id,
        "user_id": user["user_id"],
        "origin": arguments["origin"],
        "destination": arguments["destination"],
        "flight_type": arguments["flight_type"],
        "cabin": cabin,
        "flights": segments,
        "passengers": passengers,
        "payment_history": payments,
        "created_at": now,
        "total_baggages": arguments["total_baggages"],
        "nonfree_baggages": arguments["nonfree_baggages"],
        "insurance": arguments["insurance"],
    }
    state.add("reservations", reservation_id, reservation)
    state.edit("users", user["user_id"])["reservations"].append(reservation_id)
    return reservation


def cancel_reservation(state: DomainState, arguments: Mapping[str, Any], now: str) -> Any:
    """Cancels all flights, gives the seats back, and books every payment back to where it came from."""
    del now
    reservation = _require_active(find_reservation(state, arguments["reservation_id"]))
    for segment in reservation["flights"]:
        if has_left(find_departure(state, segment["flight_number"], segment["date"])[1]):
            text = f"The flight {segment['flight_number']} on {segment['date']} has taken off already."
            raise Refusal("refused", text)
    _take_seats(state, reservation["flights"], reservation["cabin"], -len(reservation["passengers"]))
    changed = state.edit("reservations", reservation["reservation_id"])
    changed["payment_history"] += [
        {"payment_id": payment["payment_id"], "amount": -payment["amount"]}
        for payment in reservation["payment_history"]
    ]
    changed["status"] = "cancelled"
    return changed


def update_reservation_flights(state: DomainState, arguments: Mapping[str, Any], now: str) -> Any:
    """Puts other flights or another cabin into a reservation. Flights that stay in their cabin keep their price."""
    del now
    reservation = _require_active(find_reservation(state, arguments["reservation_id"]))
    cabin, count = arguments["cabin"], len(reservation["passengers"])
    kept = {(old["flight_number"], old["date"]): old for old in reservation["flights"]}
    if cabin != reservation["cabin"]:
        kept = {}
    segments: list[dict[str, Any]] = []
    for flight in arguments["flights"]:
        old = kept.get((flight["flight_number"], flight["date"]))
        segments.append(dict(old) if old is not None else _price_segment(state, flight, cabin, count))
    _check_route(reservation, segments)
    if cabin == reservation["cabin"] and segments == [dict(old) for old in reservation["flights"]]:
        raise Refusal("refused", "These are the flights and the cabin of the reservation already.")
    difference = count * (
        sum(segment["price"] for segment in segments) - sum(old["price"] for old in reservation["flights"])
    )
    _require_card(find_user(state, reservation["user_id"]), arguments["payment_id"], difference)
    _take_seats(state, _without(reservation["flights"], segments, kept), reservation["cabin"], -count)
    _take_seats(state, _without(segments, reservation["flights"], kept), cabin, count)
    changed = state.edit("reservations", reservation["reservation_id"])
    changed["cabin"] = cabin
    changed["flights"] = segments
    _settle(state, changed, arguments["payment_id"], difference)
    return changed


def update_reservation_baggages(state: DomainState, arguments: Mapping[str, Any], now: str) -> Any:
    """Adds checked bags, and charges for those more that are not free."""
    del now
    reservation = _require_active(find_reservation(state, arguments["reservation_id"]))
    _check_bags(arguments)
    total, paid = arguments["total_baggages"], arguments["nonfree_baggages"]
    if total < reservation["total_baggages"] or paid < reservation["nonfree_baggages"]:
        raise Refusal("refused", "Checked bags can be added but not removed.")
    cost = BAG_PRICE * (paid - reservation["nonfree_baggages"])
    _require_card(find_user(state, reservation["user_id"]), arguments["payment_id"], cost)
    changed = state.edit("reservations", reservation["reservation_id"])
    changed["total_baggages"] = total
    changed["nonfree_baggages"] = paid
    _settle(state, changed, arguments["payment_id"], cost)
    return changed


def update_reservation_passengers(state: DomainState, arguments: Mapping[str, Any], now: str) -> Any:
    """Writes other names and dates of birth."""
    del now
    reservation = _require_active(find_reservation(state, arguments["reservation_id"]))
    passengers = _check_passengers(arguments["passengers"])
    count = len(reservation["passengers"])
    if len(passengers) != count:
        raise Refusal("refused", f"The number of passengers cannot change: it is {count}.")
    changed = state.edit("reservations", reservation["reservation_id"])
    changed["passengers"] = passengers
    return changed


def send_certificate(state: DomainState, arguments: Mapping[str, Any], now: str) -> Any:
    """Puts a travel certificate into the user's profile."""
    del now
    user = find_user(state, arguments["user_id"])
    methods = state.edit("users", user["user_id"])["payment_methods"]
    number = int(digest([user["user_id"], len(methods), arguments["amount"]]), 16)
    while f"certificate_{number % 10**7:07d}" in methods:
        number += 1
    payment_id = f"certificate_{number % 10**7:07d}"
    methods[payment_id] = {"source": "certificate", "amount": arguments["amount"], "id": payment_id}
    return {"payment_id": payment_id, "amount": arguments["amount"]}


WRITES: dict[str, Write] = {
    "book_reservation": book_reservation,
    "cancel_reservation": cancel_reservation,
    "update_reservation_flights": update_reservation_flights,
    "update_reservation_baggages": update_reservation_baggages,
    "update_reservation_passengers": update_reservation_passengers,
    "send_certificate": send_certificate,
}


def _require_active(reservation: Record) -> Record:
    if reservation.get("status") == "cancelled":
        raise Refusal("refused", f"The reservation {reservation['reservation_id']} is cancelled.")
    return reservation


def _check_passengers(passengers: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    checked: list[dict[str, str]] = []
    for passenger in passengers:
        first, last, born = (passenger[name].strip() for name in ("first_name", "last_name", "dob"))
        try:
            date.fromisoformat(born)
        except ValueError:
            raise Refusal("invalid_arguments", f"{born} is no date of birth; write YYYY-MM-DD.") from None
        if not first or not last:
            raise Refusal("invalid_arguments", "Each passenger needs a first and a last name.")
        checked.append({"first_name": first, "last_name": last, "dob": born})
    return checked


def _price_segment(state: DomainState, flight: Mapping[str, Any], cabin: str, count: int) -> dict[str, Any]:
    number, day = flight["flight_number"], flight["date"]
    found, departure = find_departure(state, number, day)
    if departure["status"] != "available":
        raise Refusal("refused", f"The flight {number} on {day} cannot be booked: its status is {departure['status']}.")
    if departure["available_seats"][cabin] < count:
        seats = departure["available_seats"][cabin]
        raise Refusal("refused", f"The flight {number} on {day} has {seats} free seats in {cabin}, {count} are needed.")
    return {
        "flight_number": number,
        "origin": found["origin"],
        "destination": found["destination"],
        "date": day,
        "price": departure["prices"][cabin],
    }


def _check_route(trip: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> None:
    """Whether flights follow each other and lead there, and for a round trip there and back."""
    path = [trip["origin"]]
    for segment in segments:
        if segment["origin"] != path[-1]:
            text = f"The flight {segment['flight_number']} leaves from {segment['origin']}, not from {path[-1]}."
            raise Refusal("refused", text)
        path.append(segment["destination"])
    days = [segment["date"] for segment in segments]
    if days != sorted(days):
        raise Refusal("refused", "The flights are not in the order of their dates.")
    end = trip["destination"] if trip["flight_type"] == "one_way" else trip["origin"]
    if path[-1] != end or trip["destination"] not in path:
        kind = trip["flight_type"].replace("_", " ")
        raise Refusal("refused", f"These flights are no {kind} from {trip['origin']} to {trip['destination']}.")


def _check_bags(arguments: Mapping[str, Any]) -> None:
    if arguments["nonfree_baggages"] > arguments["total_baggages"]:
        raise Refusal("invalid_arguments", "There cannot be more bags that are charged for than bags.")


def _check_payments(user: Record, payments: Sequence[Mapping[str, Any]], price: int) -> list[dict[str, Any]]:
    used: Counter[str] = Counter()
    seen: set[str] = set()
    for payment in payments:
        method = _find_method(user, payment["payment_id"])
        if method["id"] in seen:
            raise Refusal("refused", f"The payment method {method['id']} stands there twice.")
        seen.add(method["id"])
        used[method["source"]] += 1
        if used[method["source"]] > _MOST_CARDS.get(method["source"], 0):
            kind = method["source"].replace("_", " ")
            raise Refusal("refused", f"At most {_MOST_CARDS.get(method['source'], 0)} {kind} can pay for a booking.")
        _require_funds(method, payment["amount"])
    paid = sum(payment["amount"] for payment in payments)
    if paid != price:
        raise Refusal("refused", f"The payments add up to {paid} dollars, the price is {price} dollars.")
    return [{"payment_id": payment["payment_id"], "amount": payment["amount"]} for payment in payments]


def _find_method(user: Record, payment_id: str) -> Record:
    method = user["payment_methods"].get(payment_id)
    if method is None:
        raise Refusal("not_found", f"User {user['user_id']} has no payment method {payment_id}.")
    return method


def _require_funds(method: Record, amount: int) -> None:
    if method["source"] != "credit_card" and method["amount"] < amount:
        raise Refusal("refused", f"{method['id']} has {method['amount']} dollars left, {amount} are needed.")


def _require_card(user: Record, payment_id: str, amount: int) -> None:
    method = _find_method(user, payment_id)
    if method["source"] == "certificate":
        raise Refusal("refused", "A certificate cannot pay for changes; use a credit card or a gift card.")
    _require_funds(method, amount)


def _charge(state: DomainState, user_id: str, payment_id: str, amount: int) -> None:
    """Takes money off a gift card (below zero: puts it on); a certificate is used up, whatever was left on it."""
    method = find_user(state, user_id)["payment_methods"][payment_id]
    if method["source"] == "certificate":
        del state.edit("users", user_id)["payment_methods"][payment_id]
    elif method["source"] == "gift_card" and amount:
        state.edit("users", user_id)["payment_methods"][payment_id]["amount"] -= amount


def _settle(state: DomainState, changed: dict[str, Any], payment_id: str, difference: int) -> None:
    if difference:
        changed["payment_history"].append({"payment_id": payment_id, "amount": difference})
        _charge(state, changed["user_id"], payment_id, difference)


def _without(
    segments: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], kept: Mapping[tuple[str, str], Any]
) -> list[Mapping[str, Any]]:
    """Segments that are not also among the others: those keep their seats, unless the cabin changes."""
    if not kept:
        return list(segments)
    there = {(other["flight_number"], other["date"]) for other in others}
    return [segment for segment in segments if (segment["flight_number"], segment["date"]) not in there]


def _take_seats(state: DomainState, segments: Sequence[Mapping[str, Any]], cabin: str, count: int) -> None:
    """Takes seats (below zero: gives them back) where the departure still sells some."""
    for segment in segments:
        key = departure_key(segment["flight_number"], segment["date"])
        departure = state.find("departures", key)
        if departure is not None and departure["status"] == "available":
            state.edit("departures", key)["available_seats"][cabin] -= count


def _make_id(state: DomainState, booked: Any) -> str:
    """A number that follows from what is booked, so that the same booking has the same one in any dialogue."""
    number = int(digest(booked), 16)
    while True:
        rest, made = number, ""
        for _ in range(_ID_LENGTH):
            rest, position = divmod(rest, len(_LETTERS))
            made += _LETTERS[position]
        if state.find("reservations", made) is None:
            return made
        number += 1
