"""Which tools are offered together in one dialogue.

Tools belong together when one returns what another asks for: a parameter bound to a key is fed by every read that gives
that key. A reference counts as the key that it points at.
"""

from collections.abc import Sequence
from functools import lru_cache

from schemas.content import canonical_json, content_id
from schemas.databases import Database
from schemas.rows import SeedRow, ToolsetRow
from schemas.settings import ToolSettings
from schemas.tools import TOOLS, ParameterBinding, SqlTool, Tool

Key = tuple[str, str]
"""Table and column of a key, references followed."""


def read_tools(toolset: ToolsetRow) -> tuple[Tool, ...]:
    """The tools of a toolset row, in the order in which they are offered."""
    return _parse_tools(toolset.tools)


@lru_cache(maxsize=64)
def _parse_tools(text: str) -> tuple[Tool, ...]:
    # Tools are frozen, so all that rests on a toolset shares them: parsed anew they are most of what a dialogue holds.
    return tuple(TOOLS.validate_json(text))


def build_toolsets(
    seed: SeedRow, database: Database, tools: Sequence[tuple[str, SqlTool]], settings: ToolSettings
) -> list[ToolsetRow]:
    """The toolsets of one seed: one where the tools fit into it, else several that overlap and together hold them all.

    Args:
        seed: the seed that the tools were made of.
        database: its content.
        tools: (id of the tool_specs row, tool), in the order of acceptance.
        settings: `per_toolset` bounds each set.

    Each set is connected as far as the tools are, and has a lookup for every surrogate id that one of its tools asks
    for, where the seed has one. The same tools give the same sets.
    """
    offered = [tool for _, tool in tools]
    if not tools:
        return []
    chosen = (
        [list(range(len(tools)))]
        if len(tools) <= settings.per_toolset
        else _Graph(offered, database).cover(settings.per_toolset)
    )
    rows: list[ToolsetRow] = []
    for indices in chosen:
        ids = [tools[index][0] for index in indices]
        rows.append(
            ToolsetRow(
                id=content_id("toolset", {"seed_id": seed.id, "tool_ids": ids}),
                seed_id=seed.id,
                domain=seed.domain,
                tool_ids=ids,
                tools=canonical_json([tools[index][1].model_dump(mode="json") for index in indices]),
            )
        )
    return rows


def consumed_keys(tool: SqlTool, database: Database) -> frozenset[Key]:
    """Keys that a caller has to have: surrogate columns that a required parameter is bound to."""
    required = set(tool.parameters.get("required", []))
    return frozenset(
        follow_reference(database, binding.table, binding.column)
        for binding in tool.bindings
        if binding.name in required and binding.table and binding.column and _is_surrogate(binding, database)
    )


def produced_keys(tool: SqlTool, database: Database) -> frozenset[Key]:
    """Keys that a result of the tool holds."""
    return frozenset(
        follow_reference(database, output.table, output.column)
        for output in tool.outputs
        if output.table and output.column and _is_key(database, output.table, output.column)
    )


def follow_reference(database: Database, table: str, column: str) -> Key:
    """The key that a column is about: the end of its chain of references, or the column itself."""
    for _ in range(8):
        found = database.table(table)
        described = found.column(column) if found else None
        if described is None or described.references is None:
            break
        table, column = described.references
    return table, column


def find_lookups(tools: Sequence[SqlTool], database: Database, key: Key) -> list[int]:
    """Positions of the reads that give a key without asking for any surrogate id; in order."""
    return [
        index
        for index, tool in enumerate(tools)
        if tool.effect == "read" and key in produced_keys(tool, database) and not consumed_keys(tool, database)
    ]


def _is_surrogate(binding: ParameterBinding, database: Database) -> bool:
    table = database.table(binding.table or "")
    column = table.column(binding.column or "") if table else None
    return column is not None and column.surrogate


def _is_key(database: Database, table: str, column: str) -> bool:
    found = database.table(table)
    described = found.column(column) if found else None
    return described is not None and (described.surrogate or described.primary_key or described.references is not None)


class _Graph:
    def __init__(self, tools: Sequence[SqlTool], database: Database) -> None:
        self.consumed = [consumed_keys(tool, database) for tool in tools]
        self.produced = [produced_keys(tool, database) if tool.effect == "read" else frozenset[Key]() for tool in tools]
        self.tables = [_tables_of(tool) for tool in tools]
        self.lookups = [{key: find_lookups(tools, database, key)[:1] for key in sorted(keys)} for keys in self.consumed]
        self.writes = [tool.effect == "write" for tool in tools]

    def cover(self, size: int) -> list[list[int]]:
        """Connected sets of at most `size` that together hold every tool."""
        sets: list[list[int]] = []
        covered: set[int] = set()
        for anchor in range(len(self.consumed)):
            if anchor not in covered:
                grown = self.grow(anchor, covered, size)
                sets.append(sorted(grown))
                covered |= set(grown)
        return sets

    def grow(self, anchor: int, covered: set[int], size: int) -> list[int]:
        chosen = self.with_lookups(anchor, [])
        while True:
            options = [index for index in range(len(self.consumed)) if index not in chosen]
            sized = [index for index in options if len(chosen) + len(self.with_lookups(index, chosen)) <= size]
            if not sized:
                return chosen
            best = max(sized, key=lambda index: (*self.fitness(index, chosen, covered), -index))
            chosen += self.with_lookups(best, chosen)

    def with_lookups(self, index: int, chosen: Sequence[int]) -> list[int]:
        """A tool with the lookups it needs, without those that are chosen already."""
        needed = [index]
        for lookups in self.lookups[index].values():
            if lookups and not any(key_index in chosen for key_index in lookups):
                needed += [lookup for lookup in lookups if lookup not in needed]
        return needed

    def fitness(self, index: int, chosen: Sequence[int], covered: set[int]) -> tuple[int, int]:
        """How well a tool goes with the chosen ones: links by key count double, new tools more than repeated ones."""
        links = sum(
            bool(self.produced[other] & self.consumed[index]) + bool(self.produced[index] & self.consumed[other])
            for other in chosen
        )
        shared = sum(bool(self.tables[other] & self.tables[index]) for other in chosen)
        linked = int(links + shared > 0)
        return linked + (index not in covered) * linked, 2 * links + shared + self.writes[index]


def _tables_of(tool: SqlTool) -> frozenset[str]:
    tables = [item.table for item in (*tool.bindings, *tool.outputs)] + [tool.target]
    return frozenset(table for table in tables if table)
