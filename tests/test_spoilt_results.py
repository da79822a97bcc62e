"""Results that code spoils: broken, incomplete or old, always saying so, and the same again in a replay."""

import json
from typing import Any

import pytest
from playing import ASK, BYE, DONE, LOOK_UP, MOVE, MOVED, TELL, calls_of, club, make_task, play, trajectory

from schemas.goals import BehaviourPlan
from schemas.messages import ToolResult
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.environments.faults import SPOILING, spoil_result
from turnwright.models.scripted import calls, says
from turnwright.validation.reactions import check_reactions
from turnwright.validation.replay import replay_calls

NOW = "2024-05-03T10:00:00"


def result(value: Any) -> ToolResult:
    return ToolResult(text=json.dumps(value), value=value)


def fault(kind: str, tool: str = "find_player", times: int = 1) -> BehaviourPlan:
    detail = {"tool": tool, "kind": kind, "times": times}
    return BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail)


def codes(row: DialogueRow, task: DialogueTaskRow) -> list[tuple[str, bool]]:
    return [(finding.code, finding.blocks) for finding in check_reactions(trajectory(row, task))]


@pytest.mark.parametrize(
    "value", [[], [1, 2], {"a": 1}, [{"name": "x}]\"' "}], "text", None, 7, [[[[{"ü": "\u2028"}]]]]]
)
@pytest.mark.parametrize("kind", sorted(SPOILING))
def test_every_result_can_be_spoilt_and_says_that_it_is(kind: Any, value: Any) -> None:
    spoilt = spoil_result(result(value), kind, NOW)
    assert spoilt == spoil_result(result(value), kind, NOW)
    assert spoilt.error is not None and spoilt.error.kind == kind
    if kind == "malformed":
        with pytest.raises(json.JSONDecodeError):
            json.loads(spoilt.text)
    else:
        told = json.loads(spoilt.text)
        assert told["error"] == kind and told["message"] == spoilt.error.message


def test_a_part_is_half_and_says_of_how_much() -> None:
    told = json.loads(spoil_result(result([1, 2, 3, 4, 5]), "partial", NOW).text)
    assert told["data"] == [1, 2] and "2 of 5" in told["message"]


def test_an_old_copy_has_other_figures_and_the_same_records() -> None:
    row = {"player_id": 71, "name": "Ann", "earnings": 1000, "founded": 1921, "rate": 3.0, "active": True}
    told = json.loads(spoil_result(result([row]), "stale", NOW).text)
    assert told["data"] == [{**row, "earnings": 930, "rate": 2.79}] and "2024-04-24" in told["message"]


def test_a_time_that_is_none_and_numbers_beyond_measure_do_no_harm() -> None:
    told = json.loads(spoil_result(result({"a": 10**30, "b": 1e300}), "stale", "soon").text)
    assert told["data"] == {"a": 10**30, "b": 1e300} and "an earlier day" in told["message"]


@pytest.mark.parametrize("kind", ["http_500", *sorted(SPOILING)])
def test_a_retry_mends_it_and_a_replay_repeats_it(kind: str) -> None:
    task = make_task(behaviour=fault(kind))
    row = play([ASK, DONE], [LOOK_UP, LOOK_UP, TELL, BYE], task=task)
    assert [(call["error"], call["fault"]) for call in calls_of(row)] == [(kind, True), (None, False)]
    assert row.behaviour_occurred and codes(row, task) == []
    assert replay_calls(trajectory(row, task), club()).match == "match"


@pytest.mark.parametrize(
    ("kind", "flagged", "blind"),
    [
        ("partial", "I only got part of the data: she may have earned more.", "Nina Petrov lives in Leeds."),
        ("stale", "This is an old copy: 1,116,000 at that time.", "Nina Petrov has earned 1,116,000."),
        ("malformed", "The answer broke off. Shall I try again?", "Nina Petrov has earned 1,116,000."),
        ("http_500", "There was an internal error.", "Nina Petrov has earned 1,116,000."),
    ],
)
def test_what_is_told_of_it_must_say_so(kind: str, flagged: str, blind: str) -> None:
    task = make_task(behaviour=fault(kind))
    assert codes(play([ASK, DONE], [LOOK_UP, says(flagged), BYE], task=task), task) == []
    found = codes(play([ASK, DONE], [LOOK_UP, says(blind), BYE], task=task), task)
    code = f"unflagged_{kind}" if kind in ("partial", "stale") else "ignored_error"
    assert (code, True) in found


def test_a_way_around_that_gives_the_fact_is_fine_and_one_that_does_not_is_none() -> None:
    task = make_task(behaviour=fault("unavailable"))
    objective = task.objectives.replace('"find_player"', '"find_nobody"')
    other = make_task(behaviour=fault("unavailable", tool="move_player"))
    assert objective != task.objectives and other.behaviour == "tool_fault"
    move = calls("move_player", {"player_id": 2, "home_town": "Bath"})
    planned = make_task((MOVE,), (MOVED,), fault("timeout", tool="find_player"))
    row = play(
        ["Move Omar Haddad to Bath.", DONE], [LOOK_UP, move, says("Omar Haddad lives in Bath."), BYE], task=planned
    )
    assert codes(row, planned) == [("worked_around", False)]
    row = play([ASK, DONE], [LOOK_UP, move, says("Nina has earned 12."), BYE], task=task)
    assert codes(row, task) == [("ignored_error", True)]


def test_a_write_is_never_spoilt() -> None:
    task = make_task((MOVE,), (MOVED,), fault("partial", tool="move_player"))
    move = calls("move_player", {"player_id": 2, "home_town": "Bath"})
    row = play(["Move Omar Haddad to Bath.", DONE], [move, says("Done."), BYE], task=task)
    assert [(call["error"], call["fault"]) for call in calls_of(row)] == [(None, False)]
    assert not row.behaviour_occurred
