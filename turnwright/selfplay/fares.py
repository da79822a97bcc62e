"""What an airline's clerk works out from records: the cheapest offer, free bags, the price of a booking."""

import re
from datetime import datetime, timedelta
from typing import Any, cast

_FREE = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 4},
}
"""Free checked bags for each passenger by membership and cabin (airline policy, checked bag allowance)."""
_BAG = 50
_INSURANCE = 30


def read_dict(record: dict[str, Any], name: str) -> dict[str, Any]:
    """A field that is an object; empty where it is not."""
    found = record.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def read_rows(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A field that is a list of objects; empty where it is not."""
    found = record.get(name)
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def read_strings(record: dict[str, Any], name: str) -> list[str]:
    """A field that is a list of names or numbers; empty where it is not."""
    found = record.get(name)
    return [str(item) for item in cast("list[Any]", found)] if isinstance(found, list) else []


def choose_cheapest(offers: list[dict[str, Any]], cabin: str, count: int) -> dict[str, Any] | None:
    """The offer with the lowest price in a cabin that has seats for `count`, or none."""
    free = [
        (price, str(offer.get("flight_number")), offer)
        for offer in offers
        if isinstance(price := read_dict(offer, "prices").get(cabin), int | float)
        and isinstance(seats := read_dict(offer, "available_seats").get(cabin), int)
        and seats >= count
    ]
    return min(free, key=lambda entry: entry[:2])[2] if free else None


def count_free_bags(profile: dict[str, Any], reservation: dict[str, Any]) -> int:
    """Checked bags of a reservation that cost nothing."""
    allowance = _FREE.get(str(profile.get("membership")), _FREE["regular"])
    return allowance.get(str(reservation.get("cabin")), 0) * len(read_rows(reservation, "passengers"))


def price_booking(offer: dict[str, Any], cabin: str, count: int, charged: int, insured: bool) -> str:
    """What a one-way booking with `charged` bags that are not free costs, as a sum that a tool works out."""
    parts = [f"{count} * {read_dict(offer, 'prices').get(cabin)}"]
    parts += [f"{charged} * {_BAG}"] if charged else []
    parts += [f"{count} * {_INSURANCE}"] if insured else []
    return " + ".join(parts)


def is_recent(reservation: dict[str, Any], now: str) -> bool:
    """Whether a reservation was made within the last day; `now` is ISO 8601, empty where it is not known."""
    try:
        age = datetime.fromisoformat(now) - datetime.fromisoformat(str(reservation.get("created_at")))
    except ValueError:
        return False
    return age <= timedelta(hours=24)


def list_passengers(profile: dict[str, Any], names: list[str], text: str) -> list[dict[str, str]] | None:
    """First name, last name and date of birth of who travels; none where a date of birth is not known.

    A birth date is taken from the profile, which holds the user and saved passengers, else from what the user said.
    """
    own = read_dict(profile, "name") | {"dob": profile.get("dob")}
    saved = {f"{one.get('first_name')} {one.get('last_name')}": one for one in read_rows(profile, "saved_passengers")}
    saved[f"{own.get('first_name')} {own.get('last_name')}"] = own
    born = re.search(r"born on ([\d-]+(?: and [\d-]+)*)", text)
    told = dict(zip(names, born.group(1).split(" and "), strict=False)) if born else {}
    passengers: list[dict[str, str]] = []
    for name in names or [f"{own.get('first_name')} {own.get('last_name')}"]:
        first, _, last = name.partition(" ")
        spoken = re.search(rf"date of birth of {re.escape(name)}[^.]*?(\d{{4}}-\d{{2}}-\d{{2}})", text)
        dob = spoken.group(1) if spoken else told.get(name) or saved.get(name, {}).get("dob")
        if not dob:
            return None
        passengers.append({"first_name": first, "last_name": last, "dob": str(dob)})
    return passengers
