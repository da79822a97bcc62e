"""Tasks whose goal a behaviour blocks: proved to be possible otherwise, expected to change nothing."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from library_world import LibraryWorld, open_library

from schemas.replies import TaskDraft, TaskDrafts
from schemas.tools import SpecTool
from schemas.vocabulary import BEHAVIOURS
from turnwright.goals.behaviours import NEEDS_ROWS, choose_behaviour
from turnwright.goals.behaviours.refused import BLOCKING, find_blocked
from turnwright.goals.drafts import Draft, DraftCall, DraftObjective
from turnwright.goals.keys import Keys
from turnwright.goals.planning import prove_reachable
from turnwright.goals.plans import PlanRejected, draw_plan
from turnwright.goals.proof import prove_plan
from turnwright.goals.slots import Slot
from turnwright.goals.writing import build_objectives


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibraryWorld]:
    opened = open_library(tmp_path_factory.mktemp("library"))
    yield opened
    opened.base.close()


def draw(world: LibraryWorld, behaviour: str, number: int, tasks: int = 2) -> Draft:
    slot = Slot(
        number, world.toolset.id, "library", "user_oriented_executed", "medium", tasks, behaviour, f"s:{number}"
    )
    for attempt in range(4):
        try:
            return draw_plan(slot, world.tools, world.database, world.base, attempt)
        except PlanRejected:
            continue
    raise AssertionError(f"no plan carries {behaviour}")


@pytest.mark.parametrize("behaviour", sorted(BLOCKING))
@pytest.mark.parametrize("tasks", [1, 3])
def test_what_is_blocked_is_possible_with_all_tools_and_expected_to_change_nothing(
    world: LibraryWorld, behaviour: str, tasks: int
) -> None:
    for number in range(6):
        draft = draw(world, behaviour, number, tasks)
        assert draft.behaviour is not None
        whole = prove_plan(draft, world.tools, Keys(world.database), world.base, seed="s")
        proof = prove_reachable(draft, world.tools, world.database, world.base, seed="s")
        blocked = draft.objectives[draft.behaviour.objective]
        rest = {call.id for objective in draft.objectives if objective is not blocked for call in objective.calls}
        assert set(proof.results) == rest
        writes = any(call.tool.effect == "write" for call in blocked.calls)
        assert (proof.goal_digest != whole.goal_digest) == writes
        if len(draft.objectives) == 1:
            assert proof.goal_digest == proof.start_digest and proof.goal_changes == ()


@pytest.mark.parametrize("behaviour", sorted(BLOCKING))
def test_the_blocked_objective_keeps_its_words_and_nothing_to_reach(world: LibraryWorld, behaviour: str) -> None:
    draft = draw(world, behaviour, 3, 3)
    proof = prove_reachable(draft, world.tools, world.database, world.base, seed="s")
    words = TaskDrafts(
        tasks=[
            TaskDraft(description="Ada wants something done.", rubric=["The assistant tells Ada the answer."])
            for _ in draft.objectives
        ]
    )
    objectives = build_objectives(draft, proof, words)
    for number, (objective, planned) in enumerate(zip(objectives, draft.objectives, strict=True)):
        if number == find_blocked(draft.behaviour):
            assert (objective.calls, objective.facts) == ((), ())
            assert len(objective.rubric) == 1 and "The assistant tells Ada the answer." not in objective.rubric
            assert objective.known_details == planned.known
        else:
            assert len(objective.calls) == len(planned.calls)


def test_no_tool_that_is_left_does_what_was_taken_away(world: LibraryWorld) -> None:
    by_name = {tool.name: tool for tool in world.tools}
    for number in range(12):
        draft = draw(world, "removed_tool", number)
        assert draft.behaviour is not None
        gone = set(draft.behaviour.detail["tools"])
        objective = draft.objectives[draft.behaviour.objective]
        left = [tool for name, tool in by_name.items() if name not in gone]
        for goal in objective.goals:
            if goal.tool.effect == "write":
                columns = {binding.column for binding in goal.tool.bindings if binding.operator == "set"}
                for tool in left:
                    same = (tool.verb, tool.target) == (goal.tool.verb, goal.tool.target)
                    sets = {binding.column for binding in tool.bindings if binding.operator == "set"}
                    assert not same or (columns and not columns & sets)


def test_the_rule_names_what_it_forbids_in_plain_words(world: LibraryWorld) -> None:
    seen: set[str] = set()
    for number in range(12):
        behaviour = draw(world, "forbidden_action", number).behaviour
        assert behaviour is not None
        policy = behaviour.detail["policy"]
        assert policy.startswith("Never ") and "_" not in policy and policy.endswith(", whoever asks for it.")
        seen.add(policy)
    assert len(seen) >= 3


def _as_specifications(world: LibraryWorld, objectives: tuple[DraftObjective, ...]) -> Any:
    """The same plan and tools as bare specifications, without rows or statements."""
    tools = [
        SpecTool(name=tool.name, spec=tool.spec, output_schema=tool.output_schema, effect=tool.effect)
        for tool in world.tools
    ]
    by_name = {tool.name: tool for tool in tools}

    def bare(call: DraftCall) -> DraftCall:
        tool: Any = by_name[call.tool.name]
        return replace(call, tool=tool)

    return [replace(one, calls=tuple(bare(call) for call in one.calls)) for one in objectives], tools


@pytest.mark.parametrize("wanted", sorted(set(BEHAVIOURS) - NEEDS_ROWS))
def test_specifications_carry_what_needs_no_rows(world: LibraryWorld, wanted: str) -> None:
    objectives, tools = _as_specifications(world, draw(world, wanted, 5).objectives)
    plan = choose_behaviour(wanted, objectives, tools, None, None, random.Random("1"))
    assert plan is not None and plan.name == wanted
    for name in NEEDS_ROWS:
        assert choose_behaviour(name, objectives, tools, None, None, random.Random("1")) is None


def test_a_name_that_is_none_is_an_error(world: LibraryWorld) -> None:
    with pytest.raises(ValueError, match="no such behaviour"):
        choose_behaviour("dancing", [], [], None, None, random.Random("1"))
