import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from library_world import LibraryWorld, open_library
from travel_world import TRAVEL, SelfplayModels, make_seed, make_toolset

from schemas.goals import Objective
from turnwright.goals.drafts import Draft
from turnwright.goals.execution import run_plan
from turnwright.goals.keys import Keys
from turnwright.goals.planning import plan_goal, read_service
from turnwright.goals.plans import PlanRejected, draw_plan
from turnwright.goals.proof import prove_plan
from turnwright.goals.slots import Slot, plan_slots
from turnwright.goals.writing import WrittenTask, write_dialogue_task


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibraryWorld]:
    opened = open_library(tmp_path_factory.mktemp("library"))
    yield opened
    opened.base.close()


def choose_slots(world: LibraryWorld, paradigm: str, count: int = 12) -> list[Slot]:
    config = world.config.model_copy(update={"paradigms": {paradigm: 1.0}})
    return plan_slots([world.toolset], config)[:count]


def write(world: LibraryWorld, slot: Slot) -> WrittenTask:
    models: Any = SelfplayModels()
    return asyncio.run(write_dialogue_task(slot, world.toolset, world.seed_row, world.base, models, world.config))


@pytest.mark.parametrize("paradigm", ["user_oriented", "task_oriented"])
def test_simulated_plans_over_a_database_hold_nothing_that_only_a_real_result_tells(world: LibraryWorld, paradigm: str):
    looked_up = 0
    for slot in choose_slots(world, paradigm):
        row = write(world, slot).row
        assert row is not None and row.goal_changes == "[]" and row.start_digest == row.goal_digest
        executed = draw_plan(slot, world.tools, world.database, world.base, 0)
        for objective, planned in zip(
            map(Objective.model_validate, json.loads(row.objectives)), executed.objectives, strict=True
        ):
            assert objective.facts == () and objective.known_details == planned.known
            text = " ".join(objective.rubric)
            for fact in planned.facts:
                assert fact.label in text
            for call, drawn in zip(objective.calls, planned.calls, strict=True):
                assert call.result is None and f"uses {call.tool}" in text
                for name, source in call.sources.items():
                    assert call.arguments[name] == (None if source.kind == "result" else drawn.arguments[name])
                    looked_up += source.kind == "result"
    assert looked_up


def test_executed_plans_over_a_database_are_as_before(world: LibraryWorld):
    for slot in choose_slots(world, "user_oriented_executed"):
        draft, proof = plan_goal(slot, world.seed_row, world.tools, world.base, 0)
        same = draw_plan(slot, world.tools, world.database, world.base, 0)
        assert draft == same
        assert proof == prove_plan(same, world.tools, Keys(world.database), world.base, seed=slot.seed)


def test_running_a_plan_gives_what_the_proof_gives_and_refuses_another_result(world: LibraryWorld):
    for slot in choose_slots(world, "user_oriented_executed", 6):
        draft: Draft[Any] = draw_plan(slot, world.tools, world.database, world.base, 0)
        ran = run_plan(draft, world.tools, world.base, seed=slot.seed)
        proved = prove_plan(draft, world.tools, Keys(world.database), world.base, seed=slot.seed)
        assert (ran.results, ran.goal_digest, ran.goal_changes) == (
            proved.results,
            proved.goal_digest,
            proved.goal_changes,
        )
        first = draft.objectives[0]
        spoilt = replace(first, calls=(replace(first.calls[0], result="something else"), *first.calls[1:]))
        with pytest.raises(PlanRejected, match="call_failed"):
            run_plan(
                replace(draft, objectives=(spoilt, *draft.objectives[1:])), world.tools, world.base, seed=slot.seed
            )


def test_specifications_cannot_be_executed_and_the_ledger_says_so():
    seed, toolset = make_seed("travel", TRAVEL), make_toolset("travel", TRAVEL)
    slot = Slot(0, toolset.id, "travel", "user_oriented_executed", "easy", 1, "none", "7:0")
    models: Any = SelfplayModels()
    config: Any = type("Config", (), {"limits": type("Limits", (), {"task_draws": 2}), "seed": 7})
    written = asyncio.run(write_dialogue_task(slot, toolset, seed, None, models, config))
    assert written.row is None and written.ledger.outcome == "rejected"
    assert written.ledger.reasons == ["paradigm_not_supported: the tools are specifications, which cannot be executed"]


def test_services_are_named_by_their_seeds(world: LibraryWorld):
    assert read_service(world.seed_row).name == world.database.name
    assert read_service(make_seed("travel", TRAVEL)).name == "travel"
