"""What code does to a statement before it becomes a tool: matching by text, names, order and limit."""

from collections.abc import Iterable
from typing import cast

from sqlglot import exp

from schemas.databases import Database, Table
from turnwright.tools.entity_types import EntityTypes, cast_type
from turnwright.tools.naming import distinct_name, singular, snake_case, to_words
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_scope import Names, OutputColumn, Source
from turnwright.tools.sql_statement import quote_identifier

_ESCAPE = "!"
_AGGREGATES = {"count": "count", "sum": "total", "avg": "average", "min": "lowest", "max": "highest"}


def match_by_text(tree: exp.Expr, dialect: str) -> None:
    """Makes every `LIKE :word` find the word anywhere, whatever characters it has, in any case of letters.

    A parameter without wildcards gets them on both sides; those that the writer put stay. Wildcard characters inside
    the value are escaped, so that a value is text and never a pattern. SQLite's LIKE ignores case by itself (ASCII).
    """
    for node in list(tree.find_all(exp.Like, exp.ILike)):
        if node.find_ancestor(exp.Escape) is not None:
            continue
        pattern = node.expression
        placeholders = list(pattern.find_all(exp.Placeholder))
        if not placeholders:
            continue
        wild = any(literal.is_string and "%" in str(literal.this) for literal in pattern.find_all(exp.Literal))
        for placeholder in placeholders:
            placeholder.replace(_escaped(placeholder))
        if not wild:
            pattern = node.expression
            pattern.replace(_concat(exp.Literal.string("%"), pattern.copy(), exp.Literal.string("%")))
        kind = exp.ILike if dialect == "postgres" else exp.Like
        matched = kind(this=node.this.copy(), expression=node.expression.copy())
        node.replace(exp.Escape(this=matched, expression=exp.Literal.string(_ESCAPE)))


def _escaped(placeholder: exp.Expr) -> exp.Expr:
    value: exp.Expr = placeholder.copy()
    for character in (_ESCAPE, "%", "_"):
        value = exp.Replace(
            this=value, expression=exp.Literal.string(character), replacement=exp.Literal.string(_ESCAPE + character)
        )
    return value


def _concat(first: exp.Expr, *rest: exp.Expr) -> exp.Expr:
    joined = first
    for part in rest:
        joined = exp.DPipe(this=joined, expression=part, safe=True)
    return joined


def compute_key(tree: exp.Insert, names: Names, database: Database) -> None:
    """Lets an INSERT number its row itself, where the key is one number that only identifies.

    A parameter or NULL in the key's place is replaced by one more than the highest key; a key that the statement does
    not name at all is added. A key that refers to another table is a fact and stays as it is.
    """
    target = names.target
    key = target.column(target.primary_key[0]) if target and len(target.primary_key) == 1 else None
    if target is None or key is None or not key.surrogate or key.references or not key.writable or key.json_type == "string":
        return
    values = tree.expression
    if not isinstance(values, exp.Values):
        return
    row = cast("list[exp.Expr]", values.expressions[0].expressions)
    dialect = database.dialect
    column = exp.Column(this=quote_identifier(key.name, dialect))
    following = exp.select(
        exp.Add(this=exp.Coalesce(this=exp.Max(this=column), expressions=[exp.Literal.number(0)]), expression=exp.Literal.number(1))
    ).from_(exp.Table(this=quote_identifier(target.name, dialect)))
    if key.name in names.written:
        given = row[names.written.index(key.name)]
        if isinstance(given, (exp.Placeholder, exp.Null)):
            given.replace(following.subquery())
    else:
        tree.this.set("expressions", [quote_identifier(key.name, dialect), *tree.this.expressions])
        values.expressions[0].set("expressions", [following.subquery(), *row])


