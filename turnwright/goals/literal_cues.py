"""What the name and the description of a parameter say its values are like: a date, a city, an amount, a text."""

import datetime
import random
import re
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from faker import Faker

from turnwright.goals.personas import draw_name
from turnwright.tools.naming import split_words

_lock = threading.Lock()
_OPTIONS = re.compile(
    r"(?:\[enum\]|\benum|\boptions?(?: are| include)?|\bpossible values?(?: are| include)?|\bone of(?: the following)?|"
    r"\bchoose from|\ballowed(?: values)?(?: are)?|\bcan be(?: either)?|\bmust be(?: either)?|\bvalid values?(?: are)?|"
    r"\beither)\s*:?\s*\[?(?P<options>[^.\]\n]{3,200})",
    re.IGNORECASE,
)
_EXAMPLES = re.compile(
    r"(?:\be\.g\.,?|\bfor example,?|\bfor instance,?|\bsuch as|\blike|\bexamples?:)\s*(?P<options>[^.;)\n]{2,120})",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"'‘“`]([^\"'’”`]{1,40})[\"'’”`]")
_ADDRESS_DOMAIN = "example.org"

CITIES = (
    "Lisbon, Denver, Kyoto, Leeds, Porto, Utrecht, Austin, Bergen, Lyon, Graz, Toronto, Perth, Bologna, Ghent".split(
        ", "
    )
)
COUNTRIES = "Portugal, Japan, Canada, Norway, Italy, Kenya, Brazil, Austria, New Zealand, Belgium".split(", ")
STATES = "Colorado, Texas, Oregon, Vermont, Ohio, Georgia, Nevada, Maine".split(", ")
COMPANIES = "Northwind Traders, Harbour Foods, Brightline Media, Alder Systems, Blue Canyon Energy".split(", ")
TOPICS = (
    "spring sale, team meeting, budget review, road trip, garden party, coffee tasting, book club, charity run".split(
        ", "
    )
)
SHORT_TEXTS = (
    "Fresh bread from seven on",
    "The meeting moves to Thursday",
    "Please bring the signed papers",
    "Doors open half an hour earlier",
    "Many thanks for the quick reply",
    "The parcel is waiting at the desk",
    "We need two more chairs",
    "See you at the station at noon",
    "The first draft is ready to read",
    "Tickets are sold out for tonight",
)
_FILES = "report.txt, notes.md, budget.csv, draft.txt, summary.docx, plan.txt, invoice.pdf, backlog.md".split(", ")
_FOLDERS = "projects, archive, drafts, invoices, photos, backup".split(", ")
_WORDS = "harbour, lantern, meadow, compass, orchard, violin, canyon, anchor, falcon, garden".split(", ")
_AIRPORTS = "LIS, DEN, OSL, JFK, VIE, YYZ, SFO, AMS, LAX, BOS".split(", ")
_CURRENCIES = "EUR, USD, GBP, JPY, CHF, CAD".split(", ")
_LANGUAGES = "English, Spanish, French, German, Portuguese, Japanese".split(", ")
_PLACES = frozenset({"source", "destination", "path", "target"})
_COLOURS = "red, blue, green, grey, white, yellow".split(", ")
_STOCKS = "AAPL, MSFT, NVDA, AMZN, GOOG, TSLA".split(", ")

Draw = Callable[[random.Random], Any]


@cache
def _faker() -> Faker:
    return Faker("en_US")


def ask_faker(method: str, rng: random.Random) -> str:
    """A value of Faker's, the same for the same state of `rng`."""
    with _lock:
        faker = _faker()
        faker.seed_instance(rng.getrandbits(32))
        return str(getattr(faker, method)())


def read_options(description: str) -> tuple[str, ...]:
    """The closed set of values that a description lists, or nothing: `One of: 'auto', 'cool'`, `[Enum]: USD, EUR`."""
    found = _OPTIONS.search(description)
    if found is None:
        return ()
    listed = _split_options(found["options"])
    return listed if len(listed) >= 2 else ()


def read_examples(description: str) -> tuple[str, ...]:
    """Values that a description gives as examples."""
    found = _EXAMPLES.search(description)
    return _split_options(found["options"]) if found else ()


def _split_options(text: str) -> tuple[str, ...]:
    quoted = _QUOTED.findall(text)
    parts = quoted or re.split(r",\s*(?:or |and |etc)?|\s+or\s+|\s*\|\s*|/", text)
    listed = [part.strip(" '\"`[]()“”‘’*:") for part in parts]
    usable = [part for part in listed if part and len(part) <= 30 and len(part.split()) <= 3 and part != "etc"]
    return tuple(dict.fromkeys(usable)) if len(usable) == len([part for part in listed if part]) else tuple(quoted)


def draw_code(label: str, rng: random.Random) -> str:
    """An identifier as it stands on papers: letters of what it is for, a dash and digits."""
    letters = "".join(word[0] for word in split_words(label) if word not in ("id", "ids", "key", "number"))[:3].upper()
    return f"{(letters or 'ref')[:3].upper()}-{rng.randint(1021, 9876)}"


