"""What the users of the airline domain may want, written for their own reservations.

A user knows their user id, names and dates of birth, reservation numbers or routes, and how they pay, in plain words.
Amounts, fares and what the policy says about them they have to be told.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random

from schemas.goals import Fact, KnownDetail
from turnwright.domains.airline.booking import draw_booking
from turnwright.domains.airline.flights import search_direct
from turnwright.domains.airline.forbidden import draw_forbidden
from turnwright.domains.airline.reservations import BAG_PRICE, count_free_bags
from turnwright.domains.airline.traveller import Traveller, describe_method, name_airport
from turnwright.environments.domain_state import DomainState
from turnwright.goals.personas import draw_name
from turnwright.goals.scenarios import Scenario, ScenarioCall

Draw = Callable[[Traveller, Random], Scenario | None]
_DAYS_TRIED = 6


def draw_scenarios(state: DomainState, person: str, now: str, rng: Random) -> Iterator[Scenario]:
    """At most one scenario of each kind that this user's records allow."""
    traveller = Traveller(state, person, now)
    for draw in (*KINDS, *draw_forbidden()):
        scenario = draw(traveller, rng)
        if scenario is not None:
            yield scenario


def _look_up(traveller: Traveller, rng: Random) -> Scenario | None:
    if not traveller.reservations:
        return None
    reservation = rng.choice(traveller.reservations)
    named = traveller.name_reservation(reservation, rng)
    paid = sum(payment["amount"] for payment in reservation["payment_history"])
    choices = [
        ("the cabin", "cabin", reservation["cabin"].replace("_", " ")),
        ("the number of checked bags", "number of checked bags", reservation["total_baggages"]),
        ("the flight number of the first flight", "flight number", reservation["flights"][0]["flight_number"]),
        ("the date of the first flight", "date of the first flight", reservation["flights"][0]["date"]),
    ]
    if len(reservation["payment_history"]) == 1:
        choices.append(("how much was paid", "amount paid", paid))
    wanted = [choice for choice in choices if choice[1] != "cabin" or reservation["cabin"] != "basic_economy"]
    words, label, value = rng.choice(wanted)
    joined = "for" if label == "amount paid" else "of"
    return Scenario(
        "look_up_reservation",
        f"find out {words} {joined} {named.words}",
        (*traveller.known, *named.known),
        (
            *named.lookups,
            ScenarioCall("get_reservation_details", {"reservation_id": reservation["reservation_id"]}),
        ),
        (Fact(label=f"{label} of {named.words}", value=value),),
        reservation["reservation_id"],
    )


def _flight_status(traveller: Traveller, rng: Random) -> Scenario | None:
    reservations = [one for one in traveller.reservations if one["flights"]]
    if not reservations:
        return None
    segment = rng.choice(rng.choice(reservations)["flights"])
    number, day = segment["flight_number"], segment["date"]
    departure = traveller.state.find("departures", f"{number} {day}")
    if departure is None or departure["status"] == "available":
        return None
    return Scenario(
        "flight_status",
        f"find out the status of the flight {number} on {day}",
        (*traveller.known, KnownDetail(label="flight number", value=number), KnownDetail(label="date", value=day)),
        (ScenarioCall("get_flight_status", {"flight_number": number, "date": day}),),
        (Fact(label=f"status of the flight {number}", value=departure["status"]),),
    )


def _cheapest_flight(traveller: Traveller, rng: Random) -> Scenario | None:
    flights = [flight for _, flight in traveller.state.records("flights")]
    cabin = rng.choice(("economy", "business"))
    for _ in range(_DAYS_TRIED):
        flight = rng.choice(flights)
        origin, destination = flight["origin"], flight["destination"]
        day = (traveller.now.date() + timedelta(days=rng.randint(2, 14))).isoformat()
        offers = search_direct(traveller.state, origin, destination, day)
        prices = sorted((offer["prices"][cabin], offer["flight_number"]) for offer in offers)
        if not prices or (len(prices) > 1 and prices[0][0] == prices[1][0]):
            continue
        known = [
            KnownDetail(label="departure airport", value=name_airport(origin)),
            KnownDetail(label="arrival airport", value=name_airport(destination)),
            KnownDetail(label="date", value=day),
            KnownDetail(label="cabin", value=cabin),
        ]
        return Scenario(
            "cheapest_flight",
            f"find out which direct flight from {name_airport(origin)} to {name_airport(destination)} on {day} is the "
            f"cheapest in {cabin} and what it costs",
            (*traveller.known, *known),
            (ScenarioCall("search_direct_flight", {"origin": origin, "destination": destination, "date": day}),),
            (Fact(label="flight number", value=prices[0][1]), Fact(label="price", value=prices[0][0])),
        )
    return None


