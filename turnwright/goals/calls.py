"""Calls drawn for a plan: a tool, arguments from real rows, and the look-ups that find what a person cannot know."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.goals import ArgumentSource
from schemas.tools import ParameterBinding, SqlTool
from turnwright.goals.arguments import Scene, draw_literal, order_parameters
from turnwright.goals.drafts import Detail, DraftCall
from turnwright.goals.identification import identify_row, meant_rows
from turnwright.goals.keys import ColumnName, read_column
from turnwright.goals.row_source import RowSource
from turnwright.goals.scratch import Scratch
from turnwright.goals.toolbox import Lookup, Toolbox, ToolShape
from turnwright.goals.words import comparable, same_value

MOST_WRITTEN = 3
"""Most rows that a planned write may change: a person asks for one thing."""
_LOOKUP_TOOLS = 5
"""Most tools that are tried to look one key up."""

Pinned = Mapping[str, tuple[Any, ArgumentSource]]
Anchor = tuple[ColumnName, str]


class CallDrawer:
    """Draws calls on a scratch copy, for one plan.

    A call is drawn with everything it rests on: `draw` returns its look-ups first and the call itself last.
    """

    def __init__(self, scratch: Scratch, source: RowSource, toolbox: Toolbox, rng: random.Random) -> None:
        self.scratch = scratch
        self.source = source
        self.keys = source.keys
        self.toolbox = toolbox
        self.rng = rng
        self._made = 0
        self._anchors: dict[Anchor, tuple[str, str]] = {}
        self._found: dict[str, dict[Anchor, str]] = {}

    def accept(self, calls: Sequence[DraftCall]) -> None:
        """Lets later calls use the keys that these calls found."""
        for call in calls:
            if call.tool.effect == "write":
                continue
            self._found[call.id] = self._find_keys(call)
            for anchor, field in self._found[call.id].items():
                self._anchors.setdefault(anchor, (call.id, field))

    def found_keys(self, call: DraftCall) -> Mapping[Anchor, str]:
        """Keys that an accepted read makes known beyond doubt, with the field of each."""
        return self._found[call.id]

    def _find_keys(self, call: DraftCall) -> dict[Anchor, str]:
        """Those of the one row that the call is about."""
        rows = meant_rows(call.result, call.tool, call.details)
        found: dict[Anchor, str] = {}
        for output in call.tool.outputs:
            place = self.keys.place(output.table, output.column)
            values = {comparable(row.get(output.name)) for row in rows if row.get(output.name) is not None}
            if place is not None and len(values) == 1:
                found.setdefault((self.keys.group(place[0].name, place[1].name), values.pop()), output.name)
        return found

    def draw(
        self, tool: SqlTool, *, depth: int, pinned: Pinned | None = None, rows: dict[str, dict[str, Any]] | None = None
    ) -> list[DraftCall] | None:
        """A goal call of `tool` with its look-ups, or none where this draw does not work out.

        Args:
            tool: what is called.
            depth: most look-ups that may stand one behind the other.
            pinned: arguments that are decided already, with where they come from.
            rows: rows that the call is to be about, by table.
        """
        scene = Scene(self.source, self.rng, rows or self._anchor_rows(tool, pinned or {}))
        return self._fill(tool, scene, pinned or {}, depth, lookup=False, about=None, avoid=frozenset())

    def _anchor_rows(self, tool: SqlTool, pinned: Pinned) -> dict[str, dict[str, Any]]:
        tables = [tool.target] if tool.target else []
        bindings = [binding for name, binding in self.toolbox.shape(tool).bindings.items() if name not in pinned]
        # A row that a key leads to is found from the row that has the key.
        tables += [
            binding.via[0][0] if binding.via else binding.table
            for binding in bindings
            if binding is not None and binding.table
        ]
        tables += [output.via[0][0] if output.via else output.table for output in tool.outputs if output.table]
        for name in tables:
            table = self.keys.table(name)
            row = self.source.draw(table, self.rng) if table else None
            if table is not None and row is not None:
                return {table.name: row}
        return {}

    def _fill(
        self,
        tool: SqlTool,
        scene: Scene,
        pinned: Pinned,
        depth: int,
        *,
        lookup: bool,
        about: str | None,
        avoid: frozenset[ColumnName],
    ) -> list[DraftCall] | None:
        arguments: dict[str, Any] = {}
        sources: dict[str, ArgumentSource] = {}
        details: list[Detail] = []
        before: list[DraftCall] = []
        shape = self.toolbox.shape(tool)
        chosen = self._choose_optional(shape, lookup, pinned, tool.verb)
        for name in order_parameters(shape, [*shape.required, *chosen]):
            if name in pinned:
                arguments[name], sources[name] = pinned[name]
                continue
            binding = shape.bindings[name]
            filled = None if binding is None else self._argument(tool, binding, scene, depth, lookup, avoid)
            if filled is None:
                if name in shape.required:
                    return None
                continue
            calls, value, told = filled
            before += [call for call in calls if call.id not in {other.id for other in before}]
            arguments[name] = value
            sources[name] = told if isinstance(told, ArgumentSource) else ArgumentSource(kind="user")
            if isinstance(told, Detail):
                details.append(told)
        result = self._run(tool, arguments)
        if result is None:
            return None
        self._made += 1
        call = DraftCall(f"d{self._made}", tool, arguments, sources, tuple(details), result, lookup, about)
        return [*before, call]

    def _run(self, tool: SqlTool, arguments: dict[str, Any]) -> Any:
        result = self.scratch.call(tool, arguments)
        if result is None or result.error is not None or result.truncated:
            return None
        if tool.effect == "write" and not 1 <= result.rows_changed <= MOST_WRITTEN:
            return None
        return result.value

    def _choose_optional(self, shape: ToolShape, lookup: bool, pinned: Pinned, verb: str) -> list[str]:
        chosen: list[str] = []
        bare = not shape.required and not pinned
        for name in shape.optional:
            binding = shape.bindings[name]
            if name in pinned:
                chosen.append(name)
            elif binding is None or binding.operator in ("offset", "expression"):
                continue
            elif binding.operator == "limit":
                if not lookup and self.rng.random() < 0.6:
                    chosen.append(name)
            elif self.keys.is_hidden(binding.table, binding.column):
                continue
            elif lookup:
                if bare and not chosen and binding.operator in ("=", "like"):
                    chosen.append(name)
            elif self.rng.random() < (0.7 if bare and not chosen else 0.5 if verb == "insert" else 0.35):
                chosen.append(name)
        return chosen

    def _argument(
        self,
        tool: SqlTool,
        binding: ParameterBinding,
        scene: Scene,
        depth: int,
        lookup: bool,
        avoid: frozenset[ColumnName],
    ) -> tuple[list[DraftCall], Any, ArgumentSource | Detail] | None:
        """Look-ups needed for a parameter, its value, and where that comes from; none where it cannot be filled."""
        if binding.operator == "offset" or (binding.operator == "limit" and lookup):
            return [], 0 if binding.operator == "offset" else 10, ArgumentSource(kind="default")
        if not self.keys.is_hidden(binding.table, binding.column):
            drawn = draw_literal(tool, binding, scene, self.keys, self.source, self.rng)
            return None if drawn is None else ([], drawn[0], drawn[1])
        if binding.operator not in ("=", "in", "set", "values"):
            return None
        key = self._draw_key(binding, scene)
        if key is None:
            return None
        table, column, value = key
        found = self._resolve(table, column, value, depth, avoid)
        if found is None:
            return None
        schema: dict[str, Any] = tool.parameters.get("properties", {}).get(binding.name, {})
        return found[0], [value] if schema.get("type") == "array" else value, found[1]

    def _draw_key(self, binding: ParameterBinding, scene: Scene) -> tuple[str, str, Any] | None:
        """The key value that a parameter is to have. What is written refers to some other row than the current one."""
        place = self.keys.place(binding.table, binding.column)
        if place is None:
            return None
        table, column = place
        if binding.operator not in ("set", "values"):
            row = scene.row(table, binding.via)
            value = read_column(row, column.name) if row is not None else None
            return None if value is None else (table.name, column.name, value)
        if column.references is None:
            return None
        parent = self.keys.table(column.references[0])
        drawn = self.source.draw(parent, self.rng) if parent else None
        if parent is None or drawn is None:
            return None
        value = read_column(drawn, column.references[1])
        current = read_column(scene.row(table) or {}, column.name)
        if value is None or (binding.operator == "set" and same_value(value, current)):
            return None
        return parent.name, column.references[1], value

    def _resolve(
        self, table: str, column: str, value: Any, depth: int, avoid: frozenset[ColumnName]
    ) -> tuple[list[DraftCall], ArgumentSource] | None:
        group = self.keys.group(table, column)
        known = self._anchors.get((group, comparable(value)))
        if known is not None:
            return [], ArgumentSource(kind="result", call=known[0], field=known[1])
        if depth <= 0 or group in avoid:
            return None
        for way in self._shuffle_lookups(group):
            there, via = way.table, way.output.via
            rows = self.source.find(there, {way.column: value})
            if not rows:
                continue
            scene = Scene(self.source, self.rng, {there.name: self.rng.choice(rows)}, via)
            calls = self._fill(way.tool, scene, {}, depth - 1, lookup=True, about=there.name, avoid=avoid | {group})
            if calls is None:
                continue
            told = identify_row(calls[-1], way.output.name, value, there, via, self.keys)
            if told is None:
                continue
            calls[-1] = replace(calls[-1], details=told, about_via=via)
            if any(call.details for call in calls) or any(source.call for source in calls[-1].sources.values()):
                return calls, ArgumentSource(kind="result", call=calls[-1].id, field=way.output.name)
        return None

    def _shuffle_lookups(self, group: ColumnName) -> list[Lookup]:
        """Look-ups that are tried: those that find the row itself by what people call it before others."""
        rated = [(lookup.detour + self.rng.random() * 1.2, lookup) for lookup in self.toolbox.lookups(group)]
        return [lookup for _, lookup in sorted(rated, key=lambda entry: entry[0])[:_LOOKUP_TOOLS]]
