"""The shapes of tools that a database allows, in words for a writer (the shapes are those of UO, executed SQL)."""

# ruff: noqa: S608
# The SQL here is a hint for a writer; nothing runs it.

from dataclasses import dataclass

from schemas.databases import Column, Database
from turnwright.goals.words import name_column
from turnwright.tools.key_roles import name_reference
from turnwright.tools.naming import plural, snake_case, to_words
from turnwright.tools.sql_statement import quote_identifier
from turnwright.tools.tool_wording import name_entity
from turnwright.tools.traits import MAIN_TABLES, Traits, rank_tables

_INSERTED = 9
"""Most columns that an added row is asked for."""


@dataclass(frozen=True)
class Shape:
    """One tool that would do a domain good."""

    kind: str
    """`search`, `get`, `list`, `top`, `figures`, `share`, `create`, `update` or `delete`."""
    table: str
    name: str
    """What the tool could be called."""
    purpose: str
    """What it does, in plain words."""
    hint: str
    """The columns and clauses that it is made of."""

    @property
    def writes(self) -> bool:
        """Whether such a tool changes something."""
        return self.kind in ("create", "update", "delete")

    @property
    def line(self) -> dict[str, str]:
        """As it stands in the writer's `shapes` block."""
        return {"name": self.name, "purpose": self.purpose, "table": self.table, "hint": self.hint}


def list_shapes(database: Database) -> list[Shape]:
    """All shapes that the main tables allow: first how their rows are found, then the others by turns."""
    sketches = [_Sketch(database, traits) for traits in rank_tables(database)[:MAIN_TABLES]]
    queues = [sketch.others() for sketch in sketches]
    asked: dict[str, int] = {}
    by_turns: list[Shape] = []
    while any(queues):
        for queue in queues:
            if queue:
                # The kind that was asked for least: a domain with few tools still has all of them.
                chosen = min(queue, key=lambda shape: asked.get(shape.kind, 0))
                queue.remove(chosen)
                asked[chosen.kind] = asked.get(chosen.kind, 0) + 1
                by_turns.append(chosen)
    return [shape for sketch in sketches for shape in sketch.searches()] + by_turns


