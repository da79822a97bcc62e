"""What records are called: by the user, and by themselves."""

from collections.abc import Sequence
from typing import Any

from turnwright.selfplay.offered_tools import OfferedTool
from turnwright.selfplay.spoken_values import SpokenValue
from turnwright.selfplay.words import split_name, stem

_NAMES = frozenset(stem(word) for word in "name title first last".split())


def name_subject(values: Sequence[SpokenValue]) -> str:
    """The name of what a request is about, as the user gave it; empty where none is clear."""
    texts = [value for value in values if value.kind in ("text", "code") and value.role != "new" and not value.negated]
    parts = {part: value.text for value in texts for part in ("first", "last") if {part, "name"} <= value.label}
    if len(parts) == 2:
        return f"{parts['first']} {parts['last']}"
    named = [value for value in texts if "name" in value.label or "titl" in value.label]
    chosen = named or [value for value in texts if value.role in ("identifies", "bare")]
    return chosen[0].text if chosen else ""


def name_record(row: dict[str, Any], nouns: frozenset[str]) -> str:
    """What people call a record: its own name or title, where it has one; `nouns` are stems of what it is."""
    texts = {
        split_name(name): value.strip()
        for name, value in row.items()
        if isinstance(value, str) and value.strip() and {stem(word) for word in split_name(name)[:-1]} <= nouns | _NAMES
    }
    parts = {words[-2:]: value for words, value in texts.items()}
    if ("first", "name") in parts and ("last", "name") in parts:
        return f"{parts['first', 'name']} {parts['last', 'name']}"
    for endings in ({"name", "title"}, {"lname", "surname", "fname", "label"}):
        for words, value in texts.items():
            if words and words[-1] in endings:
                return value
    return ""


def record_nouns(
    tool: OfferedTool, values: Sequence[SpokenValue], side_nouns: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Stems of what a request is about, that a label may leave out of a field's name, or a field out of a label."""
    return tool.name_words | frozenset(word for value in values for word in value.noun) | side_nouns
