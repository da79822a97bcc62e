"""The embedded question writer: questions and requests about any database, from its view alone.

Each table gives questions of many shapes, filled with values of the sample rows; tables take turns, so that a set of
two dozen spans lookups, searches, lists, figures, comparisons and changes over all of them.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from turnwright.selfplay import tool_questions
from turnwright.selfplay.database_view import DatabaseView, ViewColumn, ViewTable, read_view
from turnwright.selfplay.request import Request
from turnwright.tools.naming import split_words, to_words

_TABLES = 8
"""Tables that questions are about; the less important ones of a large database are left to chance."""


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.Questions. At the mistake rate one of its questions is there twice."""
    if "database" not in request.blocks:
        return tool_questions.reply(request)
    view = read_view(request.blocks["database"])
    # The same list in every round of a conversation, of which each round gives what comes next.
    first = next(message["content"] for message in request.messages if message["role"] == "user")
    rng = request.rng_for(first, request.body.get("seed"))
    said = {text for message in request.messages if message["role"] == "assistant" for text in _read(message)}
    queues = [list(_Asker(view, table, rng).questions()) for table in _chosen_tables(view, rng)]
    asked: list[str] = []
    turn = 0
    count = int(request.blocks["count"])
    while len(asked) < count and any(turn < len(queue) for queue in queues):
        for queue in queues:
            if turn < len(queue) and queue[turn] not in asked and queue[turn] not in said:
                asked.append(queue[turn])
        turn += 1
    asked = asked[:count]
    if len(asked) > 1 and rng.random() < request.mistake_rate:
        asked[-1] = asked[0].rstrip("?.") + "?"
    return {"questions": asked or [f"What can you tell me about {to_words(view.name)}?"]}


def _read(message: dict[str, Any]) -> list[str]:
    return json.loads(message["content"])["questions"]


def _chosen_tables(view: DatabaseView, rng: random.Random) -> list[ViewTable]:
    ranked = [table for table in view.ranked if not table.junction] or list(view.ranked)
    rest = ranked[_TABLES - 2 :]
    return ranked[: _TABLES - 2] + rng.sample(rest, min(2, len(rest)))


