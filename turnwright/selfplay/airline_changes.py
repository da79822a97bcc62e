"""What the clerk of an airline changes: each request under the airline's rules, with what is due."""

import re
from typing import Any

from turnwright.selfplay import fares
from turnwright.selfplay.airline_request import (
    DATE,
    choose_card,
    find_cheapest,
    find_reservation,
    identify,
    list_flights,
    name_reservation,
    read_cabin,
    require_own,
    search_flights,
    was_cancelled,
)
from turnwright.selfplay.desk import Answer, Desk, find_last, say_card
from turnwright.selfplay.fares import read_rows
from turnwright.selfplay.words import join_words, say_value

ABILITIES = ("look up a reservation", "search for flights", "add checked bags")
_NAME = r"[A-Z][\w'’-]+ [A-Z][\w'’-]+"
_COVERED = re.compile(r"\b(?:health|weather|sick|ill)\b", re.IGNORECASE)
_COUNTS = {"one": 1, "two": 2, "three": 3, "a": 1}


def cancel(desk: Desk) -> Answer:
    """Cancels a reservation where the rules let it be, and says the refund.

    Raises:
        NextCall, Answer: see Desk.
    """
    reservation = find_reservation(desk)
    require_own(desk, reservation, "cancel it")
    words = f"cancel {name_reservation(desk, reservation)}"
    if not re.search(r"\bbecause\b|\breasons?\b|\bchange of plans\b", desk.text, re.IGNORECASE):
        raise desk.ask("reason")
    covered = reservation.get("insurance") == "yes" and _COVERED.search(desk.text) is not None
    now = _read_now(desk)
    free = covered or reservation.get("cabin") == "business" or fares.is_recent(reservation, now)
    if not free and not was_cancelled(desk, reservation):
        allowed = "it was booked more than a day ago, is not in business, and no insurance covers the reason"
        raise desk.forbid(words, allowed, ABILITIES[0], "change the cabin")
    result = desk.change("cancel_reservation", {"reservation_id": reservation.get("reservation_id")}, words)
    amounts = [one.get("amount") for one in read_rows(result, "payment_history")]
    refunds = [say_value(-amount) for amount in amounts if isinstance(amount, int | float) and amount < 0]
    return desk.report(words, f"The refund is {join_words(refunds)} dollars." if refunds else "")


