"""New values for columns that a plan writes: plausible beside those that are there, and not the current one."""

import datetime
import random
import re
from collections.abc import Sequence
from typing import Any

from schemas.databases import Column, Table
from turnwright.goals.keys import read_column
from turnwright.goals.personas import draw_name, draw_sentence
from turnwright.goals.words import comparable, same_value
from turnwright.tools.naming import split_words

LONGEST = 60
"""Longest text that a person would say in passing, in characters."""

_PRIVATE = {"password", "passwd", "pwd", "secret", "token", "hash", "salt", "pin"}
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_CALENDAR = re.compile(
    r"\d+[-/.]\d+[-/.]\d+|\d:\d\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE
)
"""Dates and times that are not ISO 8601: made up ones would not exist, so another row's value is taken."""
_PERSON = set(
    "person people customer employee student teacher member staff author owner player contact guest patient doctor"
    " physician nurse driver manager artist singer user professional coach".split()
)
_FREE_TEXT = {
    "description",
    "comment",
    "comments",
    "notes",
    "note",
    "remark",
    "remarks",
    "details",
    "text",
    "reason",
    "summary",
}


def is_sayable(value: Any) -> bool:
    """Whether a person could say the value in a sentence: not missing, not empty, short, on one line, no binary."""
    if value is None:
        return False
    if isinstance(value, bool | int | float):
        return True
    if not isinstance(value, str):
        return False
    text = value.strip()
    return (
        bool(text)
        and text == value
        and len(text) <= LONGEST
        and text.isprintable()
        and "_" not in text
        and not text.startswith("<binary")
    )


def is_private(column: str) -> bool:
    """Whether a column holds what nobody asks an assistant for, or tells one: passwords and the like."""
    return bool(set(split_words(column)) & _PRIVATE)


def draw_new_value(
    table: Table, column: Column, rows: Sequence[dict[str, Any]], current: Any, rng: random.Random
) -> Any:
    """A value that could stand in the column, is not `current` and, where values are unique, not in `rows`.

    None where nothing plausible can be made, as for columns without any value to go by.
    """
    seen = [value for row in rows if (value := read_column(row, column.name)) is not None]
    taken = {comparable(value) for value in (*(seen if column.unique else ()), current)}
    for _ in range(6):
        value = _propose(table, column, seen, current, rng)
        if value is not None and is_sayable(value) and comparable(value) not in taken:
            return value
    return None


def _propose(table: Table, column: Column, seen: list[Any], current: Any, rng: random.Random) -> Any:
    if column.values:
        return rng.choice(column.values)
    model = current if current is not None else (rng.choice(seen) if seen else None)
    if isinstance(model, bool) or column.json_type == "boolean":
        return not model
    if column.json_type in ("integer", "number"):
        return _propose_number(model, rng)
    words = set(split_words(column.name))
    if column.format == "email" or {"email", "mail"} & words:
        first, last = draw_name(rng).split(" ", 1)
        return re.sub(r"[^a-z.@]", "", f"{first}.{last}@example.org".lower())
    if column.format == "uri":
        return f"https://www.example.org/{rng.choice(('news', 'about', 'profile', 'contact'))}/{rng.randint(10, 999)}"
    if isinstance(model, str) and (found := _DATE.match(model)):
        return _shift_date(model, found, rng)
    if isinstance(model, str) and re.fullmatch(r"[1-9]\d{0,4}", model):
        return str(_propose_number(int(model), rng))
    if column.format in ("date", "date-time", "time") or (isinstance(model, str) and _CALENDAR.search(model)):
        return _other(seen, current, rng)
    if isinstance(model, str) and any(character.isdigit() for character in model) and len(model) <= 24:
        return re.sub(r"\d", lambda _: str(rng.randint(1, 9)), model)
    if isinstance(model, str) and re.fullmatch(r"[A-Z]{2,6}", model) and (column.unique or "code" in words):
        return "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in model)
    if words & {"first", "given", "forename", "fname"}:
        return draw_name(rng).split(" ", 1)[0]
    if words & {"last", "surname", "family", "lname"}:
        return draw_name(rng).split(" ", 1)[1]
    if (
        "name" in words
        and (words | set(split_words(table.name)) | {name.rstrip("s") for name in split_words(table.name)}) & _PERSON
    ):
        return draw_name(rng)
    if words & _FREE_TEXT or (seen and sum(len(str(value)) for value in seen) / len(seen) > LONGEST):
        return draw_sentence(rng, rng.randint(4, 6))
    if column.unique or words & {"name", "title"}:
        return _recombine([str(value) for value in seen], rng)
    return _other(seen, current, rng)


def _other(seen: list[Any], current: Any, rng: random.Random) -> Any:
    others = [value for value in seen if not same_value(value, current)]
    return rng.choice(others) if others else None


def _propose_number(model: Any, rng: random.Random) -> Any:
    if not isinstance(model, int | float):
        return rng.randint(1, 20)
    if float(model).is_integer() and 1900 <= model <= 2100:
        return int(model) + rng.choice((-2, -1, 1, 2))
    if float(model).is_integer() and abs(model) <= 20:
        return type(model)(max(0, int(model) + rng.choice((-2, -1, 1, 2, 3))))
    changed = model * rng.uniform(0.8, 1.25)
    if float(model).is_integer():
        digits = max(0, len(str(int(abs(model)))) - 3)
        return type(model)(int(round(changed, -digits)))
    return round(changed, min(2, len(repr(float(model)).split(".")[-1])))


def _shift_date(model: str, found: re.Match[str], rng: random.Random) -> str | None:
    try:
        day = datetime.date(int(found[1]), int(found[2]), int(found[3]))
        moved = day + datetime.timedelta(days=rng.choice((-14, -7, -3, 2, 5, 7, 10, 14, 21, 30)))
    except (ValueError, OverflowError):
        return None
    return moved.isoformat() + model[found.end() :]


def _recombine(seen: list[str], rng: random.Random) -> str | None:
    """A new name out of two: `Stark's Park` and `Balmoor Arena` give `Stark's Arena`."""
    split = [value.split() for value in seen if 2 <= len(value.split()) <= 4 and len(value) <= LONGEST]
    if len(split) < 2:
        return draw_name(rng).split(" ", 1)[1] + " " + rng.choice(("House", "North", "Central", "Star", "Point"))
    return " ".join([*rng.choice(split)[:-1], rng.choice(split)[-1]])
