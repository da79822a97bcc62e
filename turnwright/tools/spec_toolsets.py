"""Which tools of a domain without a database are offered together: drawn from its dataflow graph.

A domain that fits into one toolset has one that holds it whole, besides the drawn ones. Tools that disagree on the type
of an entity never stand in one toolset.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.content import canonical_json, content_id
from schemas.rows import SeedRow, ToolsetRow
from schemas.settings import ToolSettings
from schemas.tools import Tool
from schemas.vocabulary import SAMPLERS, Sampler
from turnwright.tools.dataflow import DataflowGraph
from turnwright.tools.entity_canon import EntityCanon
from turnwright.tools.samplers import grow, sample_tools

_FEWEST = 3
"""Tools that a drawn set has at least, where the domain has as many."""
_SMALL = 6
"""A set of what was left over is filled up to so many tools."""
_TRIES = 4


@dataclass(frozen=True)
class DrawnSet:
    """Positions of tools that are offered together."""

    positions: tuple[int, ...]
    """In rising order: where a tool stands must not tell what it is for."""
    sampler: Sampler | None
    """None for sets that are there to have every tool in one."""


def draw_toolsets(
    graph: DataflowGraph, tools: Sequence[Tool], settings: ToolSettings, rng: random.Random
) -> list[DrawnSet]:
    """The toolsets of a domain, each different: first those that hold every tool, then drawn ones by the target mix.

    Args:
        graph: of these tools.
        tools: the accepted tools.
        settings: `per_toolset` bounds each set, `synthesise` says how many are drawn and how.
        rng: chance.

    A shape that the graph does not have gives its place to the others.
    """
    if not tools:
        return []
    found: dict[tuple[int, ...], Sampler | None] = {}
    for positions in _cover(graph, tools, settings.per_toolset, rng):
        found.setdefault(positions, None)
    fewest = min(_FEWEST, len(tools))
    wanted = _share_out(settings)
    missing = 0
    for kind in SAMPLERS:
        for _ in range(wanted.get(kind, 0)):
            positions = _draw(graph, tools, kind, settings.per_toolset, fewest, found, rng)
            if positions is None:
                missing += 1
            else:
                found[positions] = kind
    for number in range(missing):
        kind = ("neighbour", "random")[number % 2]
        positions = _draw(graph, tools, kind, settings.per_toolset, fewest, found, rng)
        if positions is not None:
            found[positions] = kind
    return [DrawnSet(positions, sampler) for positions, sampler in found.items()]


def build_toolset_rows(seed: SeedRow, sets: Sequence[DrawnSet], tools: Sequence[tuple[str, Tool]]) -> list[ToolsetRow]:
    """The rows of drawn sets. `tools` are (id of the tool_specs row, tool) by position."""
    rows: list[ToolsetRow] = []
    for drawn in sets:
        ids = [tools[position][0] for position in drawn.positions]
        rows.append(
            ToolsetRow(
                id=content_id("toolset", {"seed_id": seed.id, "tool_ids": ids}),
                seed_id=seed.id,
                domain=seed.domain,
                tool_ids=ids,
                tools=canonical_json([tools[position][1].model_dump(mode="json") for position in drawn.positions]),
                sampler=drawn.sampler,
            )
        )
    return rows


def _share_out(settings: ToolSettings) -> dict[Sampler, int]:
    """How many sets each sampler is asked for: its share of `toolsets`, the largest remainders rounded up."""
    count = settings.synthesise.toolsets
    exact: dict[Sampler, float] = {kind: count * settings.synthesise.samplers.get(kind, 0.0) for kind in SAMPLERS}
    given: dict[Sampler, int] = {kind: int(share + 1e-9) for kind, share in exact.items()}
    by_remainder = sorted(SAMPLERS, key=lambda kind: (given[kind] - exact[kind], SAMPLERS.index(kind)))
    for kind in by_remainder[: count - sum(given.values())]:
        given[kind] += 1
    return given


def _cover(graph: DataflowGraph, tools: Sequence[Tool], size: int, rng: random.Random) -> list[tuple[int, ...]]:
    """Sets that together hold every tool: one where they fit and agree, else connected ones as far as there are."""
    sets: list[tuple[int, ...]] = []
    open_tools: list[int] = list(range(len(tools)))
    while open_tools:
        grown: list[int] = list(grow(graph, [open_tools[0]], size, rng, among=open_tools))
        # What is linked to nothing fills the places that are free.
        grown += [tool for tool in open_tools if tool not in grown][: size - len(grown)]
        if len(grown) < (least := min(size, _SMALL, len(tools))):
            rest = [tool for tool in range(len(tools)) if tool not in grown]
            grown += rng.sample(rest, least - len(grown))
        agreed = agree(tools, grown)
        sets.append(tuple(sorted(agreed)))
        open_tools = [tool for tool in open_tools if tool not in agreed]
    return sets


def _draw(
    graph: DataflowGraph,
    tools: Sequence[Tool],
    kind: Sampler,
    most: int,
    fewest: int,
    known: dict[tuple[int, ...], Sampler | None],
    rng: random.Random,
) -> tuple[int, ...] | None:
    for _ in range(_TRIES):
        size = rng.randint(min(fewest, most), min(most, len(tools)))
        drawn = sample_tools(graph, kind, size, rng)
        positions = tuple(sorted(agree(tools, drawn)))
        # Without one of its tools a set need not have the shape that it was drawn for.
        if len(positions) == len(drawn) >= min(fewest, most) and positions not in known:
            return positions
    return None


def agree(tools: Sequence[Tool], positions: Sequence[int]) -> list[int]:
    """The positions, in order, without tools that give an entity another type than an earlier one; never none."""
    canon = EntityCanon()
    kept: list[int] = []
    for position in positions:
        if not canon.find_conflicts(tools[position]):
            canon.note(tools[position])
            kept.append(position)
    return kept or list(positions[:1])
