"""Drafts of tools that read: searches, lists, figures per group, shares."""

# ruff: noqa: S608
# Writing SQL as text is what this player does; nothing here runs it.

from collections.abc import Iterator

from turnwright.selfplay.database_view import ViewColumn, ViewTable
from turnwright.selfplay.table_sketch import TableSketch, ToolDraft
from turnwright.tools.naming import plural, snake_case


def draft_search(on: TableSketch) -> Iterator[ToolDraft]:
    """By part of the name: how a person finds a row."""
    table, labels = on.table, on.table.labels
    if len(labels) == 0:
        return
    items, joins, joined = on.selected(6)
    where = " AND ".join(f"{on.at(c)} LIKE '%' || :{table.parameter(c)} || '%'" for c in labels)
    by = "name" if len(labels) > 1 else snake_case(table.label(labels[0]))
    said = "first and last name" if len(labels) > 1 else table.label(labels[0])
    found = "their ids and " if any(column.surrogate for column in table.key) else ""
    yield on.draft(
        f"search_{table.many}_by_{by}",
        f"Find {table.entities} whose {said} contains a text. Returns {found}what is known of each.",
        f"SELECT {items} FROM {joins} WHERE {where} ORDER BY {on.at(labels[0])}",
        *joined,
    )


def draft_get(on: TableSketch) -> Iterator[ToolDraft]:
    """One row by its key, with the names of what it refers to."""
    table = on.table
    if not table.key:
        return
    items, joins, joined = on.selected(12)
    yield on.draft(
        f"get_{table.single}",
        f"Get all details of one {table.entity} by its {on.key_words()}.",
        f"SELECT {items} FROM {joins} WHERE {on.by_key()}",
        *joined,
    )


def draft_list_all(on: TableSketch) -> Iterator[ToolDraft]:
    """All rows, for a table whose rows can be found in no other way."""
    table = on.table
    items, joins, joined = on.selected(6)
    yield on.draft(
        f"list_{table.many}",
        f"List {table.entities} with what is known of each.",
        f"SELECT {items} FROM {joins} ORDER BY {on.at(on.shown()[0])} LIMIT :limit",
        *joined,
    )


def draft_list_by_parent(on: TableSketch) -> Iterator[ToolDraft]:
    """The rows that refer to a row of another table, found by that row's name."""
    for column, parent, target in (*on.parents[:2], *on.superiors[:1]):
        if len(parent.labels) != 1:
            continue
        label = parent.labels[0]
        name = on.parent_name(column, parent, label)
        items = ", ".join([*(on.at(shown) for shown in on.shown(7)), f"{on.at(label, 'p')} AS {name}"])
        order = on.at(on.measures[0]) + " DESC" if on.measures else on.at(on.shown()[0])
        yield on.draft(
            f"list_{on.table.many}_by_{name}",
            f"List the {on.table.entities} that belong to the {on.role(column, parent)} with a given"
            f" {parent.label(label)}.",
            f"SELECT {items} FROM {on.source} JOIN {on.quote(parent.name)} AS p"
            f" ON {on.at(target, 'p')} = {on.at(column)} WHERE {on.at(label, 'p')} LIKE '%' || :{name} || '%'"
            f" ORDER BY {order}",
            parent,
        )


def draft_list_of_parent(on: TableSketch) -> Iterator[ToolDraft]:
    """The rows that refer to one row of another table, by its key."""
    for column, parent, _target in (*on.parents[:3], *on.superiors[:1]):
        order = ", ".join(on.at(shown) for shown in on.shown()[:2])
        role = on.role(column, parent)
        owner = snake_case(column.name if role == parent.entity else role).removesuffix("_id") or parent.single
        parameter = snake_case(column.name)
        yield on.draft(
            f"list_{on.table.many}_of_{owner if len(owner) > 2 else parent.single}",
            f"List the {on.table.entities} of one {role}, given the {role}'s key.",
            f"SELECT {', '.join(on.at(shown) for shown in on.shown(8))} FROM {on.source}"
            f" WHERE {on.at(column)} = :{parameter} ORDER BY {order}",
            parent,
        )


