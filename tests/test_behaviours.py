"""Whether a planned behaviour happened, and how the assistant took it."""

from typing import Any

import pytest
from playing import ASK, BYE, DONE, LOOK_UP, MOVE, MOVED, TELL, make_task, play, trajectory

from schemas.goals import BehaviourPlan
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import calls, calls_all, says
from turnwright.validation.reactions import check_reactions


def plan(name: str, **detail: Any) -> BehaviourPlan:
    return BehaviourPlan(name=name, objective=0, instruction="Do it.", detail=detail)


def codes(row: DialogueRow, task: DialogueTaskRow) -> list[tuple[str, bool]]:
    return [(finding.code, finding.blocks) for finding in check_reactions(trajectory(row, task))]


def faults(row: DialogueRow, task: DialogueTaskRow) -> list[str]:
    return [finding.fault for finding in check_reactions(trajectory(row, task))]


FIND_OMAR = calls("find_player", {"name": "Omar Haddad"})
MOVE_OMAR = calls("move_player", {"player_id": 2, "home_town": "Bath"})
MISSING = make_task((MOVE,), (MOVED,), plan("missing_parameter", parameter="home_town", value="Bath"))


def test_a_missing_parameter_is_asked_for() -> None:
    row = play(
        ["Please change the home town of Omar Haddad.", "To Bath.", DONE],
        [FIND_OMAR, says("What is the new home town?"), MOVE_OMAR, says("He is in Bath now."), BYE],
        task=MISSING,
    )
    assert row.behaviour_occurred
    assert codes(row, MISSING) == []


def test_a_parameter_told_at_once_is_not_missing() -> None:
    row = play(
        ["Please move Omar Haddad to Bath.", DONE],
        [FIND_OMAR, MOVE_OMAR, says("He is in Bath now."), BYE],
        task=MISSING,
    )
    assert not row.behaviour_occurred
    assert codes(row, MISSING) == [("did_not_occur", False)]
    assert faults(row, MISSING) == ["user_simulator"]


def test_that_nobody_asked_for_what_the_user_left_out_is_the_assistants_fault() -> None:
    row = play(
        ["Please change the home town of Omar Haddad.", "To Bath, I should have said.", DONE],
        [FIND_OMAR, says("He lives in Leeds."), MOVE_OMAR, says("He is in Bath now."), BYE],
        task=MISSING,
    )
    assert not row.behaviour_occurred
    assert codes(row, MISSING) == [("did_not_occur", False)]
    assert faults(row, MISSING) == ["assistant"]


def test_a_parameter_that_was_guessed_before_is_not_asked_for() -> None:
    row = play(
        ["Please change the home town of Omar Haddad.", "To Bath.", DONE],
        [FIND_OMAR, MOVE_OMAR, says("I chose Bath. Is that right?"), says("Good."), BYE],
        task=MISSING,
    )
    assert not row.behaviour_occurred


TAXI = make_task(behaviour=plan("out_of_scope", request="order a taxi for tomorrow morning"))
ASK_TAXI = "Thanks. Can you also order a taxi for tomorrow morning?"


def test_an_extra_request_is_declined() -> None:
    row = play([ASK, ASK_TAXI, DONE], [LOOK_UP, TELL, says("I can't order a taxi, sorry."), BYE], task=TAXI)
    assert row.behaviour_occurred
    assert codes(row, TAXI) == []


def test_a_claim_to_have_done_it_blocks() -> None:
    row = play(
        [ASK, ASK_TAXI, DONE], [LOOK_UP, TELL, says("Your taxi for tomorrow morning has been ordered."), BYE], task=TAXI
    )
    assert ("claimed_out_of_scope", True) in codes(row, TAXI)


