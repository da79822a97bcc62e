"""What code does to what a writer wrote: matching by text, keys of new rows, types of parameters that may be NULL."""

from collections.abc import Iterable
from typing import cast

from sqlglot import exp

from schemas.databases import Database
from turnwright.tools.sql_bindings import Usage
from turnwright.tools.sql_names import Names
from turnwright.tools.sql_statement import quote_identifier

_ESCAPE = "!"


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
    if (
        target is None
        or key is None
        or not key.surrogate
        or key.references
        or not key.writable
        or key.json_type == "string"
    ):
        return
    values = tree.expression
    if not isinstance(values, exp.Values):
        return
    row = cast("list[exp.Expr]", values.expressions[0].expressions)
    dialect = database.dialect
    column = exp.Column(this=quote_identifier(key.name, dialect))
    following = exp.select(
        exp.Add(
            this=exp.Coalesce(this=exp.Max(this=column), expressions=[exp.Literal.number(0)]),
            expression=exp.Literal.number(1),
        )
    ).from_(exp.Table(this=quote_identifier(target.name, dialect)))
    if key.name in names.written:
        given = row[names.written.index(key.name)]
        if isinstance(given, (exp.Placeholder, exp.Null)):
            given.replace(following.subquery())
    else:
        tree.this.set("expressions", [quote_identifier(key.name, dialect), *tree.this.expressions])
        values.expressions[0].set("expressions", [following.subquery(), *row])


def cast_optional(tree: exp.Expr, usages: Iterable[Usage], database: Database) -> None:
    """Gives parameters that may be NULL the type of their column, because PostgreSQL cannot infer it from NULL."""
    if database.dialect != "postgres":
        return
    types: dict[str, str] = {}
    for usage in usages:
        table = database.table(usage.origin.table) if usage.origin and usage.optional else None
        column = table.column(usage.origin.column) if table and usage.origin else None
        if column is not None and column.type and usage.operator not in {"like", "in", "values"}:
            types.setdefault(usage.name, column.type)
    for node in list(tree.find_all(exp.Placeholder)):
        declared = types.get(str(node.this))
        if declared and not isinstance(node.parent, exp.Cast):
            node.replace(exp.cast(node.copy(), exp.DataType.build(declared, dialect="postgres", udt=True)))
