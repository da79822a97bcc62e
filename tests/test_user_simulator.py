"""The user simulator's request: knows the goal, and nothing that would give the answer away."""

import json
from typing import Any

import pytest
from playing import ASK, BYE, DONE, EARNINGS, LOOK_UP, MOVE, PERSONA, messages_of, watch

from schemas.goals import BehaviourPlan
from turnwright.models.scripted import says
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


def hear(told: list[str]) -> dict[str, Any]:
    return read_blocks(brief(PERSONA, (EARNINGS, MOVE), None).frame("It is <so>.", told))


def test_what_was_not_asked_for_is_told_with_each_answer() -> None:
    first = hear(["How much has Nina Petrov earned?"])
    assert first == {"answer": "It is <so>.", "not_asked": [MOVE.description]}
    assert "not_asked" not in hear(["How much has Nina Petrov earned?", "Please move Omar Haddad to Bath."])


def test_a_greeting_opens_the_first_wish_only() -> None:
    assert hear(["Hi there!"])["not_asked"] == [MOVE.description]


def test_a_wish_that_was_worded_differently_is_not_pressed_for_ever() -> None:
    assert "not_asked" in hear(["Nina Petrov?"] * 3)
    assert "not_asked" not in hear(["Nina Petrov?"] * 4)


def test_a_wish_without_values_of_its_own_is_known_by_its_words() -> None:
    bare = EARNINGS.model_copy(update={"description": "Then Maria wants to see all bookings of that player."})
    told = brief(PERSONA, (EARNINGS, bare), None)
    assert "not_asked" in told.frame("So.", ["How much has Nina Petrov earned?"])
    assert "not_asked" not in told.frame("So.", ["How much has Nina Petrov earned?", "All bookings of the player?"])


@pytest.mark.parametrize(
    ("slip", "named"),
    [
        (ASK, "has written exactly this before"),
        ("Nina Petrov has earned 1,200,000. I hope that this helps a little.", "repeats the answer"),
        ("The assistant told me the earnings.", "never 'The assistant'"),
        ("Is there anything else I can help you with?", "the other side says"),
        ("Thanks. Is there anything else I need to do?", "nobody asks that"),
        ("What is the next step?", "nobody asks that"),
        ("Maria wants to know the home town, too.", "the person says `I`"),
    ],
)
def test_a_slip_is_named_once_and_what_comes_then_is_taken(slip: str, named: str) -> None:
    tell = says("Nina Petrov has earned 1,200,000. I hope that this helps.")
    row, models = watch([ASK, slip, "And where does she live?", DONE], [LOOK_UP, tell, BYE, BYE])
    said = [message["content"] for message in messages_of(row) if message["role"] == "user"]
    assert said == [ASK, "And where does she live?", DONE]
    again = models.requests_of("user_simulator")[2].messages
    assert slip in (again[-2]["content"] or "")
    assert named in (again[-1]["content"] or "")
    assert row.repairs == 1
