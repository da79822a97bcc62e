"""The clerk of an airline with tau2's tools: finds the reservation, applies the rules, works out what is due."""

import re
from typing import Any

from turnwright.selfplay import fares
from turnwright.selfplay.desk import Answer, Desk, find_card, find_last, say_card
from turnwright.selfplay.fares import read_dict, read_rows, read_strings
from turnwright.selfplay.words import join_words, say_value

SIGNATURE = frozenset({"get_reservation_details", "search_direct_flight", "get_flight_status"})
_USER_ID = r"\b[a-z]+(?:_[a-z]+)+_\d{2,}\b"
_NUMBER = (
    r"\b(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]*\d)[A-Z0-9]{6}\b|\breservation (?:number (?:is |should be )?)?([A-Z0-9]{6})\b"
)
_CODE = r"\(([A-Z]{3})\)"
_FLIGHT = r"\bHAT\d{3}\b"
_DATE = r"\b\d{4}-\d{2}-\d{2}\b"
_NAME = r"[A-Z][\w'’-]+ [A-Z][\w'’-]+"
_COVERED = re.compile(r"\b(?:health|weather|sick|ill)\b", re.IGNORECASE)
_COUNTS = {"one": 1, "two": 2, "three": 3, "a": 1}
_ABILITIES = ("look up a reservation", "search for flights", "add checked bags")


def serve(desk: Desk) -> Answer:
    """What to say to the user.

    Raises:
        NextCall, Answer: see Desk.
    """
    for text in (desk.texts[0], desk.text):
        work = next((work for pattern, work in _WORKS if re.search(pattern, text, re.IGNORECASE)), None)
        if work is not None:
            return work(desk)
    raise desk.decline(*_ABILITIES[:2])


def _identify(desk: Desk) -> dict[str, Any]:
    """The user's profile; the policy wants the id from the user."""
    user = find_last(_USER_ID, desk.history)
    if user is None:
        raise desk.ask("user id")
    profile = desk.read("get_user_details", user_id=user)
    if not profile:
        raise Answer("I could not find a profile with that id. Could you tell me the user id again?")
    return profile


def _find_reservation(desk: Desk) -> dict[str, Any]:
    """The reservation that the request names by number or route, else the one that was spoken of last."""
    if find_last(_USER_ID, desk.history) is None:
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
    named = [number for number in found if not re.fullmatch(_FLIGHT, number) and not number.isdigit()]
    return named[-1] if named else None


def _find_trip(desk: Desk, origin: str, destination: str) -> dict[str, Any]:
    for number in read_strings(_identify(desk), "reservations"):
        reservation = desk.read("get_reservation_details", reservation_id=number)
        route = (reservation.get("origin"), reservation.get("destination"))
        if route == (origin, destination) and reservation.get("status") != "cancelled":
            return reservation
    raise desk.ask("reservation number")


def _choose_card(desk: Desk, profile: dict[str, Any]) -> dict[str, Any]:
    method = find_card(read_dict(profile, "payment_methods"), desk.text)
    if method is None:
        raise desk.ask("payment method")
    return method


def _name(desk: Desk, reservation: dict[str, Any]) -> str:
    """The reservation with its number, and with the route where the user named it so."""
    trip = re.search(r"\b(?:the )?trip from ([^,()]+ \([A-Z]{3}\) to [^,()]+ \([A-Z]{3}\))", desk.text)
    name = f"the reservation {reservation.get('reservation_id')}"
    return f"{name} (from {trip.group(1)})" if trip else name


def _flights(reservation: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"flight_number": one.get("flight_number"), "date": one.get("date")}
        for one in read_rows(reservation, "flights")
    ]


def _search(desk: Desk, origin: Any, destination: Any, day: Any) -> list[dict[str, Any]]:
    return desk.read_list("search_direct_flight", origin=origin, destination=destination, date=day)


def _require_own(desk: Desk, reservation: dict[str, Any], action: str) -> None:
    if reservation.get("user_id") != find_last(_USER_ID, desk.history):
        raise desk.forbid(action, "the reservation belongs to somebody else", "help with your own reservations")


# Looking up ----------------------------------------------------------------------------------------------------------


