"""What each `:named` parameter of a statement stands against: which column, by which operator."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from sqlglot import exp

from schemas.tools import ParameterBinding
from turnwright.environments.binding import find_parameters
from turnwright.tools.sql_key_paths import merge_origins
from turnwright.tools.sql_names import Names, Origin, walk_local

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "like", "in", "set", "values", "limit", "offset", "expression"]

_COMPARISONS: dict[type[exp.Expr], Operator] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Like: "like",
    exp.ILike: "like",
    exp.NullSafeEQ: "=",
    exp.Is: "=",
}
_MIRRORED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TRANSPARENT = (
    exp.Paren,
    exp.Cast,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.Concat,
    exp.DPipe,
    exp.Coalesce,
    exp.Nullif,
    exp.Abs,
    exp.Round,
    exp.Neg,
    exp.Replace,
    exp.Escape,
    exp.Tuple,
    exp.Date,
    exp.TsOrDsToDate,
    exp.Not,
    exp.Collate,
)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)


@dataclass(frozen=True)
class Usage:
    """One place where a parameter stands."""

    name: str
    operator: Operator
    origin: Origin | None
    """The one stored column on the other side; none where there is none or more than one."""
    other: exp.Expr | None
    """The expression that the parameter is compared with; values that match are values of it."""
    query: exp.Expr | None
    """The SELECT, UPDATE or DELETE whose WHERE, HAVING or ON the comparison is part of."""
    clause: str
    """Clause of `query` that it stands in: `where`, `having`, `joins`, …"""
    optional: bool
    """NULL is a meaningful value: `:x IS NULL OR …`, `COALESCE(:x, column)`."""
    numeric: bool
    """It is used in arithmetic or compared with a count, so it must be a number."""
    listed: bool = False
    """It stands alone behind IN and takes a list."""


def find_usages(names: Names, sql: str) -> tuple[Usage, ...]:
    """Every place of every parameter, in the order in which the parameters first stand in the text `sql`.

    `:x IS NULL` is no place of its own: it makes the other places of the parameter optional.
    """
    order = find_parameters(sql)
    nodes = sorted(names.tree.find_all(exp.Placeholder, bfs=False), key=lambda node: order.index(str(node.this)))
    nulls = {str(node.this) for node in nodes if _is_null_test(node)}
    found = [_classify(node, names, str(node.this) in nulls) for node in nodes if not _is_null_test(node)]
    bound = {usage.name for usage in found}
    found += [Usage(name, "expression", None, None, None, "", True, False) for name in sorted(nulls - bound)]
    return tuple(found)


def list_bindings(usages: Iterable[Usage]) -> tuple[ParameterBinding, ...]:
    """The distinct bindings of the usages; the first one of a parameter decides its type."""
    usages = list(usages)
    bindings: list[ParameterBinding] = []
    for usage in usages:
        # `:name` that is compared with both clubs of a transfer is the name of no certain one.
        alike = [other.origin for other in usages if other.name == usage.name and _same_column(other, usage)]
        origin = merge_origins(alike)
        binding = ParameterBinding(
            name=usage.name,
            table=origin.table if origin else None,
            column=origin.column if origin else None,
            operator=usage.operator,
            via=origin.via if origin else (),
        )
        if binding not in bindings:
            bindings.append(binding)
    # A use that names a column says more about a parameter than one inside an expression.
    ranked = sorted(range(len(bindings)), key=lambda i: (bindings[i].table is None, i))
    first: dict[str, int] = {}
    for index in ranked:
        first.setdefault(bindings[index].name, index)
    leading = set(first.values())
    return tuple(b for i, b in enumerate(bindings) if i in leading or b.table is not None)


def _same_column(one: Usage, other: Usage) -> bool:
    if one.origin is None or other.origin is None:
        return one.origin is other.origin
    return (one.origin.table, one.origin.column) == (other.origin.table, other.origin.column)


def _is_null_test(node: exp.Placeholder) -> bool:
    parent = node.parent
    while isinstance(parent, (exp.Paren, exp.Cast)):
        parent = parent.parent
    return isinstance(parent, exp.Is) and isinstance(parent.expression, exp.Null)


def _classify(node: exp.Placeholder, names: Names, optional: bool) -> Usage:
    name = str(node.this)
    child: exp.Expr = node
    parent = node.parent
    numeric = False
    while parent is not None:
        if isinstance(parent, exp.Limit):
            return Usage(name, "limit", None, None, None, "limit", False, True)
        if isinstance(parent, exp.Offset):
            return Usage(name, "offset", None, None, None, "offset", False, True)
        if isinstance(parent, exp.Tuple) and isinstance(parent.parent, exp.Values):
            return _written(name, names, parent.expressions.index(child), optional, numeric)
        if isinstance(parent, exp.Select) and parent.parent is names.tree and isinstance(names.tree, exp.Insert):
            if child in parent.expressions:
                return _written(name, names, parent.expressions.index(child), optional, numeric)
            break
        if isinstance(parent, exp.EQ) and isinstance(parent.parent, exp.Update) and child is parent.expression:
            origin = names.origins.get(id(parent.this))
            operator: Operator = "expression" if numeric else "set"
            return Usage(name, operator, None if numeric else origin, None, None, "set", optional, numeric)
        if isinstance(parent, (exp.Between, exp.In, *_COMPARISONS)):
            return _compared(name, names, parent, child, optional, numeric)
        if isinstance(parent, exp.Coalesce) and parent.this is child and _has_columns(parent):
            optional = True
        if isinstance(parent, _ARITHMETIC):
            numeric = True
        elif not isinstance(parent, _TRANSPARENT) and not isinstance(parent, exp.Alias):
            break
        child, parent = parent, parent.parent
    return Usage(name, "expression", None, None, None, "", optional, numeric)


def _written(name: str, names: Names, position: int, optional: bool, numeric: bool) -> Usage:
    target = names.target
    if target is None or numeric:
        return Usage(name, "expression", None, None, None, "values", optional, numeric)
    return Usage(name, "values", Origin(target.name, names.written[position]), None, None, "values", optional, False)


def _compared(name: str, names: Names, parent: exp.Expr, child: exp.Expr, optional: bool, numeric: bool) -> Usage:
    operator: Operator
    listed = False
    if isinstance(parent, exp.Between):
        operator = ">=" if child is parent.args["low"] else "<=" if child is parent.args["high"] else "expression"
        other: exp.Expr | None = parent.this
    elif isinstance(parent, exp.In):
        options = cast("list[exp.Expr]", parent.expressions)
        listed = len(options) == 1 and options[0] is child and isinstance(child, exp.Placeholder)
        operator = "in" if listed else "="
        other = parent.args.get("query") if child is parent.this else parent.this
    else:
        left = child is parent.this
        other = parent.expression if left else parent.this
        operator = _COMPARISONS[type(parent)]
        operator = _MIRRORED.get(operator, operator) if left else operator
    query, clause = _enclosing(parent)
    origin = _origin_of(other, names)
    counted = other is not None and next(other.find_all(exp.Count), None) is not None
    if numeric:
        # `price < :budget / 2`: a column's value is no value of the parameter.
        return Usage(name, "expression", None, None, query, clause, optional, True)
    numeric = counted or (origin is None and other is not None and next(other.find_all(*_ARITHMETIC), None) is not None)
    usable = other if other is not None and next(other.find_all(exp.Placeholder), None) is None else None
    return Usage(name, operator, None if counted else origin, usable, query, clause, optional, numeric, listed)


def _origin_of(other: exp.Expr | None, names: Names) -> Origin | None:
    if other is None:
        return None
    if isinstance(other, exp.Query):
        outputs = names.query_outputs.get(id(other), ())
        return outputs[0].origin if len(outputs) == 1 else None
    found: list[Origin | None] = []
    for node in [other, *walk_local(other)]:
        if isinstance(node, exp.Column):
            found.append(names.origins.get(id(node)))
        elif isinstance(node, exp.Query):
            outputs = names.query_outputs.get(id(node), ())
            found.append(outputs[0].origin if outputs else None)
        elif isinstance(node, _ARITHMETIC):
            return None
    return merge_origins(found)


def _has_columns(node: exp.Expr) -> bool:
    return next(node.find_all(exp.Column), None) is not None


def _enclosing(node: exp.Expr) -> tuple[exp.Expr | None, str]:
    child, parent = node, node.parent
    while parent is not None and not isinstance(parent, (exp.Select, exp.Update, exp.Delete, exp.Insert)):
        child, parent = parent, parent.parent
    return parent, str(child.arg_key or "")