class _Sketch:
    """Says what tools a table could have."""

    def __init__(self, database: Database, traits: Traits) -> None:
        self.database = database
        self.traits = traits
        self.table = traits.table.name
        self.entity = name_entity(self.table)
        self.many = plural(self.entity)
        self.by_key = " AND ".join(f"{self.at(column)} = :{self.parameter(column)}" for column in traits.key)
        self.key_words = " and ".join(to_words(column.name) for column in traits.key)

    def searches(self) -> list[Shape]:
        name = self.traits.name
        if name is None:
            return []
        contains = f"{self.at(name)} LIKE '%' || :{self.parameter(name)} || '%'"
        return [
            self.shape(
                "search",
                f"search_{self.many}",
                f"find {self.many} by part of the {self.label(name)}",
                f"SELECT {self.shown()} WHERE {contains}",
            )
        ]

    def others(self) -> list[Shape]:
        shapes = [*self.by_id(), *self.changes(), *self.of_parent(), *self.top(), self.addition()]
        return [*shapes, *self.of_groups(), *self.removal()]

    def by_id(self) -> list[Shape]:
        if not self.traits.key or self.traits.junction:
            return []
        purpose = f"get the details of one {self.entity} by {self.key_words}"
        return [self.shape("get", f"get_{self.entity}", purpose, f"SELECT {self.shown(9)} WHERE {self.by_key}")]

    def changes(self) -> list[Shape]:
        if not self.traits.key or not self.traits.changeable:
            return []
        column = self.traits.changeable[0]
        hint = f"UPDATE SET {self.at(column)} = :{self.parameter(column)} WHERE {self.by_key}"
        purpose = f"change the {self.label(column)} of one {self.entity}, chosen by {self.key_words}"
        return [self.shape("update", f"update_{self.entity}_{column.name}", purpose, hint)]

    def top(self) -> list[Shape]:
        if not self.traits.measures:
            return []
        measure = self.traits.measures[0]
        shown = ", ".join(self.at(column) for column in dict.fromkeys([*self.traits.shown(4), measure]))
        purpose = f"list the {self.many} with the highest {self.label(measure)}, highest first"
        hint = f"SELECT {shown} ORDER BY {self.at(measure)} DESC LIMIT :limit"
        return [self.shape("top", f"list_top_{self.many}", purpose, hint)]

    def addition(self) -> Shape:
        traits = self.traits
        single = traits.key[0] if len(traits.key) == 1 else None
        counted = single is not None and single.json_type == "integer" and not single.references
        columns = [column for column in traits.table.columns if column.writable and not (counted and column == single)]
        columns = columns[:_INSERTED]
        names = [self.at(column) for column in columns]
        values = [f":{self.parameter(column)}" for column in columns]
        if counted and single is not None:
            names.insert(0, self.at(single))
            values.insert(0, f"(SELECT COALESCE(MAX({names[0]}), 0) + 1 FROM {self.quote(self.table)})")
        hint = f"INSERT ({', '.join(names)}) VALUES ({', '.join(values)})"
        return self.shape("create", f"create_{self.entity}", f"add a new {self.entity}", hint)

    def of_groups(self) -> list[Shape]:
        if not self.traits.groups:
            return []
        column = self.traits.groups[0]
        group, label = self.at(column), self.label(column)
        ratio = f"CAST(SUM(CASE WHEN {group} = :{self.parameter(column)} THEN 1 ELSE 0 END) AS REAL)"
        share = self.shape(
            "share",
            f"get_{self.entity}_share_by_{column.name}",
            f"get which share of all {self.many} has a given {label}, from 0 to 1",
            f"SELECT {ratio} / NULLIF(COUNT(*), 0) AS {snake_case(self.entity)}_share, without WHERE",
        )
        if self.traits.parents:
            return [share]
        figures, told = self.figures()
        hint = f"SELECT {group}, {figures} GROUP BY {group}"
        return [
            self.shape("figures", f"count_{self.many}_by_{column.name}", f"show for each {label} {told}", hint),
            share,
        ]

    def removal(self) -> list[Shape]:
        if not self.traits.key or self.traits.referred:
            return []
        purpose = f"delete one {self.entity}, chosen by {self.key_words}"
        return [self.shape("delete", f"delete_{self.entity}", purpose, f"DELETE WHERE {self.by_key}")]

    def of_parent(self) -> list[Shape]:
        """What goes with a row of another table, and figures for each of its rows."""
        if not self.traits.parents:
            return []
        column, parent = self.traits.parents[0]
        name = Traits(self.database, parent).name
        if name is None:
            return []
        # Of a transfer's two clubs it is the from club.
        owner = name_reference(self.traits.table, column.name) or name_entity(parent.name)
        label, said = f"{self.quote(parent.name)}.{self.at(name)}", f"{snake_case(owner)}_name"
        target = self.quote(column.references[1]) if column.references else ""
        on = f"{self.quote(parent.name)}.{target} = {self.quote(self.table)}.{self.at(column)}"
        join = f"JOIN {self.quote(parent.name)} ON {on}"
        shown = ", ".join(f"{self.quote(self.table)}.{self.at(each)}" for each in self.traits.shown())
        figures, told = self.figures()
        return [
            self.shape(
                "list",
                f"list_{self.many}_of_{owner}",
                f"list the {self.many} of one {owner}, found by part of the {owner}'s name",
                f"SELECT {shown}, {label} AS {said} {join} WHERE {label} LIKE '%' || :{said} || '%'",
            ),
            self.shape(
                "figures",
                f"count_{self.many}_by_{owner}",
                f"show for each {owner} {told}",
                f"SELECT {label}, {figures} {join} GROUP BY {label}",
            ),
        ]

    def figures(self) -> tuple[str, str]:
        """What is counted and averaged in a group, in SQL and in words."""
        count, told = f"COUNT(*) AS {snake_case(self.entity)}_count", f"how many {self.many} there are"
        if not self.traits.measures:
            return count, told
        measure = self.traits.measures[0]
        at = f"{self.quote(self.table)}.{self.at(measure)}"
        return (
            f"{count}, AVG({at}) AS average_{snake_case(measure.name)}",
            f"{told} and their average {self.label(measure)}",
        )

    def shape(self, kind: str, name: str, purpose: str, hint: str) -> Shape:
        return Shape(kind, self.table, snake_case(name), purpose, hint)

    def shown(self, most: int = 5) -> str:
        return ", ".join(self.at(column) for column in self.traits.shown(most))

    def label(self, column: Column) -> str:
        return name_column(self.traits.table, column)

    def at(self, column: Column) -> str:
        return self.quote(column.name)

    def parameter(self, column: Column) -> str:
        name = snake_case(column.name)
        return f"{snake_case(self.entity)}_{name}" if name in ("id", "name", "code", "number") else name

    def quote(self, name: str) -> str:
        return quote_identifier(name, self.database.dialect).sql(dialect=self.database.dialect)
