"""Which shapes of tools a domain still lacks, so that a writer has one statement at a time to think about.

They are only told to the writer: what it makes of them is up to it, and a shape counts as covered by whatever accepted
tool has it.
"""

from collections.abc import Sequence

from sqlglot import exp

from schemas.databases import Column, Database
from schemas.tools import SqlTool
from turnwright.tools.naming import snake_case
from turnwright.tools.rejection import Rejection
from turnwright.tools.shapes import Shape, list_shapes
from turnwright.tools.sql_statement import parse_statement

PLAIN_TOOLS = 3
"""Reads without a parameter and without groups that a domain may have: each can be asked for once only."""
PLAIN_TOOLS_OF_TABLE = 4
"""Reads without a parameter, of any kind, about one table."""
_WRITTEN = {"create": "insert", "update": "update", "delete": "delete"}
_AGGREGATES = (exp.Avg, exp.Sum, exp.Min, exp.Max)


def covers(tool: SqlTool, shape: Shape, database: Database) -> bool:
    """Whether `tool` has this shape on this table, whatever else it does."""
    table = shape.table.lower()
    if shape.kind in _WRITTEN:
        return tool.verb == _WRITTEN[shape.kind] and (tool.target or "").lower() == table
    if tool.verb != "select":
        return False
    about = {(output.table or "").lower() for output in tool.outputs}
    compared = {binding.operator for binding in tool.bindings if (binding.table or "").lower() == table}
    tree = parse_statement(tool.sql, database.dialect)
    read = {found.name.lower() for found in tree.find_all(exp.Table)}
    grouped = tree.find(exp.Group) is not None
    ordered = any(binding.operator == "limit" for binding in tool.bindings)
    match shape.kind:
        case "search":
            return table in about and not grouped and tool.returns == "rows" and "like" in compared
        case "get":
            return table in about and tool.returns == "row" and "=" in compared
        case "top":
            return table in about and not grouped and ordered and tree.find(exp.Order) is not None and not compared
        case "list":
            others = {(binding.table or "").lower() for binding in tool.bindings if binding.operator in ("like", "=")}
            return table in about and not grouped and tool.returns == "rows" and bool(others - {table, ""})
        case "figures":
            return grouped and table in read
        case _:
            return tree.find(exp.Case) is not None and table in read


def list_missing(database: Database, accepted: Sequence[SqlTool]) -> list[Shape]:
    """The shapes that no accepted tool has, in the order in which they are wanted."""
    return [shape for shape in list_shapes(database) if not any(covers(tool, shape, database) for tool in accepted)]


def check_usefulness(tool: SqlTool, accepted: Sequence[SqlTool], database: Database) -> None:
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
