"""Samplers: each draws the shape that it promises, on graphs of many kinds, or nothing."""

import itertools
import random

import pytest

from schemas.vocabulary import SAMPLERS, Sampler
from tests.spec_world import config, tool
from turnwright.tools.dataflow import DataflowGraph, Edge
from turnwright.tools.samplers import sample_tools
from turnwright.tools.spec_toolsets import agree, draw_toolsets


def make_graph(count: int, pairs: set[tuple[int, int]], rng: random.Random) -> DataflowGraph:
    similar = [[1.0 if one == other else 0.0 for other in range(count)] for one in range(count)]
    for one, other in itertools.combinations(range(count), 2):
        similar[one][other] = similar[other][one] = round(rng.random() ** 3, 4)
    edges = tuple(Edge(source, target, "x_id", "x_id", True, 1.0) for source, target in sorted(pairs))
    return DataflowGraph(tuple(f"tool_{n}" for n in range(count)), edges, tuple(map(tuple, similar)))


def draw_graph(number: int) -> DataflowGraph:
    rng = random.Random(number)
    count = rng.randint(4, 30)
    pairs = {(rng.randrange(count), rng.randrange(count)) for _ in range(rng.randint(0, 2 * count))}
    return make_graph(count, {(source, target) for source, target in pairs if source != target}, rng)


def holds(graph: DataflowGraph, kind: Sampler, drawn: tuple[int, ...]) -> bool:
    """Whether the tools have the shape that the sampler promises."""
    after, near = graph.successors, graph.neighbours
    if kind == "neighbour":
        return all(near[tool] & set(drawn[:place]) for place, tool in enumerate(drawn) if place)
    if kind == "chain":
        return all(later in after[earlier] for earlier, later in itertools.pairwise(drawn))
    if kind == "fan_in":
        return len(drawn) > 2 and all(drawn[-1] in after[tool] for tool in drawn[:-1])
    if kind == "fan_out":
        return len(drawn) > 2 and all(tool in after[drawn[0]] for tool in drawn[1:])
    if kind == "dag":
        fed = [sum(tool in after[earlier] for earlier in drawn[:place]) for place, tool in enumerate(drawn)]
        return all(fed[2:]) and max(fed) > 1
    if kind == "sparse":
        first, second, *others = drawn
        return second in after[first] and bool(others) and not any(near[tool] & {first, second} for tool in others)
    if kind == "conflict":
        count = len(graph.tools)
        pairs = [graph.similarity[one][other] for one, other in itertools.combinations(range(count), 2)]
        mean = sum(pairs) / len(pairs)
        return all(max(graph.similarity[tool][other] for other in drawn if other != tool) > mean for tool in drawn)
    return True


@pytest.mark.parametrize("kind", SAMPLERS)
def test_every_draw_has_the_promised_shape(kind: Sampler) -> None:
    found = 0
    for number in range(120):
        graph, rng = draw_graph(number), random.Random(f"{kind}:{number}")
        size = rng.randint(1, 12)
        drawn = sample_tools(graph, kind, size, rng)
        assert len(set(drawn)) == len(drawn) <= size
        assert set(drawn) <= set(range(len(graph.tools)))
        if drawn:
            found += 1
            assert holds(graph, kind, drawn), (number, drawn)
    assert found > 40


def test_chance_alone_decides_and_all_of_it_is_in_the_argument() -> None:
    graph = draw_graph(3)
    for kind in SAMPLERS:
        assert sample_tools(graph, kind, 5, random.Random(1)) == sample_tools(graph, kind, 5, random.Random(1))
    assert len({sample_tools(graph, "random", 4, random.Random(n)) for n in range(20)}) > 10


def test_a_graph_without_edges_has_no_shapes() -> None:
    graph = make_graph(6, set(), random.Random(0))
    for kind in ("neighbour", "chain", "fan_in", "fan_out", "dag", "sparse"):
        assert sample_tools(graph, kind, 4, random.Random(0)) == ()
    assert len(sample_tools(graph, "random", 4, random.Random(0))) == 4
    assert sample_tools(make_graph(0, set(), random.Random(0)), "random", 4, random.Random(0)) == ()


def test_a_whole_path_is_walked() -> None:
    path = make_graph(6, {(n, n + 1) for n in range(5)}, random.Random(0))
    assert sample_tools(path, "chain", 6, random.Random(5)) == (0, 1, 2, 3, 4, 5)
    assert len(sample_tools(path, "chain", 3, random.Random(5))) == 3


def test_toolsets_hold_every_tool_and_follow_the_mix() -> None:
    rng = random.Random(0)
    graph = make_graph(
        30, {(rng.randrange(30), rng.randrange(30)) for _ in range(90)} - {(n, n) for n in range(30)}, rng
    )
    tools = [tool(f"tool_{number}") for number in range(30)]
    settings = config(toolsets=10, samplers={"chain": 0.6, "conflict": 0.4}).tools
    sets = draw_toolsets(graph, tools, settings, random.Random(1))
    assert {position for drawn in sets for position in drawn.positions} == set(range(30))
    assert len({drawn.positions for drawn in sets}) == len(sets)
    assert all(len(drawn.positions) <= settings.per_toolset for drawn in sets)
    kinds = [drawn.sampler for drawn in sets if drawn.sampler is not None]
    assert (kinds.count("chain"), kinds.count("conflict")) == (6, 4)
    assert sets == draw_toolsets(graph, tools, settings, random.Random(1))


def test_tools_that_disagree_on_a_type_are_never_offered_together() -> None:
    tools = [tool("get_user", {"user_id": "string"}), tool("delete_user", {"user_id": "integer"}), tool("list_users")]
    assert agree(tools, [1, 2, 0]) == [1, 2]
    graph = make_graph(3, set(), random.Random(0))
    sets = draw_toolsets(graph, tools, config().tools, random.Random(0))
    assert {position for drawn in sets for position in drawn.positions} == {0, 1, 2}
    assert not any({0, 1} <= set(drawn.positions) for drawn in sets)
