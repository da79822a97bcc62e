"""Which shapes of tools a domain still lacks, so that a writer has one statement at a time to think about.

The shapes are those of UO, executed SQL. They are only told to the writer: what it makes of them is up to it, and a
shape counts as covered by whatever accepted tool has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from schemas.databases import Column, Database
from schemas.tools import Tool
from turnwright.tools.naming import plural, snake_case
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_statement import parse_statement, quote_identifier
from turnwright.tools.tool_wording import name_entity
from turnwright.tools.traits import MAIN_TABLES, Traits, rank_tables

PLAIN_TOOLS = 3
"""Reads without a parameter and without groups that a domain may have: each can be asked for once only."""
PLAIN_TOOLS_OF_TABLE = 4
"""Reads without a parameter, of any kind, about one table."""
_AGGREGATES = (exp.Avg, exp.Sum, exp.Min, exp.Max)


@dataclass(frozen=True)
class Shape:
    """One tool that would do the domain good."""

    shape: str
    table: str
    name: str
    """What it could be called."""
    tool: str
    """What the tool does, with the columns that it may use."""

    @property
    def line(self) -> dict[str, str]:
        """As it stands in the writer's `shapes` block."""
        return {"shape": self.shape, "table": self.table, "name": self.name, "tool": self.tool}


def list_shapes(database: Database) -> list[Shape]:
    """All shapes that the main tables allow: first how their rows are found, then the others by turns."""
    main = rank_tables(database)[:MAIN_TABLES]
    found = [_Sketch(database, traits) for traits in main]
    queues = [sketch.others() for sketch in found]
    asked: dict[str, int] = {}
    by_turns: list[Shape] = []
    while any(queues):
        for queue in queues:
            if queue:
                # The kind that was asked for least: a domain with few tools still has all of them.
                chosen = min(queue, key=lambda shape: asked.get(shape.shape, 0))
                queue.remove(chosen)
                asked[chosen.shape] = asked.get(chosen.shape, 0) + 1
                by_turns.append(chosen)
    return [shape for sketch in found for shape in sketch.lookups()] + by_turns


