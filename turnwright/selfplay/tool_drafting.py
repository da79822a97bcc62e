"""Every tool that the embedded tool writer can think of for a database, the most useful first."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from turnwright.selfplay.database_view import DatabaseView, ViewColumn, ViewTable
from turnwright.tools.naming import snake_case
from turnwright.tools.sql_statement import quote_identifier

MAIN_TABLES = 6
"""Tables that get tools of every shape first; the others come after them."""
_MOST_SHOWN = 9
_MOST_WRITTEN = 9


@dataclass(frozen=True)
class ToolDraft:
    """One tool, as it would be written without a mistake."""

    name: str
    description: str
    sql: str
    words: frozenset[str] = field(default=frozenset())
    """Words of the tables it is about, to find tools that fit a question."""


def list_drafts(view: DatabaseView) -> list[ToolDraft]:
    """All drafts, each name once: by turns over the main tables, each beginning with what makes its rows known."""
    drafts: dict[str, ToolDraft] = {}
    ranked = view.ranked
    for group in (ranked[:MAIN_TABLES], ranked[MAIN_TABLES:]):
        queues = [_rotate(list(_Table(view, table).drafts()), 3 * position) for position, table in enumerate(group)]
        for turn in range(max((len(queue) for queue in queues), default=0)):
            for queue in queues:
                if turn < len(queue):
                    drafts.setdefault(queue[turn].name, queue[turn])
    return list(drafts.values())


def _rotate(drafts: list[ToolDraft], by: int) -> list[ToolDraft]:
    """Lookups first, then the other shapes from another one on for each table, so that a domain has all shapes."""
    head, tail = drafts[:2], drafts[2:]
    turn = by % len(tail) if tail else 0
    return head + tail[turn:] + tail[:turn]


class _Table:
    """Writes the drafts that begin at one table."""

    def __init__(self, view: DatabaseView, table: ViewTable) -> None:
        self.view = view
        self.table = table
        self.measures = [column for column in table.columns if column.measure]
        self.groups = [column for column in table.columns if column.grouping]
        self.parents = [
            (column, *parent) for column in table.references if (parent := view.parent(column)) and parent[0].rows > 0
        ]

    def drafts(self) -> Iterator[ToolDraft]:
        """In the order in which they help most."""
        if self.table.junction:
            for shape in (self.list_partners, self.create, self.delete, self.list_in_range, self.update):
                yield from shape()
            return
        shapes = (
            (self.search, self.get),
            (self.list_by_parent, self.update, self.count_per_group, self.list_top, self.create, self.share),
            (self.list_of_parent, self.delete, self.list_by_group, self.list_in_range, self.summarise, self.list_partners),
        )
        for shape in (shape for tier in shapes for shape in tier):
            yield from shape()

    # Pieces

    def quote(self, name: str) -> str:
        return quote_identifier(name, self.view.dialect).sql(dialect=self.view.dialect)

    def at(self, column: ViewColumn, alias: str = "t") -> str:
        return f"{alias}.{self.quote(column.name)}"

    def draft(self, name: str, description: str, sql: str, *others: ViewTable) -> ToolDraft:
        words = {word for table in (self.table, *others) for word in table.entity.lower().split()}
        return ToolDraft(name[:64].rstrip("_"), description, sql, frozenset(words))

    @property
    def source(self) -> str:
        return f"{self.quote(self.table.name)} AS t"

    def shown(self, most: int = _MOST_SHOWN) -> list[ViewColumn]:
        """Key, names, then the rest as it comes; prose last."""
        table = self.table
        first = [*table.key, *(column for column in table.labels if column not in table.key)]
        rest = sorted((column for column in table.columns if column not in first), key=lambda column: column.long)
        return [*first, *rest][: max(most, len(first))]

    def selected(self, most: int = _MOST_SHOWN) -> tuple[str, str, list[ViewTable]]:
        """Select list with the names of what the rows refer to, FROM with its joins, and the joined tables."""
        items = [self.at(column) for column in self.shown(most)]
        joins, joined = self.source, list[ViewTable]()
        for number, (column, parent, target) in enumerate(self.parents[:2]):
            if not parent.labels:
                continue
            alias = f"p{number}"
            items += [f"{self.at(label, alias)} AS {self.parent_name(column, parent, label)}" for label in parent.labels]
            joins += f" LEFT JOIN {self.quote(parent.name)} AS {alias} ON {self.at(target, alias)} = {self.at(column)}"
            joined.append(parent)
        return ", ".join(items), joins, joined

    def parent_name(self, column: ViewColumn, parent: ViewTable, label: ViewColumn) -> str:
        """`club_name`; by the reference's own words where it says more (`home_team_name`)."""
        owner = snake_case(column.name).removesuffix("_id").removesuffix("_code")
        owner = owner if owner not in ("id", parent.single) and len(owner) > 3 else parent.single
        name = snake_case(parent.label(label))
        return name if name.startswith(owner) else f"{owner}_{name}"

    def by_key(self, alias: str = "t") -> str:
        prefix = f"{alias}." if alias else ""
        return " AND ".join(f"{prefix}{self.quote(column.name)} = :{self.table.parameter(column)}" for column in self.table.key)

    def key_words(self) -> str:
        return " and ".join(self.table.label(column) for column in self.table.key)

    # Shapes

    def search(self) -> Iterator[ToolDraft]:
        table, labels = self.table, self.table.labels
        if not labels:
            return
        items, joins, joined = self.selected(6)
        where = " AND ".join(f"{self.at(c)} LIKE '%' || :{table.parameter(c)} || '%'" for c in labels)
        by = "name" if len(labels) > 1 else snake_case(table.label(labels[0]))
        said = "first and last name" if len(labels) > 1 else table.label(labels[0])
        found = "their ids and " if any(column.surrogate for column in table.key) else ""
        yield self.draft(
            f"search_{table.many}_by_{by}",
            f"Find {table.entities} whose {said} contains a text. Returns {found}what is known of each.",
            f"SELECT {items} FROM {joins} WHERE {where} ORDER BY {self.at(labels[0])}",
            *joined,
        )

    def get(self) -> Iterator[ToolDraft]:
        table = self.table
        if not table.key:
            return
        items, joins, joined = self.selected(12)
        yield self.draft(
            f"get_{table.single}",
            f"Get all details of one {table.entity} by its {self.key_words()}.",
            f"SELECT {items} FROM {joins} WHERE {self.by_key()}",
            *joined,
        )

    def list_by_parent(self) -> Iterator[ToolDraft]:
        for column, parent, target in self.parents[:2]:
            if len(parent.labels) != 1:
                continue
            label = parent.labels[0]
            name = self.parent_name(column, parent, label)
            items = ", ".join([*(self.at(shown) for shown in self.shown(7)), f"{self.at(label, 'p')} AS {name}"])
            order = self.at(self.measures[0]) + " DESC" if self.measures else self.at(self.shown()[0])
            yield self.draft(
                f"list_{self.table.many}_by_{name}",
                f"List the {self.table.entities} that belong to the {parent.entity} with a given {parent.label(label)}.",
                f"SELECT {items} FROM {self.source} JOIN {self.quote(parent.name)} AS p ON {self.at(target, 'p')} = {self.at(column)}"
                f" WHERE {self.at(label, 'p')} LIKE '%' || :{name} || '%' ORDER BY {order}",
                parent,
            )

    def list_of_parent(self) -> Iterator[ToolDraft]:
        for column, parent, _target in self.parents[:3]:
            order = ", ".join(self.at(shown) for shown in self.shown()[:2])
            owner = snake_case(column.name).removesuffix("_id") or parent.single
            parameter = snake_case(column.name)
            yield self.draft(
                f"list_{self.table.many}_of_{owner if len(owner) > 2 else parent.single}",
                f"List the {self.table.entities} of one {parent.entity}, given the {parent.entity}'s key.",
                f"SELECT {', '.join(self.at(shown) for shown in self.shown(8))} FROM {self.source}"
                f" WHERE {self.at(column)} = :{parameter} ORDER BY {order}",
                parent,
            )

    def list_top(self) -> Iterator[ToolDraft]:
        for measure in self.measures[:2]:
            items, joins, joined = self.selected(6)
            if self.at(measure) not in items:
                items += f", {self.at(measure)}"
            said = self.table.label(measure)
            yield self.draft(
                f"list_top_{self.table.many}_by_{snake_case(said)}",
                f"List the {self.table.entities} with the highest {said}, highest first.",
                f"SELECT {items} FROM {joins} WHERE {self.at(measure)} IS NOT NULL ORDER BY {self.at(measure)} DESC LIMIT :limit",
                *joined,
            )

    def count_per_group(self) -> Iterator[ToolDraft]:
        table = self.table
        figures = f"COUNT(*) AS {table.single}_count"
        told = f"how many {table.entities} there are"
        if self.measures:
            measure = snake_case(table.label(self.measures[0]))
            figures += f", AVG({self.at(self.measures[0])}) AS average_{measure}, SUM({self.at(self.measures[0])}) AS total_{measure}"
            told += f" and the average and total {table.label(self.measures[0])}"
        for column, parent, target in self.parents[:2]:
            if not parent.labels:
                continue
            labels = [(self.at(label, "p"), self.parent_name(column, parent, label)) for label in parent.labels]
            yield self.draft(
                f"count_{table.many}_by_{parent.single}",
                f"Show for each {parent.entity} {told}.",
                f"SELECT {', '.join(f'{sql} AS {name}' for sql, name in labels)}, {figures} FROM {self.source}"
                f" JOIN {self.quote(parent.name)} AS p ON {self.at(target, 'p')} = {self.at(column)}"
                f" GROUP BY {self.at(target, 'p')}, {', '.join(sql for sql, _ in labels)} ORDER BY {table.single}_count DESC",
                parent,
            )
        for group in self.groups[:2]:
            said = table.label(group)
            yield self.draft(
                f"count_{table.many}_by_{snake_case(said)}",
                f"Show for each {said} {told}.",
                f"SELECT {self.at(group)}, {figures} FROM {self.source} WHERE {self.at(group)} IS NOT NULL"
                f" GROUP BY {self.at(group)} ORDER BY {table.single}_count DESC",
            )

    def list_by_group(self) -> Iterator[ToolDraft]:
        for group in self.groups[:2]:
            said = self.table.label(group)
            items, joins, joined = self.selected(7)
            yield self.draft(
                f"list_{self.table.many}_by_{snake_case(said)}",
                f"List the {self.table.entities} of one {said}.",
                f"SELECT {items} FROM {joins} WHERE {self.at(group)} = :{self.table.parameter(group)} LIMIT :limit",
                *joined,
            )

    def list_in_range(self) -> Iterator[ToolDraft]:
        ranged = [column for column in self.table.columns if column.date][:1] + self.measures[:1]
        for column in ranged:
            said, name = self.table.label(column), snake_case(self.table.label(column))
            low, high = ("from", "to") if column.date else ("min", "max")
            items, joins, joined = self.selected(6)
            if self.at(column) not in items:
                items += f", {self.at(column)}"
            between = "lies in a period" if column.date else "lies between two bounds"
            yield self.draft(
                f"list_{self.table.many}_in_{name}_range",
                f"List the {self.table.entities} whose {said} {between}, both included.",
                f"SELECT {items} FROM {joins} WHERE {self.at(column)} BETWEEN :{low}_{name} AND :{high}_{name}"
                f" ORDER BY {self.at(column)} LIMIT :limit",
                *joined,
            )

    def share(self) -> Iterator[ToolDraft]:
        table = self.table
        for group in self.groups[:1]:
            said, parameter = table.label(group), table.parameter(group)
            yield self.draft(
                f"get_{table.single}_share_by_{snake_case(said)}",
                f"Get which share of all {table.entities} has a given {said}, from 0 to 1, and how many there are in all.",
                f"SELECT CAST(SUM(CASE WHEN {self.at(group)} = :{parameter} THEN 1 ELSE 0 END) AS REAL) / NULLIF(COUNT(*), 0)"
                f" AS {table.single}_share, COUNT(*) AS {table.single}_count FROM {self.source}",
            )
        for measure in self.measures[:1]:
            name = snake_case(table.label(measure))
            yield self.draft(
                f"get_{table.single}_share_above_{name}",
                f"Get which share of all {table.entities} has at least a given {table.label(measure)}, from 0 to 1.",
                f"SELECT CAST(SUM(CASE WHEN {self.at(measure)} >= :min_{name} THEN 1 ELSE 0 END) AS REAL) / NULLIF(COUNT(*), 0)"
                f" AS {table.single}_share FROM {self.source}",
            )

    def summarise(self) -> Iterator[ToolDraft]:
        if not self.measures:
            return
        measure, table = self.measures[0], self.table
        name, at = snake_case(table.label(measure)), self.at(measure)
        yield self.draft(
            f"get_{table.single}_{name}_summary",
            f"Get the number of {table.entities} and the lowest, average and highest {table.label(measure)}.",
            f"SELECT COUNT(*) AS {table.single}_count, MIN({at}) AS lowest_{name}, AVG({at}) AS average_{name},"
            f" MAX({at}) AS highest_{name} FROM {self.source}",
        )

    def list_partners(self) -> Iterator[ToolDraft]:
        """Through a table that joins two others: the rows of one that go with a row of the other."""
        if len(self.parents) < 2:
            return
        pairs = [(self.parents[0], self.parents[1]), (self.parents[1], self.parents[0])]
        for (given, owner, key), (other, partner, target) in pairs:
            if owner.name == partner.name or not partner.labels:
                continue
            items = ", ".join(self.at(column, "p") for column in dict.fromkeys([*partner.key, *partner.labels]))
            items += "".join(f", {self.at(c)}" for c in self.table.columns if c.measure or c.grouping or c.date)
            joins = f"{self.source} JOIN {self.quote(partner.name)} AS p ON {self.at(target, 'p')} = {self.at(other)}"
            told = f"List the {partner.entities} that go with one {owner.entity}"
            yield self.draft(
                f"list_{partner.many}_of_{owner.single}",
                f"{told}, given the {owner.entity}'s key.",
                f"SELECT {items} FROM {joins} WHERE {self.at(given)} = :{snake_case(given.name)}",
                owner,
                partner,
            )
            if len(owner.labels) == 1:
                label, name = owner.labels[0], self.parent_name(given, owner, owner.labels[0])
                yield self.draft(
                    f"list_{partner.many}_by_{name}",
                    f"{told}, given the {owner.entity}'s {owner.label(label)}.",
                    f"SELECT {items}, {self.at(label, 'o')} AS {name} FROM {joins}"
                    f" JOIN {self.quote(owner.name)} AS o ON {self.at(key, 'o')} = {self.at(given)}"
                    f" WHERE {self.at(label, 'o')} LIKE '%' || :{name} || '%'",
                    owner,
                    partner,
                )

    def update(self) -> Iterator[ToolDraft]:
        table = self.table
        if table.view or not table.key:
            return
        plain = [c for c in table.columns if not c.primary_key and not c.references and not c.surrogate and c not in table.labels]
        chosen = sorted(plain, key=lambda c: (not (c.measure or c.grouping), not c.date, c.long))
        for column in chosen[:3]:
            said = table.label(column)
            yield self.draft(
                f"update_{table.single}_{snake_case(said)}",
                f"Set the {said} of one {table.entity}, chosen by its {self.key_words()}.",
                f"UPDATE {self.quote(table.name)} SET {self.quote(column.name)} = :{_unlike(table.parameter(column), table)}"
                f" WHERE {self.by_key('')}",
            )

    def create(self) -> Iterator[ToolDraft]:
        table = self.table
        if table.view or len(table.columns) < 2:
            return
        single = table.key[0] if len(table.key) == 1 else None
        counted = single is not None and single.type == "integer" and not single.references
        others = [column for column in table.columns if not (counted and column == single)]
        written = sorted(others, key=lambda c: (not c.primary_key, not c.references, c not in table.labels, c.long))
        written = [column for column in others if column in written[:_MOST_WRITTEN]]
        names = [self.quote(column.name) for column in written]
        values = [f":{table.parameter(column)}" for column in written]
        if counted and single is not None:
            names.insert(0, self.quote(single.name))
            values.insert(0, f"(SELECT COALESCE(MAX({self.quote(single.name)}), 0) + 1 FROM {self.quote(table.name)})")
        yield self.draft(
            f"create_{table.single}",
            f"Add a new {table.entity}." + (" Returns its new key." if counted else ""),
            f"INSERT INTO {self.quote(table.name)} ({', '.join(names)}) VALUES ({', '.join(values)})",
            *(parent for _, parent, _ in self.parents),
        )

    def delete(self) -> Iterator[ToolDraft]:
        table = self.table
        referred = any(c.references and c.references[0] == table.name for other in self.view.tables for c in other.columns)
        if table.view or not table.key or referred:
            return
        yield self.draft(
            f"delete_{table.single}",
            f"Delete one {table.entity} by its {self.key_words()}.",
            f"DELETE FROM {self.quote(table.name)} WHERE {self.by_key('')}",
        )


def _unlike(parameter: str, table: ViewTable) -> str:
    keys = {table.parameter(column) for column in table.key}
    return f"new_{parameter}" if parameter in keys else parameter
