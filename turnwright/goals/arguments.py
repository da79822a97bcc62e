"""Values for the parameters of one call, taken from a scene: real rows that belong together."""

import math
import random
from typing import Any

from schemas.databases import Column, Table
from schemas.tools import KeyPath, ParameterBinding, SqlTool
from turnwright.goals.drafts import Detail
from turnwright.goals.keys import Keys, RowName, read_column
from turnwright.goals.row_source import RowSource
from turnwright.goals.toolbox import ToolShape
from turnwright.goals.values import draw_new_value, is_private, is_sayable
from turnwright.goals.words import name_column, same_value
from turnwright.tools.key_roles import name_field
from turnwright.tools.naming import to_words

RANGES = ("<", "<=", ">", ">=")


class Scene:
    """One row a table, connected through foreign keys where the schema connects them, and the rows that keys lead to.

    A transfer's two clubs are two rows: those of its two keys.
    """

    def __init__(
        self, source: RowSource, rng: random.Random, rows: dict[str, dict[str, Any]], via: KeyPath = ()
    ) -> None:
        """`rows` are decided already, by table; `via` are the keys that lead to them."""
        self._source = source
        self._rng = rng
        self._rows: dict[RowName, dict[str, Any]] = {(name.lower(), via): row for name, row in rows.items()}

    def row(self, table: Table, via: KeyPath = ()) -> dict[str, Any] | None:
        """The row of this scene for a table, drawn when it is first asked for; none where there is none.

        `via` are the keys by which it must be reached.
        """
        name = (table.name.lower(), via)
        if name not in self._rows:
            drawn = self._follow(via) if via else self._lead(table) or self._connected(table)
            drawn = drawn or (None if via else self._source.draw(table, self._rng))
            if drawn is None:
                return None
            self._rows[name] = drawn
        return self._rows[name]

    def _follow(self, via: KeyPath) -> dict[str, Any] | None:
        """The row that keys lead to, from the row of the first key's table."""
        first = self._source.keys.table(via[0][0])
        row = self.row(first) if first is not None else None
        for step, column in via:
            table = self._source.keys.table(step)
            key = self._source.keys.key(table, column) if table is not None else None
            target = self._source.keys.table(key.target) if key is not None else None
            if row is None or key is None or target is None:
                return None
            values = {there: read_column(row, here) for here, there in zip(key.columns, key.referred, strict=True)}
            found = self._source.find(target, values) if None not in values.values() else []
            row = found[0] if found else None
        return row

    def _lead(self, table: Table) -> dict[str, Any] | None:
        """A row of `table` from which keys lead to a row that is decided."""
        for (_, via), end in list(self._rows.items()):
            row: dict[str, Any] | None = end if via and via[0][0].lower() == table.name.lower() else None
            for step, column in reversed(via):
                there = self._source.keys.table(step)
                key = self._source.keys.key(there, column) if there is not None else None
                if row is None or there is None or key is None:
                    row = None
                    break
                values = {here: read_column(row, other) for here, other in zip(key.columns, key.referred, strict=True)}
                found = self._source.find(there, values) if None not in values.values() else []
                row = self._rng.choice(found) if found else None
            if row is not None:
                return row
        return None

    def _connected(self, table: Table) -> dict[str, Any] | None:
        for (name, via), row in list(self._rows.items()):
            here = self._source.keys.table(name) if not via else None
            found = self._source.connected(here, row, table, self._rng) if here else None
            if found is not None:
                return found
        return None


def order_parameters(shape: ToolShape, names: list[str]) -> list[str]:
    """Parameters that choose rows before parameters that write values, otherwise as given."""

    def writes(name: str) -> bool:
        binding = shape.bindings[name]
        return binding is not None and binding.operator in ("set", "values")

    return sorted(names, key=writes)


