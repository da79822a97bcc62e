"""The verdict: what blocks, what does not, who is to blame, and how votes count."""

import asyncio
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
    TOOLSET,
    broken,
    club,
    earnings_dialogue,
    judgement,
    make_task,
    play,
    tamper,
)

from schemas.config import RunConfig
from schemas.rows import DialogueRow, DialogueTaskRow, VerdictRow
from turnwright.models.errors import ContextOverflow, EndpointUnavailable
from turnwright.models.scripted import Line, ScriptedModels, says
from turnwright.roles.judge import CONDUCT
from turnwright.validation.verdict import validate_dialogue
from turnwright.validation.voting import count_votes

TOLD = EARNINGS.model_copy(update={"rubric": ("The assistant tells the user the earnings of Nina Petrov: 1200000.",)})
"""With the bullet that code makes of its fact."""
GOOD = judgement((1, "Critical", True))
MISSED = judgement((1, "Critical", False), judgment="invalid")


def judged(
    row: DialogueRow, *votes: Line, task: DialogueTaskRow | None = None, config: RunConfig = CONFIG
) -> tuple[VerdictRow, ScriptedModels]:
    models = ScriptedModels({"judge": votes})
    played: Any = models
    return asyncio.run(validate_dialogue(row, task or make_task(), TOOLSET, club(), played, config)), models


def voting(votes: int, rule: str) -> RunConfig:
    return RunConfig.model_validate(CONFIG.model_dump() | {"judging": {"votes": votes, "rule": rule}})


def test_a_good_dialogue_is_valid() -> None:
    verdict, _ = judged(earnings_dialogue(), GOOD)
    assert (verdict.judgment, verdict.replay, verdict.outcome, verdict.judge) == ("valid", "match", "match", "valid")
    assert verdict.reasons == []
    assert (verdict.fault, verdict.first_faulty_message, verdict.disagreement) == (None, None, False)
    assert verdict.votes == ["valid"]
    assert verdict.model_calls == ["scripted-judge-0"]


def test_the_same_dialogue_gets_the_same_verdict() -> None:
    assert judged(earnings_dialogue(), GOOD)[0] == judged(earnings_dialogue(), GOOD)[0]


def test_a_rule_that_blocks_saves_the_judge() -> None:
    row = play([ASK.replace("Nina Petrov", "the player with ID 1"), DONE], [LOOK_UP, says("It is 1,200,000."), BYE])
    verdict, models = judged(row)
    assert (verdict.judgment, verdict.judge, verdict.votes, verdict.model) == ("invalid", "unscored", [], None)
    assert models.requests == []
    assert verdict.reasons[0].startswith("rules.surrogate_key: ")
    assert (verdict.first_faulty_message, verdict.fault) == (1, "user_simulator")


def test_what_the_outcome_rejects_is_not_put_to_the_judge() -> None:
    verdict, models = judged(play([ASK, DONE], [LOOK_UP, says("She is rich."), BYE]))
    assert models.requests == []
    assert (verdict.judgment, verdict.outcome, verdict.judge, verdict.disagreement) == (
        "invalid",
        "mismatch",
        "unscored",
        False,
    )
    assert (verdict.role, verdict.votes) == (None, [])
    assert (verdict.first_faulty_message, verdict.fault) == (4, "assistant")


def test_the_judge_is_asked_for_what_code_has_not_decided() -> None:
    open_one = "The assistant is clear about the season that the earnings belong to."
    task = make_task([EARNINGS.model_copy(update={"rubric": (*TOLD.rubric, open_one)})])
    verdict, models = judged(earnings_dialogue(task=task), GOOD, task=task)
    asked = str(models.requests[0].messages[-1]["content"])
    assert open_one in asked
    assert TOLD.rubric[0] not in asked
    by_name = {bullet["bullet"]: bullet for bullet in orjson.loads(verdict.bullets)}
    assert (by_name[open_one]["votes"], by_name[open_one]["code"]) == (1, "unavailable")
    told = by_name[TOLD.rubric[0]]
    assert (told["votes"], told["met"], told["code"], told["evidence"]) == (0, True, "match", "decided by code")


def test_a_rubric_decided_by_code_leaves_the_question_of_conduct() -> None:
    verdict, models = judged(earnings_dialogue(task=make_task([TOLD])), MISSED, task=make_task([TOLD]))
    assert CONDUCT in str(models.requests[0].messages[-1]["content"])
    assert verdict.judgment == "invalid"
    assert CONDUCT in verdict.reasons[0]


def test_a_bullet_that_says_more_than_a_fact_is_the_judges() -> None:
    both = "The assistant changes the club and tells the user the earnings: 1200000."
    task = make_task([EARNINGS.model_copy(update={"rubric": (both,)})])
    _, models = judged(earnings_dialogue(task=task), GOOD, task=task)
    assert both in str(models.requests[0].messages[-1]["content"])


def test_the_judge_alone_can_reject() -> None:
    verdict, _ = judged(earnings_dialogue(), MISSED)
    assert (verdict.judgment, verdict.outcome, verdict.disagreement) == ("invalid", "match", True)
    assert verdict.reasons[0].startswith("judge.critical_bullet_missed: ")
    assert verdict.fault == "assistant"


