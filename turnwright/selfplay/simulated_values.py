"""Made-up values of the embedded tool simulator: a field's value follows from its name, its schema and whose it is."""

import datetime
import random
from typing import Any, cast

from turnwright.tools.naming import split_words

_FIRST = "Ada Ben Cleo Dan Eva Farid Gina Hugo Ines Jonas Kira Leon Mara Nils Olga Paul".split()
_LAST = "Byron Okafor Marsh Petrov Lindqvist Haddad Rossi Meyer Novak Silva Tanaka Weber".split()
_CITIES = "Leeds York Ghent Turin Porto Malmo Graz Lyon Basel Cork Bergen Tartu".split()
_COUNTRIES = "England Belgium Italy Portugal Sweden Austria France Switzerland Ireland Norway Estonia".split()
_STREETS = "Mill Lane,Station Road,Harbour Street,Oak Avenue,Church Square,Castle Hill".split(",")
_THINGS = (
    "desk lamp,wool scarf,steel bottle,garden chair,coffee mill,travel bag,wall clock,tea pot,picture frame".split(",")
)
_TOPICS = "spring,harbour,northern,quiet,paper,copper,evening,river,glass,autumn".split(",")
_COMPANIES = "Northwind Trading,Harbour & Sons,Copperfield Labs,Linden Works,Brightwater,Oakline".split(",")
_STATES = "active,pending,confirmed,completed".split(",")
_SENTENCES = (
    "In good order and as agreed.",
    "Checked last week, nothing unusual.",
    "Well kept and often asked for.",
    "As described, with a small change since the spring.",
)
_PAST = frozenset(
    "created updated modified ordered placed registered joined issued sent posted logged paid last".split()
)
_TIMES = frozenset(
    "date time timestamp at datetime day arrival departure deadline due start end since until expires expiry".split()
)
_TYPES = "standard,basic,premium,large,small".split(",")
_PLACES = frozenset("depot station airport branch office warehouse museum library school clinic park".split())
_MONEY = frozenset("price cost amount fee balance total subtotal salary rate budget value".split())
_SMALL = frozenset("count quantity qty number size pages seats guests stops nights days stock people".split())
_RANGES = {
    "rating": (2.5, 5.0),
    "stars": (2.5, 5.0),
    "score": (2.5, 5.0),
    "temperature": (4.0, 28.0),
    "temp": (4.0, 28.0),
    "latitude": (41.0, 58.0),
    "lat": (41.0, 58.0),
    "longitude": (-3.0, 20.0),
    "lon": (-3.0, 20.0),
    "lng": (-3.0, 20.0),
    "percent": (5.0, 60.0),
    "percentage": (5.0, 60.0),
    "humidity": (5.0, 60.0),
    "share": (5.0, 60.0),
    "discount": (5.0, 60.0),
    "tax": (5.0, 60.0),
    "id": (1000.0, 9999.0),
    "year": (1995.0, 2023.0),
    "beds": (1.0, 4.0),
    "bedrooms": (1.0, 4.0),
    "rooms": (1.0, 6.0),
    "floor": (1.0, 9.0),
    "age": (19.0, 78.0),
    "weight": (0.4, 30.0),
    "height": (4.0, 190.0),
    "width": (4.0, 190.0),
    "speed": (20.0, 120.0),
    "distance": (1.0, 400.0),
    "duration": (10.0, 180.0),
    "minutes": (5.0, 90.0),
    "hours": (1.0, 12.0),
    "capacity": (20.0, 400.0),
    "population": (9000.0, 900000.0),
}
"""Bounds of numbers whose name holds the word; the first that fits counts."""


