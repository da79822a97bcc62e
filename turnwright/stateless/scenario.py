"""The scenario of a stateless dialogue (TC, sample): tools drawn from the dataflow graph, a date, lengths of turns."""

import datetime
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.databases import Database
from schemas.goals import BehaviourPlan
from schemas.rows import DialogueTaskRow, LedgerRow, SeedRow, ToolsetRow
from schemas.stateless import FieldLink, Scenario
from schemas.tools import TOOLS, SqlTool, Tool
from schemas.vocabulary import SAMPLERS, Difficulty, Sampler
from turnwright.environments.base import Base, SqlBase
from turnwright.environments.threads import run_blocking
from turnwright.goals.personas import draw_persona
from turnwright.goals.slots import Slot
from turnwright.goals.writing import WrittenTask
from turnwright.stateless.acceptance import fits_type
from turnwright.stateless.behaviours import FEWEST_TURNS, REFUSED, plan_behaviour
from turnwright.tools.argument_drawing import draw_bindings
from turnwright.tools.dataflow import DataflowGraph, Key, build_graph
from turnwright.tools.rejection import Rejection
from turnwright.tools.samplers import grow, sample_tools
from turnwright.tools.text_vectors import vectorise_text
from turnwright.tools.tool_text import list_fields, list_properties
from turnwright.tools.toolsets import follow_reference, read_tools

T = TypeVar("T")

_KNOWN_SETS = 6
"""Sets of arguments that are drawn from the database for each tool of a twin."""
_SPARE = 2
"""Tools of a scenario beyond its turns."""
_DRAWS = 3
"""Shapes that are tried before any tools will do."""
_DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "medium", "hard")


async def write_scenario(
    slot: Slot, toolset: ToolsetRow, seed: SeedRow, base: Base | None, config: RunConfig
) -> WrittenTask:
    """The dialogue task of a stateless slot: no model is asked.

    Rejected where no two tools of the toolset can feed each other (`no_links`): no plan over them could be accepted.
    """
    tools = [tool for tool in read_tools(toolset) if tool.side == "assistant"]
    graph = await run_blocking(_open_graph, toolset.tools, seed.kind, seed.content, config.tools.synthesise.edge_weight)
    rng = random.Random(f"{slot.seed}:scenario")
    turns = draw_share(config.stateless.turns, rng)
    if slot.behaviour in REFUSED:
        turns = max(turns, FEWEST_TURNS)
    sampler, positions = draw_tools(graph, config, turns + _SPARE, rng)
    names = {tools[position].name for position in positions}
    every = _list_links(graph, tools)
    links = tuple(link for link in every if {link.source, link.target} <= names)
    if not links:
        reason = f"no_links: no two of the {len(tools)} tools can feed each other"
        return WrittenTask(None, ((reason,),), _record(slot, toolset, [reason]))
    now = _draw_now(slot.seed)
    values = await run_blocking(_draw_values, tools, names, seed, base, slot.seed) if slot.arm else {}
    lengths = draw_lengths(turns, config.stateless.calls, slot.difficulty, config.difficulty, rng)
    hinted = not slot.arm and rng.random() < config.stateless.error_hints
    hints = rng.randint(1, 3) if hinted else 0
    behaviour = plan_behaviour(slot.behaviour, tools, names, every, turns, rng)
    if behaviour is None and slot.behaviour != "none":
        reason = f"behaviour_not_supported: {slot.behaviour} fits none of the {len(names)} tools drawn"
        return WrittenTask(None, ((reason,),), _record(slot, toolset, [reason]))
    if behaviour is not None and behaviour.name == "removed_tool":
        names -= {*behaviour.detail["tools"]}
    scenario = Scenario(
        sampler=sampler,
        tools=tuple(tool.name for tool in tools if tool.name in names),
        links=tuple(link for link in links if {link.source, link.target} <= names),
        lengths=lengths,
        hints=hints,
        values=values,
    )
    row = _build_row(slot, toolset, seed, scenario, now, behaviour, config)
    return WrittenTask(row, (), _record(slot, toolset, []))


def draw_tools(
    graph: DataflowGraph, config: RunConfig, fewest: int, rng: random.Random
) -> tuple[Sampler, tuple[int, ...]]:
    """Which sampler drew which tools, at most `stateless.tools`.

    A shape of fewer than `fewest` tools is given neighbours: every turn has to find something else to go on with.

    A shape that the graph does not have, or that came out without an edge, is drawn anew by another sampler of the mix;
    in the end tools that are connected are taken, because a plan needs an edge.
    """
    own = config.stateless.sampler
    mix: Mapping[Sampler, float] = {own: 1.0} if own is not None else config.tools.synthesise.samplers
    shares: dict[Sampler, float] = {sampler: mix[sampler] for sampler in SAMPLERS if mix.get(sampler)}
    for _ in range(_DRAWS):
        sampler = draw_share(shares, rng)
        positions = sample_tools(graph, sampler, config.stateless.tools, rng)
        if any(edge.source in positions and edge.target in positions for edge in graph.edges):
            return sampler, grow(graph, positions, min(max(fewest, len(positions)), config.stateless.tools), rng)
    return "neighbour", sample_tools(graph, "neighbour", config.stateless.tools, rng)