def test_an_altered_record_is_invalid_by_replay() -> None:
    def forge(messages: list[Any], records: list[Any]) -> None:
        for holder, key in ((messages[3], "content"), (records[0], "result")):
            holder[key] = holder[key].replace("Leeds", "Bath")

    verdict, _ = judged(tamper(earnings_dialogue(), forge), GOOD)
    assert (verdict.judgment, verdict.replay, verdict.fault) == ("invalid", "mismatch", "environment")


@pytest.mark.parametrize("kind", ["Structural", "NonCritical", "InvalidRubric"])
def test_only_critical_bullets_block_whatever_the_judge_says(kind: str) -> None:
    verdict, _ = judged(earnings_dialogue(), judgement((1, kind, False), judgment="invalid"))
    assert (verdict.judgment, verdict.judge) == ("valid", "valid")
    assert "the bullets count" in verdict.reasoning


def test_a_missed_critical_bullet_blocks_whatever_the_judge_says() -> None:
    verdict, _ = judged(earnings_dialogue(), judgement((1, "Critical", False), judgment="valid"))
    assert verdict.judgment == "invalid"
    assert "the bullets count" in verdict.reasoning


def test_a_broken_error_rule_blocks() -> None:
    verdict, _ = judged(
        earnings_dialogue(), judgement((1, "Critical", True), (0, "Critical", False), judgment="invalid")
    )
    assert verdict.judgment == "invalid"
    assert [bullet["met"] for bullet in orjson.loads(verdict.bullets)] == [False, True]


@pytest.mark.parametrize("vote", [broken(), ContextOverflow("too long"), judgement((7, "Critical", True))])
def test_a_judge_who_cannot_be_read_leaves_the_dialogue_unscored(vote: Line) -> None:
    verdict, _ = judged(earnings_dialogue(), vote)
    assert (verdict.judgment, verdict.judge, verdict.votes) == ("unscored", "unscored", ["unscored"])
    assert verdict.reasons[0].startswith("judge.unscored: ")


def test_an_unread_judge_does_not_hide_what_code_found() -> None:
    verdict, _ = judged(earnings_dialogue(task=make_task([TOLD])), broken(), task=make_task([TOLD]))
    assert (verdict.judgment, verdict.outcome) == ("unscored", "match")
    told = orjson.loads(verdict.bullets)[-1]
    assert (told["met"], told["code"]) == (True, "match")


def test_infrastructure_is_raised() -> None:
    with pytest.raises(EndpointUnavailable):
        judged(earnings_dialogue(), EndpointUnavailable("down"))


def test_each_vote_has_its_own_draw() -> None:
    verdict, models = judged(earnings_dialogue(), GOOD, MISSED, GOOD, config=voting(3, "majority"))
    assert [request.draw for request in models.requests] == [0, 1, 2]
    assert (verdict.judgment, verdict.votes) == ("valid", ["valid", "invalid", "valid"])
    strict, _ = judged(earnings_dialogue(), GOOD, MISSED, GOOD, config=voting(3, "unanimous"))
    assert strict.judgment == "invalid"


def test_each_bullet_has_its_votes_and_what_code_says() -> None:
    verdict, _ = judged(earnings_dialogue(), GOOD, MISSED, GOOD, config=voting(3, "majority"))
    (bullet,) = orjson.loads(verdict.bullets)
    assert (bullet["met"], bullet["votes"], bullet["met_votes"], bullet["code"]) == (True, 3, 2, "match")
    task = make_task([TOLD])
    untold, _ = judged(play([ASK, DONE], [LOOK_UP, says("She is rich."), BYE], task=task), task=task)
    (told,) = orjson.loads(untold.bullets)
    assert (told["met"], told["votes"], told["met_votes"], told["code"]) == (False, 0, 0, "mismatch")


def test_an_unscored_vote_has_no_say_about_bullets() -> None:
    verdict, _ = judged(earnings_dialogue(), GOOD, broken(), GOOD, config=voting(3, "majority"))
    (bullet,) = orjson.loads(verdict.bullets)
    assert (verdict.judgment, bullet["votes"], bullet["met_votes"]) == ("valid", 2, 2)


@pytest.mark.parametrize(
    ("votes", "rule", "judgment"),
    [
        (["valid", "valid"], "unanimous", "valid"),
        (["valid", "unscored"], "unanimous", "unscored"),
        (["unscored", "invalid"], "unanimous", "invalid"),
        (["valid", "invalid"], "majority", "unscored"),
        (["valid", "valid", "unscored"], "majority", "valid"),
        (["valid", "unscored", "unscored"], "majority", "unscored"),
        ([], "unanimous", "unscored"),
    ],
)
def test_votes_count_by_the_rule(votes: Any, rule: str, judgment: str) -> None:
    assert count_votes(votes, rule) == judgment


def test_a_planned_behaviour_that_did_not_happen_does_not_block() -> None:
    from schemas.goals import BehaviourPlan

    plan = BehaviourPlan(name="out_of_scope", objective=0, instruction="x", detail={"request": "order a taxi"})
    task = make_task(behaviour=plan)
    verdict, _ = judged(earnings_dialogue(task=task), GOOD, task=task)
    assert verdict.judgment == "valid"
    assert "did_not_occur" in verdict.findings


def test_the_judge_sees_tasks_rubric_and_transcript_only() -> None:
    task = make_task((MOVE,), (MOVED,))
    from playing import move_dialogue

    _, models = judged(move_dialogue(), GOOD, task=task)
    text = str(models.requests[0].messages)
    assert MOVE.description in text
    assert "c3" not in text
    assert "You are a helpful assistant" not in text
