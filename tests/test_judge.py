"""The judge's request, and the embedded judge that answers it by rules."""

import json
from typing import Any

import pytest
from playing import (
    ASK,
    BYE,
    DONE,
    EARNINGS,
    LOOK_UP,
    MOVE,
    TELL,
    earnings_dialogue,
    make_task,
    messages_of,
    move_dialogue,
    play,
    trajectory,
)

import prompts
from schemas.goals import BehaviourPlan, Objective
from schemas.replies import Judgement
from schemas.rows import DialogueRow
from turnwright.models.scripted import calls_all, says
from turnwright.roles.judge import list_bullets, write_transcript
from turnwright.selfplay.judge import reply
from turnwright.selfplay.request import Request


def ask(row: DialogueRow, objective: Objective = EARNINGS, mistake_rate: float = 0.0, seed: int = 0) -> Judgement:
    blocks: dict[str, Any] = {
        "tasks": [objective.description],
        "rubric": list_bullets([objective]),
        "transcript": write_transcript(trajectory(row).messages),
    }
    body = {"messages": [{"role": "user", "content": prompts.render("judge", "user", **blocks)}]}
    answer = reply(Request(body=body, seed=seed, mistake_rate=mistake_rate))
    return Judgement.model_validate(answer)


def with_rubric(*bullets: str) -> Objective:
    return EARNINGS.model_copy(update={"rubric": bullets})


def test_bullets_are_numbered_over_all_tasks() -> None:
    assert [(line["number"], line["task"]) for line in list_bullets([EARNINGS, MOVE])] == [(1, 1), (2, 2)]


def test_the_transcript_pairs_calls_and_results_by_id() -> None:
    both = calls_all(("find_player", {"name": "Ann"}), ("find_player", '{"name": "Nina'))
    transcript = write_transcript(trajectory(play([ASK, DONE], [both, TELL, BYE])).messages)
    assert [line["role"] for line in transcript][:4] == ["user", "assistant", "tool", "tool"]
    assert transcript[1]["calls"][0]["arguments"] == {"name": "Ann"}
    assert transcript[1]["calls"][1]["arguments"] == '{"name": "Nina'
    assert [line["call_id"] for line in transcript[2:4]] == [call["id"] for call in transcript[1]["calls"]]
    assert transcript[0]["index"] == 1


def test_a_long_result_is_cut() -> None:
    messages = messages_of(earnings_dialogue())
    messages[3]["content"] = "x" * 50_000
    transcript: Any = write_transcript(messages)  # pyright: ignore[reportArgumentType]
    assert len(transcript[2]["content"]) < 7_000
    assert "more characters" in transcript[2]["content"]


def test_a_told_value_is_met() -> None:
    judgement = ask(earnings_dialogue())
    assert judgement.judgment == "valid"
    assert [(b.bullet, b.bullet_class, b.met) for b in judgement.bullets] == [(1, "Critical", True)]


def test_a_value_that_was_not_told_is_missed() -> None:
    judgement = ask(play([ASK, DONE], [LOOK_UP, says("Nina Petrov has earned a lot."), BYE]))
    assert (judgement.judgment, judgement.bullets[0].met) == ("invalid", False)
    assert "1200000" in judgement.bullets[0].evidence


def test_a_change_that_was_called_is_met() -> None:
    assert ask(move_dialogue(), MOVE).judgment == "valid"


@pytest.mark.parametrize(
    ("bullet", "kind"),
    [
        ("The assistant answers in a friendly tone.", "NonCritical"),
        ("Looks up the player before it answers about the earnings.", "Structural"),
        ("The assistant plays chess well.", "InvalidRubric"),
    ],
)
def test_bullets_are_classed_by_their_words(bullet: str, kind: str) -> None:
    judgement = ask(earnings_dialogue(), with_rubric(bullet))
    assert judgement.bullets[0].bullet_class == kind
    assert judgement.judgment == "valid"


def test_an_ignored_error_is_seen() -> None:
    detail = {"tool": "find_player", "kind": "timeout", "times": 1}
    task = make_task(behaviour=BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail))
    ignored = ask(play([ASK, DONE], [LOOK_UP, TELL, BYE], task=task))
    assert (ignored.judgment, ignored.bullets[-1].bullet) == ("invalid", 0)
    assert ask(play([ASK, DONE], [LOOK_UP, LOOK_UP, TELL, BYE], task=task)).judgment == "valid"


def test_mistakes_come_at_the_rate_and_are_repeatable() -> None:
    row = earnings_dialogue()
    wrong = [ask(row, mistake_rate=0.5, seed=seed).judgment for seed in range(40)]
    assert 8 <= wrong.count("invalid") <= 32
    assert wrong == [ask(row, mistake_rate=0.5, seed=seed).judgment for seed in range(40)]


def test_the_prompt_names_the_four_classes_and_the_conduct_bullet() -> None:
    text = prompts.render("judge", "system")
    assert all(word in text for word in ("Critical", "Structural", "NonCritical", "InvalidRubric", "`bullet` 0"))
    example = json.loads(text.splitlines()[-1])
    Judgement.model_validate(example)


def test_several_values_in_one_bullet_are_each_looked_for() -> None:
    row = earnings_dialogue()
    assert (
        ask(row, with_rubric("The assistant tells the user all of these: Nina Petrov and 1200000.")).judgment == "valid"
    )
    assert (
        ask(row, with_rubric("The assistant tells the user all of these: Nina Petrov and Leeds.")).judgment == "invalid"
    )
    beside = "The assistant tells the user the earnings of Nina Petrov ({}) and the name ({})."
    assert ask(row, with_rubric(beside.format("1200000", "Nina Petrov"))).judgment == "valid"
    assert ask(row, with_rubric(beside.format("1200000", "Omar"))).judgment == "invalid"


def test_a_change_to_another_value_is_missed() -> None:
    bullet = "The assistant carries this out and says that it is done: change the home town of Omar Haddad to {}."
    assert ask(move_dialogue(), with_rubric(bullet.format("Bath"))).judgment == "valid"
    assert ask(move_dialogue(), with_rubric(bullet.format("York"))).judgment == "invalid"


def test_a_refusal_counts_only_if_somebody_asked() -> None:
    rubric = with_rubric("Asked to order a taxi, the assistant says that it cannot do that and does not pretend to.")
    assert ask(earnings_dialogue(), rubric).bullets[0].bullet_class == "InvalidRubric"
    asked = ["Order me a taxi please.", DONE]
    assert ask(play(asked, [says("I can't do that."), BYE]), rubric).judgment == "valid"
    assert ask(play(asked, [says("It is on its way."), BYE]), rubric).judgment == "invalid"
