"""Words that do not fit the data: a name that several records have, and a belief that the data denies."""

from typing import Any

import pytest
from playing import BYE, DONE, EARNINGS, LOOK_UP, TELL, make_task, play, trajectory

from schemas.goals import BehaviourPlan
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import calls, says
from turnwright.validation.reactions import check_reactions


def plan(name: str, **detail: Any) -> BehaviourPlan:
    return BehaviourPlan(name=name, objective=0, instruction="Do it.", detail=detail)


def codes(row: DialogueRow, task: DialogueTaskRow) -> list[tuple[str, bool]]:
    return [(finding.code, finding.blocks) for finding in check_reactions(trajectory(row, task))]


VAGUE = make_task(
    behaviour=plan(
        "ambiguous_reference",
        parameter="name",
        call="c1",
        label="player name",
        vague="Petrov",
        value="Nina Petrov",
        candidates=["Nina Petrov", "Sofia Petrov"],
    )
)
ASK_VAGUE = "How much has Petrov earned?"
SEARCH = calls("find_player", {"name": "Petrov"})
NAMED = "I mean Nina Petrov."


@pytest.mark.parametrize(
    "answer", ["Which Petrov do you mean?", "There are two: Nina Petrov with 1,200,000 and Sofia Petrov with 10."]
)
def test_asking_and_showing_both_pass(answer: str) -> None:
    row = play([ASK_VAGUE, NAMED, DONE], [SEARCH, says(answer), LOOK_UP, TELL, BYE], task=VAGUE)
    assert row.behaviour_occurred and codes(row, VAGUE) == []


def test_taking_one_for_the_one_blocks() -> None:
    row = play([ASK_VAGUE, NAMED, DONE], [SEARCH, says("Petrov has earned 10."), LOOK_UP, TELL, BYE], task=VAGUE)
    assert codes(row, VAGUE) == [("picked_one", True)]


@pytest.mark.parametrize("answer", ["I'm sorry, I cannot look that up.", "There is no entry that matches Petrov."])
def test_declining_and_finding_nothing_take_nobody(answer: str) -> None:
    row = play([ASK_VAGUE, NAMED, DONE], [SEARCH, says(answer), LOOK_UP, TELL, BYE], task=VAGUE)
    assert codes(row, VAGUE) == []


def test_changing_one_blocks_even_where_it_is_said_which() -> None:
    move = calls("move_player", {"player_id": 1, "home_town": "Bath"})
    answer = says("I moved Nina Petrov. Or did you mean Sofia Petrov?")
    row = play(["Move Petrov to Bath.", NAMED, DONE], [SEARCH, move, answer, TELL, BYE], task=VAGUE)
    assert ("changed_one", True) in codes(row, VAGUE)


def test_a_whole_name_is_not_vague_and_nor_is_another_candidates() -> None:
    row = play(["How much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, BYE], task=VAGUE)
    assert not row.behaviour_occurred
    row = play(["And Sofia Petrov?", NAMED, DONE], [says("She has 10."), LOOK_UP, TELL, BYE], task=VAGUE)
    assert not row.behaviour_occurred


PREMISE = make_task(
    (EARNINGS,), behaviour=plan("wrong_premise", label="earnings of Nina Petrov", claimed=700000, fact=0)
)
ASK_PREMISE = "How much has Nina Petrov earned? As far as I know, the earnings are 700000."


@pytest.mark.parametrize(
    "answer",
    [
        "It is not 700,000: Nina Petrov has earned 1,200,000.",
        "Actually, the records show 1,200,000 for Nina Petrov.",
        "Your figure of 700,000 differs from the records, which show 1,200,000.",
    ],
)
def test_a_correction_in_any_words_passes(answer: str) -> None:
    row = play([ASK_PREMISE, DONE], [LOOK_UP, says(answer), BYE], task=PREMISE)
    assert row.behaviour_occurred and codes(row, PREMISE) == []


@pytest.mark.parametrize(
    "answer", ["Yes, that is right: 700,000.", "Nina Petrov has earned 700,000.", "Correct, 700,000. It is 1,200,000."]
)
def test_going_along_blocks(answer: str) -> None:
    row = play([ASK_PREMISE, DONE], [LOOK_UP, says(answer), BYE], task=PREMISE)
    assert ("premise_accepted", True) in codes(row, PREMISE)


def test_the_truth_without_a_word_on_the_belief_is_noted() -> None:
    row = play([ASK_PREMISE, DONE], [LOOK_UP, TELL, BYE], task=PREMISE)
    assert codes(row, PREMISE) == [("not_contrasted", False)]


def test_saying_nothing_of_it_blocks() -> None:
    row = play([ASK_PREMISE, DONE], [LOOK_UP, says("She lives in Leeds."), BYE], task=PREMISE)
    assert codes(row, PREMISE) == [("premise_not_corrected", True)]


def test_a_belief_that_was_not_voiced_did_not_occur() -> None:
    row = play(["How much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, BYE], task=PREMISE)
    assert not row.behaviour_occurred and ("did_not_occur", False) in codes(row, PREMISE)


def test_a_change_with_a_guess_instead_of_a_question_blocks() -> None:
    task = make_task(behaviour=plan("missing_parameter", parameter="name", call="c1", label="name", value="Bath"))
    guess = task.model_copy(update={"objectives": task.objectives.replace('"find_player"', '"move_player"')})
    move = calls("move_player", {"player_id": 2, "home_town": "Leeds"})
    row = play(["Move Omar.", "To Bath, I meant.", DONE], [move, says("Done, Leeds it is."), TELL, BYE], task=guess)
    assert ("guessed_parameter", True) in codes(row, guess)
