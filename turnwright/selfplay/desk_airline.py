"""The clerk of an airline with tau2's tools: what a request asks for, and what is told of reservations and flights."""

import re

from turnwright.selfplay.airline_changes import (
    ABILITIES,
    add_bags,
    book,
    cancel,
    compensate,
    drop_passenger,
    move,
    swap_passenger,
    upgrade,
)
from turnwright.selfplay.airline_request import (
    DATE,
    FLIGHT,
    find_cheapest,
    find_reservation,
    name_reservation,
    require_own,
)
from turnwright.selfplay.desk import Answer, Desk, find_last
from turnwright.selfplay.fares import read_dict, read_rows
from turnwright.selfplay.words import join_words, say_value

SIGNATURE = frozenset({"get_reservation_details", "search_direct_flight", "get_flight_status"})


def serve(desk: Desk) -> Answer:
    """What to say to the user.

    Raises:
        NextCall, Answer: see Desk.
    """
    for text in (desk.texts[0], desk.text):
        work = next((work for pattern, work in _WORKS if re.search(pattern, text, re.IGNORECASE)), None)
        if work is not None:
            return work(desk)
    raise desk.decline(*ABILITIES[:2])


def _tell_reservation(desk: Desk) -> Answer:
    reservation = find_reservation(desk)
    require_own(desk, reservation, "tell about it")
    name, text, told = name_reservation(desk, reservation), desk.text, list[str]()
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
    number, day = find_last(FLIGHT, [desk.text]), find_last(DATE, [desk.text])
    if number is None or day is None:
        raise desk.ask("flight number" if number is None else "date")
    found = desk.read("get_flight_status", flight_number=number, date=day)
    if not found:
        raise Answer(f"I could not find the flight {number} on {day}. Another number or date would let me look again.")
    return desk.tell(f"The status of the flight {number} on {day} is {found.get('status')}.")


def _tell_cheapest(desk: Desk) -> Answer:
    offer, cabin = find_cheapest(desk, 0)
    price = read_dict(offer, "prices").get(cabin)
    said = cabin.replace("_", " ")
    return desk.tell(
        f"The cheapest direct flight in {said} on {offer.get('date')} is {offer.get('flight_number')}, "
        f"which costs {say_value(price)} dollars."
    )


_WORKS = (
    (r"\bbook the\b", book),
    (r"\bcompensation\b|\bcertificate over\b", compensate),
    (r"\bcheapest in\b|\bwhich direct flight\b", _tell_cheapest),
    (r"\bcancel\b", cancel),
    (r"\bupgrade\b", upgrade),
    (r"\bmove\b", move),
    (r"\badd\b.*\bbags?\b|\bbags to add\b", add_bags),
    (r"\bin place of\b|\btravel in\b", swap_passenger),
    (r"\btake the passenger\b", drop_passenger),
    (r"\bstatus of the flight\b|\bstatus\b", _tell_status),
    (r"\bcabin of\b|\bchecked bags\b|\bflight number\b|\bdate of the first\b|\bpaid for\b|\bpaid\b", _tell_reservation),
)
