"""Repair: from the snapshot before a message a dialogue goes on as if nothing had happened, and what is kept stays."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
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
    Done,
    as_turns,
    broken,
    calls_of,
    club,
    make_task,
    messages_of,
    move_dialogue,
    play,
    tamper,
)

from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import Line, ScriptedModels, calls, calls_all, says
from turnwright.rollout.prefix import NoPrefix, cut_prefix
from turnwright.rollout.repair import DRAWS_APART, repair_dialogue
from turnwright.rollout.tool_calls import NotReproduced

MOVING = make_task((MOVE,), (MOVED,))
FIND = calls("find_player", {"name": "Omar Haddad"})
SET = calls("move_player", {"player_id": 2, "home_town": "Bath"})
SAID = says("Done: the home town of Omar Haddad is now Bath.")


def repair(
    row: DialogueRow,
    message: int,
    *,
    user: Sequence[str] = (),
    assistant: Sequence[Line] = (),
    task: DialogueTaskRow | None = None,
    attempt: int = 1,
) -> tuple[DialogueRow, ScriptedModels]:
    models = ScriptedModels({"user_simulator": as_turns(user), "assistant": assistant})
    played: Any = models
    made = repair_dialogue(
        row,
        task or make_task(),
        TOOLSET,
        club(),
        played,
        CONFIG,
        message=message,
        reason="assistant: because",
        attempt=attempt,
    )
    return asyncio.run(made), models


def test_what_stands_before_the_fault_is_kept_and_the_rest_is_made_again() -> None:
    bad = play([ASK, DONE], [LOOK_UP, says("She has earned 5."), BYE])
    row, models = repair(bad, 4, user=[DONE], assistant=[TELL, BYE])
    assert messages_of(row)[:4] == messages_of(bad)[:4]
    assert [message["content"] for message in messages_of(row)[4:]] == [TELL.content, str(DONE), BYE.content]
    assert (row.repaired_from, row.repaired_at, row.repair_try) == (bad.id, 4, 1)
    assert row.repaired_because == "assistant: because"
    assert row.ending == "task_complete"
    assert {request.draw for request in models.requests} == {DRAWS_APART}
    assert len(row.model_calls) == len(models.requests) == 3


def test_tries_have_draws_of_their_own() -> None:
    bad = play([ASK, DONE], [LOOK_UP, says("She has earned 5."), BYE], trial=3)
    drawn = {repair(bad, 4, user=[DONE], assistant=[TELL, BYE], attempt=n)[1].requests[0].draw for n in (1, 2)}
    assert drawn == {3 + DRAWS_APART, 3 + 2 * DRAWS_APART}


@pytest.mark.parametrize("message", range(1, 9))
def test_a_dialogue_repaired_with_the_same_words_is_the_same_dialogue(message: int) -> None:
    whole = move_dialogue()
    script: dict[str, list[Any]] = {
        "user": ["Please move Omar Haddad to Bath.", DONE],
        "assistant": [FIND, SET, SAID, BYE],
    }
    before = cut_prefix(whole, message)
    asked = sum(one["role"] == "user" for one in before.messages)
    spoken = sum(one["role"] == "assistant" for one in before.messages)
    row, models = repair(
        whole, message, user=script["user"][asked:], assistant=script["assistant"][spoken:], task=MOVING
    )
    same = ("ending", "turns", "requests", "steps", "final_digest", "changes", "early_completions")
    assert [getattr(row, name) for name in same] == [getattr(whole, name) for name in same]
    # The scripted model numbers its calls from its own first line on.
    assert [(one["role"], one["content"]) for one in messages_of(row)] == [
        (one["role"], one["content"]) for one in messages_of(whole)
    ]
    told = [(record["message"], record["tool"], record["result"]) for record in calls_of(row)]
    assert told == [(record["message"], record["tool"], record["result"]) for record in calls_of(whole)]
    assert len(models.requests) == 6 - asked - spoken
    assert (row.repaired_at, row.id == whole.id) == (len(before.messages), False)


def test_writes_before_the_fault_hold_and_those_after_it_do_not() -> None:
    moved_twice = play(
        ["Please move Omar Haddad to Bath.", DONE],
        [FIND, SET, calls("move_player", {"player_id": 1, "home_town": "Bath"}), SAID, BYE],
        task=MOVING,
    )
    row, _ = repair(moved_twice, 6, user=[DONE], assistant=[SAID, BYE], task=MOVING)
    assert orjson.loads(row.changes) == [MOVED.model_dump(mode="json")]
    assert row.final_digest == move_dialogue().final_digest
    untouched, _ = repair(moved_twice, 4, user=[DONE], assistant=[says("I can't."), BYE], task=MOVING)
    assert orjson.loads(untouched.changes) == []


def test_a_result_is_made_again_with_the_message_that_called_for_it() -> None:
    both = calls_all(("find_player", {"name": "Nina Petrov"}), ("find_player", {"name": "Ann"}))
    row = play([ASK, DONE], [both, TELL, BYE])
    assert [len(cut_prefix(row, place).messages) for place in (2, 3, 4, 5)] == [2, 2, 2, 5]
    assert len(cut_prefix(row, 4).calls) == 0
    assert len(cut_prefix(row, 5).calls) == 2


def test_a_fault_made_by_code_falls_where_it_fell() -> None:
    from schemas.goals import BehaviourPlan

    detail = {"tool": "find_player", "kind": "timeout", "times": 1}
    task = make_task(behaviour=BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail))
    bad = play([ASK, DONE], [LOOK_UP, LOOK_UP, says("She has earned 5."), BYE], task=task)
    late, _ = repair(bad, 6, user=[DONE], assistant=[TELL, BYE], task=task)
    assert [record["fault"] for record in calls_of(late)] == [True, False]
    early, _ = repair(bad, 2, user=[DONE], assistant=[LOOK_UP, LOOK_UP, TELL, BYE], task=task)
    assert [record["fault"] for record in calls_of(early)] == [True, False]


def test_an_end_that_was_said_is_not_said_again() -> None:
    bad = play([ASK, DONE], [LOOK_UP, TELL, says("Buy now!")])
    row, models = repair(bad, 6, assistant=[BYE])
    assert [request.role for request in models.requests] == ["assistant"]
    assert messages_of(row)[-1]["content"] == BYE.content


def test_an_end_that_did_not_count_stays_noted() -> None:
    early = play([ASK, DONE, Done("Great, thank you.")], [says("One moment."), LOOK_UP, TELL, says("Buy now!")])
    assert early.early_completions == [3]
    row, models = repair(early, 4, user=[Done("Great, thank you.")], assistant=[LOOK_UP, TELL, BYE])
    assert row.early_completions == [3]
    assert row.ending == "task_complete"
    assert len(models.requests) == 4


def test_a_reply_that_broke_off_is_asked_for_again() -> None:
    cut = play([ASK], [LOOK_UP, broken()])
    assert cut.ending == "malformed_reply"
    row, _ = repair(cut, len(messages_of(cut)), user=[DONE], assistant=[TELL, BYE])
    assert row.ending == "task_complete"
    assert messages_of(row)[:4] == messages_of(cut)


def test_calls_spent_on_the_request_still_count() -> None:
    bad = play([ASK], [*[LOOK_UP] * 12, LOOK_UP])
    assert bad.ending == "call_limit"
    row, _ = repair(bad, len(messages_of(bad)), assistant=[LOOK_UP])
    assert row.ending == "call_limit"


def test_whole_queries_go_on_with_the_next_one() -> None:
    task = make_task((EARNINGS, MOVE)).model_copy(update={"paradigm": "task_oriented"})
    first = play([], [says("5."), says("6.")], task=task)
    row, models = repair(first, 3, assistant=[says("7.")], task=task)
    said = [message["content"] for message in messages_of(row)[1:]]
    assert said == [EARNINGS.description, "5.", MOVE.description, "7."]
    again, _ = repair(first, 2, assistant=[says("8."), says("9.")], task=task)
    assert [message["content"] for message in messages_of(again)[1:]] == [
        EARNINGS.description,
        "8.",
        MOVE.description,
        "9.",
    ]
    assert len(models.requests) == 1


def test_a_record_that_is_not_true_is_not_gone_on_from() -> None:
    def forge(messages: list[Any], records: list[Any]) -> None:
        records[0]["result"] = messages[3]["content"] = '[{"player_id": 9}]'

    with pytest.raises(NotReproduced, match="find_player"):
        repair(tamper(play([ASK, DONE], [LOOK_UP, TELL, BYE]), forge), 4, user=[DONE], assistant=[TELL, BYE])


@pytest.mark.parametrize("message", [-1, 0, 7, 99])
def test_there_is_no_beginning_outside_of_a_dialogue(message: int) -> None:
    with pytest.raises(NoPrefix):
        cut_prefix(play([ASK, DONE], [LOOK_UP, TELL, BYE]), message)