def make_text(name: str, schema: dict[str, Any], now: str, rng: random.Random) -> str:
    """A text for a field, by the format of its schema and the words of its name."""
    words = split_words(name) or ["value"]
    last, form = words[-1], schema.get("format")
    if form in ("date-time", "date", "time") or last in _TIMES:
        return _make_time(words, form, now, rng)
    if words[0] in ("check", "checkin", "checkout") and last in ("in", "out", "checkin", "checkout"):
        return _make_time(words, "date", now, rng)
    if last in ("version", "firmware", "release"):
        return f"{rng.randint(1, 4)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}"
    if form == "email" or last == "email":
        return f"{rng.choice(_FIRST).lower()}.{rng.choice(_LAST).lower()}@mail.net"
    if form in ("uri", "url") or last in ("url", "link", "website"):
        return f"https://www.{rng.choice(_TOPICS)}-{rng.choice(_CITIES).lower()}.net"
    if last in ("phone", "telephone", "mobile"):
        return f"+44 {rng.randint(1000, 9999)} {rng.randint(100000, 999999)}"
    if last in ("id", "uuid", "code", "number", "reference", "sku", "key"):
        owner = (words[-2] if len(words) > 1 else "rec")[:3].upper()
        return f"{owner}-{rng.randint(1000, 9999)}"
    for wanted, choices in (
        (("city", "town", "destination", "origin", "location"), _CITIES),
        (("country", "nation"), _COUNTRIES),
        (("company", "brand", "airline", "manufacturer", "vendor", "provider"), _COMPANIES),
        (("status", "state"), _STATES),
        (("currency",), ["EUR", "GBP", "USD"]),
        (("description", "summary", "text", "content", "body", "note", "notes", "comment", "details"), _SENTENCES),
        (("message",), ["Done."]),
        (("type", "kind", "class", "level", "size", "plan"), _TYPES),
        (("category", "genre", "group", "topic", "tag"), _TOPICS),
        (("gender",), ["female", "male"]),
    ):
        if last in wanted:
            return rng.choice(choices)
    if last in ("address", "street"):
        return f"{rng.randint(1, 120)} {rng.choice(_STREETS)}, {rng.choice(_CITIES)}"
    if last in ("name", "customer", "user", "owner", "author", "artist", "person", "patient", "passenger", "driver"):
        return _make_name(words, rng)
    if last == "title":
        return f"The {rng.choice(_TOPICS)} {rng.choice(_THINGS)}".title()
    if last in ("product", "item", "article", "gift"):
        return rng.choice(_THINGS)
    return f"{rng.choice(_TOPICS)} {last}"


def make_number(name: str, schema: dict[str, Any], rng: random.Random) -> int | float:
    """A number for a field, within the bounds of its schema."""
    words = set(split_words(name))
    known = next((bounds for word, bounds in _RANGES.items() if word in words), None)
    if known is not None:
        low, high = known
    elif words & _SMALL:
        low, high = 1.0, 12.0
    else:
        low, high = (12.0, 480.0) if words & _MONEY else (1.0, 100.0)
    low, high = max(low, _bound(schema, "minimum", low)), min(high, _bound(schema, "maximum", high))
    if low > high:
        low = high = _bound(schema, "minimum", _bound(schema, "maximum", low))
    if pick_type(schema) == "integer":
        return rng.randint(int(-(-low // 1)), max(int(-(-low // 1)), int(high)))
    return round(rng.uniform(low, high), 2)


def _bound(schema: dict[str, Any], name: str, otherwise: float) -> float:
    value = schema.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _make_time(words: list[str], form: Any, now: str, rng: random.Random) -> str:
    present = _read_now(now)
    days = rng.randint(2, 60)
    past = bool(set(words) & _PAST)
    moment = present + datetime.timedelta(days=-days if past else days)
    moment = moment.replace(hour=rng.randint(8, 18), minute=rng.choice([0, 15, 30, 45]), second=0, microsecond=0)
    if words[0] in ("birth", "born"):
        moment = moment.replace(year=moment.year - 35, month=rng.randint(1, 12), day=rng.randint(1, 28))
    if set(words) & {"end", "return", "arrival", "checkout", "until", "expiry", "expiration", "out"}:
        moment += datetime.timedelta(days=62)
    if form == "time" or (form is None and words[-1] == "time" and len(words) == 1):
        return moment.strftime("%H:%M:%S")
    day_only = form == "date" or (form is None and words[-1] in ("date", "day"))
    return moment.date().isoformat() if day_only else moment.isoformat()


def _read_now(now: str) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(now)
    except ValueError:
        return datetime.datetime(2024, 5, 3, 10, 0, 0)


def _make_name(words: list[str], rng: random.Random) -> str:
    if words[0] == "first":
        return rng.choice(_FIRST)
    if words[0] in ("last", "family"):
        return rng.choice(_LAST)
    owner = set(words[:-1])
    if owner & {"product", "item", "goods", "tool", "part"}:
        return rng.choice(_THINGS)
    if owner & {"city", "town"}:
        return rng.choice(_CITIES)
    if owner & {"company", "hotel", "restaurant", "store", "shop", "club", "team", "airline", "brand"}:
        return rng.choice(_COMPANIES)
    if place := next((word for word in words[:-1] if word in _PLACES), None):
        return f"{rng.choice(_CITIES)} {place.title()}"
    if owner & {"file", "folder", "directory"}:
        return f"{rng.choice(_TOPICS)}.txt"
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def pick_type(schema: dict[str, Any]) -> str:
    """The JSON type that a value of this schema gets; a text where the schema does not say."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [name for name in cast("list[Any]", kind) if name != "null"]
        kind = kinds[0] if kinds else "null"
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"
