"""Flights on their days: what can be searched, booked and flown."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from turnwright.environments.domain import Refusal
from turnwright.environments.domain_state import DomainState, Record

CITIES = {
    "ATL": "Atlanta",
    "BOS": "Boston",
    "CLT": "Charlotte",
    "DEN": "Denver",
    "DFW": "Dallas",
    "DTW": "Detroit",
    "EWR": "Newark",
    "IAH": "Houston",
    "JFK": "New York",
    "LAS": "Las Vegas",
    "LAX": "Los Angeles",
    "LGA": "New York",
    "MCO": "Orlando",
    "MIA": "Miami",
    "MSP": "Minneapolis",
    "ORD": "Chicago",
    "PHL": "Philadelphia",
    "PHX": "Phoenix",
    "SEA": "Seattle",
    "SFO": "San Francisco",
}


def split_flights(flights: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables `flights` and `departures` (key `HAT001 2024-05-20`) of tau2's flights.

    A booking changes the seats of one day; as a record of its own that day is all that differs.

    Raises:
        ValueError: a flight has no object of dates.
    """
    plain: dict[str, Any] = {}
    departures: dict[str, Any] = {}
    for number, flight in flights.items():
        if not isinstance(flight["dates"], dict):
            raise ValueError(f"flights.{number}.dates must be an object")
        plain[number] = {name: value for name, value in flight.items() if name != "dates"}
        for day, departure in flight["dates"].items():
            departures[departure_key(number, day)] = {"flight_number": number, "date": day, **departure}
    return {"flights": plain, "departures": departures}


def departure_key(flight_number: str, day: str) -> str:
    """Key of a flight on a day."""
    return f"{flight_number} {day}"


def find_departure(state: DomainState, flight_number: str, day: str) -> tuple[Record, Record]:
    """A flight and its departure on a day.

    Raises:
        Refusal: there is no such flight, or not on that day.
    """
    flight = state.find("flights", flight_number)
    if flight is None:
        raise Refusal("not_found", f"There is no flight {flight_number}.")
    departure = state.find("departures", departure_key(flight_number, day))
    if departure is None:
        raise Refusal("not_found", f"The flight {flight_number} does not go on {day}. Dates look like 2024-05-20.")
    return flight, departure


def list_airports(state: DomainState) -> list[dict[str, Any]]:
    """The airports that flights leave from or arrive at."""
    codes = {flight[end] for _, flight in state.records("flights") for end in ("origin", "destination")}
    return [{"iata": code, "city": CITIES.get(code, code)} for code in sorted(codes)]


def search_direct(state: DomainState, origin: str, destination: str, day: str) -> list[dict[str, Any]]:
    """Bookable flights of a day, by time of departure.

    Raises:
        Refusal: an airport is not served, or the day is no date.
    """
    _check_search(state, origin, destination, day)
    return sorted(
        _offers(state, day, origin=origin, destination=destination),
        key=lambda offer: (offer["scheduled_departure_time_est"], offer["flight_number"]),
    )


def search_onestop(state: DomainState, origin: str, destination: str, day: str) -> list[list[dict[str, Any]]]:
    """Bookable pairs of flights with a change of planes, the second after the first has landed; by departure.

    Raises:
        Refusal: an airport is not served, or the day is no date.
    """
    _check_search(state, origin, destination, day)
    found: list[list[dict[str, Any]]] = []
    for first in _offers(state, day, origin=origin):
        if first["destination"] == destination:
            continue
        arrival = first["scheduled_arrival_time_est"]
        onward = _next_day(day) if "+1" in arrival else day
        for second in _offers(state, onward, origin=first["destination"], destination=destination):
            if second["scheduled_departure_time_est"] >= arrival.split("+")[0]:
                found.append([first, second])
    return sorted(
        found,
        key=lambda pair: [(leg["date"], leg["scheduled_departure_time_est"], leg["flight_number"]) for leg in pair],
    )


def has_left(departure: Record) -> bool:
    """Whether the plane has taken off."""
    return departure["status"] in ("flying", "landed")


def _offers(
    state: DomainState, day: str, *, origin: str | None = None, destination: str | None = None
) -> Iterator[dict[str, Any]]:
    for number, flight in state.records("flights"):
        if (origin is not None and flight["origin"] != origin) or (
            destination is not None and flight["destination"] != destination
        ):
            continue
        departure = state.find("departures", departure_key(number, day))
        if departure is not None and departure["status"] == "available":
            yield {**flight, **departure}


def _check_search(state: DomainState, origin: str, destination: str, day: str) -> None:
    served = {airport["iata"] for airport in list_airports(state)}
    for code in (origin, destination):
        if code not in served:
            raise Refusal("not_found", f"There is no airport {code}. Airports are three letters, e.g. 'SFO'.")
    _next_day(day)


def _next_day(day: str) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        raise Refusal("invalid_arguments", f"{day} is no date. Dates look like 2024-05-20.") from None
