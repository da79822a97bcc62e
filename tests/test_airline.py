"""The airline domain: both sides of each write tool, on a small airline."""

from typing import Any

import pytest

from tests.domain_world import AIRLINE, AIRLINE_DATABASE, DomainWorld, open_world
from turnwright.environments.domain import DomainEnvironment

ONE = [{"first_name": "Mia", "last_name": "Li", "dob": "1990-04-05"}]
TWO = [*ONE, {"first_name": "Tom", "last_name": "Li", "dob": "1992-01-02"}]
DAY = "2024-05-20"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> DomainWorld:
    return open_world(tmp_path_factory.mktemp("airline"), AIRLINE, AIRLINE_DATABASE)


@pytest.fixture
def airline(world: DomainWorld) -> DomainEnvironment:
    return world.environment()


def refused(airline: DomainEnvironment, tool: str, kind: str, arguments: dict[str, Any]) -> str:
    before = airline.state_digest()
    result = airline.call(tool, arguments)
    assert result.error is not None and result.error.kind == kind, result.text
    assert airline.state_digest() == before
    return result.error.message


def seats(airline: DomainEnvironment, number: str, day: str, cabin: str) -> int:
    search = {"HAT001": ("SFO", "JFK"), "HAT002": ("JFK", "SFO"), "HAT003": ("JFK", "BOS")}[number]
    found = airline.call("search_direct_flight", {"origin": search[0], "destination": search[1], "date": day}).value
    return next(one["available_seats"][cabin] for one in found if one["flight_number"] == number)


def methods(airline: DomainEnvironment) -> dict[str, Any]:
    return airline.call("get_user_details", {"user_id": "mia_1"}).value["payment_methods"]


def tables(airline: DomainEnvironment) -> dict[str, int]:
    found: dict[str, int] = {}
    for change in airline.changes():
        found[change.table] = found.get(change.table, 0) + 1
    return found


def booking(**changes: Any) -> dict[str, Any]:
    return {
        "user_id": "mia_1",
        "origin": "SFO",
        "destination": "JFK",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [{"flight_number": "HAT001", "date": DAY}],
        "passengers": TWO,
        "payment_methods": [{"payment_id": "credit_card_1", "amount": 310}],
        "total_baggages": 5,
        "nonfree_baggages": 1,
        "insurance": "yes",
    } | changes


def test_a_booking_takes_seats_and_money(airline: DomainEnvironment):
    paid = [
        {"payment_id": "certificate_1", "amount": 100},
        {"payment_id": "gift_card_1", "amount": 150},
        {"payment_id": "credit_card_1", "amount": 60},
    ]
    booked = airline.call("book_reservation", booking(payment_methods=paid)).value
    assert booked["flights"] == [
        {"flight_number": "HAT001", "origin": "SFO", "destination": "JFK", "date": DAY, "price": 100}
    ]
    assert booked["payment_history"] == paid and booked["created_at"] == "2024-05-15T15:00:00"
    assert len(booked["reservation_id"]) == 6
    user = airline.call("get_user_details", {"user_id": "mia_1"}).value
    assert user["reservations"][-1] == booked["reservation_id"]
    assert "certificate_1" not in user["payment_methods"] and user["payment_methods"]["gift_card_1"]["amount"] == 0
    assert seats(airline, "HAT001", DAY, "economy") == 2 and seats(airline, "HAT001", DAY, "business") == 4
    assert tables(airline) == {"departures": 1, "reservations": 1, "users": 1}
    again = airline.call("book_reservation", booking()).value
    assert again["reservation_id"] != booked["reservation_id"]
    assert refused(airline, "book_reservation", "refused", booking()).count("free seats") == 1


def test_round_trips_lead_there_and_back(airline: DomainEnvironment):
    there_and_back = [{"flight_number": "HAT001", "date": DAY}, {"flight_number": "HAT002", "date": "2024-05-22"}]
    trip = booking(
        flight_type="round_trip",
        flights=there_and_back,
        passengers=ONE,
        nonfree_baggages=0,
        insurance="no",
        payment_methods=[{"payment_id": "credit_card_1", "amount": 200}],
    )
    assert airline.call("book_reservation", trip).error is None
    refused(airline, "book_reservation", "refused", trip | {"flight_type": "one_way"})
    refused(airline, "book_reservation", "refused", trip | {"flights": there_and_back[::-1]})
    refused(airline, "book_reservation", "refused", trip | {"flights": there_and_back[:1]})


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("not_found", {"user_id": "nobody"}),
        ("not_found", {"flights": [{"flight_number": "HAT999", "date": DAY}]}),
        ("not_found", {"flights": [{"flight_number": "HAT001", "date": "2024-06-20"}]}),
        ("refused", {"flights": [{"flight_number": "HAT001", "date": "2024-05-10"}]}),
        ("refused", {"flights": [{"flight_number": "HAT001", "date": "2024-05-17"}]}),
        ("refused", {"flights": [{"flight_number": "HAT001", "date": "2024-05-18"}]}),
        ("refused", {"flights": [{"flight_number": "HAT003", "date": DAY}]}),
        ("refused", {"destination": "BOS"}),
        ("refused", {"passengers": TWO * 3}),
        ("invalid_arguments", {"passengers": [{"first_name": "M", "last_name": "L", "dob": "soon"}]}),
        ("invalid_arguments", {"nonfree_baggages": 6}),
        ("invalid_arguments", {"cabin": "first"}),
        ("refused", {"payment_methods": [{"payment_id": "credit_card_1", "amount": 309}]}),
        ("not_found", {"payment_methods": [{"payment_id": "credit_card_9", "amount": 310}]}),
        ("refused", {"payment_methods": [{"payment_id": "gift_card_1", "amount": 310}]}),
        (
            "refused",
            {
                "payment_methods": [
                    {"payment_id": "certificate_1", "amount": 60},
                    {"payment_id": "certificate_2", "amount": 250},
                ]
            },
        ),
        ("refused", {"payment_methods": [{"payment_id": "credit_card_1", "amount": 155}] * 2}),
    ],
)
def test_bookings_are_refused(airline: DomainEnvironment, kind: str, changes: dict[str, Any]):
    refused(airline, "book_reservation", kind, booking(**changes))


