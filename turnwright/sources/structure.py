"""From what a dialect's reader finds to schemas.databases.Database: the same judgement for every dialect."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.databases import Column, Database, ForeignKey, Table
from turnwright.environments.values import json_value
from turnwright.sources.columns import (
    MOST_VALUES,
    ColumnFacts,
    infer_format,
    infer_json_type,
    is_opaque,
    is_surrogate_key,
    list_closed_values,
)

_LONGEST_SAMPLE = 160
"""Most characters of one text in a sample row."""


@dataclass(frozen=True)
class FoundColumn:
    """A column as the catalogue declares it."""

    name: str
    type: str
    nullable: bool
    unique: bool
    """Declared unique by itself."""
    writable: bool
    labels: tuple[str, ...] = ()
    """All values that its type allows, for an enumerated type."""


@dataclass(frozen=True)
class FoundTable:
    """A table or view as the catalogue declares it."""

    name: str
    view: bool
    columns: tuple[FoundColumn, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]


class Reader(Protocol):
    """What a dialect must be able to tell. Every method may raise UnreadableTableError."""

    def list_tables(self) -> Sequence[FoundTable]:
        """Tables and views with a user's content, sorted by name."""
        ...

    def count_rows(self, table: FoundTable) -> int:
        """Rows of a table or view."""
        ...

    def study_columns(self, table: FoundTable) -> dict[str, ColumnFacts]:
        """Facts of each column, over the rows up to a bound."""
        ...

    def list_values(self, table: FoundTable, column: str, most: int) -> list[Any]:
        """Distinct values of a column over all rows, sorted, at most `most` + 1; NULL left out."""
        ...

    def read_row(self, table: FoundTable, position: int) -> tuple[Any, ...]:
        """The row at a position of the table's fixed order, in the order of its columns."""
        ...


class UnreadableTableError(Exception):
    """A table or view that the database itself cannot read: a broken view, a missing module, no rights."""


def describe_database(
    reader: Reader, name: str, dialect: str, only: Sequence[str] | None, sample_rows: int, seed: int
) -> Database:
    """Structure and a limited view of the rows. Of the rows themselves only `sample_rows` of each table are in it.

    Tables that cannot be read are left out.
    """
    wanted = {table.lower() for table in only} if only else None
    found = [table for table in reader.list_tables() if wanted is None or table.name.lower() in wanted]
    facts: dict[str, dict[str, ColumnFacts]] = {}
    counts: dict[str, int] = {}
    samples: dict[str, tuple[dict[str, Any], ...]] = {}
    for table in found:
        try:
            counts[table.name] = reader.count_rows(table)
            facts[table.name] = reader.study_columns(table)
            samples[table.name] = _draw_sample(reader, table, counts[table.name], sample_rows, seed)
        except UnreadableTableError:
            facts.pop(table.name, None)
    readable = [table for table in found if table.name in facts and table.name in samples]
    surrogates = _find_surrogates(readable, facts)
    by_name = {table.name.lower(): table for table in readable}
    tables = tuple(
        Table(
            name=table.name,
            view=table.view,
            columns=tuple(
                _describe_column(reader, table, column, facts[table.name][column.name], surrogates, by_name)
                for column in table.columns
            ),
            primary_key=table.primary_key,
            foreign_keys=table.foreign_keys,
            rows=counts[table.name],
            sample=samples[table.name],
        )
        for table in readable
    )
    return Database(name=name, dialect=dialect, tables=tables)


def _draw_sample(reader: Reader, table: FoundTable, rows: int, wanted: int, seed: int) -> tuple[dict[str, Any], ...]:
    rng = random.Random(f"{seed}:{table.name}")
    positions = sorted(rng.sample(range(rows), min(wanted, rows)))
    names = [column.name for column in table.columns]
    drawn = (reader.read_row(table, position) for position in positions)
    return tuple(dict(zip(names, map(_shorten, row), strict=True)) for row in drawn)


def _shorten(value: Any) -> Any:
    plain = json_value(value)
    if isinstance(plain, str) and len(plain) > _LONGEST_SAMPLE:
        return plain[:_LONGEST_SAMPLE] + "…"
    return plain