def _cancel(traveller: Traveller, rng: Random) -> Scenario | None:
    covered = rng.random() < 0.5
    reservations = [
        one for one in traveller.reservations if traveller.is_ahead(one) and traveller.may_cancel(one, covered)
    ]
    if not reservations:
        return None
    reservation = rng.choice(reservations)
    named = traveller.name_reservation(reservation, rng)
    reason = "health reasons" if covered else "a change of plans"
    paid = sum(payment["amount"] for payment in reservation["payment_history"])
    facts = (Fact(label=f"refund for {named.words}", value=paid),) if len(reservation["payment_history"]) == 1 else ()
    return Scenario(
        "cancel_reservation",
        f"cancel {named.words} because of {reason} and find out how much is refunded",
        (*traveller.known, *named.known, KnownDetail(label="reason", value=reason)),
        (
            *named.lookups,
            traveller.look_at(reservation),
            ScenarioCall("cancel_reservation", {"reservation_id": reservation["reservation_id"]}),
        ),
        facts,
        reservation["reservation_id"],
    )


def _upgrade(traveller: Traveller, rng: Random) -> Scenario | None:
    reservations = [one for one in traveller.reservations if one["cabin"] != "business" and traveller.is_ahead(one)]
    if not reservations:
        return None
    reservation = rng.choice(reservations)
    departures = traveller.departures(reservation)
    count = len(reservation["passengers"])
    if any(one["status"] != "available" or one["available_seats"]["business"] < count for one in departures):
        return None
    difference = count * sum(
        departure["prices"]["business"] - segment["price"]
        for departure, segment in zip(departures, reservation["flights"], strict=True)
    )
    card = traveller.draw_card(rng, difference)
    if card is None or difference <= 0:
        return None
    named = traveller.name_reservation(reservation, rng)
    flights = [{"flight_number": one["flight_number"], "date": one["date"]} for one in reservation["flights"]]
    searches = [
        ScenarioCall(
            "search_direct_flight",
            {"origin": one["origin"], "destination": one["destination"], "date": one["date"]},
            lookup=True,
        )
        for one in reservation["flights"]
    ]
    call = ScenarioCall(
        "update_reservation_flights",
        {
            "reservation_id": reservation["reservation_id"],
            "cabin": "business",
            "flights": flights,
            "payment_id": card["id"],
        },
    )
    return Scenario(
        "upgrade_cabin",
        f"upgrade all flights of {named.words} to business, pay with {describe_method(card)} and find out "
        "what it costs",
        (
            *traveller.known,
            *named.known,
            KnownDetail(label="cabin", value="business"),
            KnownDetail(label="payment method", value=describe_method(card)),
        ),
        (*named.lookups, traveller.look_at_profile(), traveller.look_at(reservation), *searches, call),
        (Fact(label="cost of the upgrade", value=difference),),
        reservation["reservation_id"],
    )


def _another_day(traveller: Traveller, rng: Random) -> Scenario | None:
    """One direct flight moved to the cheapest one of another day."""
    reservations = [
        one
        for one in traveller.reservations
        if one["cabin"] != "basic_economy" and len(one["flights"]) == 1 and traveller.is_ahead(one)
    ]
    if not reservations:
        return None
    reservation = rng.choice(reservations)
    segment, cabin, count = reservation["flights"][0], reservation["cabin"], len(reservation["passengers"])
    day = (date.fromisoformat(segment["date"]) + timedelta(days=rng.choice((-2, -1, 1, 2, 3)))).isoformat()
    if day <= traveller.now.date().isoformat():
        return None
    offers = search_direct(traveller.state, segment["origin"], segment["destination"], day)
    free = sorted(
        (offer["prices"][cabin], offer["flight_number"]) for offer in offers if offer["available_seats"][cabin] >= count
    )
    if not free or (len(free) > 1 and free[0][0] == free[1][0]):
        return None
    difference = count * (free[0][0] - segment["price"])
    card = traveller.draw_card(rng, max(0, difference))
    if card is None or not difference:
        return None
    named = traveller.name_reservation(reservation, rng)
    search = {"origin": segment["origin"], "destination": segment["destination"], "date": day}
    settle = "pay" if difference > 0 else "be refunded"
    call = ScenarioCall(
        "update_reservation_flights",
        {
            "reservation_id": reservation["reservation_id"],
            "cabin": cabin,
            "flights": [{"flight_number": free[0][1], "date": day}],
            "payment_id": card["id"],
        },
    )
    return Scenario(
        "another_day",
        f"move {named.words} to the cheapest direct flight on {day} in the same cabin, {settle} the difference with "
        f"{describe_method(card)} and find out how much that is",
        (
            *traveller.known,
            *named.known,
            KnownDetail(label="new date", value=day),
            KnownDetail(label="payment method", value=describe_method(card)),
        ),
        (
            *named.lookups,
            traveller.look_at_profile(),
            traveller.look_at(reservation),
            ScenarioCall("search_direct_flight", search, lookup=True),
            call,
        ),
        (Fact(label="difference in price", value=abs(difference)),),
        reservation["reservation_id"],
    )


