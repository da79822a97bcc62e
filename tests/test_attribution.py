"""Attribution: the first faulty message and whose fault it is, whichever layer noticed it, and what repair does."""

import asyncio
from typing import Any

import pytest
from playing import (
    ASK,
    BYE,
    CONFIG,
    DONE,
    EARNINGS,
    LOOK_UP,
    MOVE,
    MOVED,
    TELL,
    TOOLSET,
    as_turns,
    broken,
    club,
    judgement,
    make_task,
    messages_of,
    play,
    trajectory,
)

from schemas.findings import Finding
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import ScriptedModels, calls, says
from turnwright.validation.attribution import attribute_fault
from turnwright.validation.repairs import find_obstacle, repair_until_valid
from turnwright.validation.verdict import validate_dialogue

GOOD = judgement((1, "Critical", True))


def find(layer: str, code: str, message: int | None, fault: str = "assistant", **more: Any) -> Finding:
    content = {"layer": layer, "code": code, "message": message, "fault": fault, "blocks": True, "explanation": "x"}
    return Finding.model_validate(content | more)


def judge(row: DialogueRow, *votes: Any, task: DialogueTaskRow | None = None) -> Any:
    played: Any = ScriptedModels({"judge": votes})
    return asyncio.run(validate_dialogue(row, task or make_task(), TOOLSET, club(), played, CONFIG))


ROW = play([ASK, DONE], [LOOK_UP, says("She is rich."), BYE])


def test_the_earliest_finding_that_blocks_wins() -> None:
    found = [find("outcome", "x", 5), find("grounding", "y", 4), find("rules", "z", 2, blocks=False)]
    first = attribute_fault(trajectory(ROW), found)
    assert first is not None
    assert (first.message, first.fault, first.reason) == (4, "assistant", "grounding.y: x")
    assert attribute_fault(trajectory(ROW), found[2:]) is None


def test_a_faulty_task_comes_before_everything() -> None:
    found = [find("grounding", "y", 2), find("rules", "z", None, "task")]
    first = attribute_fault(trajectory(ROW), found)
    assert first is not None and first.fault == "task"


def test_a_judge_that_names_a_message_is_believed() -> None:
    found = [find("judge", "critical_bullet_missed", None, explanation="x (message 3 ignores it)")]
    first = attribute_fault(trajectory(ROW), found)
    assert first is not None and (first.message, first.fault) == (3, "assistant")
    beyond = [find("judge", "critical_bullet_missed", None, explanation="x (message 99)")]
    first = attribute_fault(trajectory(ROW), beyond)
    assert first is not None and first.message == 4


def test_a_user_who_misled_the_assistant_is_to_blame() -> None:
    slip = find("rules", "invented_fact", 1, "user_simulator", blocks=False)
    first = attribute_fault(trajectory(ROW), [find("outcome", "unplanned_change", 2), slip])
    assert first is not None and (first.message, first.fault) == (1, "user_simulator")


def test_a_fact_that_was_kept_back_is_the_first_answer_after_its_result() -> None:
    late = play([ASK, "Tell me more, please.", DONE], [LOOK_UP, says("She is rich."), says("Very rich."), BYE])
    verdict = judge(late, GOOD)
    assert (verdict.first_faulty_message, verdict.fault) == (4, "assistant")
    assert verdict.fault_reason.startswith("outcome.fact_not_told: ")


def test_a_fact_that_no_planned_call_gives_is_the_tasks_fault() -> None:
    impossible = EARNINGS.model_copy(update={"facts": (EARNINGS.facts[0].model_copy(update={"value": 77.0}),)})
    task = make_task((impossible,))
    verdict = judge(play([ASK, DONE], [LOOK_UP, TELL, BYE], task=task), GOOD, task=task)
    assert verdict.fault == "task"
    assert (find_obstacle(ROW, verdict) or "").startswith("faulty_task: ")


def test_a_user_who_never_came_to_it_ended_too_early() -> None:
    task = make_task((EARNINGS, MOVE), (MOVED,))
    verdict = judge(play([ASK, DONE], [LOOK_UP, TELL, BYE], task=task), GOOD, task=task)
    assert (verdict.first_faulty_message, verdict.fault) == (5, "user_simulator")


def test_a_reply_that_broke_off_goes_on_at_the_end() -> None:
    verdict = judge(play([ASK], [LOOK_UP, broken()]))
    assert verdict.first_faulty_message == 4


def repair(row: DialogueRow, tries: int, user: Any, assistant: Any, votes: Any) -> Any:
    verdict = judge(row, GOOD)
    played: Any = ScriptedModels({"user_simulator": as_turns(user), "assistant": assistant, "judge": votes})
    config = CONFIG.model_copy(update={"repair": CONFIG.repair.model_copy(update={"tries": tries})})
    return asyncio.run(repair_until_valid(row, verdict, make_task(), TOOLSET, club(), played, config))


def test_tries_end_with_the_first_valid_one() -> None:
    made = repair(ROW, 3, [DONE, DONE], [says("A lot."), BYE, TELL, BYE], [GOOD, GOOD])
    assert [verdict.judgment for _, verdict in made.tries] == ["invalid", "valid"]
    assert made.kept is made.tries[1][0]
    assert (made.kept.repaired_from, made.kept.repaired_at, made.kept.repair_try) == (ROW.id, 4, 2)
    assert made.kept.repaired_because.startswith("assistant: outcome.fact_not_told: ")
    assert messages_of(made.kept)[:4] == messages_of(ROW)[:4]


@pytest.mark.parametrize("tries", [1, 2])
def test_tries_are_bounded(tries: int) -> None:
    made = repair(ROW, tries, [DONE] * 2, [says("A lot."), BYE] * 2, [GOOD] * 2)
    assert len(made.tries) == tries
    assert made.kept is None
    assert made.reasons[0].startswith(f"in_vain: {tries} tries; outcome.fact_not_told")


def test_a_call_with_a_wrong_argument_is_made_again() -> None:
    task = make_task((MOVE,), (MOVED,))
    bad = play(
        ["Please move Omar Haddad to Bath.", DONE],
        [
            calls("find_player", {"name": "Omar Haddad"}),
            calls("move_player", {"player_id": 1, "home_town": "Bath"}),
            says("Done: the home town of Omar Haddad is now Bath."),
            BYE,
        ],
        task=task,
    )
    verdict = judge(bad, GOOD, task=task)
    assert (verdict.first_faulty_message, verdict.fault) == (4, "assistant")