def draw_text(words: frozenset[str], description: str, rng: random.Random) -> str | None:
    """A text that a parameter of that label and description can have, or none where nothing gives a hint."""
    about = frozenset(split_words(description)[:10])
    if words & _PLACES and about & {"file", "directory"}:
        return rng.choice(_FILES)
    for cues, draw in _TEXTS:
        if cues <= words:
            return str(draw(rng))
    for cues, draw in _DESCRIBED:
        if cues <= about:
            return str(draw(rng))
    return None


def _choose(values: Any) -> Draw:
    return lambda rng: rng.choice(values)


def _handle(rng: random.Random) -> str:
    first, last = draw_name(rng).split(" ", 1)
    plain = re.sub(r"[^a-z]", "", f"{first}{last[:1]}".lower()) or "reader"
    return f"{plain}{rng.randint(10, 99)}"


def _email(rng: random.Random) -> str:
    first, last = draw_name(rng).split(" ", 1)
    plain = re.sub(r"[^a-z.]", "", f"{first}.{last}".lower()).strip(".") or "reader"
    return f"{plain}@{_ADDRESS_DOMAIN}"


def draw_date(rng: random.Random, *, past: bool = False) -> str:
    """A day of 2023 to 2025, or of a grown person's birth."""
    start = datetime.date(1955, 1, 1) if past else datetime.date(2023, 1, 2)
    return (start + datetime.timedelta(days=rng.randrange(18000 if past else 1000))).isoformat()


def draw_time(rng: random.Random) -> str:
    """A time of day in quarters of an hour."""
    return f"{rng.randint(8, 20):02d}:{rng.choice((0, 15, 30, 45)):02d}"


def _place(rng: random.Random) -> str:
    return rng.choice(CITIES)


def _first(rng: random.Random) -> str:
    return draw_name(rng).split(" ", 1)[0]


def _last(rng: random.Random) -> str:
    return draw_name(rng).split(" ", 1)[1]


def _password(rng: random.Random) -> str:
    return f"{rng.choice(_WORDS).title()}-{rng.randint(1021, 9876)}"


def _birthday(rng: random.Random) -> str:
    return draw_date(rng, past=True)


def _street(rng: random.Random) -> str:
    return ask_faker("street_address", rng)


def _digits(count: int) -> Draw:
    return lambda rng: "".join(str(rng.randint(1, 9)) for _ in range(count))


def _cues(table: Mapping[str, Draw]) -> tuple[tuple[frozenset[str], Draw], ...]:
    return tuple((frozenset(words.split()), draw) for words, draw in table.items())


_TEXTS = _cues(
    {
        "email": _email,
        "mail": _email,
        "phone": _digits(10),
        "date birth": _birthday,
        "birthday": _birthday,
        "birthdate": _birthday,
        "date": draw_date,
        "time": draw_time,
        "file": _choose(_FILES),
        "first name": _first,
        "last name": _last,
        "user name": _handle,
        "username": _handle,
        "usernames": _handle,
        "directory": _choose(_FOLDERS),
        "folder": _choose(_FOLDERS),
        "path": _choose(_FOLDERS),
        "company": _choose(COMPANIES),
        "cardholder": draw_name,
        "airport": _choose(_AIRPORTS),
        "currency": _choose(_CURRENCIES),
        "language": _choose(_LANGUAGES),
        "colour": _choose(_COLOURS),
        "color": _choose(_COLOURS),
        "zip": _digits(5),
        "zipcode": _digits(5),
        "postal": _digits(5),
        "card number": _digits(16),
        "passport": _digits(9),
        "street": _street,
        "address": _street,
        "state": _choose(STATES),
        "city": _place,
        "town": _place,
        "country": _choose(COUNTRIES),
        "location": _place,
        "origin": _place,
        "destination": _place,
        "place": _place,
        "ticker": _choose(_STOCKS),
        "stock": _choose(_STOCKS),
        "url": lambda rng: f"https://www.example.org/{rng.choice(_WORDS)}",
        "website": lambda rng: f"https://www.example.org/{rng.choice(_WORDS)}",
        "message": _choose(SHORT_TEXTS),
        "content": _choose(SHORT_TEXTS),
        "text": _choose(SHORT_TEXTS),
        "body": _choose(SHORT_TEXTS),
        "comment": _choose(SHORT_TEXTS),
        "note": _choose(SHORT_TEXTS),
        "description": _choose(SHORT_TEXTS),
        "subject": _choose(TOPICS),
        "title": _choose(TOPICS),
        "topic": _choose(TOPICS),
        "query": _choose(_WORDS),
        "keyword": _choose(_WORDS),
        "pattern": _choose(_WORDS),
        "term": _choose(_WORDS),
        "tag": _choose(_WORDS),
        "tags": _choose(_WORDS),
        "key": _choose(_WORDS),
        "value": _choose(TOPICS),
        "password": _password,
        "secret": _password,
        "token": _password,
        "year": lambda rng: str(rng.randint(2015, 2024)),
    }
)
_DESCRIBED = _cues(
    {
        "email": _email,
        "airport": _choose(_AIRPORTS),
        "date": draw_date,
        "zipcode": _digits(5),
        "username": _handle,
        "city": _place,
        "country": _choose(COUNTRIES),
        "company": _choose(COMPANIES),
        "location": _place,
        "message": _choose(SHORT_TEXTS),
        "name person": draw_name,
        "name user": draw_name,
        "name player": draw_name,
        "name author": draw_name,
        "name artist": draw_name,
        "name patient": draw_name,
        "name customer": draw_name,
    }
)
