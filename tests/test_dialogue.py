"""The dialogue loop: who speaks when, what reaches the environment, how a dialogue ends."""

from typing import Any

import pytest
from playing import (
    ASK,
    BYE,
    CONFIG,
    DONE,
    LOOK_UP,
    MOVE,
    MOVED,
    TELL,
    Done,
    broken,
    calls_of,
    club,
    earnings_dialogue,
    make_task,
    messages_of,
    move_dialogue,
    play,
    watch,
)

from schemas.config import RunConfig
from schemas.goals import BehaviourPlan
from turnwright.models.errors import BudgetSpent, ContextOverflow, EndpointUnavailable, ModelError, NotInJournal
from turnwright.models.scripted import calls, calls_all, says


def roles(row: Any) -> str:
    return " ".join(message["role"][0] for message in messages_of(row))


def limited(**limits: int) -> RunConfig:
    return CONFIG.model_copy(update={"limits": CONFIG.limits.model_copy(update=limits)})


def test_a_request_is_answered_with_a_tool_and_closed_by_the_assistant() -> None:
    row = earnings_dialogue()
    assert roles(row) == "s u a t a u a"
    assert (row.ending, row.detail) == ("task_complete", "")
    assert (row.turns, row.requests, row.steps, row.task_count) == (6, 2, 1, 1)
    assert row.final_digest == club().digest
    assert row.changes == "[]"
    assert messages_of(row)[-1]["content"] == "You're welcome!"


def test_writes_reach_the_dialogue_s_own_state_only() -> None:
    row = move_dialogue()
    assert '"home_town":"Bath"' in row.changes
    assert row.final_digest != club().digest
    assert earnings_dialogue().final_digest == club().digest


def test_usage_and_calls_are_counted_in_order() -> None:
    row = earnings_dialogue()
    assert row.model_calls == [
        "scripted-user_simulator-0",
        "scripted-assistant-0",
        "scripted-assistant-1",
        "scripted-user_simulator-1",
        "scripted-assistant-2",
    ]
    assert row.prompt_tokens == 50


def test_the_same_scripts_give_the_same_row() -> None:
    assert earnings_dialogue() == earnings_dialogue()
    assert earnings_dialogue(trial=1).id != earnings_dialogue().id


def test_the_trial_is_the_draw_of_every_call() -> None:
    _, models = watch([ASK, DONE], [LOOK_UP, TELL, BYE], trial=3)
    assert {request.draw for request in models.requests} == {3}
    assert {request.unit for request in models.requests} == {"task_1"}


def test_a_longer_plan_gets_its_permits_first_and_nobody_expects_less_than_one_call() -> None:
    _, models = watch([ASK, DONE], [LOOK_UP, TELL, BYE])
    remaining = [request.remaining for request in models.requests]
    assert remaining[0] > remaining[1] > remaining[-1] >= 1.0


def test_parallel_calls_are_paired_by_id_in_order() -> None:
    both = calls_all(("find_player", {"name": "Ann"}), ("find_player", {"name": "Nina Petrov"}))
    row = play([ASK, DONE], [both, TELL, BYE])
    messages = messages_of(row)
    assert [m["tool_call_id"] for m in messages if m["role"] == "tool"] == [c["id"] for c in messages[2]["tool_calls"]]
    assert "Ann" in messages[3]["content"]
    assert row.steps == 1


def test_arguments_stay_as_the_model_wrote_them() -> None:
    text = '{ "name":\t"Nina Petrov" }'
    row = play([ASK, DONE], [calls("find_player", text), TELL, BYE])
    assert messages_of(row)[2]["tool_calls"][0]["function"]["arguments"] == text
    assert calls_of(row)[0]["arguments"] == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"name": 5}', "name: 5 is not of type"),
        ('{"name": "Ann", "x": 1}', "x"),
        ("{}", "name"),
        ('{"name": "An', "not valid JSON"),
        ("[1]", "not a JSON object"),
        ('{"name": NaN}', "NaN"),
        ('{"name": "a", "name": "b"}', "twice"),
        ('{"name": "\\ud800"}', "cannot be represented"),
        ('{"name": ' + "[" * 5000 + "]" * 5000 + "}", "deep"),
    ],
)
def test_bad_arguments_are_answered_with_an_error_and_never_run(arguments: str, said: str) -> None:
    row = play([ASK, DONE], [calls("find_player", arguments), LOOK_UP, TELL, BYE])
    record = calls_of(row)[0]
    assert record["error"] == "invalid_arguments"
    assert said in record["result"]
    assert row.ending == "task_complete"