def test_a_cancelled_reservation_gives_back_seats_and_books_the_refund(airline: DomainEnvironment):
    cancelled = airline.call("cancel_reservation", {"reservation_id": "AAA111"}).value
    assert cancelled["status"] == "cancelled"
    assert cancelled["payment_history"][-1] == {"payment_id": "credit_card_1", "amount": -180}
    assert seats(airline, "HAT001", DAY, "economy") == 6
    assert tables(airline) == {"departures": 1, "reservations": 1}
    refused(airline, "cancel_reservation", "refused", {"reservation_id": "AAA111"})
    refused(airline, "cancel_reservation", "refused", {"reservation_id": "CCC333"})
    refused(airline, "cancel_reservation", "not_found", {"reservation_id": "ZZZ999"})
    update = {"reservation_id": "AAA111", "total_baggages": 2, "nonfree_baggages": 0, "payment_id": "gift_card_1"}
    refused(airline, "update_reservation_baggages", "refused", update)


def move(**changes: Any) -> dict[str, Any]:
    return {
        "reservation_id": "AAA111",
        "cabin": "economy",
        "flights": [{"flight_number": "HAT001", "date": "2024-05-22"}],
        "payment_id": "gift_card_1",
    } | changes


def test_another_flight_is_charged_at_its_price(airline: DomainEnvironment):
    moved = airline.call("update_reservation_flights", move()).value
    assert moved["flights"][0]["date"] == "2024-05-22" and moved["flights"][0]["price"] == 100
    assert moved["payment_history"][-1] == {"payment_id": "gift_card_1", "amount": 20}
    assert methods(airline)["gift_card_1"]["amount"] == 130
    assert seats(airline, "HAT001", DAY, "economy") == 6
    assert seats(airline, "HAT001", "2024-05-22", "economy") == 2


def test_a_kept_flight_keeps_its_price_and_its_seats(airline: DomainEnvironment):
    flights = [{"flight_number": "HAT001", "date": DAY}, {"flight_number": "HAT003", "date": DAY}]
    airline.call("cancel_reservation", {"reservation_id": "BBB222"})
    trip = booking(destination="BOS", flights=flights, nonfree_baggages=0, insurance="no")
    booked = airline.call(
        "book_reservation", trip | {"payment_methods": [{"payment_id": "credit_card_1", "amount": 400}]}
    )
    assert booked.error is None
    before = seats(airline, "HAT001", DAY, "economy")
    later = [flights[0], {"flight_number": "HAT003", "date": "2024-05-21"}]
    change = move(reservation_id=booked.value["reservation_id"], flights=later)
    moved = airline.call("update_reservation_flights", change).value
    assert [one["price"] for one in moved["flights"]] == [100, 100]
    assert len(moved["payment_history"]) == 1
    assert seats(airline, "HAT001", DAY, "economy") == before


def test_a_cabin_changes_for_all_flights_at_the_price_of_the_day(airline: DomainEnvironment):
    change = move(cabin="business", flights=[{"flight_number": "HAT001", "date": DAY}], payment_id="credit_card_1")
    moved = airline.call("update_reservation_flights", change).value
    assert moved["cabin"] == "business" and moved["flights"][0]["price"] == 300
    assert moved["payment_history"][-1]["amount"] == 420
    assert seats(airline, "HAT001", DAY, "economy") == 6 and seats(airline, "HAT001", DAY, "business") == 2


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("not_found", {"reservation_id": "ZZZ999"}),
        ("refused", {"flights": [{"flight_number": "HAT001", "date": DAY}]}),
        ("refused", {"flights": [{"flight_number": "HAT002", "date": DAY}]}),
        ("refused", {"flights": [{"flight_number": "HAT001", "date": "2024-05-18"}]}),
        ("refused", {"payment_id": "certificate_2"}),
        ("not_found", {"payment_id": "gift_card_9"}),
        ("refused", {"cabin": "business"}),
        (
            "refused",
            {
                "reservation_id": "CCC333",
                "cabin": "economy",
                "flights": [{"flight_number": "HAT001", "date": "2024-05-10"}],
            },
        ),
    ],
)
def test_changes_of_flights_are_refused(airline: DomainEnvironment, kind: str, changes: dict[str, Any]):
    refused(airline, "update_reservation_flights", kind, move(**changes))