def draw_lengths(
    turns: int, most: int, difficulty: Difficulty, mix: Mapping[Difficulty, float], rng: random.Random
) -> tuple[int, ...]:
    """Most calls of each turn.

    Over the dialogues of a run they are spread evenly from 1 to `most` (TC: L ~ U{1..8}): easy ones have the lowest
    part of that range, as large as their share, hard ones the highest.
    """
    total = sum(mix.values())
    before = sum(mix.get(other, 0.0) for other in _DIFFICULTIES[: _DIFFICULTIES.index(difficulty)]) / total
    own = mix.get(difficulty, 0.0) / total or 1.0 - before
    return tuple(min(most, 1 + int((before + own * rng.random()) * most)) for _ in range(turns))


def draw_share(mix: Mapping[T, float], rng: random.Random) -> T:
    """One value of a mix, by its shares."""
    return rng.choices(list(mix), weights=list(mix.values()))[0]


@lru_cache(maxsize=64)
def _open_graph(tools: str, kind: str, content: str, least_weight: float) -> DataflowGraph:
    """The dataflow graph of a toolset's tools, built once per process."""
    database = Database.model_validate_json(content) if kind == "sql" else None
    own = [tool for tool in TOOLS.validate_json(tools) if tool.side == "assistant"]

    def follow(table: str, column: str) -> Key:
        return (table, column) if database is None else follow_reference(database, table, column)

    return build_graph(own, vectorise_text, least_weight=least_weight, follow=follow)


def _list_links(graph: DataflowGraph, tools: Sequence[Tool]) -> list[FieldLink]:
    """The edges by names, without those that the acceptance rules would not let a plan use."""
    return [
        FieldLink(
            source=graph.tools[edge.source], field=edge.field, target=graph.tools[edge.target], parameter=edge.parameter
        )
        for edge in graph.edges
        if fits_type(
            list_fields(tools[edge.source].output_schema).get(edge.field, {}),
            list_properties(tools[edge.target].parameters).get(edge.parameter, {}),
        )
    ]


def _draw_values(
    tools: Sequence[Tool], names: set[str], seed: SeedRow, base: Base | None, slot_seed: str
) -> dict[str, dict[str, list[Any]]]:
    """Values that stand in the database, so that plans made without state can run there as well. Blocks."""
    if base is None or seed.kind != "sql":
        return {}
    database = Database.model_validate_json(seed.content)
    values: dict[str, dict[str, list[Any]]] = {}
    for tool in tools:
        if tool.name not in names or not isinstance(tool, SqlTool):
            continue
        rng = random.Random(f"{slot_seed}:values:{tool.name}")
        try:
            sets = draw_bindings(tool, database, cast("SqlBase", base), rng, _KNOWN_SETS)
        except Rejection:
            continue
        own: dict[str, list[Any]] = {}
        for arguments in sets:
            for name, value in arguments.items():
                if value not in own.setdefault(name, []):
                    own[name].append(value)
        values[tool.name] = own
    return values


def _draw_now(seed: str) -> str:
    """A time that counts as now: ISO 8601 without a zone, in office hours of 2024 to 2026."""
    rng = random.Random(f"{seed}:now")
    day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(3 * 365))
    moment = datetime.datetime(day.year, day.month, day.day, rng.randint(8, 18), rng.randrange(60))
    return moment.isoformat(timespec="seconds")


def _build_row(
    slot: Slot,
    toolset: ToolsetRow,
    seed: SeedRow,
    scenario: Scenario,
    now: str,
    behaviour: BehaviourPlan | None,
    config: RunConfig,
) -> DialogueTaskRow:
    content: dict[str, Any] = {
        "toolset_id": toolset.id,
        "seed_id": toolset.seed_id,
        "domain": toolset.domain,
        "paradigm": slot.paradigm,
        "slot": slot.number,
        "difficulty": slot.difficulty,
        "behaviour": slot.behaviour,
        "behaviour_plan": canonical_json(behaviour.model_dump() if behaviour else None),
        "persona": canonical_json(draw_persona(slot.seed).model_dump()),
        "objectives": "[]",
        "task_count": len(scenario.lengths),
        "planned_calls": 0,
        "reference_time": now,
        "start_digest": seed.base_digest,
        "goal_digest": seed.base_digest,
        "goal_changes": "[]",
        "role": None,
        "model": None,
        "prompt_digest": None,
        "seed": config.seed,
        "model_calls": [],
        "scenario": canonical_json(scenario.model_dump(mode="json")),
        "arm": slot.arm,
    }
    return DialogueTaskRow(id=content_id("task", content), **content)


def _record(slot: Slot, toolset: ToolsetRow, reasons: Sequence[str]) -> LedgerRow:
    return LedgerRow(
        id=content_id("ledger", ["write-dialogue-tasks", "dialogue_task", slot.id]),
        stage="write-dialogue-tasks",
        unit="dialogue_task",
        unit_id=slot.id,
        outcome="rejected" if reasons else "accepted",
        reasons=list(reasons),
        boundary=None,
        domain=toolset.domain,
        difficulty=slot.difficulty,
        behaviour=slot.behaviour,
    )
