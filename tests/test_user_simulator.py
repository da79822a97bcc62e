"""The user simulator's request: knows the goal, and nothing that would give the answer away."""

import json

from playing import EARNINGS, MOVE, PERSONA

from schemas.goals import BehaviourPlan
from turnwright.roles.user_simulator import brief
from turnwright.selfplay.request import read_blocks


def test_the_goal_holds_descriptions_and_known_details_only() -> None:
    told = brief(PERSONA, (EARNINGS, MOVE), None)
    goal = read_blocks(told.system)["goal"]
    assert goal["tasks"][0] == {
        "description": EARNINGS.description,
        "known_details": [{"label": "player name", "value": "Nina Petrov"}],
    }
    assert goal["behaviour"] is None
    assert len(goal["tasks"]) == 2


def test_no_fact_rubric_or_plan_is_told() -> None:
    told = json.dumps(brief(PERSONA, (EARNINGS, MOVE), None).system)
    assert "1200000" not in told
    assert "find_player" not in told
    assert EARNINGS.rubric[0] not in told


def test_the_persona_and_the_behaviour_are_told() -> None:
    plan = BehaviourPlan(
        name="out_of_scope", objective=0, instruction="Also ask for a taxi.", detail={"request": "taxi"}
    )
    blocks = read_blocks(brief(PERSONA, (EARNINGS,), plan).system)
    assert blocks["persona"] == PERSONA.model_dump(mode="json")
    assert blocks["goal"]["behaviour"] == "Also ask for a taxi."


def test_a_behaviour_made_by_code_is_not_told() -> None:
    plan = BehaviourPlan(name="tool_fault", objective=0, instruction="", detail={"tool": "x", "kind": "timeout"})
    assert read_blocks(brief(PERSONA, (EARNINGS,), plan).system)["goal"]["behaviour"] is None
