"""What people call tables, columns and values: the words that plans, labels and purposes are made of."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from schemas.databases import Column, Table
from turnwright.tools.naming import singular, to_words

DIRECTIONS = ("from", "to")
"""First words of references that come in pairs, as in `from_club_id` and `to_club_id`."""
_FLAGS = ({"0", "1"}, {"y", "n"}, {"t", "f"}, {"yes", "no"}, {"true", "false"})
_TECHNICAL = ("ref ", "tbl ", "tb ", "dim ", "mst ")


@lru_cache(maxsize=4096)
def name_entity(table: str) -> str:
    """One row of a table as a noun: `Customer_Orders` gives `customer order`."""
    words = to_words(table)
    for prefix in _TECHNICAL:
        words = words.removeprefix(prefix)
    head, within, rest = words.partition(" in ")
    return f"{singular(head)} in {singular(rest)}" if within else singular(words)


def name_column(table: Table, column: Column) -> str:
    """A column as a label, without the name of its own table in front: `singer_name` of `singer` gives `name`.

    What says only that something happened says when: `lent_on` gives `date lent`, a year in `founded` `year founded`.
    """
    words = to_words(column.name)
    for prefix in dict.fromkeys((to_words(table.name), name_entity(table.name))):
        shorter = words.removeprefix(prefix + " ")
        if shorter != words and shorter != "ID":
            words = shorter
            break
    *front, last = words.split()
    if words.split()[0] in ("is", "has") and front:
        return f"{' '.join(words.split()[1:])} status"
    if last in ("yn", "flag") and front:
        return f"{' '.join(front)} status"
    if (last in ("on", "at") and front) or (last.endswith("ed") and not front and _tells_when(column)):
        event = " ".join(front) if last in ("on", "at") else last
        return f"{'date' if column.json_type == 'string' else 'year'} {event}"
    flag = len(column.values) == 2 and {str(value).lower() for value in column.values} in _FLAGS
    return f"{words} status" if flag and not front and last.endswith(("ed", "able", "ent", "al", "ive")) else words


def _tells_when(column: Column) -> bool:
    return column.format in ("date", "date-time") or column.json_type == "integer"


def name_detail(table: Table, column: Column) -> str:
    """A column as a label that says whose it is: `singer name`, `stadium capacity`."""
    noun, label = name_entity(table.name), name_column(table, column)
    return label if noun in label or label in noun else f"{noun} {label}"


def name_role(column: Column, entity: str) -> str:
    """What a reference calls the row that it points at: `home_club_id` gives `home club`, `club_id` gives `club`.

    A name that does not say what is pointed at gives the entity's noun: `ref_1` of a club is a club.
    """
    words = to_words(column.name).split()
    while words and words[-1].lower() in ("id", "code", "no", "number", "key", "nr", "fk"):
        words.pop()
    noun = name_entity(entity)
    if words and words[0] in DIRECTIONS:
        return noun
    role = " ".join(words)
    return role if role.endswith(noun.split()[-1]) and len(words) <= 3 else noun


def say_value(value: Any) -> str:
    """A value as it is written in a sentence: `yes` and `no` for booleans, 25 for 25.0, text as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list | tuple):
        return join_words([say_value(item) for item in cast(Sequence[Any], value)])
    return str(value).strip()


def join_words(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def naming_column(table: Table) -> str | None:
    """The column by which people tell the rows of a table apart: its name or title, else its most telling text."""
    best: tuple[int, str] | None = None
    for position, column in enumerate(table.columns):
        if column.surrogate or column.json_type != "string" or column.format is not None or column.references:
            continue
        words = to_words(column.name).split()
        score = 0
        if words[-1] in ("name", "title") or words == ["label"]:
            score += 6
        elif {"name", "title"} & set(words):
            score += 4
        if {"first", "last", "middle", "short", "nick", "user"} & set(words):
            score -= 1
        score += 3 * column.unique - 4 * bool(column.values) - (position > 4)
        score -= 3 * bool({"description", "comment", "notes", "text", "details", "address"} & set(words))
        if best is None or score > best[0]:
            best = (score, column.name)
    return best[1] if best and best[0] > -3 else None


_PLAIN_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_EXACT = 1 << 53
_REMEMBERED = 80
"""Characters of the longest text whose folded form is remembered."""


def same_value(left: Any, right: Any) -> bool:
    """Whether two scalars are the same to a person: 25 and 25.0 and `25`; `1,200` and 1200; text without case."""
    return comparable(left) == comparable(right)


def comparable(value: Any) -> str:
    """The text that equal values share, see `same_value`."""
    if type(value) is int and abs(value) < _EXACT:
        return f"{float(value):.10g}"
    text = say_value(value)
    return _fold(text) if len(text) <= _REMEMBERED else _fold.__wrapped__(text)


@lru_cache(maxsize=1 << 14)
def _fold(text: str) -> str:
    # Planning compares the values of the same rows again and again.
    if not text[:1].isalpha() and _PLAIN_NUMBER.fullmatch(text):
        return f"{float(text.replace(',', '')):.10g}"
    return " ".join(text.casefold().split())