def draw_literal(
    tool: SqlTool, binding: ParameterBinding, scene: Scene, keys: Keys, source: RowSource, rng: random.Random
) -> tuple[Any, Detail] | None:
    """A value that a person could name for a parameter, or none where there is none.

    The column must not be a surrogate key: those are found by look-ups (goals/lookups.py).
    """
    if binding.operator == "limit":
        count = rng.randint(2, 5)
        return count, Detail("number of results", "number of results", count, binding.name, None, None, "limit")
    place = keys.place(binding.table, binding.column)
    if place is None and binding.operator in (">", ">="):
        return _draw_least(tool, binding, rng)
    if place is None or binding.operator in ("offset", "expression") or is_private(place[1].name):
        return None
    table, column = place
    schema: dict[str, Any] = tool.parameters.get("properties", {}).get(binding.name, {})
    row = scene.row(table, binding.via)
    current = read_column(row, column.name) if row is not None else None
    value = _draw_value(binding, table, column, current, schema, source, rng)
    if value is None or not is_sayable(value):
        return None
    if schema.get("type") == "string" and not isinstance(value, str):
        value = str(value)
    written = [value] if schema.get("type") == "array" else value
    label, short = name_field(table, column, keys.role(binding.via)), name_column(table, column)
    if binding.operator == "set":
        label = f"new {label}"
    detail = Detail(label, short, value, binding.name, table.name, column.name, binding.operator, binding.via)
    return written, detail


def _draw_least(tool: SqlTool, binding: ParameterBinding, rng: random.Random) -> tuple[Any, Detail] | None:
    """A small bound for something that is counted, as in `HAVING COUNT(*) >= :min_orders`."""
    schema: dict[str, Any] = tool.parameters.get("properties", {}).get(binding.name, {})
    if schema.get("type") not in ("integer", "number"):
        return None
    words = [word for word in to_words(binding.name).split() if word not in ("min", "minimum", "at", "least")]
    label = " ".join(words) or "count"
    least = rng.randint(1, 3)
    return least, Detail(label, label, least, binding.name, None, None, binding.operator)


def _draw_value(
    binding: ParameterBinding,
    table: Table,
    column: Column,
    current: Any,
    schema: dict[str, Any],
    source: RowSource,
    rng: random.Random,
) -> Any:
    if binding.operator in ("set", "values"):
        return _draw_written(binding, table, column, current, schema, source, rng)
    if current is None:
        return None
    if binding.operator in RANGES:
        return _draw_threshold(binding.operator, current, column, source.pool(table), rng)
    if binding.operator == "!=":
        others = [
            value for row in source.pool(table) if not same_value(value := read_column(row, column.name), current)
        ]
        return rng.choice(others) if others else None
    return current.strip() if isinstance(current, str) and binding.operator == "like" else current


def _draw_written(
    binding: ParameterBinding,
    table: Table,
    column: Column,
    current: Any,
    schema: dict[str, Any],
    source: RowSource,
    rng: random.Random,
) -> Any:
    if binding.operator == "set" and column.primary_key:
        return None
    allowed = [value for value in schema.get("enum", ()) if value is not None]
    if binding.operator == "set":
        allowed = [value for value in allowed if not same_value(value, current)]
    if allowed:
        return rng.choice(allowed)
    if column.references is not None:
        parent = source.keys.table(column.references[0])
        row = source.draw(parent, rng) if parent else None
        value = read_column(row, column.references[1]) if row is not None else None
        return None if binding.operator == "set" and same_value(value, current) else value
    return draw_new_value(table, column, source.pool(table), current, rng)


def _draw_threshold(operator: str, current: Any, column: Column, rows: list[dict[str, Any]], rng: random.Random) -> Any:
    """A bound that the current value lies within, round where it is a large number."""
    values = [
        value for row in rows if (value := read_column(row, column.name)) is not None and type(value) is type(current)
    ]
    upward = operator in (">", ">=")
    try:
        inside = sorted({value for value in values if (value < current if upward else value > current)})
    except TypeError:
        return None
    strict = operator in ("<", ">")
    if not inside:
        return None if strict else current
    near = inside[-8:] if upward else inside[:8]
    bound = rng.choice(near if strict else [*near, current])
    if isinstance(bound, bool) or not isinstance(bound, int | float) or abs(bound) < 100 or 1800 <= bound <= 2100:
        return bound
    step = 10 ** (len(str(int(abs(bound)))) - 2)
    rounded = (math.floor if upward else math.ceil)(bound / step) * step
    return type(bound)(rounded)
