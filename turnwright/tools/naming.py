"""Names: the database's identifiers as words for people, and as names that a function specification may have."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "%": " percent ", "#": " number "}
)
_SHORT = {"id": "ID", "ids": "IDs", "url": "URL", "isbn": "ISBN", "ssn": "SSN", "gpa": "GPA", "tv": "TV"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNCHANGED = {"series", "species", "news", "status", "address", "analysis", "premises", "staff", "sales", "statistics"}

READ_VERBS = ("get", "search", "list", "count", "find", "compare", "calculate", "rank", "check", "show", "summarize")
"""First words that say that a tool only reads."""
WRITE_VERBS = {
    "insert": ("create", "add", "insert", "register", "record", "book", "enroll", "assign", "schedule", "log"),
    "update": (
        "update",
        "set",
        "change",
        "rename",
        "move",
        "assign",
        "mark",
        "increase",
        "decrease",
        "adjust",
        "transfer",
        "cancel",
    ),
    "delete": ("delete", "remove", "cancel", "drop"),
}
"""First words that say what a tool writes, by SQL verb."""


def to_ascii(text: str) -> str:
    """`text` in ASCII letters: umlauts spelled out, other accents and scripts dropped."""
    return unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()


def split_words(identifier: str) -> list[str]:
    """The words of an identifier in any style (`Home Town`, `playerId`, `SALE_PRICE`), lower case, accents kept."""
    return list(_split_words(identifier))


@lru_cache(maxsize=4096)
def _split_words(identifier: str) -> tuple[str, ...]:
    # Planning asks for the words of the same few columns thousands of times.
    spaced = _CAMEL.sub(
        " ", unicodedata.normalize("NFC", identifier).replace("%", " percent ").replace("#", " number ")
    )
    return tuple(word.lower() for word in re.findall(r"[^\W_]+", spaced))


@lru_cache(maxsize=4096)
def to_words(identifier: str) -> str:
    """An identifier as a person reads it, without underscores: `Player_ID` is `player ID`."""
    words = _split_words(identifier)
    return " ".join(_SHORT.get(word, word) for word in words) or identifier


def snake_case(identifier: str, fallback: str = "value") -> str:
    """An identifier as a legal name `[a-z][a-z0-9_]*` of at most 64 characters; `fallback` where no letter is left."""
    words = split_words(to_ascii(identifier))
    name = "_".join(words)
    if not name:
        return fallback
    if name[0].isdigit():
        name = f"{fallback}_{name}"
    return name[:64].rstrip("_")


def singular(words: str) -> str:
    """The singular of an English plural, by rule: good enough for table names, unknown forms stay as they are."""
    head, _, last = words.rpartition(" ")
    lower = last.lower()
    if lower in _UNCHANGED or len(lower) < 4 or lower.endswith(("ss", "us", "is")):
        single = last
    elif lower == "people":
        single = "person"
    elif lower.endswith("ies"):
        single = last[:-3] + "y"
    elif lower.endswith(("sses", "shes", "ches", "xes", "zes")):
        single = last[:-2]
    elif lower.endswith("s"):
        single = last[:-1]
    else:
        single = last
    return f"{head} {single}".strip()


def plural(words: str) -> str:
    """The plural of an English noun, by rule; a plural stays as it is."""
    head, _, last = singular(words).rpartition(" ")
    lower = last.lower()
    if lower in _UNCHANGED:
        many = last if lower not in {"address", "status"} else last + "es"
    elif lower == "person":
        many = "people"
    elif lower.endswith("y") and lower[-2:-1] not in {"a", "e", "o", "u"}:
        many = last[:-1] + "ies"
    elif lower.endswith(("s", "x", "z", "sh", "ch")):
        many = last + "es"
    else:
        many = last + "s"
    return f"{head} {many}".strip()


def fix_function_name(name: str, verb: str) -> str:
    """A draft's name as a legal function name that begins with a word fit for what its SQL does.

    Args:
        name: as the writer gave it.
        verb: `select`, `insert`, `update` or `delete`.

    A name whose first word promises another effect (a `get_…` that deletes) gets the right first word instead.
    """
    words = snake_case(name, fallback="tool").split("_")
    allowed = READ_VERBS if verb == "select" else WRITE_VERBS[verb]
    if words[0] not in allowed:
        others = {*READ_VERBS, *(word for group in WRITE_VERBS.values() for word in group), "select"}
        rest = words[1:] if words[0] in others and len(words) > 1 else words
        words = [{"select": "get", "insert": "create"}.get(verb, verb), *rest]
    return "_".join(words)[:64].rstrip("_")


def distinct_name(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name_2`, `name_3`, … where it is taken."""
    used = set(taken)
    if name not in used:
        return name
    number = 2
    while f"{name[:60]}_{number}" in used:
        number += 1
    return f"{name[:60]}_{number}"