class _Sketch:
    """Says in words what tools a table could have."""

    def __init__(self, database: Database, traits: Traits) -> None:
        self.database = database
        self.traits = traits
        self.table = traits.table.name
        self.entity = name_entity(self.table)
        self.many = plural(self.entity)

    def lookups(self) -> list[Shape]:
        name = self.traits.name
        if name is None:
            return []
        tool = f"find {self.many} whose {self.at(name)} contains :{self.parameter(name)}; return {self.shown()}"
        return [self.shape("search by name", f"search_{self.many}", tool)]

    def others(self) -> list[Shape]:
        shapes: list[Shape] = []
        traits = self.traits
        keyed = bool(traits.key)
        by_key = " and ".join(f"{self.at(column)} = :{self.parameter(column)}" for column in traits.key)
        if keyed and not traits.junction:
            tool = f"get one {self.entity} by {by_key}; return {self.shown(9)}"
            shapes.append(self.shape("one row by id", f"get_{self.entity}", tool))
        if keyed and traits.changeable:
            column = traits.changeable[0]
            tool = f"set {self.at(column)} = :{self.parameter(column)} of one {self.entity} where {by_key}"
            shapes.append(self.shape("UPDATE", f"update_{self.entity}_{column.name}", tool))
        for column, parent in traits.parents[:1]:
            shapes += self.of_parent(column, parent.name)
        if traits.measures:
            measure = traits.measures[0]
            shown = ", ".join(self.at(column) for column in dict.fromkeys([*traits.shown(4), measure]))
            order = f"ORDER BY {self.at(measure)} DESC LIMIT :limit"
            shapes.append(self.shape("top list", f"list_top_{self.many}", f"list {self.many}, {order}; return {shown}"))
        shapes.append(self.shape("INSERT", f"create_{self.entity}", self.insertion()))
        if traits.groups:
            group, name = self.at(traits.groups[0]), traits.groups[0].name
            if not traits.parents:
                tool = f"for each {group}: {self.figures()}; GROUP BY {group}"
                shapes.append(self.shape("figures per group", f"count_{self.many}_by_{name}", tool))
            is_group = f"{group} = :{self.parameter(traits.groups[0])}"
            ratio = f"CAST(SUM(CASE WHEN {is_group} THEN 1 ELSE 0 END) AS REAL) / NULLIF(COUNT(*), 0)"
            tool = f"which share of the {self.many} has {is_group}: {ratio}"
            shapes.append(self.shape("share", f"get_{self.entity}_share_by_{name}", tool))
        if keyed and not traits.referred:
            shapes.append(self.shape("DELETE", f"delete_{self.entity}", f"delete one {self.entity} where {by_key}"))
        return shapes

    def of_parent(self, column: Column, parent_name: str) -> list[Shape]:
        parent = self.database.table(parent_name)
        target = column.references[1] if column.references else ""
        name = Traits(self.database, parent).name if parent else None
        if parent is None or name is None:
            return []
        owner = name_entity(parent.name)
        label = f"{self.quote(parent.name)}.{self.at(name)}"
        on = f"{self.quote(parent.name)}.{self.quote(target)} = {self.quote(self.table)}.{self.at(column)}"
        join = f"JOIN {self.quote(parent.name)} ON {on}"
        said = f"{snake_case(owner)}_name"
        shown = ", ".join(f"{self.quote(self.table)}.{self.at(column)}" for column in self.traits.shown())
        owned = f"list the {self.many} of one {owner}: {join} WHERE {label} LIKE '%' || :{said} || '%'"
        return [
            self.shape(
                "rows that belong to a name",
                f"list_{self.many}_of_{owner}",
                f"{owned}; return {shown}, {label} AS {said}",
            ),
            self.shape(
                "figures per group",
                f"count_{self.many}_by_{owner}",
                f"for each {label}: {self.figures()}; {join} GROUP BY {label}",
            ),
        ]

    def figures(self) -> str:
        count = f"COUNT(*) AS {snake_case(self.entity)}_count"
        if not self.traits.measures:
            return count
        measure = self.traits.measures[0]
        return f"{count} and AVG({self.at(measure)}) AS average_{snake_case(measure.name)}"

    def insertion(self) -> str:
        traits = self.traits
        single = traits.key[0] if len(traits.key) == 1 else None
        counted = single is not None and single.json_type == "integer" and not single.references
        columns = [column for column in traits.table.columns if column.writable and not (counted and column == single)]
        tool = f"add a {self.entity} with {', '.join(self.at(column) for column in columns[:9])} as parameters"
        if counted and single is not None:
            key, own = self.at(single), self.quote(self.table)
            tool += f"; {key} is (SELECT COALESCE(MAX({key}), 0) + 1 FROM {own})"  # noqa: S608  words for a writer
        return tool

    def shape(self, shape: str, name: str, tool: str) -> Shape:
        return Shape(shape, self.table, snake_case(name), tool)

    def shown(self, most: int = 5) -> str:
        return ", ".join(self.at(column) for column in self.traits.shown(most))

    def at(self, column: Column) -> str:
        return self.quote(column.name)

    def parameter(self, column: Column) -> str:
        name = snake_case(column.name)
        return f"{snake_case(self.entity)}_{name}" if name in ("id", "name", "code", "number") else name

    def quote(self, name: str) -> str:
        return quote_identifier(name, self.database.dialect).sql(dialect=self.database.dialect)