def _read_now(desk: Desk) -> str:
    return find_last(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?", [desk.policy]) or ""


def upgrade(desk: Desk) -> Answer:
    """Books all flights of a reservation in another cabin.

    Raises:
        NextCall, Answer: see Desk.
    """
    reservation = find_reservation(desk)
    profile = identify(desk)
    require_own(desk, reservation, "change it")
    cabin = find_last(r"\bto (basic economy|economy|business)\b", [desk.text]) or read_cabin(desk.text)
    if cabin is None:
        raise desk.ask("cabin")
    card = choose_card(desk, profile)
    for one in read_rows(reservation, "flights"):
        search_flights(desk, one.get("origin"), one.get("destination"), one.get("date"))
    words = f"upgrade all flights of {name_reservation(desk, reservation)} to {cabin}, paid with {say_card(card)}"
    result = _change_flights(desk, reservation, cabin, list_flights(reservation), card, words)
    return desk.report(words, _say_difference(result, "The upgrade"))


def _change_flights(
    desk: Desk,
    reservation: dict[str, Any],
    cabin: Any,
    flights: list[dict[str, Any]],
    card: dict[str, Any],
    words: str,
) -> dict[str, Any]:
    arguments = {
        "reservation_id": reservation.get("reservation_id"),
        "cabin": str(cabin).replace(" ", "_"),
        "flights": flights,
        "payment_id": card.get("id"),
    }
    return desk.change("update_reservation_flights", arguments, words)


def _say_difference(result: dict[str, Any], what: str) -> str:
    payments = read_rows(result, "payment_history")
    amount = payments[-1].get("amount") if payments else None
    if not isinstance(amount, int | float):
        return ""
    if amount < 0:
        return f"The difference of {say_value(-amount)} dollars is refunded."
    return f"{what} costs {say_value(amount)} dollars."


def move(desk: Desk) -> Answer:
    """Moves a reservation to the cheapest direct flight of another day.

    Raises:
        NextCall, Answer: see Desk.
    """
    reservation = find_reservation(desk)
    require_own(desk, reservation, "change it")
    day = find_last(DATE, [desk.text])
    if day is None:
        raise desk.ask("new date")
    words = f"move {name_reservation(desk, reservation)} to {day}"
    if reservation.get("cabin") == "basic_economy":
        raise desk.forbid(words, "flights in basic economy cannot be changed", ABILITIES[0], "change the cabin")
    profile = identify(desk)
    card = choose_card(desk, profile)
    count = len(read_rows(reservation, "passengers"))
    offers = search_flights(desk, reservation.get("origin"), reservation.get("destination"), day)
    best = fares.choose_cheapest(offers, str(reservation.get("cabin")), count)
    if best is None:
        raise Answer(
            f"I could not find a direct flight with free seats on {day}. Another date would let me look again."
        )
    flights = [{"flight_number": best.get("flight_number"), "date": day}]
    words = f"move {name_reservation(desk, reservation)} to the flight {best.get('flight_number')} on {day} "
    words += f"and settle the difference with {say_card(card)}"
    result = _change_flights(desk, reservation, reservation.get("cabin"), flights, card, words)
    return desk.report(words, _say_difference(result, "The change"))


def add_bags(desk: Desk) -> Answer:
    """Adds checked bags, those free of charge that the membership has left.

    Raises:
        NextCall, Answer: see Desk.
    """
    reservation = find_reservation(desk)
    profile = identify(desk)
    require_own(desk, reservation, "change it")
    said = find_last(r"\b(one|two|three|a|\d)(?: more)? (?:checked )?bags?\b", [desk.text])
    if said is None:
        raise desk.ask("bags to add")
    card = choose_card(desk, profile)
    extra = _COUNTS.get(said.lower()) or int(said)
    total = int(reservation.get("total_baggages") or 0) + extra
    charged = max(int(reservation.get("nonfree_baggages") or 0), total - fares.count_free_bags(profile, reservation))
    due = charged - int(reservation.get("nonfree_baggages") or 0)
    words = f"add {said.lower()} checked {'bag' if extra == 1 else 'bags'} to {name_reservation(desk, reservation)}"
    words += f", paid with {say_card(card)}" if due else ", free of charge"
    arguments = {
        "reservation_id": reservation.get("reservation_id"),
        "total_baggages": total,
        "nonfree_baggages": charged,
        "payment_id": card.get("id"),
    }
    result = desk.change("update_reservation_baggages", arguments, words)
    return desk.report(words, _say_difference(result, "This") if due else "There is nothing to pay.")


def swap_passenger(desk: Desk) -> Answer:
    """Puts another person in the place of a passenger.

    Raises:
        NextCall, Answer: see Desk.
    """
    reservation = find_reservation(desk)
    require_own(desk, reservation, "change it")
    passengers = read_rows(reservation, "passengers")
    there = [f"{one.get('first_name')} {one.get('last_name')}" for one in passengers]
    old = next(
        (
            name
            for name in there
            if re.search(rf"in place of {re.escape(name)}|replaced\b.*{re.escape(name)}", desk.text)
        ),
        None,
    )
    if old is None:
        raise desk.ask("passenger to be replaced")
    new = find_last(rf"\bhave ({_NAME})", [desk.text]) or find_last(rf"new passenger[^.]*?({_NAME})", [desk.text])
    born = find_last(DATE, [desk.text])
    if new is None or born is None:
        raise desk.ask("new passenger" if new is None else "date of birth of the new passenger")
    first, _, last = new.partition(" ")
    changed = [
        {"first_name": first, "last_name": last, "dob": born}
        if name == old
        else {key: one.get(key) for key in ("first_name", "last_name", "dob")}
        for name, one in zip(there, passengers, strict=True)
    ]
    words = f"have {new}, born on {born}, travel in place of {old} on {name_reservation(desk, reservation)}"
    arguments = {"reservation_id": reservation.get("reservation_id"), "passengers": changed}
    desk.change("update_reservation_passengers", arguments, words)
    return desk.report(words)


def drop_passenger(desk: Desk) -> Answer:
    """Declines: the number of passengers stays.

    Raises:
        NextCall, Answer: see Desk.
    """
    reservation = find_reservation(desk)
    words = f"take a passenger off {name_reservation(desk, reservation)}"
    raise desk.forbid(words, "the number of passengers cannot change", "put another person in their place")


def compensate(desk: Desk) -> Answer:
    """Sends a certificate for a flight that the airline cancelled, to whom the rules entitle to one.

    Raises:
        NextCall, Answer: see Desk.
    """
    reservation = find_reservation(desk)
    profile = identify(desk)
    require_own(desk, reservation, "compensate for it")
    entitled = profile.get("membership") != "regular" or reservation.get("insurance") == "yes"
    if not entitled and reservation.get("cabin") != "business":
        allowed = "a regular member without insurance in this cabin gets none"
        raise desk.forbid("give a compensation", allowed, ABILITIES[0])
    if not was_cancelled(desk, reservation):
        raise desk.forbid("give a compensation", "no flight of the reservation was cancelled", ABILITIES[0])
    amount = 100 * len(read_rows(reservation, "passengers"))
    words = f"send a certificate over {amount} dollars for {name_reservation(desk, reservation)}"
    desk.change("send_certificate", {"user_id": profile.get("user_id"), "amount": amount}, words)
    return desk.report(words, f"The amount of the certificate is {amount} dollars.")


def book(desk: Desk) -> Answer:
    """Books the cheapest direct flight of a day.

    Raises:
        NextCall, Answer: see Desk.
    """
    profile, text = identify(desk), desk.text
    named = re.search(r"\bfor ((?:[A-Z][\w'’-]+ [A-Z][\w'’-]+)(?: and [A-Z][\w'’-]+ [A-Z][\w'’-]+)*)", text)
    passengers = fares.list_passengers(profile, named.group(1).split(" and ") if named else [], text)
    if passengers is None:
        raise desk.ask("date of birth of every passenger")
    insured = find_last(r"\binsurance(?:: | is | should be |, take )?(yes|no)\b", [text])
    bags = find_last(r"\b(\d+) checked bags?\b", [text]) or find_last(r"checked bags (?:is |should be )(\d+)", [text])
    if bags is None or insured is None:
        raise desk.ask("checked bags" if bags is None else "travel insurance")
    card = choose_card(desk, profile)
    offer, cabin = find_cheapest(desk, len(passengers))
    charged = max(0, int(bags) - fares.count_free_bags(profile, {"cabin": cabin, "passengers": passengers}))
    expression = fares.price_booking(offer, cabin, len(passengers), charged, insured.lower() == "yes")
    total = desk.read("calculate", expression=expression).get("result")
    price = int(total) if isinstance(total, int | float) else 0
    number, said = offer.get("flight_number"), cabin.replace("_", " ")
    names = join_words([f"{one['first_name']} {one['last_name']}" for one in passengers])
    words = f"book the flight {number} from {offer.get('origin')} to {offer.get('destination')} on {offer.get('date')} "
    words += f"in {said} for {names}, with {bags} checked bags and travel insurance: {insured.lower()}, paid with "
    words += say_card(card)
    arguments = {
        "user_id": profile.get("user_id"),
        "origin": offer.get("origin"),
        "destination": offer.get("destination"),
        "flight_type": "one_way",
        "cabin": cabin,
        "flights": [{"flight_number": number, "date": offer.get("date")}],
        "passengers": passengers,
        "payment_methods": [{"payment_id": card.get("id"), "amount": price}],
        "total_baggages": int(bags),
        "nonfree_baggages": charged,
        "insurance": insured.lower(),
    }
    desk.change("book_reservation", arguments, words)
    return desk.report(words, f"The total price is {price} dollars.")
