"""The columns of a query's result: their names, their types, and where they come from."""

from sqlglot import exp

from schemas.databases import Database
from turnwright.tools.entity_types import EntityTypes, cast_type
from turnwright.tools.key_roles import name_path
from turnwright.tools.naming import distinct_name, singular, snake_case, split_words, to_words
from turnwright.tools.sql_names import Names, Origin, OutputColumn
from turnwright.tools.sql_statement import quote_identifier

_AGGREGATES = {"count": "count", "sum": "total", "avg": "average", "min": "lowest", "max": "highest"}


def name_outputs(tree: exp.Expr, names: Names, database: Database) -> None:
    """Gives every result column a name in snake_case, unlike the others, and keeps references to old names right.

    A column keeps its own name (`Player_ID` becomes `player_id`) or its writer's alias; where that leaves open
    of which row it is, it is named by the keys that lead there (`from_club_name`). Two of one name are told apart by
    their tables. An expression without an alias is named after what it computes.
    """
    select = _leftmost(tree)
    outputs = names.query_outputs.get(id(select), ())
    plain = [snake_case(output.name, "column") if output.name else _describe(output.expression) for output in outputs]
    aliased = [isinstance(item, exp.Alias) for item in select.expressions]
    chosen: list[str] = []
    renamed: dict[str, str] = {}
    for position, output in enumerate(outputs):
        name = plain[position]
        shared = plain.count(name) > 1 and not aliased[position]
        role = name_path(output.origin.via, database) if output.origin else ""
        if output.origin and role and _hides_role(output.origin, name, role):
            name = _name_by_role(output.origin, role)
        elif shared and output.origin and name in chosen:
            by_table = snake_case(f"{singular(to_words(output.origin.table))} {name}")
            name = by_table if by_table not in chosen else snake_case(f"{output.expression.text('table')} {name}")
        name = distinct_name(name, chosen)
        chosen.append(name)
        if (aliased[position] and output.name) or (output.name and isinstance(tree, exp.SetOperation)):
            renamed.setdefault(output.name.lower(), name)
    for position, item in enumerate(list(select.expressions)):
        alias = quote_identifier(chosen[position], database.dialect)
        if isinstance(item, exp.Alias):
            item.set("alias", alias)
        else:
            item.replace(exp.Alias(this=item.copy(), alias=alias))
    for node in list(tree.find_all(exp.Column)):
        if id(node) in names.aliases and node.parent_select in (select, tree, None) and node.name.lower() in renamed:
            node.set("this", quote_identifier(renamed[node.name.lower()], database.dialect))


def _hides_role(origin: Origin, name: str, role: str) -> bool:
    """Whether a name leaves open of which row a column is: `name` and `club_name` of the from club do.

    Nobody who sees only the result could answer a question about the from club then.
    """
    nouns = {word for table in (origin.table, *(step for step, _ in origin.via)) for word in _words(table)}
    telling = _words(role) - nouns or _words(role) - _words(origin.table)
    return not telling <= _words(name)


def _name_by_role(origin: Origin, role: str) -> str:
    label = to_words(origin.column).removeprefix(f"{singular(to_words(origin.table))} ")
    return snake_case(f"{role} {label}".replace("'s ", " "))


def _words(text: str) -> set[str]:
    return {singular(word) for word in split_words(text.replace("'s", ""))}


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
    """The result columns of a shaped query by their final names; a column cast to its own type is that column."""
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
