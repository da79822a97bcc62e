"""The dataflow graph of a domain: what one tool returns can be what another one asks for (TC, enrich).

An edge leads from an output field to a parameter. Its weight is how alike the two are in name and description, and is
zero where their types do not fit. Of SQL tools it is known exactly: the field and the parameter are the same key.
"""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.content import content_id
from schemas.rows import DataflowEdgeRow, SeedRow
from schemas.tools import SqlTool, Tool
from turnwright.tools.entity_canon import name_entity, read_kind
from turnwright.tools.naming import singular, split_words
from turnwright.tools.text_vectors import Vectoriser, compare_vectors
from turnwright.tools.tool_text import compose_text, list_fields, list_own_descriptions, list_properties

Key = tuple[str, str]
"""Table and column."""

_GENERIC = frozenset(
    "limit offset page cursor sort order count total success message result results error query format content"
    " description text status value type data unit units ok response output info details list item items state mode"
    " body note notes comment title options flag reason language".split()
)
"""Names that say nothing about what a value is of."""
_KINDS = frozenset({"date", "time", "name", "amount", "cost", "price", "distance", "address"})
"""Last words that many different values have in common."""
_SCALARS = frozenset({"string", "number"})
_WRITTEN = frozenset({"set", "values"})
_TAKEN = frozenset({"=", "in"}) | _WRITTEN
_DIGITS = 4
_HEAD = re.compile(
    r"[.,;:(]|\s(?:of|for|to|in|on|from|with|that|which|by|at|used|when|where|if|is|are)\s", re.IGNORECASE
)
"""Where the words end that tell what a value is: `The zipcode of the first city` is a zipcode."""
_FILLING = frozenset("the a an this its your specific unique given current new valid desired first second".split())
_IDENTIFYING = frozenset({"id", "uuid", "key", "code", "number", "isbn", "email", "username", "url", "symbol", "token"})


@dataclass(frozen=True)
class Edge:
    """An output field that can fill a parameter."""

    source: int
    """Position of the tool that returns the field."""
    target: int
    """Position of the tool that asks for the parameter."""
    field: str
    parameter: str
    required: bool
    """Whether the target cannot be called without the parameter."""
    weight: float
    """From 0 to 1; 1 for a database's own keys."""


@dataclass(frozen=True)
class DataflowGraph:
    """Tools and the edges between different ones; immutable. Positions are those of the tools it was built of."""

    tools: tuple[str, ...]
    """Names."""
    edges: tuple[Edge, ...]
    """By source, target, falling weight; at most one for each parameter and source."""
    similarity: tuple[tuple[float, ...], ...]
    """Cosine of what the tools say about themselves, for samplers that look for look-alikes."""

    @functools.cached_property
    def successors(self) -> tuple[frozenset[int], ...]:
        """For each tool those that can use its result."""
        found: list[set[int]] = [set() for _ in self.tools]
        for edge in self.edges:
            found[edge.source].add(edge.target)
        return tuple(frozenset(tools) for tools in found)

    @functools.cached_property
    def predecessors(self) -> tuple[frozenset[int], ...]:
        """For each tool those whose result it can use."""
        found: list[set[int]] = [set() for _ in self.tools]
        for edge in self.edges:
            found[edge.target].add(edge.source)
        return tuple(frozenset(tools) for tools in found)

    @functools.cached_property
    def neighbours(self) -> tuple[frozenset[int], ...]:
        """For each tool those that it has an edge with, in either direction."""
        return tuple(after | before for after, before in zip(self.successors, self.predecessors, strict=True))

    @property
    def chainability(self) -> float:
        """Share of the tools that give another tool something, or take something from one; 0 without tools."""
        return sum(bool(near) for near in self.neighbours) / len(self.tools) if self.tools else 0.0