def name_outputs(tree: exp.Expr, names: Names, dialect: str) -> None:
    """Gives every result column a name in snake_case, unlike the others, and keeps references to old names right.

    A column keeps its own name (`Player_ID` becomes `player_id`); two of one name are told apart by their tables; an
    expression without an alias is named after what it computes.
    """
    select = _leftmost(tree)
    outputs = names.query_outputs.get(id(select), ())
    plain = [snake_case(output.name, "column") if output.name else _describe(output.expression) for output in outputs]
    aliased = [isinstance(item, exp.Alias) for item in select.expressions]
    chosen: list[str] = []
    renamed: dict[str, str] = {}
    for position, output in enumerate(outputs):
        name = plain[position]
        if plain.count(name) > 1 and not aliased[position] and output.origin and name in chosen:
            by_table = snake_case(f"{singular(to_words(output.origin.table))} {name}")
            name = by_table if by_table not in chosen else snake_case(f"{output.expression.text('table')} {name}")
        name = distinct_name(name, chosen)
        chosen.append(name)
        if aliased[position] and output.name:
            renamed.setdefault(output.name.lower(), name)
        elif output.name and isinstance(tree, exp.SetOperation):
            renamed.setdefault(output.name.lower(), name)
    for position, item in enumerate(list(select.expressions)):
        alias = quote_identifier(chosen[position], dialect)
        if isinstance(item, exp.Alias):
            item.set("alias", alias)
        else:
            item.replace(exp.Alias(this=item.copy(), alias=alias))
    for node in list(tree.find_all(exp.Column)):
        if id(node) in names.aliases and node.parent_select in (select, tree, None) and node.name.lower() in renamed:
            node.set("this", quote_identifier(renamed[node.name.lower()], dialect))


def _leftmost(tree: exp.Expr) -> exp.Expr:
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    return tree


def _describe(node: exp.Expr) -> str:
    while isinstance(node, (exp.Round, exp.Cast, exp.Paren, exp.Coalesce)):
        node = node.this
    prefix = _AGGREGATES.get(node.key, "")
    columns = list(node.find_all(exp.Column))
    if prefix and len(columns) == 1:
        return snake_case(f"{prefix} {columns[0].name}")
    if prefix:
        return prefix
    return snake_case(" ".join(column.name for column in columns[:2]) + " value") if columns else "value"


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
        keys += [exp.Column(this=quote_identifier(c, dialect), table=qualifier and qualifier.copy()) for c in source.table.primary_key]
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
        if isinstance(clause, (exp.Limit, exp.Offset)) and not isinstance(clause.expression, (exp.Literal, exp.Placeholder)):
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
    for source, join in zip(sources[1:], tree.args.get("joins") or [], strict=True):
        on = join.args.get("on")
        using = {identifier.name.lower() for identifier in join.args.get("using") or []}
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
    table: Table | None = source.table
    if table is None:
        return False
    if table.primary_key and {name.lower() for name in table.primary_key} <= equated:
        return True
    # Only declared keys count: a value seen once today may be there twice after an insert.
    return False


def cast_outputs(tree: exp.Expr, names: Names, types: EntityTypes) -> None:
    """Casts result columns whose stored values are not of their JSON type (see entity_types)."""
    for select in _branches(tree):
        outputs = names.query_outputs.get(id(select), ())
        for item, output in zip(list(select.expressions), outputs, strict=True):
            needed = types.needed_cast(output.origin.table, output.origin.column) if output.origin else None
            column = item.unalias()
            if needed and isinstance(column, exp.Column):
                column.replace(exp.cast(column.copy(), needed))


def _branches(tree: exp.Expr) -> list[exp.Select]:
    if isinstance(tree, exp.SetOperation):
        return [*_branches(tree.left), *_branches(tree.right)]
    if isinstance(tree, exp.Subquery):
        return _branches(tree.this)
    return [tree] if isinstance(tree, exp.Select) else []


def outputs_of(tree: exp.Expr, names: Names, types: EntityTypes) -> tuple[OutputColumn, ...]:
    """The result columns of a shaped query, with their final names; a column that was cast to its own type is that column."""
    select = _leftmost(tree)
    outputs: list[OutputColumn] = []
    for item, output in zip(select.expressions, names.outputs, strict=True):
        origin, nullable = output.origin, output.nullable_join
        kind = cast_type(output.expression)
        if kind is not None and isinstance(output.expression.this, exp.Column):
            stored = names.origins.get(id(output.expression.this))
            if stored is not None and types.json_type(stored.table, stored.column) == kind:
                origin, nullable = stored, True
        outputs.append(OutputColumn(item.alias, origin, output.expression, nullable))
    return tuple(outputs)
