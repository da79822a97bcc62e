"""Arguments for a tool, drawn from real rows, so that a call finds something.

Parameters that are compared in one query are drawn together: the query itself, without the conditions that hold
parameters, says which values occur in one row. Values that are written are drawn from the column's own values, from the
table it refers to, or made up in their image where the column must be unique.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlglot import exp

from schemas.databases import Column, Database, Table
from schemas.tools import SqlTool
from turnwright.environments.base import SqlBase
from turnwright.tools.argument_values import convert_value, fits_schema, invent_value, is_type, value_for
from turnwright.tools.sql_bindings import Usage, find_usages
from turnwright.tools.sql_names import Names, list_nodes
from turnwright.tools.sql_scope import resolve_names
from turnwright.tools.sql_statement import parse_statement, quote_identifier, render_statement

POOL = 240
"""Most rows that values are drawn from."""
_WINDOWS = 8
"""More rows than that are read as so many stretches, spread evenly over all of them."""


def draw_bindings(
    tool: SqlTool, database: Database, base: SqlBase, rng: random.Random, count: int = 12
) -> list[dict[str, Any]]:
    """Up to `count` different argument sets for a tool, each from real rows of the base.

    A set holds every required parameter and mostly the optional ones; it fits the tool's specification. The list is
    empty only where the tables that the tool reads hold no usable row. The same `rng` state gives the same sets.

    Raises:
        Rejection: `tool.sql` is no statement of `database`.
    """
    drawer = ArgumentDrawer(tool, database, base)
    found: list[dict[str, Any]] = []
    for _ in range(count * 3):
        drawn = drawer.draw(rng)
        if drawn is not None and drawn not in found:
            found.append(drawn)
        if len(found) >= (count if tool.bindings else 1):
            break
    return found


class ArgumentDrawer:
    """Draws arguments for one tool; reads the rows it draws from once. Blocks while it reads."""

    def __init__(self, tool: SqlTool, database: Database, base: SqlBase) -> None:
        self.tool = tool
        self._database = database
        self._base = base
        tree = parse_statement(tool.sql, database.dialect)
        self._names = resolve_names(tree, database)
        self._usages = find_usages(self._names, tool.sql)
        self._pools: dict[str, list[tuple[Any, ...]]] = {}
        self._groups: dict[tuple[int, str], list[Usage]] = {}
        for usage in self._usages:
            if usage.query is not None and usage.other is not None and not isinstance(usage.other, exp.Query):
                self._groups.setdefault((id(usage.query), usage.clause), []).append(usage)

    def draw(self, rng: random.Random) -> dict[str, Any] | None:
        """One argument set, or none where a required parameter has no value to draw."""
        values: dict[str, Any] = {}
        for usages in self._groups.values():
            self._draw_joint(usages, values, rng)
        self._draw_references(values, rng)
        for usage in self._usages:
            if usage.name not in values:
                value = self._draw_alone(usage, rng)
                if value is not None:
                    values[usage.name] = value
        properties: dict[str, Any] = self.tool.parameters["properties"]
        required: Sequence[str] = self.tool.parameters["required"]
        arguments: dict[str, Any] = {}
        for name, schema in properties.items():
            value = values.get(name)
            if value is not None:
                listed = schema.get("type") == "array"
                value = [convert_value(value, schema["items"])] if listed else convert_value(value, schema)
            if name not in required and (value is None or rng.random() < 0.15):
                continue
            if value is None or not fits_schema(value, schema):
                return None
            arguments[name] = value
        return arguments

    def _draw_joint(self, usages: list[Usage], values: dict[str, Any], rng: random.Random) -> None:
        """One row of the query for all parameters that are compared in it, so that their conditions hold together."""
        query = _witness(usages, self._names, self._database.dialect)
        rows = self._read(query) if query is not None else []
        if not rows:
            return
        chosen = rng.choice(rows)
        for position, usage in enumerate(usages):
            if usage.name not in values:
                pool = [row[position] for row in rows]
                values[usage.name] = value_for(usage.operator, chosen[position], pool, rng)

    def _draw_references(self, values: dict[str, Any], rng: random.Random) -> None:
        """One row of the other table for all parameters that are written into one reference of several columns."""
        written = {
            usage.origin.column: usage.name
            for usage in self._usages
            if usage.operator in {"set", "values"} and usage.origin is not None
        }
        target = self._database.table(self.tool.target or "")
        for key in target.foreign_keys if target else ():
            names = [written.get(column) for column in key.columns]
            if len(names) < 2 or None in names:
                continue
            rows = self._read(self._select_distinct(key.table, key.referred))
            if rows:
                values.update(zip(cast("list[str]", names), rng.choice(rows), strict=True))

    def _draw_alone(self, usage: Usage, rng: random.Random) -> Any:
        schema: dict[str, Any] = self.tool.parameters["properties"].get(usage.name, {})
        if usage.operator == "limit":
            return rng.randint(min(3, schema["maximum"]), min(10, schema["maximum"]))
        if usage.operator == "offset":
            return 0
        table = self._database.table(usage.origin.table) if usage.origin else None
        column = table.column(usage.origin.column) if table and usage.origin else None
        if table is None or column is None:
            return 1 if schema.get("type") in {"number", "integer"} else None
        if usage.operator in {"set", "values"}:
            return self._draw_new(table, column, rng)
        pool = self.column_values(table.name, column.name)
        return value_for(usage.operator, rng.choice(pool), pool, rng) if pool else None

    def _draw_new(self, table: Table, column: Column, rng: random.Random) -> Any:
        """A plausible new value of a column."""
        if column.values and not column.unique:
            return rng.choice(column.values)
        if column.references and not (column.primary_key and len(table.primary_key) == 1):
            pool = self.column_values(*column.references)
            return rng.choice(pool) if pool else None
        pool = [value for value in self.column_values(table.name, column.name) if is_type(value, column.json_type)]
        own_key = [key for key in table.columns if key.primary_key]
        alone = column.unique or (column.primary_key and not any(key.references for key in own_key))
        return invent_value(column, pool, rng, unlike=alone)

    def column_values(self, table: str, column: str) -> list[Any]:
        """Different values of a stored column, without NULL."""
        return [row[0] for row in self._read(self._select_distinct(table, (column,)))]

    def _select_distinct(self, table: str, columns: Sequence[str]) -> exp.Select:
        dialect = self._database.dialect
        nodes = [exp.Column(this=quote_identifier(column, dialect)) for column in columns]
        query = exp.select(*(exp.alias_(node.copy(), f"w{i}") for i, node in enumerate(nodes))).distinct()
        return (
            query.from_(exp.Table(this=quote_identifier(table, dialect)))
            .where(*(exp.Not(this=exp.Is(this=node.copy(), expression=exp.Null())) for node in nodes))
            .order_by(*(exp.Literal.number(i + 1) for i in range(len(nodes))))
        )

    def _read(self, query: exp.Select) -> list[tuple[Any, ...]]:
        dialect = self._database.dialect
        text = render_statement(query, dialect)
        if text not in self._pools:
            counted = render_statement(
                exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_(query.subquery("w")), dialect
            )
            result = self._base.run(counted, {}, limit=1)
            total = int(result.rows[0]["n"]) if result.rows else 0
            size, starts = POOL, [0]
            if total > POOL:
                size = POOL // _WINDOWS
                starts = [index * (total - size) // (_WINDOWS - 1) for index in range(_WINDOWS)]
            rows: list[tuple[Any, ...]] = []
            for start in starts:
                window = render_statement(query.limit(size).offset(start), dialect)
                rows += [tuple(row.values()) for row in self._base.run(window, {}, limit=size).rows]
            self._pools[text] = rows
        return self._pools[text]


def _witness(usages: list[Usage], names: Names, dialect: str) -> exp.Select | None:
    """The query whose rows say which compared values occur together; none where it cannot stand alone."""
    query, clause = usages[0].query, usages[0].clause
    columns = [cast(exp.Expr, usage.other).copy() for usage in usages]
    select = exp.Select(expressions=[exp.alias_(column, f"w{i}") for i, column in enumerate(columns)])
    conditions: list[exp.Expr] = []
    if isinstance(query, exp.Select):
        select.set("from_", _copy(query.args.get("from_")))
        select.set("joins", [join.copy() for join in list_nodes(query, "joins")])
        if clause == "having":
            select.set("group", _copy(query.args.get("group")))
    elif isinstance(query, (exp.Update, exp.Delete)):
        select.set("from_", exp.From(this=query.this.copy()))
    else:
        return None
    for join in list_nodes(select, "joins"):
        if clause == "joins" and isinstance(on := join.args.get("on"), exp.Expr):
            kept = list(_without_parameters(on))
            join.set(
                "on", exp.and_(*kept) if kept else exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1))
            )
    where = cast(exp.Expr, query).args.get("where")
    if isinstance(where, exp.Where):
        conditions += _without_parameters(where.this)
    common = names.tree.args.get("with_")
    if isinstance(common, exp.With):
        select.set("with_", common.copy())
    if clause != "having":
        conditions += [exp.Not(this=exp.Is(this=exp.paren(column.copy()), expression=exp.Null())) for column in columns]
        select.set("distinct", exp.Distinct())
    if conditions:
        select.set("where", exp.Where(this=exp.and_(*(condition.copy() for condition in conditions))))
    select.set(
        "order",
        exp.Order(
            expressions=[
                exp.Ordered(this=exp.Literal.number(i + 1), nulls_first=dialect == "sqlite")
                for i in range(len(columns))
            ]
        ),
    )
    return None if next(select.find_all(exp.Placeholder), None) is not None else select


def _copy(node: Any) -> Any:
    return node.copy() if isinstance(node, exp.Expr) else node


def _without_parameters(condition: exp.Expr) -> Iterable[exp.Expr]:
    parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
    return [part for part in parts if next(part.find_all(exp.Placeholder), None) is None]