def build_graph(
    tools: Sequence[Tool],
    vectoriser: Vectoriser,
    *,
    least_weight: float = 0.55,
    follow: Callable[[str, str], Key] | None = None,
) -> DataflowGraph:
    """The dataflow graph of tools.

    Args:
        tools: of one domain, with their output schemas.
        vectoriser: compares names and descriptions; `vectorise_text`, or embeddings.
        least_weight: edges that weigh less are left out. Those of SQL keys weigh 1.
        follow: the key that a column is about, references followed; default: the column itself.

    The same tools give the same graph. Generic names (`status`, `message`) and truth values never make an edge.
    """
    own = list_own_descriptions(tools)
    texts = [compose_text(tool, text) for tool, text in zip(tools, own, strict=True)]
    specs = [position for position, tool in enumerate(tools) if not isinstance(tool, SqlTool)]
    edges = [*_list_key_edges(tools, follow or _stay), *_list_similar_edges(tools, specs, vectoriser, least_weight)]
    edges.sort(key=lambda edge: (edge.source, edge.target, -edge.weight, edge.parameter, edge.field))
    only_sql = not specs
    similar = np.eye(len(tools)) if only_sql or not tools else compare_vectors(vectoriser(texts))
    return DataflowGraph(
        tuple(tool.name for tool in tools), tuple(edges), tuple(tuple(float(x) for x in row) for row in similar)
    )


def list_edge_rows(seed: SeedRow, graph: DataflowGraph, tool_ids: Sequence[str]) -> list[DataflowEdgeRow]:
    """The rows of a graph's edges. `tool_ids` are the ids of the tools' rows, by position."""
    return [
        DataflowEdgeRow(
            id=content_id("edge", [tool_ids[edge.source], tool_ids[edge.target], edge.field, edge.parameter]),
            seed_id=seed.id,
            domain=seed.domain,
            source_id=tool_ids[edge.source],
            target_id=tool_ids[edge.target],
            source=graph.tools[edge.source],
            target=graph.tools[edge.target],
            field=edge.field,
            parameter=edge.parameter,
            required=edge.required,
            weight=edge.weight,
        )
        for edge in graph.edges
    ]


@dataclass(frozen=True)
class _End:
    """One end of a possible edge."""

    tool: int
    name: str
    entity: str
    """Words of the name, completed by what the tool is about where it is only `id`."""
    kind: str
    text: str
    said: tuple[str, ...]
    """What its description calls it, singular."""
    required: bool


def _list_similar_edges(
    tools: Sequence[Tool], positions: Sequence[int], vectoriser: Vectoriser, least: float
) -> list[Edge]:
    outputs = [end for position in positions for end in _list_ends(tools[position], position, results=True)]
    inputs = [end for position in positions for end in _list_ends(tools[position], position, results=False)]
    if not outputs or not inputs:
        return []
    texts = list(dict.fromkeys(end.text for end in (*outputs, *inputs)))
    row = {text: number for number, text in enumerate(texts)}
    similar = compare_vectors(vectoriser(texts))
    best: dict[tuple[int, int, str], Edge] = {}
    for source in outputs:
        for target in inputs:
            if source.tool == target.tool or source.kind != target.kind:
                continue
            weight = _weigh(source, target, float(similar[row[source.text], row[target.text]]))
            if weight < least:
                continue
            edge = Edge(source.tool, target.tool, source.name, target.name, target.required, weight)
            key = (edge.source, edge.target, edge.parameter)
            known = best.get(key)
            if known is None or (-weight, edge.field) < (-known.weight, known.field):
                best[key] = edge
    return list(best.values())


