from collections import Counter
from itertools import product

import pytest

from schemas.config import RunConfig
from schemas.content import canonical_json
from schemas.rows import ToolsetRow
from schemas.sources import SqlSource
from turnwright.goals.slots import draw_mix, plan_slots


def toolset(domain: str, number: int) -> ToolsetRow:
    return ToolsetRow(id=f"toolset_{domain}{number}", seed_id=f"seed_{domain}", domain=domain, tool_ids=[], tools="[]")


def config(**changes: object) -> RunConfig:
    source = SqlSource(kind="sql", url="sqlite:///club.sqlite")
    return RunConfig.model_validate({"name": "club", "seed": 4, "sources": [source.model_dump()], **changes})


TOOLSETS = [toolset("club", 1), toolset("club", 2), toolset("library", 1), toolset("orchestra", 1)]


def test_there_are_exactly_as_many_slots_as_dialogues():
    for dialogues in (1, 2, 7, 100):
        slots = plan_slots(TOOLSETS, config(dialogues=dialogues))
        assert [slot.number for slot in slots] == list(range(dialogues))
    assert plan_slots([], config()) == []


def test_domains_and_their_toolsets_take_turns():
    slots = plan_slots(TOOLSETS, config(dialogues=100))
    assert sorted(Counter(slot.domain for slot in slots).values()) == [33, 33, 34]
    assert abs(sum(1 if slot.toolset_id == "toolset_club1" else -1 for slot in slots if slot.domain == "club")) <= 1


def test_the_order_of_the_toolsets_does_not_matter_and_the_seed_does():
    slots = plan_slots(TOOLSETS, config(dialogues=50))
    assert plan_slots(TOOLSETS[::-1], config(dialogues=50)) == slots
    assert plan_slots(TOOLSETS, config(dialogues=50, seed=5)) != slots
    assert len({slot.seed for slot in slots}) == len({slot.id for slot in slots}) == 50


def test_each_mix_is_met_as_closely_as_whole_numbers_allow():
    settings = config(
        dialogues=101,
        difficulty={"easy": 0.3, "medium": 0.4, "hard": 0.3},
        tasks_per_dialogue={1: 0.25, 2: 0.5, 3: 0.25},
        behaviours={"tool_fault": 0.1, "changed_mind": 0.05},
    )
    slots = plan_slots(TOOLSETS, settings)
    for mix, drawn in (
        (settings.difficulty, Counter(slot.difficulty for slot in slots)),
        (settings.tasks_per_dialogue, Counter(slot.task_count for slot in slots)),
        ({**settings.behaviours, "none": 0.85}, Counter(slot.behaviour for slot in slots)),
    ):
        assert all(abs(drawn[value] - 101 * share) < 1 for value, share in mix.items())  # type: ignore[index]


def test_the_mixes_are_independent_of_each_other():
    slots = plan_slots(TOOLSETS, config(dialogues=2000))
    counted = Counter((slot.difficulty, slot.task_count, slot.domain) for slot in slots)
    for difficulty, tasks, domain in product(("easy", "hard"), (1, 2, 3), ("club", "library")):
        expected = 2000 * 0.3 * {1: 0.3, 2: 0.45, 3: 0.25}[tasks] / 3
        assert counted[difficulty, tasks, domain] == pytest.approx(expected, rel=0.45)


def test_a_share_of_zero_is_never_drawn_and_an_empty_mix_is_refused():
    assert set(draw_mix({"a": 1.0, "b": 0.0}, 9, "s")) == {"a"}
    assert Counter(draw_mix({"a": 0.5, "b": 0.5}, 3, "s"))["a"] in (1, 2)
    with pytest.raises(ValueError, match="positive"):
        draw_mix({"a": 0.0}, 3, "s")


def spec_toolset(domain: str, number: int) -> ToolsetRow:
    tool = {"kind": "spec", "name": "get_it", "spec": {}, "output_schema": {}, "effect": "read"}
    return toolset(domain, number).model_copy(update={"tools": canonical_json([tool])})


