"""What a column is, judged by its values: JSON type, format, closed set of values, number that only identifies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

Kind = Literal["integer", "number", "string", "boolean", "binary"]

MOST_VALUES = 12
"""Largest closed set of values."""
_LONGEST_VALUE = 40

_IDENTIFIERS = frozenset(["id", "ids", "uuid", "guid", "pk", "oid", "sk", "uid", "key"])
_NATURAL = re.compile(
    r"(?:no|num|nbr|nr|number|code|year|zip|postcode|postal|phone|fax|isbn|ssn|rank|season|week|month|day|date|round|"
    r"version|level|edition|position|line|hour|quarter|floor|room)s?\d*$"
)
"""Ends of names of numbers that people do use: order number, zip code, year."""
_CATEGORIES = frozenset(
    """
    type kind status state_code level grade rating category class code gender sex priority role mode method flag
    size color colour unit currency frequency outcome severity tier stage phase active enabled is has yn suffix
    salutation
    """.split()
)
_OPEN = frozenset(
    """
    name names title first last middle fname lname surname city town country county place location address street
    region nationality hometown birthplace language description desc comment comments note notes text details detail
    email phone fax url uri website web link author artist person manager owner school university club team company
    publisher brand model made theme origin destination source target departure arrival from to winner opponent
    result by date time year month day age price cost amount total salary score population weight height length
    distance
    """.split()
)
"""Words of columns whose values come from an open world, however few of them a table holds."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?")
_TIME = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URI = re.compile(r"(?:https?|ftp)://\S+")
_DIGITS = re.compile(r"\d+(?:\.0)?")
_HEX = re.compile(r"(?=.*\d)(?:0x)?[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}={0,2}")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True)
class ColumnFacts:
    """What was counted of one column's values, and some of them."""

    rows: int
    filled: int
    """Rows that are not NULL."""
    distinct: int
    kinds: Mapping[Kind, int]
    """How many values of each kind, NULL left out."""
    seen: tuple[Any, ...]
    """Some hundreds of its distinct values, sorted; all of them where there are not more."""

    @property
    def unique(self) -> bool:
        """All values differ, and there are some."""
        return self.filled > 1 and self.distinct == self.filled


def split_name(name: str) -> list[str]:
    """The words of a column's name in lower case: `CustomerID` and `customer_id` are both customer, id."""
    return [word.lower() for word in _WORDS.findall(name)]


def infer_json_type(declared: str, kinds: Mapping[Kind, int]) -> str:
    """`integer`, `number`, `string` or `boolean`, by the values; by the declared type where there are none.

    A column declared with decimal places is a number even if all its values happen to be whole.
    """
    if kinds.get("string") or kinds.get("binary"):
        return "string"
    if kinds.get("number"):
        return "number"
    if kinds.get("boolean"):
        return "boolean"
    declared = declared.upper()
    decimal = _declares_decimals(declared)
    if kinds.get("integer"):
        return "number" if decimal else "integer"
    if decimal:
        return "number"
    return "integer" if re.search(r"INT|SERIAL|NUMERIC|DECIMAL|^NUMBER", declared) else "string"


def _declares_decimals(declared: str) -> bool:
    if re.search(r"REAL|FLOA|DOUB|MONEY", declared):
        return True
    scale = re.search(r"(?:DEC|NUMERIC|NUMBER)\w*\s*\(\s*\d+\s*,\s*(\d+)\s*\)", declared)
    return bool(scale and int(scale[1]) > 0)


def infer_format(facts: ColumnFacts) -> str | None:
    """`date`, `date-time`, `time`, `email` or `uri` where every value seen has that form."""
    if not facts.seen or facts.kinds.get("string", 0) != facts.filled:
        return None
    texts = [str(value) for value in facts.seen]
    forms = {"date": _is_date, "date-time": _is_date_time, "time": _TIME.fullmatch, "email": _EMAIL.fullmatch}
    for name, matches in forms.items():
        if all(matches(text) for text in texts):
            return name
    return "uri" if all(_URI.fullmatch(text) for text in texts) else None


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_date_time(text: str) -> bool:
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_opaque(facts: ColumnFacts) -> bool:
    """Every value seen is a whole number, digits, hexadecimal, a UUID or a long random token."""
    if not facts.seen:
        return bool(facts.kinds.get("integer"))
    patterns = (_DIGITS, _HEX, _TOKEN)
    return any(all(pattern.fullmatch(str(value).strip()) for value in facts.seen) for pattern in patterns)


def _counts_up(facts: ColumnFacts) -> bool:
    """Integers 1, 2, 3, …: nobody's code, whatever the column is called."""
    return bool(facts.kinds.get("integer")) and facts.seen == tuple(range(1, len(facts.seen) + 1))


def names_identifier(name: str) -> bool:
    """The name says that it identifies: its last word is `id` or the like."""
    words = split_name(name)
    return bool(words) and (words[-1] in _IDENTIFIERS or words[0] in ("id", "uuid", "guid"))


def names_natural_number(name: str) -> bool:
    """The name says that people use the number: `order_no`, `flno`, `zip_code`, `year`."""
    words = split_name(name)
    return bool(words) and words[-1] not in _IDENTIFIERS and bool(_NATURAL.search(words[-1]))


def is_surrogate_key(name: str, facts: ColumnFacts, *, sole_key: bool, in_key: bool, unique: bool) -> bool:
    """Whether a column that references nothing only identifies, so that a person does not know its values.

    A column that is the whole primary key does if its values are opaque, unless its name is that of a number in use.
    Any other column also needs a name that says so.
    """
    counted = split_name(name)[-1:] == ["code"] and sole_key and _counts_up(facts)
    if not is_opaque(facts) or (names_natural_number(name) and not counted):
        return False
    if sole_key:
        return True
    ends_with_id = name.lower().endswith("id") and (in_key or unique)
    return names_identifier(name) or ends_with_id


def list_closed_values(
    name: str, json_type: str, format_name: str | None, facts: ColumnFacts, values: Sequence[Any]
) -> tuple[Any, ...]:
    """All values, sorted, where they form a small closed set that repeats; otherwise empty.

    Words of the name decide what counting cannot: three cities in thirty rows are no closed set, three statuses are.
    """
    if format_name or not 2 <= len(values) <= MOST_VALUES or facts.distinct > MOST_VALUES:
        return ()
    words = set(split_name(name))
    category = bool(words & _CATEGORIES)
    if words & _OPEN and not category:
        return ()
    if "name" in words and facts.filled < 8 * len(values):
        return ()
    if json_type == "boolean":
        return tuple(sorted(values))
    if json_type == "integer":
        flag = set(values) <= {0, 1}
        small = max(values) <= MOST_VALUES and min(values) >= 0
        if not ((flag and facts.filled >= 6) or (category and small and facts.filled >= 3 * len(values))):
            return ()
        return tuple(sorted(values))
    if json_type != "string":
        return ()
    texts = [str(value) for value in values]
    if any(len(text) > _LONGEST_VALUE or text.count(" ") > 4 or not text.strip() for text in texts):
        return ()
    if any(text[0] in "[{" for text in texts):
        return ()
    numeric = 2 * sum(bool(re.fullmatch(r"[-+]?[\d.,]+", text)) for text in texts) >= len(texts)
    repeated = facts.filled >= (2 if category else 4) * len(values)
    if not repeated or (numeric and not category and set(texts) != {"0", "1"}):
        return ()
    return tuple(sorted(values, key=str))