def covers(tool: Tool, shape: Shape, database: Database) -> bool:
    """Whether `tool` has this shape on this table, whatever else it does."""
    table = shape.table.lower()
    if shape.shape in ("INSERT", "UPDATE", "DELETE"):
        return tool.verb == shape.shape.lower() and (tool.target or "").lower() == table
    if tool.verb != "select":
        return False
    about = {(output.table or "").lower() for output in tool.outputs}
    compared = {binding.operator for binding in tool.bindings if (binding.table or "").lower() == table}
    tree = parse_statement(tool.sql, database.dialect)
    read = {found.name.lower() for found in tree.find_all(exp.Table)}
    grouped = tree.find(exp.Group) is not None
    ordered = any(binding.operator == "limit" for binding in tool.bindings)
    match shape.shape:
        case "search by name":
            return table in about and not grouped and tool.returns == "rows" and "like" in compared
        case "one row by id":
            return table in about and tool.returns == "row" and "=" in compared
        case "top list":
            return table in about and not grouped and ordered and tree.find(exp.Order) is not None and not compared
        case "rows that belong to a name":
            others = {(binding.table or "").lower() for binding in tool.bindings if binding.operator in ("like", "=")}
            return table in about and not grouped and tool.returns == "rows" and bool(others - {table, ""})
        case "figures per group":
            return grouped and table in read
        case _:
            return tree.find(exp.Case) is not None and table in read


def list_missing(database: Database, accepted: Sequence[Tool]) -> list[Shape]:
    """The shapes that no accepted tool has, in the order in which they are wanted."""
    return [shape for shape in list_shapes(database) if not any(covers(tool, shape, database) for tool in accepted)]


def check_usefulness(tool: Tool, accepted: Sequence[Tool], database: Database) -> None:
    """Holds for a tool that a person could have a use for, beside those that there are already.

    Raises:
        Rejection: its figure says nothing, or there are enough tools that always answer the same.
    """
    if tool.verb != "select":
        return
    tree = parse_statement(tool.sql, database.dialect)
    _check_figures(tree, database)
    if tool.bindings:
        return
    plain = [other for other in accepted if other.verb == "select" and not other.bindings]
    tables = _tables_of(tree)
    beside = [other for other in plain if tables & _tables_of(parse_statement(other.sql, database.dialect))]
    single = [other for other in plain if parse_statement(other.sql, database.dialect).find(exp.Group) is None]
    if (tree.find(exp.Group) is None and len(single) >= PLAIN_TOOLS) or len(beside) >= PLAIN_TOOLS_OF_TABLE:
        raise Rejection(
            "no_parameter",
            "There are enough tools that always give the same answer; let the caller say which one, how many or since"
            " when, with a :named parameter.",
        )


def _tables_of(tree: exp.Expr) -> set[str]:
    """The table after the outermost FROM; all tables where that is a query."""
    source = tree.args.get("from_") or tree.args.get("from")
    first = source.find(exp.Table) if isinstance(source, exp.Expr) else tree.find(exp.Table)
    return {first.name.lower()} if first is not None else set()


def _check_figures(tree: exp.Expr, database: Database) -> None:
    read = [table for found in tree.find_all(exp.Table) if (table := database.table(found.name))]
    results = tree.selects if isinstance(tree, exp.Query) else []
    for figure in (node for result in results for node in result.find_all(*_AGGREGATES)):
        if not isinstance(figure.this, exp.Column):
            continue
        name = figure.this.name
        columns = [column for table in read if (column := table.column(name))]
        if columns and all(_is_senseless(column, figure) for column in columns):
            raise Rejection(
                "senseless_figure",
                f"{figure.key.upper()} of {name} says nothing to anybody; compute figures of amounts and dates only.",
            )


def _is_senseless(column: Column, figure: exp.Expr) -> bool:
    if column.surrogate:
        return True
    text = column.json_type == "string" and column.format not in ("date", "date-time", "time")
    numbers = all(str(value).replace(".", "", 1).isdigit() for value in column.values) and bool(column.values)
    named = {"year", "age", "date", "time", "amount", "price"} & set(snake_case(column.name).split("_"))
    return text and not numbers and not named and isinstance(figure, exp.Min | exp.Max | exp.Avg | exp.Sum)
