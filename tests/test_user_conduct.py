"""The user simulator's slips: each rule finds what it is for, and leaves ordinary talk alone."""

import json
from typing import Any

import pytest
from playing import ASK, BYE, DONE, EARNINGS, LOOK_UP, MOVE, MOVED, TELL, Done, make_task, play, trajectory

from schemas.goals import BehaviourPlan, KnownDetail
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import says
from turnwright.statistics.intervals import wilson_interval
from turnwright.statistics.scorecard import ScorecardCount, is_leakable, name_user_model
from turnwright.validation.user_conduct import check_user_conduct

BOTH = make_task((EARNINGS, MOVE), (MOVED,))


def codes(row: DialogueRow, task: DialogueTaskRow | None = None) -> list[str]:
    findings = check_user_conduct(trajectory(row, task))
    assert not any(finding.blocks for finding in findings)
    assert {finding.fault for finding in findings} <= {"user_simulator"}
    return [finding.code for finding in findings]


def talk(*said: str, answer: str = "I see.", task: DialogueTaskRow | None = None) -> DialogueRow:
    """A dialogue in which the assistant answers each message with the same words, and the last one ends it."""
    lines = [says(f"{answer} ({number})") for number in range(len(said) + 1)]
    return play([*said, DONE], lines, task=task or make_task())


def test_a_good_dialogue_has_no_findings() -> None:
    assert codes(play([ASK, DONE], [LOOK_UP, TELL, BYE])) == []


def test_ending_with_a_task_left_out_is_early() -> None:
    assert codes(talk(ASK, task=BOTH), BOTH) == ["stopped_early"]
    assert codes(talk(ASK, "And move Omar Haddad to Bath.", task=BOTH), BOTH) == []


def test_a_completion_before_any_answer_is_early() -> None:
    row = play([Done("Thanks for everything, Nina Petrov!"), DONE], [LOOK_UP, TELL, BYE])
    assert codes(row) == ["stopped_early"]


def test_the_whole_goal_in_one_message_is_a_leak() -> None:
    everything = "How much has Nina Petrov earned, and please move Omar Haddad to Bath."
    assert "leaked_goal" in codes(talk(everything, task=BOTH), BOTH)
    piecemeal = talk(ASK, "Please move Omar Haddad.", "To Bath.", task=BOTH)
    assert "leaked_goal" not in codes(piecemeal, BOTH)


def test_a_small_goal_cannot_be_leaked_and_nor_can_one_that_is_to_be_said_at_once() -> None:
    assert codes(talk(ASK)) == []
    details = [KnownDetail(label=f"town {n}", value=f"Town{n}") for n in range(4)]
    many = EARNINGS.model_copy(update={"known_details": tuple(details)})
    said = "Tell me of Town0, Town1, Town2 and Town3."
    assert "leaked_goal" in codes(talk(said, task=make_task((many,))), make_task((many,)))
    plan = BehaviourPlan(name="parallel_calls", objective=0, instruction="All at once.", detail={"calls": []})
    together = make_task((many,), behaviour=plan)
    assert "leaked_goal" not in codes(talk(said, task=together), together)


@pytest.mark.parametrize(
    "said",
    [
        "My account number is 88231, if that helps.",
        "It was on 2024-01-17.",
        "Write to omar@invented.example.",
        "I spoke with Harriet Blackwood about it.",
        'The folder is called "green papers".',
        "She earned 12.75 in all.",
    ],
)
def test_what_nobody_told_the_person_is_invented(said: str) -> None:
    assert "invented_fact" in codes(talk(ASK, said))


@pytest.mark.parametrize(
    "said",
    [
        "I only have 5 minutes.",
        "Good Morning! I need it Today, thanks a lot.",
        "Maria Silva here. How much has Nina Petrov earned?",
        "Is it 1,200,000 then?",
        "And on 2024-05-03?",
        "What about Petrov Nina?",
    ],
)
def test_what_is_in_the_goal_or_was_heard_is_not(said: str) -> None:
    assert "invented_fact" not in codes(talk(ASK, said, answer="She has earned 1200000."))


NEW = MOVE.model_copy(
    update={"known_details": (MOVE.known_details[0], KnownDetail(label="new home town", value="Bath"))}
)
MOVING = make_task((NEW,), (MOVED,))
ASK_NEW = "Please set the home town of Omar Haddad to Bath."


def test_agreeing_to_another_value_is_over_agreement() -> None:
    wrong = "I would set the home town to Leeds. Shall I go ahead?"
    assert "over_agreement" in codes(talk(ASK_NEW, "Yes, go ahead.", answer=wrong, task=MOVING), MOVING)
    objecting = codes(talk(ASK_NEW, "No, I said Bath.", answer=wrong, task=MOVING), MOVING)
    assert "objected" in objecting


def test_agreeing_to_the_right_value_is_neither() -> None:
    right = "I would set the home town to Bath. Shall I go ahead?"
    assert codes(talk(ASK_NEW, "Yes, go ahead.", answer=right, task=MOVING), MOVING) == []
    assert codes(talk(ASK_NEW, "Yes, thanks.", answer="The home town is on file.", task=MOVING), MOVING) == []


def test_what_is_said_of_another_record_later_is_no_contradiction() -> None:
    task = make_task((NEW, EARNINGS), (MOVED,))
    lines = [says("The home town is now Bath."), says("1,200,000, and the home town is Leeds."), BYE]
    row = play([ASK_NEW, "Thanks. How much has Nina Petrov earned?", DONE], lines, task=task)
    assert "over_agreement" not in codes(row, task)


def finding(code: str, fault: str = "user_simulator") -> dict[str, Any]:
    return {"code": code, "fault": fault, "explanation": f"seen {code}"}


def test_the_scorecard_counts_a_dialogue_once_and_over_its_chances() -> None:
    count = ScorecardCount()
    count.add("d2", json.dumps([finding("invented_fact"), finding("invented_fact")]), leakable=True)
    count.add("d1", json.dumps([finding("json"), finding("objected"), finding("identifier")]), leakable=False)
    count.add("d3", json.dumps([finding("over_agreement"), finding("json", "assistant")]), leakable=True)
    card = count.read("some-model")
    assert (card.model, card.dialogues) == ("some-model", 3)
    figures = {rate.name: (rate.count, rate.of) for rate in card.rates}
    assert figures == {
        "stopped_early": (0, 3),
        "leaked_goal": (0, 2),
        "invented_fact": (1, 3),
        "over_agreement": (1, 2),
        "meta_words": (1, 3),
    }
    rate = next(rate for rate in card.rates if rate.name == "invented_fact")
    assert rate.example == "d2: seen invented_fact" and rate.ci_low < 1 / 3 < rate.ci_high


def test_nothing_counted_is_no_rate() -> None:
    card = ScorecardCount().read("m")
    assert all(rate.rate is None and (rate.ci_low, rate.ci_high) == (0.0, 1.0) for rate in card.rates)


def test_wilson_is_the_textbooks() -> None:
    assert wilson_interval(10, 100) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(20, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)


def test_the_model_is_the_one_that_played_the_person() -> None:
    config = {"name": "a", "sources": [{"kind": "sql", "url": "sqlite:///a.sqlite"}]}
    assert name_user_model({"config": config}) == "selfplay"
    other = {"user_simulator": {"base_url": "http://localhost:1/v1", "name": "people-3"}}
    assert name_user_model({"config": config | {"roles": other}}) == "people-3"
    assert name_user_model({}) == "unknown"


def test_what_can_be_leaked_is_read_from_a_row() -> None:
    assert is_leakable(BOTH.objectives) and not is_leakable(make_task().objectives)