class _Asker:
    """Asks about one table."""

    def __init__(self, view: DatabaseView, table: ViewTable, rng: random.Random) -> None:
        self.view = view
        self.table = table
        self.rng = rng
        self.measures = [column for column in table.columns if column.measure]
        self.groups = [column for column in table.columns if column.grouping and column.samples]
        self.others = [
            column
            for column in table.columns
            if not column.surrogate
            and not column.references
            and column not in table.labels
            and column.samples
            and not column.long
        ]
        self.parents = [
            parent for column in table.references if (parent := view.parent(column)) is not None and parent[0].labels
        ]

    def questions(self) -> Iterator[str]:
        """Questions in an order of their own for each table; the same shape is asked in different words."""
        shapes: list[Callable[[], Iterator[str]]] = [
            self.look_up,
            self.search,
            self.top,
            self.per_group,
            self.of_parent,
            self.change,
            self.add,
            self.compare,
            self.share,
            self.within,
            self.remove,
            self.unusual,
            self.plain,
        ]
        first, rest = shapes[:2], shapes[2:]
        self.rng.shuffle(rest)
        for shape in (*first, *rest):
            yield from shape()

    # Values

    def named(self, position: int | None = None) -> str | None:
        """What a person calls one of the sample rows."""
        labels, sample = self.table.labels, self.table.sample
        rows = [row for row in sample if labels and all(row.get(label.name) is not None for label in labels)]
        if not rows:
            return None
        row = rows[position % len(rows)] if position is not None else self.rng.choice(rows)
        return " ".join(str(row[label.name]).strip() for label in labels)

    def say(self, value: Any) -> str:
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()

    def pick(self, *phrasings: str) -> str:
        return self.rng.choice(phrasings)

    def label(self, column: ViewColumn) -> str:
        return self.table.label(column)

    def scale(self, column: ViewColumn) -> str:
        """A round bound near the sample values of a number."""
        value = float(self.rng.choice(column.samples or (10,)))
        digits = max(len(str(int(abs(value)))) - 1, 0)
        rounded = round(value, -digits) or round(value, 2)
        return self.say(rounded)

    # Shapes

    def look_up(self) -> Iterator[str]:
        name = self.named()
        if name and self.others:
            said = self.label(self.rng.choice(self.others))
            yield self.pick(
                f"What is the {said} of {name}?",
                f"Could you tell me the {said} of the {self.table.entity} {name}?",
                f"I need the {said} for {name}, please.",
            )
        elif name:
            yield f"What do you have on the {self.table.entity} {name}?"

    def search(self) -> Iterator[str]:
        name = self.named()
        if name:
            word = max(name.split(), key=len)
            yield self.pick(
                f"I only remember that it had '{word}' in it. Which {self.table.entities} could that be?",
                f"Find every {self.table.entity} with '{word}' in the {self.label(self.table.labels[0])}.",
                f"Which {self.table.entities} are called something like {word}?",
            )

    def top(self) -> Iterator[str]:
        for measure in self.measures[:2]:
            count, said = self.rng.randint(2, 5), self.label(measure)
            yield self.pick(
                f"Which {count} {self.table.entities} have the highest {said}?",
                f"Show me the top {count} {self.table.entities} by {said}, highest first.",
                f"Who or what leads the {self.table.entities} when you sort them by {said}?",
            )

    def per_group(self) -> Iterator[str]:
        for parent, _ in self.parents[:1]:
            yield self.pick(
                f"How many {self.table.entities} does each {parent.entity} have?",
                f"Which {parent.entity} has the most {self.table.entities}, and which the fewest?",
            )
        for group in self.groups[:1]:
            said = self.label(group)
            yield self.pick(
                f"How many {self.table.entities} are there for each {said}?",
                f"Break the {self.table.entities} down by {said}.",
            )
            if self.measures:
                yield f"What is the average {self.label(self.measures[0])} of the {self.table.entities}, by {said}?"

    def of_parent(self) -> Iterator[str]:
        for parent, _ in self.parents[:1]:
            name = _Asker(self.view, parent, self.rng).named()
            if name:
                yield self.pick(
                    f"List all {self.table.entities} of {name}.",
                    f"I'm interested in {name}. Which {self.table.entities} belong to it, and what is known of them?",
                )

    def change(self) -> Iterator[str]:
        name, columns = self.named(), [*self.measures, *self.groups, *self.others]
        if name and columns and not self.table.view:
            column = self.rng.choice(columns[:4])
            value = (
                self.scale(column)
                if column.measure
                else self.say(self.rng.choice(column.samples or ("something new",)))
            )
            yield self.pick(
                f"The {self.label(column)} of {name} is wrong. Please set it to {value} and say what it was.",
                f"Change the {self.label(column)} of {name} to {value}.",
            )

    def add(self) -> Iterator[str]:
        if self.table.view or not self.table.labels:
            return
        details = [
            f"{self.label(c)} {self.say(self.rng.choice(c.samples))}" for c in self.others[:3] if not c.primary_key
        ]
        words = [self.named(position) or "" for position in (0, 1)]
        name = f"{words[0].split()[0]} {words[1].split()[-1]}" if all(words) else "Newcomer"
        with_details = f" with {', '.join(details)}" if details else ""
        yield self.pick(
            f"Please add a new {self.table.entity} called {name}{with_details}.",
            f"We have a new {self.table.entity}, {name}. Can you put it into the system{with_details}?",
        )

    def compare(self) -> Iterator[str]:
        one, other = self.named(0), self.named(1)
        if one and other and one != other and self.measures:
            said = self.label(self.measures[0])
            yield self.pick(
                f"Between {one} and {other}, which has the higher {said}, and by how much?",
                f"Compare {one} with {other} by {said}.",
            )

    def share(self) -> Iterator[str]:
        for group in self.groups[:1]:
            value = self.say(self.rng.choice(group.samples))
            yield f"What share of all {self.table.entities} has {self.label(group)} {value}?"

    def within(self) -> Iterator[str]:
        for column in [column for column in self.table.columns if column.date and column.samples][:1]:
            low, high = sorted(self.say(self.rng.choice(column.samples)) for _ in range(2))
            yield f"Which {self.table.entities} have their {self.label(column)} between {low} and {high}?"
        for column in self.measures[:1]:
            bound = self.scale(column)
            yield f"Are there {self.table.entities} whose {self.label(column)} is above {bound}, and how many?"

    def remove(self) -> Iterator[str]:
        name = self.named()
        if name and not self.table.view:
            yield f"The {self.table.entity} {name} is there by mistake. Please remove it, if nothing depends on it."

    def unusual(self) -> Iterator[str]:
        if self.measures:
            said = self.label(self.measures[-1])
            yield f"If two {self.table.entities} tie for the lowest {said}, name them both; otherwise just the one."
        if self.table.labels:
            yield f"Do you know any {self.table.entity} called Zanzibar Unknown? If not, just say so."

    def plain(self) -> Iterator[str]:
        yield f"How many {self.table.entities} are there in total?"
        for column in self.others[:6]:
            said = self.label(column)
            value = self.say(self.rng.choice(column.samples))
            if not set(split_words(said)) & {"id"}:
                yield f"Which {self.table.entities} have {value} as their {said}?"
                yield f"I'd like an overview of the {self.table.entities} with their {said}, please."
