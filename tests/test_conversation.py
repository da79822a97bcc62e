"""The conversation value: append-only, and what each role sees of it."""

import itertools
import json

from playing import ASK, BYE, DONE, EARNINGS, LOOK_UP, PERSONA, TELL, watch

from turnwright.models.scripted import ScriptedRequest, calls, says
from turnwright.roles.user_simulator import brief
from turnwright.rollout.conversation import Conversation
from turnwright.selfplay.request import read_blocks


def is_prefix(shorter: ScriptedRequest, longer: ScriptedRequest) -> bool:
    return longer.messages[: len(shorter.messages)] == shorter.messages


def test_adding_makes_a_new_conversation() -> None:
    start = Conversation.start("Be kind.")
    assert start.add_user("Hello").turns == 1
    assert start.turns == 0


def test_each_request_of_a_role_extends_the_one_before() -> None:
    _, models = watch(
        [ASK, "And Ann?", DONE],
        [
            LOOK_UP,
            says("1,200,000.", reasoning="Hm."),
            calls("find_player", {"name": "Ann"}, content="One moment."),
            TELL,
            BYE,
        ],
    )
    for role in ("user_simulator", "assistant"):
        requests = models.requests_of(role)
        assert len(requests) > 2
        assert all(is_prefix(one, two) for one, two in itertools.pairwise(requests))


def test_the_user_sees_prose_only_and_its_own_replies_as_json() -> None:
    _, models = watch([ASK, DONE], [calls("find_player", {"name": "Ann"}, content="One moment."), TELL, BYE])
    view = models.requests_of("user_simulator")[-1].messages
    assert [message["role"] for message in view] == ["system", "user", "assistant", "user"]
    assert json.loads(view[2]["content"] or "") == {"user_message": ASK, "is_task_complete": False}
    heard = read_blocks(view[3]["content"] or "")
    assert heard == {"answer": "One moment.\n\nNina Petrov has earned 1,200,000."}
    assert "Leeds" not in str(view)


def test_reasoning_is_not_sent_back() -> None:
    _, models = watch([ASK, DONE], [LOOK_UP, says("It is 1,200,000.", reasoning="SECRET"), BYE])
    assert all("SECRET" not in str(request.messages) for request in models.requests)


def test_views_are_made_of_the_messages_alone() -> None:
    row, models = watch([ASK, DONE], [LOOK_UP, TELL, BYE])
    stored = Conversation(tuple(json.loads(row.messages))[:-1])
    assert stored.assistant_view() == list(models.requests_of("assistant")[-1].messages)
    before_thanks = Conversation(stored.messages[:-1])
    sent = models.requests_of("user_simulator")[-1].messages
    told = brief(PERSONA, (EARNINGS,), None)
    assert before_thanks.user_view(sent[0]["content"] or "", sent[1]["content"] or "", told.frame) == list(sent)


def test_an_outcome_is_reported_by_prose_after_the_last_result() -> None:
    talk = Conversation.start("s").add_user("u")
    assert not talk.outcome_reported
    call = {"id": "1", "type": "function", "function": {"name": "t", "arguments": "{}"}}
    acting = talk.add_assistant("Looking.", [call])  # pyright: ignore[reportArgumentType]
    assert not acting.outcome_reported
    assert not acting.add_result("1", "[]").outcome_reported
    assert acting.add_result("1", "[]").add_assistant("Nothing.").outcome_reported