def draft_list_top(on: TableSketch) -> Iterator[ToolDraft]:
    """ORDER BY a figure, LIMIT :limit."""
    for measure in on.measures[:2]:
        items, joins, joined = on.selected(6)
        if on.at(measure) not in items:
            items += f", {on.at(measure)}"
        said = on.table.label(measure)
        yield on.draft(
            f"list_top_{on.table.many}_by_{snake_case(said)}",
            f"List the {on.table.entities} with the highest {said}, highest first.",
            f"SELECT {items} FROM {joins} WHERE {on.at(measure)} IS NOT NULL"
            f" ORDER BY {on.at(measure)} DESC LIMIT :limit",
            *joined,
        )


def draft_count_per_group(on: TableSketch) -> Iterator[ToolDraft]:
    """COUNT, AVG and SUM for each row that is referred to, and for each value of a group."""
    table = on.table
    figures = f"COUNT(*) AS {table.single}_count"
    told = f"how many {table.entities} there are"
    if on.measures:
        measure = snake_case(table.label(on.measures[0]))
        figures += (
            f", AVG({on.at(on.measures[0])}) AS average_{measure}, SUM({on.at(on.measures[0])}) AS total_{measure}"
        )
        told += f" and the average and total {table.label(on.measures[0])}"
    for column, parent, target in on.parents[:2]:
        if not parent.labels:
            continue
        labels = [(on.at(label, "p"), on.parent_name(column, parent, label)) for label in parent.labels]
        role = on.role(column, parent)
        yield on.draft(
            f"count_{table.many}_by_{snake_case(role, parent.single)}",
            f"Show for each {role} {told}.",
            f"SELECT {', '.join(f'{sql} AS {name}' for sql, name in labels)}, {figures} FROM {on.source}"
            f" JOIN {on.quote(parent.name)} AS p ON {on.at(target, 'p')} = {on.at(column)}"
            f" GROUP BY {on.at(target, 'p')}, {', '.join(sql for sql, _ in labels)} ORDER BY {table.single}_count DESC",
            parent,
        )
    for group in on.groups[:2]:
        said = table.label(group)
        yield on.draft(
            f"count_{table.many}_by_{snake_case(said)}",
            f"Show for each {said} {told}.",
            f"SELECT {on.at(group)}, {figures} FROM {on.source} WHERE {on.at(group)} IS NOT NULL"
            f" GROUP BY {on.at(group)} ORDER BY {table.single}_count DESC",
        )


def draft_list_by_group(on: TableSketch) -> Iterator[ToolDraft]:
    """The rows of one group."""
    for group in on.groups[:2]:
        said = on.table.label(group)
        items, joins, joined = on.selected(7)
        yield on.draft(
            f"list_{on.table.many}_by_{snake_case(said)}",
            f"List the {on.table.entities} of one {said}.",
            f"SELECT {items} FROM {joins} WHERE {on.at(group)} = :{on.table.parameter(group)} LIMIT :limit",
            *joined,
        )


def draft_list_in_range(on: TableSketch) -> Iterator[ToolDraft]:
    """The rows between two bounds."""
    ranged = [column for column in on.table.columns if column.date][:1] + on.measures[:1]
    for column in ranged:
        said, name = on.table.label(column), snake_case(on.table.label(column))
        low, high = ("from", "to") if column.date else ("min", "max")
        items, joins, joined = on.selected(6)
        if on.at(column) not in items:
            items += f", {on.at(column)}"
        between = "lies in a period" if column.date else "lies between two bounds"
        yield on.draft(
            f"list_{on.table.many}_in_{name}_range",
            f"List the {on.table.entities} whose {said} {between}, both included.",
            f"SELECT {items} FROM {joins} WHERE {on.at(column)} BETWEEN :{low}_{name} AND :{high}_{name}"
            f" ORDER BY {on.at(column)} LIMIT :limit",
            *joined,
        )


