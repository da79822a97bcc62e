"""Slots of twins: sets of three dialogues over the same toolset that differ in one thing each.

`stateless` against `stateless_executed` differ in the state behind the tools alone: scenario, plans and requests are
the same. `stateless_executed` against `user_oriented_executed` differ in the method alone: both run on the database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from schemas.config import RunConfig
from schemas.rows import SeedRow, ToolsetRow
from schemas.tools import SqlTool
from schemas.vocabulary import ARMS
from turnwright.goals.slots import Slot, draw_slots
from turnwright.tools.toolsets import read_tools


def plan_twin_slots(toolsets: Sequence[ToolsetRow], config: RunConfig, seeds: Sequence[SeedRow] = ()) -> list[Slot]:
    """All that `draw_twin_slots` gives."""
    return list(draw_twin_slots(toolsets, config, seeds))


def draw_twin_slots(toolsets: Sequence[ToolsetRow], config: RunConfig, seeds: Sequence[SeedRow] = ()) -> Iterator[Slot]:
    """Exactly `config.dialogues` slots, three to a set, the last set perhaps cut short; none without SQL tools.

    Only databases take part: of them code can tell values that exist, without which no plan could run.

    Of the behaviours only tool_fault stays: the others mean different things in a conversation and in a plan, and would
    be read as a difference between the methods.
    """
    changes = {
        "twins": False,
        "dialogues": -(-config.dialogues // len(ARMS)),
        "behaviours": {name: share for name, share in config.behaviours.items() if name == "tool_fault"},
        "paradigms": {"user_oriented_executed": 1.0},
    }
    able = [toolset for toolset in toolsets if all(isinstance(tool, SqlTool) for tool in read_tools(toolset))]
    slots = (
        replace(one, number=one.number * len(ARMS) + place, paradigm=paradigm, arm=paradigm)
        for one in draw_slots(able, config.model_copy(update=changes), seeds)
        for place, paradigm in enumerate(ARMS)
    )
    return islice(slots, config.dialogues)
