"""Builds that add to a dataset: what a run begins with, and which dialogues it attempts."""

from collections import Counter
from pathlib import Path
from typing import Any

from schemas.config import RunConfig
from schemas.incremental import Incremental
from schemas.rows import ToolsetRow
from tasks.extension import extend_run
from tasks.publish_dataset import adds_nothing
from tasks.run_context import RunContext
from tests.dataset_world import all_rows, finish_run, publish
from turnwright.goals.slots import Slot, plan_slots

TOOLSETS = [
    ToolsetRow(id=f"toolset_{domain}{n}", seed_id=f"seed_{domain}", domain=domain, tool_ids=[], tools="[]")
    for domain in ("club", "shop")
    for n in range(3)
]


def config(dialogues: int = 20, **incremental: Any) -> RunConfig:
    content: dict[str, Any] = {
        "name": "club",
        "seed": 4,
        "sources": [{"kind": "sql", "url": "sqlite:///club.sqlite"}],
        "dialogues": dialogues,
    }
    if incremental:
        content["incremental"] = {"dataset": "club"} | incremental
    return RunConfig.model_validate(content)


def plan(first: int, **more: Any) -> list[Slot]:
    return plan_slots(TOOLSETS, config(first_slot=first, **more))


def test_a_first_build_is_that_of_a_run_by_itself() -> None:
    assert plan(0) == plan_slots(TOOLSETS, config())


def test_each_build_attempts_other_dialogues() -> None:
    builds = [plan(first) for first in (0, 20, 40)]
    numbers = [slot.number for build in builds for slot in build]
    assert numbers == list(range(60))
    assert len({slot.seed for build in builds for slot in build}) == 60
    assert [slot.difficulty for slot in builds[0]] != [slot.difficulty for slot in builds[1]]
    assert [Counter(slot.difficulty for slot in build) for build in builds].count(
        Counter(slot.difficulty for slot in builds[0])
    ) == 3


def test_builds_go_on_taking_turns_among_the_toolsets() -> None:
    """Four dialogues a night, six toolsets: none is left out."""
    counts = Counter(slot.toolset_id for first in range(0, 48, 4) for slot in plan(first, dialogues=4))
    assert len(counts) == 6
    assert set(counts.values()) == {8}


def test_new_seeds_alone_are_given_dialogues_where_that_is_asked_for() -> None:
    slots = plan(20, mode="new_seeds", known_seeds=["seed_club"])
    assert {slot.domain for slot in slots} == {"shop"} and len(slots) == 20
    assert plan(20, mode="new_seeds", known_seeds=["seed_club", "seed_shop"]) == []


def begin(runs: Path, run_id: str = "next", **incremental: Any) -> Incremental:
    run = RunContext(config=config(**({"mode": "extend"} | incremental)), run_id=run_id, runs=str(runs))
    found = extend_run(run).config.incremental
    assert found is not None
    return found


def test_a_run_finds_what_it_adds_to_and_keeps_that(tmp_path: Path) -> None:
    assert (begin(tmp_path).base, begin(tmp_path).first_slot) == (0, 0)
    publish(finish_run(tmp_path, "one", range(60)))
    found = begin(tmp_path)
    assert (found.base, found.first_slot) == (1, 60)
    assert found.known_seeds == [all_rows()["seeds"][0].id]
    begun = {"config": config(dialogues=60).model_dump(mode="json") | {"incremental": found.model_dump(mode="json")}}
    finish_run(tmp_path, "next", range(60, 120), **begun)
    publish(finish_run(tmp_path, "other", range(60, 90)))
    assert begin(tmp_path).first_slot == 60, "a run that goes on makes the same dialogues"
    assert begin(tmp_path, "another").first_slot == 90
    assert begin(tmp_path, mode="full").first_slot == 0


def test_a_run_by_itself_is_left_as_it_is(tmp_path: Path) -> None:
    run = RunContext(config=config(), run_id="one", runs=str(tmp_path))
    assert extend_run(run) is run


def test_there_is_nothing_to_do_where_no_seed_is_new(tmp_path: Path) -> None:
    folder = finish_run(tmp_path, "one", range(30))
    seeds = folder.find_tables()["seeds"]
    known = [all_rows()["seeds"][0].id]

    def ask(**incremental: Any) -> bool:
        return adds_nothing(RunContext(config=config(**incremental), run_id="two", runs=str(tmp_path)), seeds)

    assert ask(mode="new_seeds", known_seeds=known)
    assert not ask(mode="new_seeds", known_seeds=[])
    assert not ask(mode="extend", known_seeds=known)
    assert not ask()
