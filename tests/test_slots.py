from collections import Counter
from itertools import product

import pytest

from schemas.config import RunConfig, SqlSource
from schemas.rows import ToolsetRow
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