def _reference(table: FoundTable, column: str) -> tuple[str, str] | None:
    """What a column points at; a key of one column tells more than a part of a composite one."""
    for key in sorted(table.foreign_keys, key=lambda key: len(key.columns)):
        if column in key.columns:
            return key.table, key.referred[key.columns.index(column)]
    return None


def _find_surrogates(
    tables: Sequence[FoundTable], facts: dict[str, dict[str, ColumnFacts]]
) -> frozenset[tuple[str, str]]:
    """Columns that only identify: keys and identifiers by themselves, and what references one of them."""
    by_name = {table.name.lower(): table for table in tables}
    known: dict[tuple[str, str], bool] = {}
    stored = [table for table in tables if not table.view]
    namesakes: dict[str, list[tuple[FoundTable, FoundColumn]]] = {}
    for table in stored:
        for column in table.columns:
            namesakes.setdefault(column.name.lower(), []).append((table, column))

    def judge(table: FoundTable, column: FoundColumn, seen: frozenset[tuple[str, str]]) -> bool:
        place = (table.name, column.name)
        if place in known:
            return known[place]
        reference = _reference(table, column.name)
        target = by_name.get(reference[0].lower()) if reference else None
        other = (
            next((c for c in target.columns if c.name.lower() == reference[1].lower()), None)
            if target and reference
            else None
        )
        if target is not None and other is not None and (target.name, other.name) not in seen | {place}:
            result = judge(target, other, seen | {place})
        elif table.view and column.name.lower() in namesakes and (facts[table.name][column.name].filled):
            # A view hands columns on under their names, and says nothing of keys.
            result = is_opaque(facts[table.name][column.name]) and any(
                judge(*namesake, seen | {place}) for namesake in namesakes[column.name.lower()]
            )
        else:
            fact = facts[table.name][column.name]
            result = is_surrogate_key(
                column.name,
                fact,
                sole_key=table.primary_key == (column.name,),
                in_key=column.name in table.primary_key,
                unique=column.unique or fact.unique,
            )
        known[place] = result
        return result

    return frozenset(
        (table.name, column.name) for table in tables for column in table.columns if judge(table, column, frozenset())
    )


def _describe_column(
    reader: Reader,
    table: FoundTable,
    column: FoundColumn,
    facts: ColumnFacts,
    surrogates: frozenset[tuple[str, str]],
    tables: Mapping[str, FoundTable],
) -> Column:
    json_type = infer_json_type(column.type, facts.kinds)
    form = infer_format(facts)
    surrogate = (table.name, column.name) in surrogates
    unique = column.unique or table.primary_key == (column.name,) or facts.unique
    values: tuple[Any, ...] = ()
    binary = bool(facts.kinds.get("binary")) or (not facts.filled and "BLOB" in column.type.upper())
    if 0 < len(column.labels) <= MOST_VALUES:
        values = column.labels
    elif not surrogate and not unique and not binary:
        values = _list_values(reader, table, column, facts, json_type, form, tables)
    return Column(
        name=column.name,
        type=column.type,
        json_type=json_type,
        nullable=column.nullable,
        primary_key=column.name in table.primary_key,
        surrogate=surrogate,
        references=_reference(table, column.name),
        unique=unique,
        format=form,
        values=tuple(json_value(value) for value in values),
        writable=column.writable and not binary,
    )


def _list_values(
    reader: Reader,
    table: FoundTable,
    column: FoundColumn,
    facts: ColumnFacts,
    json_type: str,
    form: str | None,
    tables: Mapping[str, FoundTable],
) -> tuple[Any, ...]:
    values = list_closed_values(column.name, json_type, form, facts, facts.seen)
    if not values:
        return ()
    reference = _reference(table, column.name)
    parent = tables.get(reference[0].lower()) if reference else None
    try:
        if parent is not None and reference is not None and any(c.name == reference[1] for c in parent.columns):
            # The set is what the referenced table allows, not what happens to be referred to.
            allowed = reader.list_values(parent, reference[1], MOST_VALUES)
            return tuple(allowed) if set(values) <= set(allowed) and len(allowed) <= MOST_VALUES else ()
        return values if len(reader.list_values(table, column.name, MOST_VALUES)) == len(values) else ()
    except UnreadableTableError:
        return ()
