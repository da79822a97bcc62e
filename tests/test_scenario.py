"""Scenarios: tools from the graph, lengths over the whole range, and twins that share everything but one thing."""

import asyncio
import json
import random
from collections import Counter
from typing import Any

import pytest
from spec_world import seed_of
from stateless_world import TOOLSET, config

from schemas.config import RunConfig
from schemas.rows import DialogueTaskRow, ToolsetRow
from schemas.stateless import Scenario
from schemas.vocabulary import ARMS, SAMPLERS
from turnwright.goals.slots import Slot, plan_slots
from turnwright.goals.twin_slots import plan_twin_slots
from turnwright.rollout.tool_calls import environment_seed, offer_tools
from turnwright.stateless.scenario import draw_lengths, write_scenario

SEED = seed_of()


def slot(number: int = 0, **changes: Any) -> Slot:
    content: dict[str, Any] = {
        "number": number,
        "toolset_id": TOOLSET.id,
        "domain": "office",
        "paradigm": "stateless",
        "difficulty": "medium",
        "task_count": 1,
        "behaviour": "none",
        "seed": f"7:{number}",
    }
    return Slot(**(content | changes))


def write(one: Slot, settings: RunConfig | None = None, toolset: ToolsetRow = TOOLSET) -> DialogueTaskRow | None:
    return asyncio.run(write_scenario(one, toolset, SEED, None, settings or config())).row


def read(row: DialogueTaskRow | None) -> Scenario:
    assert row is not None
    return Scenario.model_validate_json(row.scenario)


def test_a_scenario_offers_linked_tools_and_as_many_lengths_as_turns() -> None:
    for number in range(20):
        row = write(slot(number), config(tools=3, turns={4: 1.0}))
        scenario = read(row)
        assert row is not None
        assert len(scenario.lengths) == row.task_count == 4
        assert 2 <= len(scenario.tools) <= 3
        assert {link.source for link in scenario.links} | {link.target for link in scenario.links} <= set(
            scenario.tools
        )
        assert [tool.name for tool in offer_tools(TOOLSET, row)] == list(scenario.tools)


def test_the_same_slot_gives_the_same_scenario_and_others_differ() -> None:
    assert write(slot(3)) == write(slot(3))
    rows = [write(slot(number)) for number in range(12)]
    assert len({row.reference_time for row in rows if row}) == 12
    assert len({row.persona for row in rows if row}) == 12


@pytest.mark.parametrize("sampler", ["random", "neighbour", "chain"])
def test_one_sampler_can_be_asked_for(sampler: str) -> None:
    drawn = {read(write(slot(number), config(sampler=sampler))).sampler for number in range(8)}
    assert sampler in drawn and drawn <= {sampler, "neighbour"}


def test_the_mix_of_samplers_is_used() -> None:
    drawn = Counter(read(write(slot(number))).sampler for number in range(60))
    assert len(drawn) >= 4 and set(drawn) <= set(SAMPLERS)


def test_tools_that_cannot_feed_each_other_are_refused_with_the_reason() -> None:
    tools = [tool for tool in json.loads(TOOLSET.tools) if tool["name"] in ("find_employees", "get_order")]
    alone = TOOLSET.model_copy(update={"tools": json.dumps(tools)})
    written = asyncio.run(write_scenario(slot(), alone, SEED, None, config()))
    assert written.row is None
    assert written.ledger.outcome == "rejected" and written.ledger.reasons[0].startswith("no_links:")


def test_lengths_are_spread_evenly_over_the_run_and_rise_with_difficulty() -> None:
    rng = random.Random("lengths")
    mix = {"easy": 0.3, "medium": 0.4, "hard": 0.3}
    drawn: Counter[int] = Counter()
    means: dict[str, float] = {}
    for difficulty, share in mix.items():
        lengths = draw_lengths(int(10_000 * share), 8, difficulty, mix, rng)  # type: ignore[arg-type]
        means[difficulty] = sum(lengths) / len(lengths)
        drawn.update(lengths)
    assert set(drawn) == set(range(1, 9))
    assert all(1_000 < count < 1_500 for count in drawn.values())
    assert means["easy"] < means["medium"] < means["hard"]
    assert set(draw_lengths(500, 8, "hard", {"easy": 1.0, "medium": 0.0, "hard": 0.0}, rng)) <= set(range(1, 9))


