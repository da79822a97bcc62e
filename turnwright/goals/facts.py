"""Facts: which values of a result have to reach the person."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.goals import Fact
from schemas.tools import OutputField
from turnwright.goals.drafts import DraftCall
from turnwright.goals.keys import Keys, result_rows
from turnwright.goals.values import is_sayable
from turnwright.goals.words import comparable, name_column, name_detail, naming_column, say_value
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


def choose_facts(call: DraftCall, keys: Keys, known: Sequence[Any], rng: random.Random) -> Told | None:
    """What the person is to be told of a read, or none where the result holds nothing that is worth telling.

    No fact is missing, a surrogate key, or a value in `known`. Of one row up to three fields are told; of a list each
    row's name and, where the tool measures something, the measure.
    """
    rows = result_rows(call.result)
    if not 1 <= len(rows) <= MOST_ROWS:
        return None
    taken = {comparable(value) for value in known}
    usable = [output for output in call.tool.outputs if _is_usable(output, rows, keys)]
    if len(rows) == 1:
        return _tell_row(call, rows[0], usable, keys, taken, rng)
    return _tell_list(rows, usable, keys, taken)


def _is_usable(output: OutputField, rows: list[dict[str, Any]], keys: Keys) -> bool:
    if keys.is_hidden(output.table, output.column):
        return False
    if output.table is None and split_words(output.name)[-1:] == ["id"]:
        return False
    return all(is_sayable(row.get(output.name)) for row in rows)


def _tell_row(
    call: DraftCall, row: dict[str, Any], usable: list[OutputField], keys: Keys, taken: set[str], rng: random.Random
) -> Told | None:
    fresh = [output for output in usable if comparable(row[output.name]) not in taken]
    about = set(split_words(call.tool.description)) | set(split_words(call.tool.name))

    def weight(output: OutputField) -> tuple[bool, bool, float]:
        named = set(split_words(output.column or output.name)) <= about
        return output.table is not None, not named, rng.random()

    fresh.sort(key=weight)
    measured = [output for output in fresh if output.table is None]
    count = max(len(measured[:2]), min(len(fresh), rng.choice((1, 2, 2, _MOST_FIELDS))))
    chosen = fresh[:count]
    if not chosen:
        return None
    return _tell_fields(call, row, chosen, usable, keys)


def tell_same(call: DraftCall, like: Told, keys: Keys, known: Sequence[Any]) -> Told | None:
    """The facts of another call in the fields that `like` tells, or none where its result has them not all."""
    rows = result_rows(call.result)
    usable = [output for output in call.tool.outputs if _is_usable(output, rows, keys)] if len(rows) == 1 else []
    taken = {comparable(value) for value in known}
    if not set(like.fields) <= set(usable) or any(comparable(rows[0][field.name]) in taken for field in like.fields):
        return None
    return _tell_fields(call, rows[0], list(like.fields), usable, keys)


def _tell_fields(
    call: DraftCall, row: dict[str, Any], chosen: list[OutputField], usable: list[OutputField], keys: Keys
) -> Told:
    names = [say_value(row[output.name]) for output in usable if _is_naming(output, keys) and output not in chosen]
    names += [
        say_value(detail.value)
        for detail in call.details
        if detail.operator in ("=", "like")
        and isinstance(detail.value, str)
        and not any(map(str.isdigit, detail.value))
    ]
    facts = [Fact(label=_label(output, names[0] if names else "", keys), value=row[output.name]) for output in chosen]
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
    return place is not None and naming_column(place[0]) == place[1].name


def name_output(output: OutputField, keys: Keys, own_table: str | None = None) -> str:
    """A field of a result as a label; columns of `own_table` without the table in front."""
    place = keys.place(output.table, output.column)
    if place is None:
        return to_words(output.name)
    if own_table is not None and place[0].name.lower() == own_table.lower():
        return name_column(*place)
    return name_detail(*place)


def _label(output: OutputField, subject: str, keys: Keys) -> str:
    label = name_output(output, keys)
    return f"{label} of {subject}" if subject else label