def _list_ends(tool: Tool, position: int, *, results: bool) -> Iterable[_End]:
    parts = list_fields(tool.output_schema) if results else list_properties(tool.parameters)
    required: Any = tool.parameters.get("required", [])
    asked = list_properties(tool.parameters)
    for name, part in parts.items():
        words = split_words(name)
        kind = read_kind(part)
        if kind is None or not words or (len(words) == 1 and words[0] in _GENERIC):
            continue
        if results and name in asked and (name in required or words[-1] not in _IDENTIFYING):
            # What comes back as it was given is nothing new.
            continue
        # One item of a list can be asked for, and a list be made of one value.
        kind = kind.removeprefix("array of ")
        if kind not in _SCALARS or ("enum" in part and not results):
            continue
        said = part.get("description")
        entity = name_entity(name, tool.name) or " ".join(singular(word) for word in words)
        description = said[:300] if isinstance(said, str) else ""
        head = split_words(_HEAD.split(description, maxsplit=1)[0])
        called = tuple(singular(word) for word in head if word not in _FILLING)
        yield _End(position, name, entity, kind, f"{entity}. {entity}. {description}", called, name in required)


def _weigh(source: _End, target: _End, similarity: float) -> float:
    """How well a field fills a parameter: the same name almost settles it, unless it is only a word in common.

    The last word says what a value is (`user id`, `user name`): where these differ, the descriptions must agree well.
    Numbers that identify nothing do not flow for their names' sake: one tool's `amount` is not another's.
    """
    given, wanted = source.entity.split(), target.entity.split()
    shared = len(set(given) & set(wanted)) / len(set(given) | set(wanted))
    identifies = wanted[-1] in _IDENTIFYING
    if given == wanted:
        named = 1.0 if identifies else (0.7 + 0.3 * (len(wanted) > 1)) * (1.0 if target.kind == "string" else 0.6)
    elif given[-1] == wanted[-1] and identifies:
        # `credit card id` is a card's, `booking note id` is no booking's.
        named = 0.8 if given[-2:] == wanted[-2:] or 1 in (len(given), len(wanted)) else 0.0
    elif given[-1] == wanted[-1]:
        named = 0.9 * shared
    else:
        named = 0.5 * shared
    # `cityA: The zipcode of the first city` asks for a zipcode, whatever it is called.
    if given[-1] not in _GENERIC and set(given) == set(target.said):
        named = max(named, 0.8)
    elif given[-1] not in _GENERIC | _IDENTIFYING | _KINDS and given[-1:] == list(target.said[-1:]):
        named = max(named, 0.6)
    # Embeddings may know that two names mean the same; n-grams are as sure as that only of equal texts.
    return round(max(0.65 * named + 0.35 * similarity, 0.6 * similarity), _DIGITS)


def _stay(table: str, column: str) -> Key:
    return table, column


def _list_key_edges(tools: Sequence[Tool], follow: Callable[[str, str], Key]) -> list[Edge]:
    """Edges between SQL tools: a field that is the key which a parameter is compared with, or sets."""
    given: dict[Key, list[tuple[int, str]]] = {}
    for position, tool in enumerate(tools):
        if isinstance(tool, SqlTool) and tool.effect == "read":
            known = _list_given_keys(tool, follow)
            for output in tool.outputs:
                if output.table and output.column and follow(output.table, output.column) not in known:
                    given.setdefault(follow(output.table, output.column), []).append((position, output.name))
    found: dict[tuple[int, int, str], Edge] = {}
    for position, tool in enumerate(tools):
        if not isinstance(tool, SqlTool):
            continue
        required: Any = tool.parameters.get("required", [])
        for binding in tool.bindings:
            if not binding.table or not binding.column or binding.operator not in _TAKEN:
                continue
            key = follow(binding.table, binding.column)
            if binding.operator in _WRITTEN and key == (binding.table, binding.column):
                # A value that is there already is not written again; a reference to another row is.
                continue
            for source, name in given.get(key, []):
                if source != position:
                    edge = Edge(source, position, name, binding.name, binding.name in required, 1.0)
                    found.setdefault((source, position, binding.name), edge)
    return list(found.values())


def _list_given_keys(tool: SqlTool, follow: Callable[[str, str], Key]) -> set[Key]:
    """Keys that whoever calls the tool has already: the rows that it gives have the value it was given."""
    required: Any = tool.parameters.get("required", [])
    return {
        follow(binding.table, binding.column)
        for binding in tool.bindings
        if binding.operator == "=" and binding.table and binding.column and binding.name in required
    }
