"""Drawing toolsets from a dataflow graph (TC, sample): each kind promises a shape, or gives nothing.

random     any tools
neighbour  connected by edges, whatever their direction
chain      each tool feeds the next one
fan_in     the last tool can be fed by each of the others, of which there are at least two
fan_out    the first tool can feed each of the others, of which there are at least two
dag        every tool but the first ones is fed by an earlier one, and at least one is fed by two of them
sparse     two tools that are linked, and distractors without an edge to either
conflict   look-alikes: every tool resembles another one of the set more than the domain's tools do on average

Positions are given in an order that shows the shape. The same graph and chance give the same tools.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from schemas.vocabulary import Sampler
from turnwright.tools.dataflow import DataflowGraph

T = TypeVar("T")

_STARTS = 12
"""Tools that a shape is begun from before it counts as not there."""
_FEWEST: Final[dict[Sampler, int]] = {
    "random": 1,
    "neighbour": 2,
    "chain": 2,
    "fan_in": 3,
    "fan_out": 3,
    "dag": 3,
    "sparse": 3,
    "conflict": 2,
}
"""Fewest tools that can have the shape."""
_LOOK_ALIKE = 0.15
"""Cosine from which on two tools can be mistaken for each other, however unlike the others are."""


def sample_tools(graph: DataflowGraph, kind: Sampler, size: int, rng: random.Random) -> tuple[int, ...]:
    """Positions of at most `size` different tools that have the shape of `kind`.

    Fewer where the graph has no larger one near where the draw began; none where it has no such shape at all, or
    `size` is too small for it.
    """
    if size < _FEWEST[kind] or len(graph.tools) < _FEWEST[kind]:
        return ()
    return _DRAWS[kind](graph, size, rng)


def _draw_random(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    return tuple(rng.sample(range(len(graph.tools)), min(size, len(graph.tools))))


def _draw_neighbour(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    linked = [tool for tool, near in enumerate(graph.neighbours) if near]
    return grow(graph, [rng.choice(linked)], size, rng) if linked else ()


def grow(
    graph: DataflowGraph, start: Sequence[int], size: int, rng: random.Random, *, among: Sequence[int] | None = None
) -> tuple[int, ...]:
    """`start`, and tools with an edge to one that is there, until there are `size` or no more can be reached.

    `among` leaves out all other tools.
    """
    allowed = set(range(len(graph.tools)) if among is None else among)
    chosen = list(start)
    while len(chosen) < size:
        near = sorted({tool for one in chosen for tool in graph.neighbours[one] & allowed} - set(chosen))
        if not near:
            break
        chosen.append(rng.choice(near))
    return tuple(chosen)


def _draw_chain(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    """The longest of a few walks, each lengthened at both ends while it can be."""
    best: tuple[int, ...] = ()
    for start in _shuffle(range(len(graph.tools)), rng)[:_STARTS]:
        path = [start]
        while len(path) < size:
            after = sorted(graph.successors[path[-1]] - set(path))
            before = sorted(graph.predecessors[path[0]] - set(path))
            if after:
                path.append(_least_used(after, graph.successors, rng))
            elif before:
                path.insert(0, _least_used(before, graph.predecessors, rng))
            else:
                break
        if len(path) > max(1, len(best)):
            best = tuple(path)
        if len(best) == size:
            break
    return best


def _least_used(options: Sequence[int], onward: Sequence[frozenset[int]], rng: random.Random) -> int:
    """An option by chance, of those from which the walk can go on where there are such."""
    open_ends = [tool for tool in options if onward[tool]]
    return rng.choice(open_ends or list(options))


def _draw_fan_in(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    hubs = [tool for tool, before in enumerate(graph.predecessors) if len(before) > 1]
    if not hubs:
        return ()
    hub = rng.choice(hubs)
    return (*_shuffle(sorted(graph.predecessors[hub]), rng)[: size - 1], hub)


def _draw_fan_out(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    hubs = [tool for tool, after in enumerate(graph.successors) if len(after) > 1]
    if not hubs:
        return ()
    hub = rng.choice(hubs)
    return (hub, *_shuffle(sorted(graph.successors[hub]), rng)[: size - 1])


def _draw_dag(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    """A join with two tools that feed it, then whatever one of the set feeds."""
    joins = [tool for tool, before in enumerate(graph.predecessors) if len(before) > 1]
    if not joins:
        return ()
    join = rng.choice(joins)
    # Two feeders of which one feeds the other give the deeper shape.
    before = sorted(graph.predecessors[join])
    pairs = [(one, other) for one in before for other in before if other in graph.successors[one]]
    chosen = [*(rng.choice(pairs) if pairs else rng.sample(before, 2)), join]
    while len(chosen) < size:
        fed = sorted({tool for one in chosen for tool in graph.successors[one]} - set(chosen))
        if not fed:
            break
        chosen.append(rng.choice(fed))
    return tuple(chosen)


def _draw_sparse(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    pairs = sorted({(edge.source, edge.target) for edge in graph.edges})
    for source, target in _shuffle(pairs, rng)[:_STARTS]:
        near = graph.neighbours[source] | graph.neighbours[target] | {source, target}
        others = [tool for tool in range(len(graph.tools)) if tool not in near]
        if others:
            return (source, target, *_shuffle(others, rng)[: size - 2])
    return ()


def _draw_conflict(graph: DataflowGraph, size: int, rng: random.Random) -> tuple[int, ...]:
    """A pair of look-alikes, then the tools that resemble one of the set most."""
    count = len(graph.tools)
    weights = [graph.similarity[one][other] for one in range(count) for other in range(one)]
    floor = max(_LOOK_ALIKE, sum(weights) / len(weights)) if weights else 1.0
    pairs = [(other, one) for one in range(count) for other in range(one) if graph.similarity[one][other] > floor]
    if not pairs:
        return ()
    pairs.sort(key=lambda pair: (-graph.similarity[pair[1]][pair[0]], pair))
    chosen = list(rng.choice(pairs[: max(3, len(pairs) // 4)]))
    while len(chosen) < size:
        rest = [
            (max(graph.similarity[tool][one] for one in chosen), -tool) for tool in range(count) if tool not in chosen
        ]
        if not rest or max(rest)[0] <= floor:
            break
        chosen.append(-max(rest)[1])
    return tuple(chosen)


def _shuffle(items: Iterable[T], rng: random.Random) -> list[T]:
    shuffled = list(items)
    rng.shuffle(shuffled)
    return shuffled


_DRAWS: dict[Sampler, Callable[[DataflowGraph, int, random.Random], tuple[int, ...]]] = {
    "random": _draw_random,
    "neighbour": _draw_neighbour,
    "chain": _draw_chain,
    "fan_in": _draw_fan_in,
    "fan_out": _draw_fan_out,
    "dag": _draw_dag,
    "sparse": _draw_sparse,
    "conflict": _draw_conflict,
}
