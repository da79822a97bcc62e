"""Order and number of a query's rows: the same state always gives the same rows, and never too many."""

from collections.abc import Iterable

from sqlglot import exp

from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_names import Names, Source, list_nodes
from turnwright.tools.sql_statement import quote_identifier


def is_one_aggregate(tree: exp.Expr) -> bool:
    """Whether a query always gives exactly one row: aggregates without GROUP BY."""
    if not isinstance(tree, exp.Select) or tree.args.get("group") or not tree.expressions:
        return False
    own = [node for item in tree.expressions for node in _own_nodes(item)]
    return any(isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window) for node in own)


def _own_nodes(node: exp.Expr) -> Iterable[exp.Expr]:
    yield node
    if not isinstance(node, exp.Query):
        for child in node.iter_expressions():
            yield from _own_nodes(child)


def stabilise_order(tree: exp.Expr, names: Names, dialect: str) -> None:
    """Adds tie-breakers, so that the same state always gives the same rows in the same order.

    The whole query is ordered, and every query inside it that has a LIMIT. Plain queries break ties by the primary keys
    of what they read; where rows are grouped, made distinct or without a key, by all result columns.
    """
    for query in list(tree.find_all(exp.Select, exp.SetOperation)):
        if (query is tree or query.args.get("limit")) and not is_one_aggregate(query):
            _add_tie_breakers(query, names, dialect)


def _add_tie_breakers(query: exp.Expr, names: Names, dialect: str) -> None:
    order = query.args.get("order")
    present = list(order.expressions) if isinstance(order, exp.Order) else []
    keys = None
    if isinstance(query, exp.Select) and not query.args.get("group") and not query.args.get("distinct"):
        keys = _key_columns(names.sources.get(id(query), ()), dialect)
    if keys is None:
        width = len(names.query_outputs.get(id(query), ()))
        keys = [exp.Literal.number(position) for position in range(1, width + 1)]
    written = {_bare(item.this) for item in present if isinstance(item, exp.Ordered)}
    added = [exp.Ordered(this=key, nulls_first=dialect == "sqlite") for key in keys if _bare(key) not in written]
    query.set("order", exp.Order(expressions=[*present, *added]))


def _bare(node: exp.Expr) -> str:
    return node.sql().replace('"', "").lower()


def _key_columns(sources: tuple[Source, ...], dialect: str) -> list[exp.Expr] | None:
    keys: list[exp.Expr] = []
    for source in sources:
        if source.table is None or not source.table.primary_key:
            return None
        qualifier = quote_identifier(source.name, dialect) if len(sources) > 1 else None
        keys += [
            exp.Column(this=quote_identifier(c, dialect), table=qualifier and qualifier.copy())
            for c in source.table.primary_key
        ]
    return keys or None


def limit_rows(tree: exp.Expr, list_limit: int) -> None:
    """Caps the rows of a query: no LIMIT gets one, a larger number is lowered, `LIMIT :limit` is capped by its schema.

    Raises:
        Rejection: LIMIT or OFFSET is neither a number nor a parameter.
    """
    limit = tree.args.get("limit")
    if isinstance(limit, exp.Fetch):
        limit = exp.Limit(expression=limit.args.get("count") or exp.Literal.number(1))
        tree.set("limit", limit)
    for clause, name in ((limit, "LIMIT"), (tree.args.get("offset"), "OFFSET")):
        if isinstance(clause, (exp.Limit, exp.Offset)) and not isinstance(
            clause.expression, (exp.Literal, exp.Placeholder)
        ):
            raise Rejection("limit", f"{name} takes a number or one parameter, as in {name} :{name.lower()}.")
    if is_one_aggregate(tree) and not isinstance(limit, exp.Limit):
        return
    if not isinstance(limit, exp.Limit):
        tree.set("limit", exp.Limit(expression=exp.Literal.number(list_limit)))
    elif isinstance(limit.expression, exp.Literal) and not 1 <= _number(limit.expression) <= list_limit:
        limit.set("expression", exp.Literal.number(list_limit))


def _number(literal: exp.Literal) -> int:
    text = str(literal.this)
    return int(text) if text.isdigit() else 0


def gives_one_row(tree: exp.Expr, names: Names) -> bool:
    """Whether a query can give at most one row: an aggregate, LIMIT 1, or a whole key bound by `=` without fan-out."""
    if is_one_aggregate(tree):
        return True
    limit = tree.args.get("limit")
    if isinstance(limit, exp.Limit) and isinstance(limit.expression, exp.Literal) and _number(limit.expression) == 1:
        return True
    if not isinstance(tree, exp.Select) or tree.args.get("group"):
        return False
    sources = names.sources.get(id(tree), ())
    where = tree.args.get("where")
    if not sources or not isinstance(where, exp.Where):
        return False
    if not _is_keyed(sources[0], _equated(where.this, sources[0], names, parameters=True)):
        return False
    for source, join in zip(sources[1:], list_nodes(tree, "joins"), strict=True):
        on = join.args.get("on")
        using = {identifier.name.lower() for identifier in list_nodes(join, "using")}
        equated = _equated(on, source, names, parameters=False) if isinstance(on, exp.Expr) else using
        if not _is_keyed(source, equated):
            return False
    return True


def _equated(condition: exp.Expr, source: Source, names: Names, *, parameters: bool) -> set[str]:
    """Columns of `source` that every row must have equal to something given from outside it."""
    columns: set[str] = set()
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        part = part.unnest()
        if not isinstance(part, exp.EQ):
            continue
        for own, other in ((part.this, part.expression), (part.expression, part.this)):
            if not isinstance(own, exp.Column) or not _belongs(own, source, names):
                continue
            outside = not any(_belongs(column, source, names) for column in other.find_all(exp.Column))
            if outside and (not parameters or not any(other.find_all(exp.Column))):
                columns.add(own.name.lower())
    return columns


def _belongs(column: exp.Column, source: Source, names: Names) -> bool:
    origin = names.origins.get(id(column))
    if column.table:
        return column.table.lower() == source.name.lower()
    return origin is not None and source.table is not None and origin.table == source.table.name


def _is_keyed(source: Source, equated: set[str]) -> bool:
    table = source.table
    # Only declared keys count: a value that is unique today may be there twice after an insert.
    return table is not None and bool(table.primary_key) and {name.lower() for name in table.primary_key} <= equated
