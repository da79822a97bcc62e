"""What the questions of a domain should be about: real things of the sample rows, by turns over tables and kinds.

A writer that is only told to be varied asks for the same figure two dozen times; one that is told what each question is
about has to find no more than the words.
"""

import random
from collections.abc import Iterator
from typing import Any

from schemas.databases import Column, Database, Table
from turnwright.goals.words import name_column, say_value
from turnwright.tools.key_roles import name_reference
from turnwright.tools.naming import plural
from turnwright.tools.tool_wording import name_entity
from turnwright.tools.traits import Traits, rank_tables

_TABLES = 8
_LONGEST = 50
"""Longest value that a topic names, in characters."""


def list_topics(database: Database, count: int, rng: random.Random) -> list[str]:
    """Up to `count` topics, each what to ask for; tables take turns, and each begins with another kind."""
    queues: list[list[str]] = []
    for place, traits in enumerate(rank_tables(database)[:_TABLES]):
        queue = list(_Topics(database, traits, rng).all())
        turn = 3 * place % len(queue) if queue else 0
        queues.append([*queue[turn:], *queue[:turn]])
    longest = max((len(queue) for queue in queues), default=0)
    by_turns = [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
    return list(dict.fromkeys(by_turns))[:count]


class _Topics:
    def __init__(self, database: Database, traits: Traits, rng: random.Random) -> None:
        self.database = database
        self.traits = traits
        self.rng = rng
        self.entity = name_entity(traits.table.name)
        self.many = plural(self.entity)
        named = [row for row in traits.table.sample if traits.name is not None and _says(row.get(traits.name.name))]
        self.rows = rng.sample(named, len(named))

    def all(self) -> Iterator[str]:
        traits = self.traits
        facts = [column for column in traits.changeable if self.values(column)]
        if self.rows and facts:
            yield f"ask for the {self.label(facts[0])} of the {self.entity} {self.named(0)}"
        for column, parent in traits.parents[:2]:
            owner = _Topics(self.database, Traits(self.database, parent), self.rng)
            if owner.rows:
                yield f"ask for the {self.many} of the {self.owner(column, parent)} {owner.named(0)}"
        if self.rows and facts:
            column = facts[-1 if len(facts) == 1 else self.rng.randrange(min(3, len(facts)))]
            wrong = f"the {self.label(column)} of the {self.entity} {self.named(1)}"
            yield f"ask to change {wrong} to {self.value(column)}"
        if traits.measures:
            highest = self.label(traits.measures[0])
            yield f"ask for the {self.rng.randint(2, 5)} {self.many} with the highest {highest}"
        if self.rows:
            details = [f"{self.label(column)} {self.value(column)}" for column in facts[:3]]
            yield f"ask to add a new {self.entity} with a new name{''.join(', ' + detail for detail in details)}"
            word = max(str(self.rows[-1][traits.name.name]).split(), key=len) if traits.name else ""
            yield f"ask to find a {self.entity}, knowing only that {word} is part of the name"
        for column, parent in traits.parents[:1]:
            yield f"ask how many {self.many} each {self.owner(column, parent)} has"
        for column in traits.groups[:1]:
            if self.values(column):
                yield f"ask how many {self.many} there are for each {self.label(column)}"
                yield f"ask which share of the {self.many} has the {self.label(column)} {self.value(column)}"
        if traits.measures:
            yield f"ask for the average {self.label(traits.measures[-1])} of the {self.many}"
        if len(self.rows) > 1 and facts and facts[0] in traits.measures:
            yield (
                f"ask which has the higher {self.label(facts[0])}, {self.named(0)} or {self.named(1)},"
                f" and for more about that {self.entity}"
            )
        if self.rows and not traits.referred:
            yield f"ask to remove the {self.entity} {self.named(2)}"
        if self.rows:
            yield f"ask about a {self.entity} that may not exist"

    def named(self, position: int) -> str:
        assert self.traits.name is not None  # callers look at `rows` first
        return say_value(self.rows[position % len(self.rows)][self.traits.name.name])

    def label(self, column: Column) -> str:
        return name_column(self.traits.table, column)

    def owner(self, column: Column, parent: Table) -> str:
        """What a row calls the one that it belongs to; of a transfer's two clubs the from club."""
        return name_reference(self.traits.table, column.name) or name_entity(parent.name)

    def values(self, column: Column) -> list[Any]:
        return [value for row in self.traits.table.sample if _says(value := row.get(column.name))]

    def value(self, column: Column) -> str:
        return say_value(self.rng.choice(self.values(column)))


def _says(value: Any) -> bool:
    return value is not None and 0 < len(say_value(value)) <= _LONGEST