def test_an_unknown_tool_is_answered_with_an_error() -> None:
    row = play([ASK, DONE], [calls("get_player", {}), LOOK_UP, TELL, BYE])
    record = calls_of(row)[0]
    assert (record["error"], record["effect"]) == ("unknown_tool", None)
    assert "find_player" in record["result"]


def test_completion_before_any_answer_is_passed_over() -> None:
    row = play([Done(ASK.rstrip("?")), DONE], [LOOK_UP, TELL, BYE])
    assert row.early_completions == [1]
    assert row.requests == 2
    assert row.ending == "task_complete"


def test_completion_that_only_agrees_to_an_action_is_passed_over() -> None:
    row = play(
        ["Please move Omar Haddad to Bath.", Done("Yes, go ahead, thanks."), DONE],
        [
            calls("find_player", {"name": "Omar Haddad"}),
            says("Shall I change the home town of Omar Haddad to Bath?"),
            calls("move_player", {"player_id": 2, "home_town": "Bath"}),
            says("Omar Haddad is now in Bath."),
            BYE,
        ],
        task=make_task((MOVE,), (MOVED,)),
    )
    assert row.early_completions == [5]
    assert '"home_town":"Bath"' in row.changes
    assert roles(row).endswith("u a t a u a")


def test_completion_with_a_question_is_passed_over() -> None:
    row = play([ASK, Done("Thanks! And where does Ann live?"), DONE], [LOOK_UP, TELL, says("In Leeds."), BYE])
    assert row.early_completions == [5]
    assert row.requests == 3


def test_reasoning_is_kept_apart_from_content() -> None:
    row = play([ASK, DONE], [LOOK_UP, says("It is 1,200,000.", reasoning="Easy."), BYE])
    message = messages_of(row)[4]
    assert (message["content"], message["reasoning"]) == ("It is 1,200,000.", "Easy.")


def test_prose_beside_calls_is_kept() -> None:
    row = play([ASK, DONE], [calls("find_player", {"name": "Ann"}, content="Let me look."), TELL, BYE])
    assert messages_of(row)[2]["content"] == "Let me look."


def test_the_turn_limit_ends_the_dialogue_whole() -> None:
    row = play([ASK, "And Ann?", "And Omar?"], [LOOK_UP, TELL] * 3, config=limited(turns=6))
    assert row.ending == "turn_limit"
    assert "6" in row.detail
    assert row.turns <= 6
    assert not messages_of(row)[-1].get("tool_calls")


def test_the_call_limit_ends_the_dialogue_whole() -> None:
    row = play([ASK], [LOOK_UP, LOOK_UP, LOOK_UP], config=limited(calls_per_request=2))
    assert row.ending == "call_limit"
    assert messages_of(row)[-1]["role"] == "tool"
    assert len(calls_of(row)) == 2


@pytest.mark.parametrize(
    ("user", "assistant", "ending", "kept"),
    [
        ([broken()], [], "malformed_reply", "s"),
        ([ASK], [broken()], "malformed_reply", "s u"),
        ([ASK], [LOOK_UP, ContextOverflow("too long")], "context_overflow", "s u a t"),
    ],
)
def test_what_was_said_before_a_bad_reply_is_kept(user: Any, assistant: Any, ending: str, kept: str) -> None:
    row = play(user, assistant)
    assert (row.ending, roles(row)) == (ending, kept)
    assert row.detail


@pytest.mark.parametrize("error", [EndpointUnavailable("down"), BudgetSpent("spent"), NotInJournal("offline")])
def test_infrastructure_is_not_the_dialogue_s_fault(error: ModelError) -> None:
    with pytest.raises(type(error)):
        play([ASK], [error])


def test_a_planned_fault_happens_once_and_is_marked() -> None:
    detail = {"tool": "find_player", "kind": "timeout", "times": 1}
    fault = BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail)
    row = play([ASK, DONE], [LOOK_UP, LOOK_UP, TELL, BYE], task=make_task(behaviour=fault))
    assert [(record["error"], record["fault"]) for record in calls_of(row)] == [("timeout", True), (None, False)]
    assert row.behaviour_occurred


def test_text_that_utf8_cannot_hold_does_not_break_the_row() -> None:
    row = play([ASK, DONE], [calls("find_player", '{"name": "\ud800"}'), says("1,200,000 \ud800"), BYE])
    assert row.ending == "task_complete"
    assert row.messages.encode()