def _more_bags(traveller: Traveller, rng: Random) -> Scenario | None:
    reservations = [one for one in traveller.reservations if traveller.is_ahead(one)]
    if not reservations:
        return None
    reservation = rng.choice(reservations)
    extra = rng.randint(1, 2)
    total = reservation["total_baggages"] + extra
    free = count_free_bags(traveller.user["membership"], reservation["cabin"], len(reservation["passengers"]))
    charged = max(reservation["nonfree_baggages"], total - free)
    cost = BAG_PRICE * (charged - reservation["nonfree_baggages"])
    card = traveller.draw_card(rng, cost)
    if card is None:
        return None
    named = traveller.name_reservation(reservation, rng)
    bags = "one checked bag" if extra == 1 else "two checked bags"
    call = ScenarioCall(
        "update_reservation_baggages",
        {
            "reservation_id": reservation["reservation_id"],
            "total_baggages": total,
            "nonfree_baggages": charged,
            "payment_id": card["id"],
        },
        worked_out=frozenset({"total_baggages", "nonfree_baggages"}),
    )
    facts = (Fact(label=f"cost of the bags for {named.words}", value=cost),) if cost else ()
    return Scenario(
        "more_bags",
        f"add {bags} to {named.words}, pay with {describe_method(card)} if there is something to pay, and find out "
        "whether there is",
        (
            *traveller.known,
            *named.known,
            KnownDetail(label="bags to add", value=bags),
            KnownDetail(label="payment method", value=describe_method(card)),
        ),
        (*named.lookups, traveller.look_at_profile(), traveller.look_at(reservation), call),
        facts,
        reservation["reservation_id"],
    )


def _other_passenger(traveller: Traveller, rng: Random) -> Scenario | None:
    reservations = [one for one in traveller.reservations if traveller.is_ahead(one)]
    if not reservations:
        return None
    reservation = rng.choice(reservations)
    passengers = [dict(passenger) for passenger in reservation["passengers"]]
    position = rng.randrange(len(passengers))
    old = passengers[position]
    first, _, last = draw_name(rng).partition(" ")
    born = traveller.now.year - rng.randint(19, 80)
    dob = date(born, rng.randint(1, 12), rng.randint(1, 28)).isoformat()
    new = {"first_name": first, "last_name": last, "dob": dob}
    passengers[position] = new
    named = traveller.name_reservation(reservation, rng)
    old_name, new_name = f"{old['first_name']} {old['last_name']}", f"{new['first_name']} {new['last_name']}"
    call = ScenarioCall(
        "update_reservation_passengers", {"reservation_id": reservation["reservation_id"], "passengers": passengers}
    )
    return Scenario(
        "other_passenger",
        f"have {new_name}, born on {new['dob']}, travel in place of {old_name} on {named.words}",
        (
            *traveller.known,
            *named.known,
            KnownDetail(label="passenger to be replaced", value=old_name),
            KnownDetail(label="new passenger", value=new_name),
            KnownDetail(label="date of birth of the new passenger", value=new["dob"]),
        ),
        (*named.lookups, traveller.look_at(reservation), call),
        about=reservation["reservation_id"],
    )


def _compensation(traveller: Traveller, rng: Random) -> Scenario | None:
    """Airline policy, refunds and compensation: 100 dollars a passenger where the airline cancelled a flight."""
    member = traveller.user["membership"] != "regular"
    reservations = [
        one
        for one in traveller.reservations
        if any(departure["status"] == "cancelled" for departure in traveller.departures(one))
        and (member or one["insurance"] == "yes" or one["cabin"] == "business")
    ]
    if not reservations:
        return None
    reservation = rng.choice(reservations)
    gone = next(one for one in traveller.departures(reservation) if one["status"] == "cancelled")
    named = traveller.name_reservation(reservation, rng)
    amount = 100 * len(reservation["passengers"])
    status = {"flight_number": gone["flight_number"], "date": gone["date"]}
    call = ScenarioCall(
        "send_certificate",
        {"user_id": traveller.person, "amount": amount},
        worked_out=frozenset({"amount"}),
    )
    return Scenario(
        "compensation",
        f"get a compensation because a flight of {named.words} was cancelled, and find out how much it is",
        (*traveller.known, *named.known),
        (
            *named.lookups,
            traveller.look_at_profile(),
            traveller.look_at(reservation),
            ScenarioCall("get_flight_status", status, lookup=True),
            call,
        ),
        (Fact(label="amount of the certificate", value=amount),),
        reservation["reservation_id"],
    )


KINDS: tuple[Draw, ...] = (
    _look_up,
    _flight_status,
    _cheapest_flight,
    _cancel,
    _upgrade,
    _another_day,
    _more_bags,
    _other_passenger,
    _compensation,
    draw_booking,
)
