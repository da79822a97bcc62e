"""Replay on a fresh copy: the same calls give the same results and the same state, or the record is not true."""

from typing import Any

from playing import (
    ASK,
    BYE,
    DONE,
    LOOK_UP,
    MOVE,
    MOVED,
    TELL,
    club,
    earnings_dialogue,
    make_task,
    move_dialogue,
    play,
    tamper,
    trajectory,
)

from schemas.goals import BehaviourPlan
from turnwright.models.scripted import calls
from turnwright.validation.replay import replay_calls

MOVING = make_task((MOVE,), (MOVED,))


def test_a_true_record_matches() -> None:
    assert replay_calls(trajectory(earnings_dialogue()), club()).match == "match"
    assert replay_calls(trajectory(move_dialogue(), MOVING), club()).match == "match"


def test_bad_calls_and_faults_match_as_well() -> None:
    detail = {"tool": "find_player", "kind": "timeout", "times": 1}
    task = make_task(behaviour=BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail))
    bad = [calls("find_player", "{"), calls("nobody", {}), LOOK_UP, LOOK_UP, TELL, BYE]
    row = play([ASK, DONE], bad, task=task)
    assert replay_calls(trajectory(row, task), club()).match == "match"


def test_results_compare_by_value() -> None:
    def rewrite(messages: list[Any], records: list[Any]) -> None:
        records[0]["result"] = records[0]["result"].replace("1200000.0", "1200000")

    row = tamper(earnings_dialogue(), rewrite)
    assert row.calls != earnings_dialogue().calls
    assert replay_calls(trajectory(row), club()).match == "match"


def test_an_altered_result_is_found_where_it_stands() -> None:
    def forge(messages: list[Any], records: list[Any]) -> None:
        records[0]["result"] = records[0]["result"].replace("1200000", "1300000")

    replay = replay_calls(trajectory(tamper(earnings_dialogue(), forge)), club())
    assert replay.match == "mismatch"
    assert [(finding.code, finding.message) for finding in replay.findings] == [("different_result", 2)]


def test_another_final_state_is_found() -> None:
    row = move_dialogue().model_copy(update={"final_digest": "0" * 64})
    assert [finding.code for finding in replay_calls(trajectory(row, MOVING), club()).findings] == ["different_state"]


def test_replay_leaves_the_base_as_it_was() -> None:
    for _ in range(2):
        assert replay_calls(trajectory(move_dialogue(), MOVING), club()).match == "match"
