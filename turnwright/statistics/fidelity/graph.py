"""The shape of a dependency graph: its nodes are calls, its edges run from source to use, so it has no cycle."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Shape = Literal["no_call", "one_call", "unlinked", "chain", "fan_in", "fan_out", "tree", "dag"]
SHAPES: tuple[Shape, ...] = ("no_call", "one_call", "unlinked", "chain", "fan_in", "fan_out", "tree", "dag")
"""`unlinked`: several calls without an edge; `fan_in`, `fan_out`: one call that all others go to, or come from; `tree`:
no call has two sources; `dag`: all other graphs. Only linked calls are looked at."""

MOTIFS = ("chain", "fan_in", "fan_out", "triangle")
"""The four connected graphs of three calls, counted as induced subgraphs."""


@dataclass(frozen=True)
class GraphShape:
    """Figures of one graph."""

    nodes: int
    edges: int
    depth: int
    """Edges of the longest path."""
    width: int
    """Most linked calls that stand on the same level; the level is the length of the longest path to a call."""
    components: int
    """Connected components, single calls included."""
    shape: Shape
    motifs: dict[str, int]


def measure_graph(nodes: int, edges: Iterable[tuple[int, int]]) -> GraphShape:
    """Measures a graph whose nodes are 0 to `nodes` - 1; each edge leads from a lower to a higher number."""
    sources: dict[int, set[int]] = {}
    uses: dict[int, set[int]] = {}
    for start, end in sorted(edges):
        sources.setdefault(end, set()).add(start)
        uses.setdefault(start, set()).add(end)
    linked = sorted(sources.keys() | uses.keys())
    level: dict[int, int] = {}
    for node in linked:
        level[node] = max((level[source] + 1 for source in sources.get(node, ())), default=0)
    total = sum(len(ends) for ends in uses.values())
    return GraphShape(
        nodes=nodes,
        edges=total,
        depth=max(level.values(), default=0),
        width=max(Counter(level.values()).values(), default=0),
        components=_count_components(nodes, uses),
        shape=_name_shape(nodes, linked, sources, uses),
        motifs=_count_motifs(linked, sources, uses),
    )


def _count_components(nodes: int, uses: dict[int, set[int]]) -> int:
    parent = list(range(nodes))

    def find(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for start, ends in uses.items():
        for end in ends:
            parent[find(end)] = find(start)
    return sum(1 for node in range(nodes) if parent[node] == node)


def _name_shape(nodes: int, linked: list[int], sources: dict[int, set[int]], uses: dict[int, set[int]]) -> Shape:
    if nodes < 2:
        return "one_call" if nodes else "no_call"
    if not linked:
        return "unlinked"
    most_sources = max(len(found) for found in sources.values())
    most_uses = max(len(found) for found in uses.values())
    if most_sources <= 1 and most_uses <= 1:
        return "chain"
    if len(uses) == 1:
        return "fan_out"
    if len(sources) == 1:
        return "fan_in"
    return "tree" if most_sources <= 1 else "dag"


def _count_motifs(linked: list[int], sources: dict[int, set[int]], uses: dict[int, set[int]]) -> dict[str, int]:
    nothing: set[int] = set()
    triangles = sum(
        len(uses.get(start, nothing) & sources.get(end, nothing)) for start, ends in uses.items() for end in ends
    )
    paths = sum(len(sources.get(node, nothing)) * len(uses.get(node, nothing)) for node in linked)
    fans_in = sum(len(found) * (len(found) - 1) // 2 for found in sources.values())
    fans_out = sum(len(found) * (len(found) - 1) // 2 for found in uses.values())
    return {
        "chain": paths - triangles,
        "fan_in": fans_in - triangles,
        "fan_out": fans_out - triangles,
        "triangle": triangles,
    }
