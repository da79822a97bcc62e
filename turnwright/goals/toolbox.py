"""The tools of one plan, and what drawing it asks of them again and again, worked out once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from schemas.databases import Table
from schemas.tools import KeyPath, OutputField, ParameterBinding, SqlTool
from turnwright.goals.keys import ColumnName, Keys, main_binding, optional_parameters, required_parameters
from turnwright.goals.words import naming_column

_NATURAL_DETOUR = 2.0
"""A row that only refers to what is looked for must itself be found by its name: the owner of the dog named so."""


@dataclass(frozen=True)
class ToolShape:
    """The parameters of a tool."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    bindings: Mapping[str, ParameterBinding | None]
    """What each parameter stands against first of all."""
    validator: Any
    """Of the arguments of a call."""


@dataclass(frozen=True)
class Lookup:
    """A tool whose result holds a key."""

    tool: SqlTool
    table: Table
    """Whose row the result is about."""
    column: str
    """The column of `table` that is the key."""
    output: OutputField
    """The field of the result that holds it."""
    detour: float
    """How far it is from the plain look-up: a row's own key by its own name, and nothing else asked for."""


class Toolbox:
    """The tools that a plan is drawn over, in their order; names are unique among them."""

    def __init__(self, tools: Sequence[SqlTool], keys: Keys) -> None:
        self._tools = tuple(tools)
        self._keys = keys
        self._shapes = {tool.name: _read_shape(tool) for tool in tools}
        self._lookups: dict[ColumnName, tuple[Lookup, ...]] = {}

    def __iter__(self) -> Iterator[SqlTool]:
        return iter(self._tools)

    def shape(self, tool: SqlTool) -> ToolShape:
        """What is known of one of the tools."""
        return self._shapes[tool.name]

    def required_bindings(self, tool: SqlTool) -> list[ParameterBinding]:
        """What the parameters that each call must give stand against, where they stand against anything."""
        shape = self._shapes[tool.name]
        return [binding for name in shape.required if (binding := shape.bindings[name]) is not None]

    def lookups(self, group: ColumnName) -> tuple[Lookup, ...]:
        """The look-ups that find a key, in the order of the tools; `group` is as `Keys.group` gives it."""
        if group not in self._lookups:
            reads = [tool for tool in self._tools if tool.verb == "select"]
            found = [self._find_lookup(tool, group) for tool in reads]
            self._lookups[group] = tuple(lookup for lookup in found if lookup is not None)
        return self._lookups[group]

    def _find_lookup(self, tool: SqlTool, group: ColumnName) -> Lookup | None:
        for output in tool.outputs:
            place = self._keys.place(output.table, output.column)
            if place is None or self._keys.group(place[0].name, place[1].name) != group:
                continue
            table, column = place
            refers = column.references is not None or bool(output.via)
            detour = self._rate_detour(tool, table, output.via, refers)
            if refers and detour > _NATURAL_DETOUR:
                # Nobody calls a thing "the question of the answer of the exam".
                return None
            return Lookup(tool, table, column.name, output, detour)
        return None

    def _rate_detour(self, tool: SqlTool, table: Table, via: KeyPath, refers: bool) -> float:
        bindings = [one for one in self.required_bindings(tool) if one.operator not in ("limit", "offset")]
        name = naming_column(table)
        named = [
            binding
            for binding in bindings
            if name is not None
            and (binding.table or "").lower() == table.name.lower()
            and (binding.column or "").lower() == name.lower()
            and binding.via == via
        ]
        hidden = sum(self._keys.is_hidden(binding.table, binding.column) for binding in bindings)
        return 2.0 * refers + 1.0 * (not named) + 1.0 * max(0, len(bindings) - 1) + 0.5 * hidden


def _read_shape(tool: SqlTool) -> ToolShape:
    required, optional = tuple(required_parameters(tool)), tuple(optional_parameters(tool))
    bindings = {name: main_binding(tool, name) for name in (*required, *optional)}
    return ToolShape(required, optional, bindings, jsonschema_rs.validator_for(tool.parameters, offline=True))
