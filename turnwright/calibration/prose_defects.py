"""Defects of what the assistant tells: other numbers, other units, invented, stale, contradicted, claimed."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from pydantic import TypeAdapter

from schemas.goals import RowChange
from schemas.messages import CallRecord
from turnwright.calibration.draft import Draft
from turnwright.calibration.prose_values import (
    Spot,
    alter_digits,
    as_number,
    find_numbers,
    find_words,
    holds_value,
    replace_at,
)
from turnwright.calibration.subject import CannotPlant, Subject, read_json

_UNITS = {
    "$": "€", "€": "£", "£": "$", "USD": "EUR", "EUR": "GBP", "GBP": "USD", "dollars": "euros", "euros": "pounds",
    "kg": "pounds", "km": "miles", "miles": "km", "minutes": "hours", "hours": "days", "days": "weeks",
    "seconds": "minutes", "milliseconds": "seconds", "weeks": "months", "months": "years", "years": "months",
    "metres": "feet", "meters": "feet", "feet": "metres",
}  # fmt: skip
_SCALES = ("thousand", "million", "hundred")
_YEARS = range(1900, 2100)
_CHANGES = TypeAdapter(list[RowChange])

_INVENTED = (
    "The reference number for this is {number}.",
    "This entry was last updated on {day} {month} {year}.",
    "For questions, the direct line is extension {number}.",
    "By the way, {number} people have asked about this so far this year.",
    "There is also a note in the file, dated {day} {month} {year}.",
    "The usual handling fee for this would be {number}.50.",
)
_MONTHS = ("January", "March", "April", "June", "August", "October", "November")

_RECALLED = (
    "As I said before, the {label} is {value}.",
    "To sum up what I told you earlier: the {label} is {value}.",
    "And as mentioned above, the {label} is {value}.",
)

_PARTICIPLES = {
    "add": "added", "create": "created", "book": "booked", "update": "updated", "change": "changed", "set": "set",
    "cancel": "cancelled", "delete": "deleted", "remove": "removed", "register": "registered", "insert": "added",
    "move": "moved", "assign": "assigned", "record": "recorded", "send": "sent", "modify": "modified",
    "edit": "edited", "schedule": "scheduled", "rename": "renamed", "place": "placed", "issue": "issued",
}  # fmt: skip
_CLAIMS = (
    "I have also sent you a confirmation by e-mail.",
    "I've also set up a reminder for you for next week.",
    "I have passed this on to the team in charge as well.",
)


def plant_altered_number(subject: Subject, rng: random.Random) -> Draft:
    """A number that a result gave is told with another digit."""
    index, spot = _choose_number(subject, rng)
    text = subject.messages[index]["content"] or ""
    other = alter_digits(spot.text, rng, subject.text)
    if other is None:
        raise CannotPlant("every other number like it stands somewhere in the dialogue")
    draft = Draft(subject)
    draft.set_content(index, replace_at(text, spot.start, spot.end, other))
    return draft


def plant_wrong_unit(subject: Subject, rng: random.Random) -> Draft:
    """A number is told in another unit than it has, or on another scale."""
    spots = list(_iter_numbers(subject))
    named: list[tuple[int, int, int, str]] = []
    for index, spot in spots:
        text = subject.messages[index]["content"] or ""
        before, after = text[: spot.start].rstrip(), re.match(r"\s*([A-Za-z€£$]+)", text[spot.end :])
        if before and before[-1] in _UNITS:
            named.append((index, len(before) - 1, len(before), _UNITS[before[-1]]))
        if after and after[1] in _UNITS:
            named.append((index, spot.end + after.start(1), spot.end + after.end(1), _UNITS[after[1]]))
    amounts = [
        (index, spot.end, spot.end, f" {rng.choice(_SCALES)}")
        for index, spot in spots
        if ("." in spot.text or "," in spot.text or spot.value >= 100) and spot.value not in _YEARS
    ]
    if not (named or amounts):
        raise CannotPlant("no amount is told")
    index, start, end, words = rng.choice(named or amounts)
    draft = Draft(subject)
    draft.set_content(index, replace_at(subject.messages[index]["content"] or "", start, end, words))
    return draft


def plant_invented_value(subject: Subject, rng: random.Random) -> Draft:
    """An answer holds one detail more, which comes from nowhere."""
    if not subject.reports:
        raise CannotPlant("no answer follows a call")
    for _ in range(20):
        number, day, year = rng.randrange(1234, 9876), rng.randrange(2, 29), rng.randrange(2012, 2024)
        if not any(str(value) in subject.text for value in (number, year)):
            break
    else:
        raise CannotPlant("every number that was drawn stands somewhere in the dialogue")
    draft = Draft(subject)
    sentence = rng.choice(_INVENTED).format(number=number, day=day, month=rng.choice(_MONTHS), year=year)
    draft.add_sentence(rng.choice(subject.reports), sentence)
    return draft


def plant_contradiction(subject: Subject, rng: random.Random) -> Draft:
    """A later answer restates a fact that was told, with another value."""
    fitting: list[tuple[int, str, str]] = []
    facts = [fact for item in subject.objectives for fact in item.facts]
    labels = Counter(fact.label for fact in facts)
    for fact in facts:
        if labels[fact.label] > 1:
            continue  # of a list another value is no contradiction
        told = [index for index in subject.reports if holds_value(subject.messages[index]["content"] or "", fact.value)]
        later = [index for index in subject.answers if told and index > told[0]]
        other = _other_value(subject, fact.value, rng)
        if later and other is not None:
            fitting.append((rng.choice(later), fact.label, other))
    if not fitting:
        raise CannotPlant("no fact is told before the last answer")
    index, label, other = rng.choice(fitting)
    draft = Draft(subject)
    draft.add_sentence(index, rng.choice(_RECALLED).format(label=label, value=other))
    return draft


def plant_misattributed_value(subject: Subject, rng: random.Random) -> Draft:
    """A fact is told with the value that another record has in the same field."""
    fitting: list[tuple[int, int, int, str]] = []
    for fact in [fact for item in subject.objectives for fact in item.facts]:
        if not isinstance(fact.value, str) or not fact.value.strip():
            continue
        others = sorted(_same_field(subject, fact.value))
        for index in subject.reports:
            text = subject.messages[index]["content"] or ""
            others_unsaid = [other for other in others if other not in text]
            spots = list(find_words(text, fact.value))
            if len(spots) == 1 and others_unsaid:
                fitting.append((index, *spots[0], rng.choice(others_unsaid)))
    if not fitting:
        raise CannotPlant("no fact has a field that another record has with another value")
    index, start, end, other = rng.choice(fitting)
    draft = Draft(subject)
    draft.set_content(index, replace_at(subject.messages[index]["content"] or "", start, end, other))
    return draft


def plant_mislabelled_value(subject: Subject, rng: random.Random) -> Draft:
    """A number is told that the same record has in another field: its key as its age, its age as its rank."""
    records = [(call.message, record) for call in subject.calls if not call.error for record in _list_records(call)]
    fitting: list[tuple[int, Spot, str]] = []
    for index, spot in _iter_numbers(subject):
        known = [record for message, record in records if message < index]
        fields = {name for record in known for name, value in record.items() if as_number(value) == spot.value}
        if len(fields) != 1:
            continue  # which field is told cannot be said
        (field,) = fields
        own = {as_number(record.get(field)) for record in known}
        for record in known:
            if as_number(record.get(field)) != spot.value:
                continue
            others = [str(value) for name, value in sorted(record.items()) if name != field and _is_count(value)]
            fitting += [(index, spot, other) for other in others if as_number(other) not in own]
    if not fitting:
        raise CannotPlant("no number is told of a record that has another one in another field")
    index, spot, other = rng.choice(fitting)
    draft = Draft(subject)
    draft.set_content(index, replace_at(subject.messages[index]["content"] or "", spot.start, spot.end, other))
    return draft


def plant_stale_value(subject: Subject, rng: random.Random) -> Draft:
    """After a write the assistant tells the value that stood there before."""
    changes = _CHANGES.validate_json(subject.row.changes)
    wrote = min((call.message for call in subject.calls if call.effect == "write" and not call.error), default=None)
    fitting: list[tuple[int, int, int, str]] = []
    for change in changes:
        if change.before is None or change.after is None or wrote is None:
            continue
        for field, after in change.after.items():
            before = change.before.get(field)
            if before is None or after is None or before == after or str(before) in str(after):
                continue
            for index in subject.reports:
                if index > wrote:
                    text = subject.messages[index]["content"] or ""
                    fitting += [(index, start, end, str(before)) for start, end in _find_value(text, after)]
    if not fitting:
        raise CannotPlant("no row was changed of which the new value is told")
    index, start, end, before = rng.choice(fitting)
    draft = Draft(subject)
    draft.set_content(index, replace_at(subject.messages[index]["content"] or "", start, end, before))
    return draft


def plant_claimed_action(subject: Subject, rng: random.Random) -> Draft:
    """The assistant says that it has done something that it has not."""
    if not subject.reports:
        raise CannotPlant("no answer follows a call")
    called = {call.tool for call in subject.calls}
    claims: list[str] = [*_CLAIMS]
    for tool in subject.tools.values():
        verb, _, thing = tool.name.partition("_")
        if tool.effect == "write" and tool.name not in called and verb in _PARTICIPLES and thing:
            claims.append(f"I have also {_PARTICIPLES[verb]} the {thing.replace('_', ' ')} for you.")
    draft = Draft(subject)
    draft.add_sentence(subject.reports[-1], rng.choice(claims))
    return draft


def _iter_numbers(subject: Subject) -> Iterator[tuple[int, Spot]]:
    """Numbers in the answers that a result before them gave, and that the user did not say."""
    said = {spot.value for index in subject.requests for spot in find_numbers(subject.messages[index]["content"] or "")}
    for index in subject.reports:
        known = {as_number(leaf.value) for leaf in subject.leaves_before(index)}
        for spot in find_numbers(subject.messages[index]["content"] or ""):
            if spot.value in known and spot.value not in said:
                yield index, spot


def _list_records(call: CallRecord) -> Iterator[dict[str, Any]]:
    """The rows of a result, or the one object that it is."""
    value = read_json(call.result)
    for row in cast("list[Any]", value) if isinstance(value, list) else [value]:
        if isinstance(row, dict):
            yield cast("dict[str, Any]", row)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15


def _choose_number(subject: Subject, rng: random.Random) -> tuple[int, Spot]:
    found = list(_iter_numbers(subject))
    if not found:
        raise CannotPlant("no answer tells a number of a result")
    return rng.choice(found)


def _find_value(text: str, value: object) -> list[tuple[int, int]]:
    number = as_number(value)
    if number is not None:
        return [(spot.start, spot.end) for spot in find_numbers(text) if spot.value == number]
    return list(find_words(text, str(value)))


def _other_value(subject: Subject, value: object, rng: random.Random) -> str | None:
    """A value that could stand in the place of one: a number with another digit, or another record's word."""
    number = as_number(value)
    if number is not None:
        return alter_digits(f"{number:.10g}", rng, subject.text)
    others = sorted(_same_field(subject, value))
    return rng.choice(others) if others else None


def _same_field(subject: Subject, value: object) -> set[str]:
    """Other words that results have in the fields that hold a value."""
    leaves = [leaf for found in subject.leaves for leaf in found]
    fields = {leaf.field for leaf in leaves if leaf.value == value}
    return {
        leaf.value
        for leaf in leaves
        if leaf.field in fields and isinstance(leaf.value, str) and leaf.value.strip() and leaf.value != value
    }
