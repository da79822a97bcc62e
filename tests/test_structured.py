"""Structured replies: read leniently, repaired once, then recorded as malformed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import completion, serve
from test_models import HELLO, make_config

from schemas.replies import Judgement, Questions, UserTurn
from turnwright.models.errors import MalformedReply
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.structured import ReplyProblem, parse_text

GOOD = '{"user_message": "Hi", "is_task_complete": false}'


def converse(script: Any, journal: Journal | None = None) -> Any:
    """One user turn against a scripted server; the reply or the error, the requests and the usage."""
    with serve(script) as fake:

        async def run() -> Any:
            async with Models(make_config(fake), journal=journal) as models:
                try:
                    return await models.structured("user_simulator", HELLO), models.usage
                except MalformedReply as malformed:
                    return malformed, models.usage

        result, usage = asyncio.run(run())
        return result, fake.requests, usage


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Sure! Here it is:\n```\n{GOOD}\n```\nAnything else?",
        f"The reply is {GOOD} as asked.",
        '{"user_message": "Hi", "is_task_complete": false,}',
        "{'user_message': 'Hi', 'is_task_complete': False}",
        "{'user_message': 'Hi', 'is_task_complete': false}",
        '{"UserTurn": {"user_message": "Hi", "is_task_complete": false}}',
        '{"user_message": "Hi", "is_task_complete": "false", "mood": "calm"}',
        f"[{GOOD}]",
        '"{\\"user_message\\": \\"Hi\\", \\"is_task_complete\\": false}"',
        f'First {{"wrong": 1}}, then {GOOD}',
    ],
)
def test_what_a_person_could_read_is_read(text: str) -> None:
    assert parse_text(text, UserTurn) == UserTurn(user_message="Hi", is_task_complete=False)


def test_control_characters_and_commas_inside_strings_survive() -> None:
    text = '{"user_message": "one,\ntwo, ] and \'three\', true", "is_task_complete": true,}'
    assert parse_text(text, UserTurn).user_message == "one,\ntwo, ] and 'three', true"


def test_a_bare_list_fills_the_only_list_field() -> None:
    assert parse_text('["a?", "b?"]', Questions).questions == ["a?", "b?"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I would rather not.", "not JSON"),
        ('{"user_message": "Hi"}', "is_task_complete"),
        ('{"user_message": "", "is_task_complete": true}', "user_message"),
        ('{"user_message": "Hi", "is_task', "not JSON"),
        ("[" * 5000, "not JSON"),
        ("__import__('os').system('true')", "not JSON"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, said: str) -> None:
    with pytest.raises(ReplyProblem, match=said):
        parse_text(text, UserTurn)


def test_a_wrong_word_in_a_closed_set_is_named() -> None:
    with pytest.raises(ReplyProblem, match="judgment"):
        parse_text('{"bullets": [], "reasoning": "", "judgment": "perhaps"}', Judgement)


def test_the_schema_is_asked_for_by_the_name_of_the_role() -> None:
    reply, requests, _ = converse([GOOD])
    asked = requests[0]["response_format"]
    assert (asked["type"], asked["json_schema"]["name"]) == ("json_schema", "user_simulator")
    assert asked["json_schema"]["strict"] is True
    assert list(asked["json_schema"]["schema"]["properties"]) == ["user_message", "is_task_complete"]
    assert (reply.repaired, len(reply.replies)) == (False, 1)


def test_one_repair_says_what_was_wrong() -> None:
    reply, requests, usage = converse(['{"user_message": "Hi"}', GOOD])
    assert reply.repaired
    assert [item.repaired for item in reply.replies] == [False, True]
    assert requests[1]["messages"][:2] == requests[0]["messages"]
    assert requests[1]["messages"][2] == {"role": "assistant", "content": '{"user_message": "Hi"}'}
    assert "is_task_complete" in requests[1]["messages"][3]["content"]
    assert usage.of("user_simulator").repaired == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (completion("no"), "not JSON"),
        (completion(""), "empty"),
        (completion('{"user_message": "H', finish_reason="length"), "length limit"),
        (completion(None, refusal="I will not."), "refusal"),
        (completion("", finish_reason="content_filter"), "content filter"),
        (completion("<think>hm</think>"), "empty"),
    ],
)
def test_after_one_repair_it_is_malformed(body: Any, problem: str) -> None:
    error, requests, usage = converse(lambda _: body)
    assert isinstance(error, MalformedReply)
    assert problem in error.problem
    assert len(requests) == len(error.replies) == 2
    assert usage.of("user_simulator").failed == 1


def test_malformed_replies_are_kept_and_replayed(tmp_path: Path) -> None:
    with serve(["bad", "worse"]) as fake:

        async def run() -> MalformedReply:
            with Journal(tmp_path) as journal:
                async with Models(make_config(fake), journal=journal) as models:
                    with pytest.raises(MalformedReply) as caught:
                        await models.structured("user_simulator", HELLO)
                    return caught.value

        first, second = asyncio.run(run()), asyncio.run(run())
        assert len(fake.requests) == 2
    assert (first.text, first.problem) == (second.text, second.problem) == ("worse", "it is not JSON")
    assert [reply.replayed for reply in second.replies] == [True, True]


@pytest.mark.parametrize("bad", [completion(""), completion(None), completion("I was cut", finish_reason="length")])
def test_an_empty_or_cut_chat_reply_is_repaired_once(bad: Any) -> None:
    for script, fails in (([bad, "Fine."], False), ([bad], True)):
        with serve(script) as fake:

            async def run(fails: bool, url: Any) -> None:
                async with Models(make_config(url)) as models:
                    if fails:
                        with pytest.raises(MalformedReply):
                            await models.chat("assistant", HELLO)
                    else:
                        reply = await models.chat("assistant", HELLO)
                        assert (reply.content, reply.repaired) == ("Fine.", True)

            asyncio.run(run(fails, fake))
            assert len(fake.requests) == 2