def bags(total: int, charged: int, payment: str = "gift_card_1") -> dict[str, Any]:
    return {
        "reservation_id": "AAA111",
        "total_baggages": total,
        "nonfree_baggages": charged,
        "payment_id": payment,
    }


def test_bags_are_added_and_charged(airline: DomainEnvironment):
    changed = airline.call("update_reservation_baggages", bags(5, 1)).value
    assert (changed["total_baggages"], changed["nonfree_baggages"]) == (5, 1)
    assert changed["payment_history"][-1] == {"payment_id": "gift_card_1", "amount": 50}
    assert methods(airline)["gift_card_1"]["amount"] == 100
    free = airline.call("update_reservation_baggages", bags(6, 1)).value
    assert len(free["payment_history"]) == 2


def test_bags_are_refused(airline: DomainEnvironment):
    tool = "update_reservation_baggages"
    refused(airline, tool, "refused", bags(0, 0))
    refused(airline, tool, "invalid_arguments", bags(2, 3))
    refused(airline, tool, "refused", bags(9, 5))
    refused(airline, tool, "refused", bags(5, 1, "certificate_1"))
    refused(airline, tool, "not_found", bags(5, 1, "paypal_1"))


def test_passengers_change_but_not_in_number(airline: DomainEnvironment):
    tool, other = "update_reservation_passengers", {"first_name": "Eve", "last_name": "Fox", "dob": "1980-12-31"}
    changed = airline.call(tool, {"reservation_id": "AAA111", "passengers": [TWO[0], other]}).value
    assert changed["passengers"] == [TWO[0], other]
    assert tables(airline) == {"reservations": 1}
    refused(airline, tool, "refused", {"reservation_id": "AAA111", "passengers": ONE})
    refused(
        airline, tool, "invalid_arguments", {"reservation_id": "BBB222", "passengers": [other | {"dob": "1980-13-01"}]}
    )
    refused(
        airline, tool, "invalid_arguments", {"reservation_id": "BBB222", "passengers": [other | {"first_name": " "}]}
    )


def test_passengers_in_another_order_are_the_same(airline: DomainEnvironment):
    start = airline.state_digest()
    airline.call("update_reservation_passengers", {"reservation_id": "AAA111", "passengers": TWO[::-1]})
    assert airline.state_digest() == start and airline.changes() == []


def test_a_certificate_is_given(airline: DomainEnvironment):
    given = airline.call("send_certificate", {"user_id": "mia_1", "amount": 200}).value
    assert methods(airline)[given["payment_id"]] == {
        "source": "certificate",
        "amount": 200,
        "id": given["payment_id"],
    }
    other = airline.call("send_certificate", {"user_id": "mia_1", "amount": 200}).value
    assert other["payment_id"] != given["payment_id"]
    refused(airline, "send_certificate", "not_found", {"user_id": "nobody", "amount": 200})
    refused(airline, "send_certificate", "invalid_arguments", {"user_id": "mia_1", "amount": 0})


def test_searches_show_what_can_be_booked(airline: DomainEnvironment):
    direct = airline.call("search_direct_flight", {"origin": "SFO", "destination": "JFK", "date": DAY}).value
    assert [one["flight_number"] for one in direct] == ["HAT001", "HAT004"]
    gone = airline.call("search_direct_flight", {"origin": "SFO", "destination": "JFK", "date": "2024-05-17"}).value
    assert gone == []
    onestop = airline.call("search_onestop_flight", {"origin": "SFO", "destination": "BOS", "date": DAY}).value
    assert [[leg["flight_number"] for leg in pair] for pair in onestop] == [
        ["HAT001", "HAT003"],
        ["HAT004", "HAT005"],
        ["HAT004", "HAT003"],
    ]
    assert onestop[1][1]["date"] == "2024-05-21"
    refused(airline, "search_direct_flight", "not_found", {"origin": "XXX", "destination": "JFK", "date": DAY})
    refused(
        airline, "search_direct_flight", "invalid_arguments", {"origin": "SFO", "destination": "JFK", "date": "May"}
    )
    status = airline.call("get_flight_status", {"flight_number": "HAT001", "date": "2024-05-17"}).value
    assert status["status"] == "cancelled"
    airports = airline.call("list_all_airports", {}).value
    assert [one["iata"] for one in airports] == ["BOS", "JFK", "SFO"]