BOTH = [*TOOLSETS, spec_toolset("travel", 1), spec_toolset("weather", 1)]


def test_a_toolset_gets_only_paradigms_that_it_can_bear():
    mix = {"user_oriented_executed": 0.5, "user_oriented": 0.3, "task_oriented": 0.2}
    slots = plan_slots(BOTH, config(dialogues=200, paradigms=mix))
    assert Counter(slot.paradigm for slot in slots) == {name: 200 * share for name, share in mix.items()}
    ran = {slot.domain for slot in slots if slot.paradigm == "user_oriented_executed"}
    assert ran == {"club", "library", "orchestra"}
    simulated = Counter(slot.domain for slot in slots if slot.paradigm != "user_oriented_executed")
    assert simulated["travel"] > 30 and simulated["weather"] > 30


def test_without_a_mix_tools_run_where_they_can():
    for slot in plan_slots(BOTH, config(dialogues=50)):
        runs = slot.domain not in ("travel", "weather")
        assert slot.paradigm == ("user_oriented_executed" if runs else "user_oriented")
    assert plan_slots(TOOLSETS, config(dialogues=50)) == plan_slots(
        TOOLSETS, config(dialogues=50, paradigms={"user_oriented_executed": 1.0})
    )


def test_a_paradigm_that_no_toolset_can_bear_stays_in_its_slot():
    slots = plan_slots(BOTH[-2:], config(dialogues=10, paradigms={"user_oriented_executed": 1.0}))
    assert {slot.paradigm for slot in slots} == {"user_oriented_executed"} and len(slots) == 10


def test_behaviours_that_need_a_user_move_to_slots_that_have_one():
    mix = {"user_oriented": 0.5, "task_oriented": 0.5}
    rates = {"missing_parameter": 0.2, "out_of_scope": 0.1, "tool_fault": 0.1}
    slots = plan_slots(BOTH, config(dialogues=100, paradigms=mix, behaviours=rates))
    assert Counter(slot.behaviour for slot in slots) == {
        "none": 60,
        **{name: 100 * share for name, share in rates.items()},
    }
    assert all(slot.behaviour in ("none", "tool_fault") for slot in slots if slot.paradigm == "task_oriented")
    crowded = plan_slots(BOTH, config(dialogues=10, paradigms={"task_oriented": 1.0}, behaviours={"changed_mind": 1.0}))
    assert {slot.behaviour for slot in crowded} == {"none"}


def test_domains_get_only_behaviours_that_their_scenarios_can_carry():
    domain = toolset("airline", 1).model_copy(
        update={
            "tools": canonical_json(
                [{"kind": "domain", "name": "get_it", "spec": {}, "output_schema": {}, "effect": "read"}]
            )
        }
    )
    rates = {"ambiguous_reference": 0.1, "parallel_calls": 0.1, "changed_mind": 0.1}
    alone = plan_slots([domain], config(dialogues=100, behaviours=rates))
    assert Counter(slot.behaviour for slot in alone) == {"none": 90, "changed_mind": 10}
    beside = plan_slots([domain, *TOOLSETS], config(dialogues=100, behaviours=rates))
    assert Counter(slot.behaviour for slot in beside) == {"none": 70, **dict.fromkeys(rates, 10)}
    assert {slot.behaviour for slot in beside if slot.domain == "airline"} <= {"none", "changed_mind"}


def test_executed_twins_by_themselves_and_executed_dialogues_without_a_source_are_refused():
    with pytest.raises(ValueError, match="set twins to true"):
        config(paradigms={"stateless_executed": 0.5, "user_oriented_executed": 0.5})
    with pytest.raises(ValueError, match="add up to 1"):
        config(paradigms={"user_oriented": 0.5})
    settings = config(paradigms={"user_oriented_executed": 1.0})
    tools = settings.sources[0].model_copy(update={"kind": "tools"})
    with pytest.raises(ValueError, match="no source has tools that can run"):
        type(settings)._paradigms_have_sources(settings.model_copy(update={"sources": [tools]}))  # type: ignore[operator]
