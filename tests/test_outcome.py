"""Outcome: rows and facts, never paths."""

from typing import Any

import pytest
from playing import (
    ASK,
    BYE,
    DONE,
    EARNINGS,
    LOOK_UP,
    MOVE,
    MOVED,
    OMAR,
    earnings_dialogue,
    make_task,
    move_dialogue,
    play,
    trajectory,
)

from schemas.goals import BehaviourPlan, RowChange
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import calls, says
from turnwright.validation.outcome import begin_objectives, compare_outcome, match_changes

MOVING = make_task((MOVE,), (MOVED,))
BOTH = make_task((EARNINGS, MOVE), (MOVED,))
FIND_OMAR = calls("find_player", {"name": "Omar Haddad"})
MOVE_OMAR = calls("move_player", {"player_id": 2, "home_town": "Bath"})


def findings(row: DialogueRow, task: DialogueTaskRow | None = None) -> list[tuple[str, str]]:
    return [(finding.code, finding.fault) for finding in compare_outcome(trajectory(row, task)).findings]


def test_a_goal_that_was_reached_matches() -> None:
    assert compare_outcome(trajectory(earnings_dialogue())).match == "match"
    assert compare_outcome(trajectory(move_dialogue(), MOVING)).match == "match"


def test_extra_reads_and_another_path_do_not_cost() -> None:
    row = play(
        ["Please move Omar Haddad to Bath.", DONE],
        [
            calls("find_player", {"name": "Ann"}),
            FIND_OMAR,
            calls("move_player", {"player_id": 2, "home_town": "Hull"}),
            MOVE_OMAR,
            says("He is in Bath now."),
            BYE,
        ],
        task=MOVING,
    )
    assert compare_outcome(trajectory(row, MOVING)).match == "match"


def test_a_write_that_never_came_is_the_assistant_s_fault() -> None:
    row = play(["Please move Omar Haddad to Bath.", DONE], [FIND_OMAR, says("Done, he is in Bath."), BYE], task=MOVING)
    (finding,) = compare_outcome(trajectory(row, MOVING)).findings
    assert (finding.code, finding.fault, finding.message) == ("missing_change", "assistant", 4)


def test_a_write_that_was_never_asked_for_is_the_user_s_fault() -> None:
    row = play([ASK, DONE], [LOOK_UP, says("1,200,000."), BYE], task=BOTH)
    assert findings(row, BOTH) == [("missing_change", "user_simulator")]


def test_a_write_of_another_value_is_missing_and_unplanned() -> None:
    hull = calls("move_player", {"player_id": 2, "home_town": "bath"})
    row = play(["Please move Omar Haddad to Bath.", DONE], [FIND_OMAR, hull, says("Done."), BYE], task=MOVING)
    assert [code for code, _ in findings(row, MOVING)] == ["missing_change", "unplanned_change"]
    assert compare_outcome(trajectory(row, MOVING)).findings[1].message == 4


def test_a_needless_write_is_unplanned() -> None:
    book = calls("add_booking", {"player_id": 1, "day": "2024-06-01"})
    row = play([ASK, DONE], [LOOK_UP, book, says("1,200,000."), BYE])
    assert findings(row) == [("unplanned_change", "assistant")]


def test_a_fact_that_was_not_told_is_found() -> None:
    assert findings(play([ASK, DONE], [LOOK_UP, says("She is rich."), BYE])) == [("fact_not_told", "assistant")]


@pytest.mark.parametrize(
    ("label", "text", "found"),
    [
        ("budget million", "It has 15 million euros.", True),
        ("budget million", "It has 15.0.", True),
        ("budget million", "It has 16 million euros.", False),
        ("budget", "It has 15 million euros.", False),
    ],
)
def test_a_field_that_counts_in_millions_may_be_told_in_full(label: str, text: str, found: bool) -> None:
    fact = EARNINGS.facts[0].model_copy(update={"label": label, "value": 15.0})
    task = make_task((EARNINGS.model_copy(update={"facts": (fact,)}),))
    row = play([ASK, DONE], [LOOK_UP, says(text), BYE], task=task)
    assert (("fact_not_told", "assistant") not in findings(row, task)) is found


def test_a_fact_told_before_the_objective_began_does_not_count() -> None:
    task = make_task((MOVE, EARNINGS), (MOVED,))
    row = play(
        ["Please move Omar Haddad to Bath.", ASK, DONE],
        [FIND_OMAR, MOVE_OMAR, says("Done. Nina has 1,200,000."), says("As I said."), BYE],
        task=task,
    )
    assert begin_objectives(trajectory(row, task)) == [1, 7]
    assert findings(row, task) == [("fact_not_told", "assistant")]


def test_a_fault_that_lasted_excuses_its_objective() -> None:
    detail: dict[str, Any] = {"tool": "find_player", "kind": "unavailable", "times": 5}
    task = make_task(behaviour=BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail))
    told = says("The service is unavailable, please try later.")
    row = play([ASK, DONE], [LOOK_UP, LOOK_UP, told, BYE], task=task)
    outcome = compare_outcome(trajectory(row, task))
    assert outcome.match == "unavailable"
    assert [finding.blocks for finding in outcome.findings] == [False]


ROW = {"booking_id": 12, "player_id": 2, "day": "2024-06-01"}
SUPPLIED = {"booking": {"player_id", "day"}}


def inserted(**changes: Any) -> RowChange:
    return RowChange(table="booking", before=None, after={**ROW, **changes})


@pytest.mark.parametrize(
    ("actual", "same"),
    [
        (inserted(), True),
        (inserted(booking_id=99), True),
        (inserted(player_id=2.0), True),
        (inserted(booking_id="x"), False),
        (inserted(day="2024-06-02"), False),
        (RowChange(table="Booking", before=None, after=ROW), True),
        (RowChange(table="player", before=None, after=ROW), False),
        (RowChange(table="booking", before=ROW, after=None), False),
        (RowChange(table="booking", before=ROW, after=ROW), False),
    ],
)
def test_rows_compare_by_value_and_computed_keys_by_type(actual: RowChange, same: bool) -> None:
    assert (match_changes([inserted()], [actual], SUPPLIED) == ([], [])) is same


def test_float_noise_and_order_do_not_matter() -> None:
    first = RowChange(table="player", before=OMAR, after={**OMAR, "earnings": 0.3})
    noisy = RowChange(table="player", before=OMAR, after={**OMAR, "earnings": 0.1 + 0.2})
    assert match_changes([first, inserted()], [inserted(), noisy], SUPPLIED) == ([], [])


def test_a_reference_follows_its_computed_key() -> None:
    planned = [inserted(), RowChange(table="payment", before=None, after={"payment_id": 1, "booking_id": 12})]
    actual = [
        inserted(booking_id=40),
        RowChange(table="payment", before=None, after={"payment_id": 1, "booking_id": 40}),
    ]
    supplied = {**SUPPLIED, "payment": {"booking_id"}}
    assert match_changes(planned, actual, supplied) == ([], [])
    assert match_changes(planned, [*actual[:1], planned[1]], supplied)[0] == []


def test_the_same_change_twice_is_once_too_often() -> None:
    missing, left = match_changes([inserted()], [inserted(), inserted(booking_id=13)], SUPPLIED)
    assert (missing, len(left)) == ([], 1)
