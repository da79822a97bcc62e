"""Bookings that the users of the airline domain may want."""

from datetime import timedelta
from random import Random

from schemas.goals import Fact, KnownDetail
from turnwright.domains.airline.flights import search_direct
from turnwright.domains.airline.reservations import BAG_PRICE, INSURANCE_PRICE, count_free_bags
from turnwright.domains.airline.traveller import Traveller, describe_method, name_airport
from turnwright.goals.scenarios import Scenario, ScenarioCall

_DAYS_TRIED = 8


def draw_booking(traveller: Traveller, rng: Random) -> Scenario | None:
    """A one-way trip on the cheapest direct flight of a day, for the user or with a saved passenger."""
    name = traveller.user["name"]
    own = {"first_name": name["first_name"], "last_name": name["last_name"], "dob": traveller.user.get("dob", "")}
    if not own["dob"]:
        return None
    passengers = [own]
    saved = traveller.user["saved_passengers"]
    if saved and rng.random() < 0.4:
        passengers.append(dict(rng.choice(saved)))
    count = len(passengers)
    cabin = rng.choice(("basic_economy", "economy", "business"))
    flights = [flight for _, flight in traveller.state.records("flights")]
    for _ in range(_DAYS_TRIED):
        flight = rng.choice(flights)
        origin, destination = flight["origin"], flight["destination"]
        day = (traveller.now.date() + timedelta(days=rng.randint(2, 14))).isoformat()
        offers = search_direct(traveller.state, origin, destination, day)
        free = sorted(
            (offer["prices"][cabin], offer["flight_number"])
            for offer in offers
            if offer["available_seats"][cabin] >= count
        )
        if free and (len(free) == 1 or free[0][0] < free[1][0]):
            break
    else:
        return None
    bags = rng.randint(0, 2)
    insured = rng.random() < 0.3
    charged = max(0, bags - count_free_bags(traveller.user["membership"], cabin, count))
    price = free[0][0] * count + BAG_PRICE * charged + (INSURANCE_PRICE * count if insured else 0)
    card = traveller.draw_card(rng, price)
    if card is None:
        return None
    call = ScenarioCall(
        "book_reservation",
        {
            "user_id": traveller.person,
            "origin": origin,
            "destination": destination,
            "flight_type": "one_way",
            "cabin": cabin,
            "flights": [{"flight_number": free[0][1], "date": day}],
            "passengers": passengers,
            "payment_methods": [{"payment_id": card["id"], "amount": price}],
            "total_baggages": bags,
            "nonfree_baggages": charged,
            "insurance": "yes" if insured else "no",
        },
        worked_out=frozenset({"payment_methods", "nonfree_baggages", "flight_type"}),
    )
    search = {"origin": origin, "destination": destination, "date": day}
    said_cabin = cabin.replace("_", " ")
    names = " and ".join(f"{one['first_name']} {one['last_name']}" for one in passengers)
    known = [
        KnownDetail(label="departure airport", value=name_airport(origin)),
        KnownDetail(label="arrival airport", value=name_airport(destination)),
        KnownDetail(label="date", value=day),
        KnownDetail(label="cabin", value=said_cabin),
        *(
            KnownDetail(label=f"date of birth of {one['first_name']} {one['last_name']}", value=one["dob"])
            for one in passengers
        ),
        KnownDetail(label="checked bags", value=bags),
        KnownDetail(label="travel insurance", value="yes" if insured else "no"),
        KnownDetail(label="payment method", value=describe_method(card)),
    ]
    if count > 1:
        known.append(KnownDetail(label="passengers", value=names))
    births = " and ".join(one["dob"] for one in passengers)
    return Scenario(
        "book_flight",
        f"book the cheapest direct flight one way from {name_airport(origin)} to {name_airport(destination)} on {day} "
        f"in {said_cabin} for {names} (born on {births}), {bags} checked bags, travel insurance: "
        f"{'yes' if insured else 'no'}, pay everything with {describe_method(card)} and find out the total price",
        (*traveller.known, *known),
        (
            traveller.look_at_profile(),
            ScenarioCall("search_direct_flight", search, lookup=True),
            call,
        ),
        (Fact(label="total price", value=price), Fact(label="flight number", value=free[0][1])),
    )