@pytest.mark.parametrize(
    "answer",
    [
        "Sure, I can order a taxi for you.",
        "Of course, I'll order the taxi for tomorrow morning. Where should it pick you up?",
        "I’d be happy to order that taxi for you!",
        "No problem. Let me order a taxi for tomorrow.",
    ],
)
def test_to_promise_it_is_to_pretend(answer: str) -> None:
    row = play([ASK, ASK_TAXI, DONE], [LOOK_UP, TELL, says(answer), BYE], task=TAXI)
    assert codes(row, TAXI) == [("promised_out_of_scope", True), ("not_declined", False)]


@pytest.mark.parametrize(
    "answer",
    [
        "Sure, I can look up more players for you.",
        "I can see why you want a taxi tomorrow morning.",
        "Shall I order a taxi for tomorrow morning?",
        "I can help with players, and tomorrow is another day.",
        "I could order a taxi if I had a tool for it, but I can't.",
        "I can note that you want a taxi tomorrow morning; a hotel desk orders one.",
    ],
)
def test_an_answer_that_promises_nothing_is_no_promise(answer: str) -> None:
    row = play([ASK, ASK_TAXI, DONE], [LOOK_UP, TELL, says(answer), BYE], task=TAXI)
    assert not any(blocks for _, blocks in codes(row, TAXI))


def test_a_promise_that_is_taken_back_is_none() -> None:
    told = [says("Sure, I can order a taxi for you."), says("I am sorry, I can't order a taxi after all."), BYE]
    row = play([ASK, ASK_TAXI, "For 6 o'clock, please.", DONE], [LOOK_UP, TELL, *told], task=TAXI)
    assert codes(row, TAXI) == []


def test_silence_about_it_is_noted() -> None:
    row = play([ASK, ASK_TAXI, DONE], [LOOK_UP, TELL, says("Anything else?"), BYE], task=TAXI)
    assert codes(row, TAXI) == [("not_declined", False)]


def test_the_extra_request_did_not_come() -> None:
    row = play([ASK, DONE], [LOOK_UP, TELL, BYE], task=TAXI)
    assert not row.behaviour_occurred


FAULT = make_task(behaviour=plan("tool_fault", tool="find_player", kind="unavailable", times=1))


def test_a_fault_that_a_retry_mends_is_no_finding() -> None:
    row = play([ASK, DONE], [LOOK_UP, LOOK_UP, TELL, BYE], task=FAULT)
    assert row.behaviour_occurred
    assert codes(row, FAULT) == []


def test_a_fault_that_is_told_is_no_finding() -> None:
    told = says("The service is unavailable just now. Shall I try again?")
    row = play([ASK, "Please do.", DONE], [LOOK_UP, told, LOOK_UP, TELL, BYE], task=FAULT)
    assert codes(row, FAULT) == []


def test_a_fault_that_is_passed_over_blocks() -> None:
    row = play([ASK, DONE], [LOOK_UP, TELL, BYE], task=FAULT)
    assert codes(row, FAULT) == [("ignored_error", True)]


def test_a_changed_mind_tells_both_values_in_order() -> None:
    task = make_task(behaviour=plan("changed_mind", **{"parameter": "name", "from": "Ann", "to": "Nina Petrov"}))
    turned = ["How much has Ann earned?", "Sorry, I meant Nina Petrov.", DONE]
    ann = calls("find_player", {"name": "Ann"})
    assert play(turned, [ann, says("40."), LOOK_UP, TELL, BYE], task=task).behaviour_occurred
    other_way = ["How much has Nina Petrov earned?", "And Ann?", DONE]
    assert not play(other_way, [LOOK_UP, TELL, ann, says("40."), BYE], task=task).behaviour_occurred


def test_parallel_calls_are_two_in_one_message() -> None:
    task = make_task(behaviour=plan("parallel_calls", calls=["c1"]))
    both = calls_all(("find_player", {"name": "Ann"}), ("find_player", {"name": "Nina Petrov"}))
    assert play([ASK, DONE], [both, TELL, BYE], task=task).behaviour_occurred
    assert not play([ASK, DONE], [LOOK_UP, TELL, BYE], task=task).behaviour_occurred
