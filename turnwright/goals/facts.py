"""Facts: which values of a result have to reach the person."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.goals import Fact
from schemas.tools import KeyPath, OutputField
from turnwright.goals.drafts import DraftCall
from turnwright.goals.keys import Keys, RowName, result_rows
from turnwright.goals.values import is_private, is_sayable
from turnwright.goals.words import comparable, name_column, naming_column, say_value
from turnwright.tools.key_roles import name_field, name_whole
from turnwright.tools.naming import split_words, to_words

MOST_ROWS = 8
"""Longest list that a person wants told in full."""
_MEASURED_ROWS = 5
_MOST_FIELDS = 3


@dataclass(frozen=True)
class Told:
    """The facts of one goal call and the fields that they come from."""

    facts: tuple[Fact, ...]
    fields: tuple[OutputField, ...]
    rows: int


def choose_facts(
    call: DraftCall, before: Sequence[DraftCall], keys: Keys, known: Sequence[Any], subject: str, rng: random.Random
) -> Told | None:
    """What the person is to be told of a read, or none where the result holds nothing that is worth telling.

    Args:
        call: the read.
        before: the calls that it rests on. What they show already is not asked for: the read would not be needed, or
            would contradict them (the club of a player, and the club of a transfer of theirs).
        keys: of the database.
        known: values that are no news.
        subject: what the person calls the thing that is read about; may be empty.
        rng: chooses among fields.

    No fact is missing, a surrogate key, or a value in `known`. Of one row up to three fields are told; of a list each
    row's name and, where the tool measures something, the measure.
    """
    rows = result_rows(call.result)
    if not 1 <= len(rows) <= MOST_ROWS:
        return None
    taken = {comparable(value) for value in known}
    shown = {_column(output) for earlier in before for output in earlier.tool.outputs if output.column}
    usable = [output for output in call.tool.outputs if _is_usable(output, rows, keys) and _column(output) not in shown]
    if len(rows) == 1:
        return _tell_row(call, rows[0], usable, keys, taken, subject, rng)
    return _tell_list(rows, usable, keys, taken)


def _column(output: OutputField) -> tuple[str, str, KeyPath]:
    return (output.table or "").lower(), (output.column or "").lower(), output.via


def _is_usable(output: OutputField, rows: list[dict[str, Any]], keys: Keys) -> bool:
    place = keys.place(output.table, output.column)
    if is_private(output.column or output.name):
        return False
    if place is not None and (place[1].surrogate or (place[1].references and place[1].json_type == "integer")):
        return False
    if output.table is None and split_words(output.name)[-1:] == ["id"]:
        return False
    return all(is_sayable(row.get(output.name)) for row in rows)


def _tell_row(
    call: DraftCall,
    row: dict[str, Any],
    usable: list[OutputField],
    keys: Keys,
    taken: set[str],
    subject: str,
    rng: random.Random,
) -> Told | None:
    fresh = [output for output in usable if comparable(row[output.name]) not in taken]
    measured = [output for output in fresh if output.table is None][:_MOST_FIELDS]
    if measured:
        return _tell_fields(row, measured, subject, keys)
    if any(detail.operator not in ("=", "like", "in") for detail in call.details):
        # A search that happens to find one row: the person wants to know which one.
        named = sorted(fresh, key=lambda output: not _is_naming(output, keys))[:1]
        return _tell_fields(row, named, "", keys) if named else None
    about = set(split_words(call.tool.description)) | set(split_words(call.tool.name))

    def weight(output: OutputField) -> tuple[bool, float]:
        return not set(split_words(output.column or output.name)) <= about, rng.random()

    fresh.sort(key=weight)
    chosen = fresh[: rng.choice((1, 2, 2, _MOST_FIELDS))]
    return _tell_fields(row, chosen, subject, keys) if chosen else None


def tell_same(call: DraftCall, like: Told, keys: Keys, known: Sequence[Any], subject: str) -> Told | None:
    """The facts of another call in the fields that `like` tells, or none where its result has them not all."""
    rows = result_rows(call.result)
    usable = [output for output in call.tool.outputs if _is_usable(output, rows, keys)] if len(rows) == 1 else []
    taken = {comparable(value) for value in known}
    if not set(like.fields) <= set(usable) or any(comparable(rows[0][field.name]) in taken for field in like.fields):
        return None
    return _tell_fields(rows[0], list(like.fields), subject, keys)


def _tell_fields(row: dict[str, Any], chosen: list[OutputField], subject: str, keys: Keys) -> Told:
    facts = [Fact(label=_label(output, subject, keys), value=row[output.name]) for output in chosen]
    return Told(tuple(facts), tuple(chosen), 1)


def _tell_list(rows: list[dict[str, Any]], usable: list[OutputField], keys: Keys, taken: set[str]) -> Told | None:
    def rank(output: OutputField) -> tuple[int, int]:
        kind = 0 if _is_naming(output, keys) else 1 if isinstance(rows[0][output.name], str) else 2
        return kind, usable.index(output)

    columns = [output for output in usable if output.table is not None and _values(rows, output) > 1]
    columns = [output for output in columns if not any(comparable(row[output.name]) in taken for row in rows)]
    if not columns:
        return None
    name = min(columns, key=rank)
    measures: list[OutputField] = []
    if len(rows) <= _MEASURED_ROWS and _values(rows, name) == len(rows):
        measures = [output for output in usable if output.table is None][:1]
    facts: dict[str, Fact] = {}
    for row in rows:
        facts.setdefault(comparable(row[name.name]), Fact(label=_label(name, "", keys), value=row[name.name]))
        for measure in measures:
            label = _label(measure, say_value(row[name.name]), keys)
            facts[label] = Fact(label=label, value=row[measure.name])
    return Told(tuple(facts.values()), (name, *measures), len(rows))


def _values(rows: list[dict[str, Any]], output: OutputField) -> int:
    return len({comparable(row[output.name]) for row in rows})


def _is_naming(output: OutputField, keys: Keys) -> bool:
    place = keys.place(output.table, output.column)
    return place is not None and not output.via and naming_column(place[0]) == place[1].name


def name_output(output: OutputField, keys: Keys, own: RowName | None = None) -> str:
    """A field of a result as a label; columns of the row `own` without what it is called in front."""
    place = keys.place(output.table, output.column)
    if place is None:
        return to_words(output.name)
    if own == (place[0].name.lower(), output.via):
        return name_column(*place)
    label = name_field(*place, keys.role(output.via))
    if not output.via or own == (output.via[0][0].lower(), ()):
        return label
    # Told of a player, a `from club` leaves open what comes from it: it is the transfer's.
    return name_whole(output.via[0][0], label)


def _label(output: OutputField, subject: str, keys: Keys) -> str:
    label = name_output(output, keys)
    return f"{label} of {subject}" if subject else label