def draft_share(on: TableSketch) -> Iterator[ToolDraft]:
    """A CASE ratio, with CAST and a guard against no rows."""
    table = on.table
    for group in on.groups[:1]:
        said, parameter = table.label(group), table.parameter(group)
        yield on.draft(
            f"get_{table.single}_share_by_{snake_case(said)}",
            f"Get which share of all {table.entities} has a given {said}, from 0 to 1, and how many there are in all.",
            f"SELECT CAST(SUM(CASE WHEN {on.at(group)} = :{parameter} THEN 1 ELSE 0 END) AS REAL) / NULLIF(COUNT(*), 0)"
            f" AS {table.single}_share, COUNT(*) AS {table.single}_count FROM {on.source}",
        )
    for measure in on.measures[:1]:
        name = snake_case(table.label(measure))
        yield on.draft(
            f"get_{table.single}_share_above_{name}",
            f"Get which share of all {table.entities} has at least a given {table.label(measure)}, from 0 to 1.",
            f"SELECT CAST(SUM(CASE WHEN {on.at(measure)} >= :min_{name} THEN 1 ELSE 0 END) AS REAL)"
            f" / NULLIF(COUNT(*), 0)"
            f" AS {table.single}_share FROM {on.source}",
        )


def draft_summarise(on: TableSketch) -> Iterator[ToolDraft]:
    """Figures over all rows."""
    if not on.measures:
        return
    measure, table = on.measures[0], on.table
    name, at = snake_case(table.label(measure)), on.at(measure)
    yield on.draft(
        f"get_{table.single}_{name}_summary",
        f"Get the number of {table.entities} and the lowest, average and highest {table.label(measure)}.",
        f"SELECT COUNT(*) AS {table.single}_count, MIN({at}) AS lowest_{name}, AVG({at}) AS average_{name},"
        f" MAX({at}) AS highest_{name} FROM {on.source}",
    )


def _name_partner(role: str, partner: ViewTable, column: ViewColumn) -> str:
    """A column of a row in a role: `from_club_id`, `from_club_name`."""
    return snake_case(f"{role} {partner.label(column).removeprefix(f'{partner.entity} ')}")


def draft_list_partners(on: TableSketch) -> Iterator[ToolDraft]:
    """Through a table that joins two others: the rows of one that go with a row of the other."""
    if len(on.parents) < 2:
        return
    pairs = [(on.parents[0], on.parents[1]), (on.parents[1], on.parents[0])]
    for (given, owner, key), (other, partner, target) in pairs:
        if owner.name == partner.name or not partner.labels:
            continue
        # A partner that has a role is named by it, as everywhere: a player's from clubs.
        role, giver = on.role(other, partner), on.role(given, owner)
        plain = role == partner.entity
        items = ", ".join(
            on.at(column, "p") + ("" if plain else f" AS {_name_partner(role, partner, column)}")
            for column in dict.fromkeys([*partner.key, *partner.labels])
        )
        items += "".join(f", {on.at(c)}" for c in on.table.columns if c.measure or c.grouping or c.date)
        joins = f"{on.source} JOIN {on.quote(partner.name)} AS p ON {on.at(target, 'p')} = {on.at(other)}"
        told = f"List the {plural(role)} that go with one {giver}"
        many = partner.many if plain else snake_case(plural(role), partner.many)
        yield on.draft(
            f"list_{many}_of_{snake_case(giver, owner.single)}",
            f"{told}, given the {giver}'s key.",
            f"SELECT {items} FROM {joins} WHERE {on.at(given)} = :{snake_case(given.name)}",
            owner,
            partner,
        )
        if len(owner.labels) == 1:
            label, name = owner.labels[0], on.parent_name(given, owner, owner.labels[0])
            yield on.draft(
                f"list_{many}_by_{name}",
                f"{told}, given the {giver}'s {owner.label(label)}.",
                f"SELECT {items}, {on.at(label, 'o')} AS {name} FROM {joins}"
                f" JOIN {on.quote(owner.name)} AS o ON {on.at(key, 'o')} = {on.at(given)}"
                f" WHERE {on.at(label, 'o')} LIKE '%' || :{name} || '%'",
                owner,
                partner,
            )