def _tell_reservation(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    _require_own(desk, reservation, "tell about it")
    name, text, told = _name(desk, reservation), desk.text, list[str]()
    first = (read_rows(reservation, "flights") or [{}])[0]
    if re.search(r"\bcabin\b", text):
        told.append(f"The cabin of {name} is {say_value(reservation.get('cabin')).replace('_', ' ')}.")
    if re.search(r"\bbags?\b", text):
        told.append(f"The number of checked bags of {name} is {say_value(reservation.get('total_baggages'))}.")
    if re.search(r"\bflight number\b", text):
        told.append(f"The flight number of the first flight of {name} is {first.get('flight_number')}.")
    if re.search(r"\bdate of the first\b", text):
        told.append(f"The date of the first flight of {name} is {first.get('date')}.")
    if re.search(r"\bpaid\b|\bcost\b", text):
        amounts = [say_value(one.get("amount")) for one in read_rows(reservation, "payment_history")]
        told.append(f"For {name}, {join_words(amounts)} dollars were paid.")
    return desk.tell(*told)


def _tell_status(desk: Desk) -> Answer:
    number, day = find_last(_FLIGHT, [desk.text]), find_last(_DATE, [desk.text])
    if number is None or day is None:
        raise desk.ask("flight number" if number is None else "date")
    found = desk.read("get_flight_status", flight_number=number, date=day)
    if not found:
        raise Answer(f"I could not find the flight {number} on {day}. Another number or date would let me look again.")
    return desk.tell(f"The status of the flight {number} on {day} is {found.get('status')}.")


def _tell_cheapest(desk: Desk) -> Answer:
    offer, cabin = _find_cheapest(desk, 0)
    price = read_dict(offer, "prices").get(cabin)
    said = cabin.replace("_", " ")
    return desk.tell(
        f"The cheapest direct flight in {said} on {offer.get('date')} is {offer.get('flight_number')}, "
        f"which costs {say_value(price)} dollars."
    )


def _find_cheapest(desk: Desk, count: int) -> tuple[dict[str, Any], str]:
    codes, day, cabin = (
        re.findall(_CODE, desk.text),
        find_last(_DATE, [_without_births(desk.text)]),
        _read_cabin(desk.text),
    )
    if len(codes) < 2:
        raise desk.ask("departure airport" if not codes else "arrival airport")
    if day is None or cabin is None:
        raise desk.ask("date" if day is None else "cabin")
    offers = _search(desk, *_order_codes(desk.text, codes), day)
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
    return re.sub(rf"(?:born on|date of birth)(?:[^.]*?{_DATE}(?: and)?)+", "", text)


def _read_cabin(text: str) -> str | None:
    cabins = "(basic economy|economy|business)"
    found = find_last(rf"\bcabin\b[^.]*?\b{cabins}\b", [text]) or find_last(rf"\b(?:in|to) {cabins}\b", [text])
    return found.lower().replace(" ", "_") if found else None


# Changing ------------------------------------------------------------------------------------------------------------


def _cancel(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    _require_own(desk, reservation, "cancel it")
    words = f"cancel {_name(desk, reservation)}"
    if not re.search(r"\bbecause\b|\breasons?\b|\bchange of plans\b", desk.text, re.IGNORECASE):
        raise desk.ask("reason")
    covered = reservation.get("insurance") == "yes" and _COVERED.search(desk.text) is not None
    now = _read_now(desk)
    free = covered or reservation.get("cabin") == "business" or fares.is_recent(reservation, now)
    if not free and not _was_cancelled(desk, reservation):
        allowed = "it was booked more than a day ago, is not in business, and no insurance covers the reason"
        raise desk.forbid(words, allowed, _ABILITIES[0], "change the cabin")
    result = desk.change("cancel_reservation", {"reservation_id": reservation.get("reservation_id")}, words)
    amounts = [one.get("amount") for one in read_rows(result, "payment_history")]
    refunds = [say_value(-amount) for amount in amounts if isinstance(amount, int | float) and amount < 0]
    return desk.report(words, f"The refund is {join_words(refunds)} dollars." if refunds else "")


def _read_now(desk: Desk) -> str:
    return find_last(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?", [desk.policy]) or ""


def _was_cancelled(desk: Desk, reservation: dict[str, Any]) -> bool:
    """Whether the airline cancelled one of the flights."""
    return any(
        desk.read("get_flight_status", **flight).get("status") == "cancelled" for flight in _flights(reservation)
    )


def _upgrade(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    profile = _identify(desk)
    _require_own(desk, reservation, "change it")
    cabin = find_last(r"\bto (basic economy|economy|business)\b", [desk.text]) or _read_cabin(desk.text)
    if cabin is None:
        raise desk.ask("cabin")
    card = _choose_card(desk, profile)
    for one in read_rows(reservation, "flights"):
        _search(desk, one.get("origin"), one.get("destination"), one.get("date"))
    words = f"upgrade all flights of {_name(desk, reservation)} to {cabin}, paid with {say_card(card)}"
    result = _change_flights(desk, reservation, cabin, _flights(reservation), card, words)
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


def _move(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    _require_own(desk, reservation, "change it")
    day = find_last(_DATE, [desk.text])
    if day is None:
        raise desk.ask("new date")
    words = f"move {_name(desk, reservation)} to {day}"
    if reservation.get("cabin") == "basic_economy":
        raise desk.forbid(words, "flights in basic economy cannot be changed", _ABILITIES[0], "change the cabin")
    profile = _identify(desk)
    card = _choose_card(desk, profile)
    count = len(read_rows(reservation, "passengers"))
    offers = _search(desk, reservation.get("origin"), reservation.get("destination"), day)
    best = fares.choose_cheapest(offers, str(reservation.get("cabin")), count)
    if best is None:
        raise Answer(
            f"I could not find a direct flight with free seats on {day}. Another date would let me look again."
        )
    flights = [{"flight_number": best.get("flight_number"), "date": day}]
    words = (
        f"move {_name(desk, reservation)} to the flight {best.get('flight_number')} on {day} and settle the difference "
    )
    words += f"with {say_card(card)}"
    result = _change_flights(desk, reservation, reservation.get("cabin"), flights, card, words)
    return desk.report(words, _say_difference(result, "The change"))


def _add_bags(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    profile = _identify(desk)
    _require_own(desk, reservation, "change it")
    said = find_last(r"\b(one|two|three|a|\d)(?: more)? (?:checked )?bags?\b", [desk.text])
    if said is None:
        raise desk.ask("bags to add")
    card = _choose_card(desk, profile)
    extra = _COUNTS.get(said.lower()) or int(said)
    total = int(reservation.get("total_baggages") or 0) + extra
    charged = max(int(reservation.get("nonfree_baggages") or 0), total - fares.count_free_bags(profile, reservation))
    due = charged - int(reservation.get("nonfree_baggages") or 0)
    words = f"add {said.lower()} checked {'bag' if extra == 1 else 'bags'} to {_name(desk, reservation)}"
    words += f", paid with {say_card(card)}" if due else ", free of charge"
    arguments = {
        "reservation_id": reservation.get("reservation_id"),
        "total_baggages": total,
        "nonfree_baggages": charged,
        "payment_id": card.get("id"),
    }
    result = desk.change("update_reservation_baggages", arguments, words)
    return desk.report(words, _say_difference(result, "This") if due else "There is nothing to pay.")


def _swap_passenger(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    _require_own(desk, reservation, "change it")
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
    born = find_last(_DATE, [desk.text])
    if new is None or born is None:
        raise desk.ask("new passenger" if new is None else "date of birth of the new passenger")
    first, _, last = new.partition(" ")
    changed = [
        {"first_name": first, "last_name": last, "dob": born}
        if name == old
        else {key: one.get(key) for key in ("first_name", "last_name", "dob")}
        for name, one in zip(there, passengers, strict=True)
    ]
    words = f"have {new}, born on {born}, travel in place of {old} on {_name(desk, reservation)}"
    arguments = {"reservation_id": reservation.get("reservation_id"), "passengers": changed}
    desk.change("update_reservation_passengers", arguments, words)
    return desk.report(words)


def _drop_passenger(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    words = f"take a passenger off {_name(desk, reservation)}"
    raise desk.forbid(words, "the number of passengers cannot change", "put another person in their place")


def _compensate(desk: Desk) -> Answer:
    reservation = _find_reservation(desk)
    profile = _identify(desk)
    _require_own(desk, reservation, "compensate for it")
    entitled = profile.get("membership") != "regular" or reservation.get("insurance") == "yes"
    if not entitled and reservation.get("cabin") != "business":
        allowed = "a regular member without insurance in this cabin gets none"
        raise desk.forbid("give a compensation", allowed, _ABILITIES[0])
    if not _was_cancelled(desk, reservation):
        raise desk.forbid("give a compensation", "no flight of the reservation was cancelled", _ABILITIES[0])
    amount = 100 * len(read_rows(reservation, "passengers"))
    words = f"send a certificate over {amount} dollars for {_name(desk, reservation)}"
    desk.change("send_certificate", {"user_id": profile.get("user_id"), "amount": amount}, words)
    return desk.report(words, f"The amount of the certificate is {amount} dollars.")


def _book(desk: Desk) -> Answer:
    profile, text = _identify(desk), desk.text
    named = re.search(r"\bfor ((?:[A-Z][\w'’-]+ [A-Z][\w'’-]+)(?: and [A-Z][\w'’-]+ [A-Z][\w'’-]+)*)", text)
    passengers = fares.list_passengers(profile, named.group(1).split(" and ") if named else [], text)
    if passengers is None:
        raise desk.ask("date of birth of every passenger")
    insured = find_last(r"\binsurance(?:: | is | should be |, take )?(yes|no)\b", [text])
    bags = find_last(r"\b(\d+) checked bags?\b", [text]) or find_last(r"checked bags (?:is |should be )(\d+)", [text])
    if bags is None or insured is None:
        raise desk.ask("checked bags" if bags is None else "travel insurance")
    card = _choose_card(desk, profile)
    offer, cabin = _find_cheapest(desk, len(passengers))
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


_WORKS = (
    (r"\bbook the\b", _book),
    (r"\bcompensation\b|\bcertificate over\b", _compensate),
    (r"\bcheapest in\b|\bwhich direct flight\b", _tell_cheapest),
    (r"\bcancel\b", _cancel),
    (r"\bupgrade\b", _upgrade),
    (r"\bmove\b", _move),
    (r"\badd\b.*\bbags?\b|\bbags to add\b", _add_bags),
    (r"\bin place of\b|\btravel in\b", _swap_passenger),
    (r"\btake the passenger\b", _drop_passenger),
    (r"\bstatus of the flight\b|\bstatus\b", _tell_status),
    (r"\bcabin of\b|\bchecked bags\b|\bflight number\b|\bdate of the first\b|\bpaid for\b|\bpaid\b", _tell_reservation),
)