def test_hints_are_planned_for_their_share_of_dialogues() -> None:
    hints = [read(write(slot(number), config(error_hints=0.5))).hints for number in range(80)]
    assert 25 < sum(map(bool, hints)) < 55
    assert set(hints) == {0, 1, 2, 3}
    assert {read(write(slot(number), config(error_hints=0.0))).hints for number in range(20)} == {0}


def executable() -> tuple[list[ToolsetRow], RunConfig]:
    tools: list[dict[str, Any]] = [
        {
            **tool,
            "kind": "sql",
            "sql": "SELECT 1",
            "returns": "row",
            "bindings": [],
            "outputs": [],
            "verb": "select",
            "target": None,
        }
        for tool in json.loads(TOOLSET.tools)
    ]
    settings = RunConfig.model_validate(
        {
            "name": "twins",
            "sources": [{"kind": "sql", "url": "sqlite:///unused.sqlite"}],
            "twins": True,
            "dialogues": 32,
            "behaviours": {"tool_fault": 0.4, "out_of_scope": 0.6},
        }
    )
    return [TOOLSET.model_copy(update={"tools": json.dumps(tools)})], settings


def test_twins_come_in_sets_of_three_that_share_toolset_and_chance() -> None:
    toolsets, settings = executable()
    slots = plan_twin_slots(toolsets, settings)
    assert [one.number for one in slots] == list(range(32))
    assert [one.paradigm for one in slots[:6]] == [*ARMS, *ARMS]
    for start in range(0, 30, 3):
        own = slots[start : start + 3]
        assert len({(one.seed, one.toolset_id, one.behaviour, one.difficulty) for one in own}) == 1
        assert [one.arm for one in own] == list(ARMS)
    assert {one.behaviour for one in slots} == {"none", "tool_fault"}


def test_twins_have_the_same_scenario_and_live_in_the_same_world() -> None:
    toolsets, settings = executable()
    simulated, executed = (write(one, settings) for one in plan_twin_slots(toolsets, settings)[3:5])
    assert simulated is not None and executed is not None
    assert (simulated.scenario, simulated.persona, simulated.reference_time) == (
        executed.scenario,
        executed.persona,
        executed.reference_time,
    )
    assert environment_seed(simulated) == environment_seed(executed)
    assert (simulated.arm, executed.arm) == ("stateless", "stateless_executed")


def test_other_dialogues_keep_a_world_of_their_own() -> None:
    seeds = {environment_seed(row) for number in range(6) if (row := write(slot(number))) is not None}
    assert len(seeds) == 6


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"twins": True, "paradigms": {"stateless": 1.0}}, "leave paradigms out"),
        ({"twins": True, "sources": [{"kind": "tools", "path": "x"}]}, "a source of kind sql"),
        ({"stateless": {"turns": {11: 1.0}}}, "1 to 10 turns"),
        ({"stateless": {"turns": {2: 0.5}}}, "add up to 1"),
        ({"stateless": {"calls": 9}}, "less than or equal to 8"),
        ({"paradigms": {"stateless_executed": 1.0}}, "set twins to true"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], reason: str) -> None:
    content: dict[str, Any] = {"name": "x", "sources": [{"kind": "sql", "url": "sqlite:///unused.sqlite"}]}
    with pytest.raises(ValueError, match=reason):
        RunConfig.model_validate(content | changes)


def test_stateless_slots_get_the_behaviours_that_they_can_bear() -> None:
    settings = config().model_copy(update={"dialogues": 40, "behaviours": {"changed_mind": 0.5, "tool_fault": 0.5}})
    assert {one.behaviour for one in plan_slots([TOOLSET], settings)} == {"none", "tool_fault"}
