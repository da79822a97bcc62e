"""Each habit of a provider, evened out."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from fake_endpoint import FakeEndpoint, Reaction, completion, error, serve
from test_models import HELLO, ask, make_config

from schemas.messages import Message
from turnwright.models.endpoint import Endpoint
from turnwright.models.failures import Failure
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.probe import probe_endpoint, probe_features

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_book",
            "description": "Finds a book.",
            "parameters": {"type": "object", "properties": {"title": {"type": "string"}}},
        },
    }
]
CALL = {"id": "c1", "type": "function", "function": {"name": "find_book", "arguments": '{"title": "Emma"}'}}


def reply_to(body: Any, **options: Any) -> Any:
    """The reply that Models makes of one answer."""
    with serve(lambda _: body) as fake:
        return ask(make_config(fake), **options)


@pytest.mark.parametrize(
    "body",
    [
        completion("Yes.", reasoning_content="Let me see."),
        completion("Yes.", reasoning="Let me see."),
        completion("<think>\nLet me see.\n</think>\n\nYes."),
        completion("Let me see.\n</think>\n\nYes."),
        completion([{"type": "thinking", "thinking": "Let me see."}, {"type": "text", "text": "Yes."}]),
    ],
)
def test_reasoning_is_kept_apart(body: Any) -> None:
    reply = reply_to(body)
    assert (reply.content, reply.reasoning) == ("Yes.", "Let me see.")


def test_a_tag_in_the_middle_of_a_reply_is_content() -> None:
    reply = reply_to(completion("Write <think>x</think> to think."))
    assert (reply.content, reply.reasoning) == ("Write <think>x</think> to think.", None)


def test_content_as_a_list_of_parts() -> None:
    assert (
        reply_to(completion([{"type": "text", "text": "One "}, {"type": "text", "text": "two."}])).content == "One two."
    )


def test_arguments_as_an_object_become_text_and_text_stays_as_it_is() -> None:
    as_object = {"id": "c1", "function": {"name": "find_book", "arguments": {"title": "Emma"}}}
    as_text = {"id": "c2", "function": {"name": "find_book", "arguments": '{ "title":"Emma" '}}
    none = {"id": "c3", "function": {"name": "find_book", "arguments": None}}
    reply = reply_to(completion(None, tool_calls=[as_object, as_text, none], finish_reason="tool_calls"), tools=TOOLS)
    arguments = [call["function"]["arguments"] for call in reply.tool_calls]
    assert arguments == ['{"title":"Emma"}', '{ "title":"Emma" ', "{}"]
    assert all(call["type"] == "function" for call in reply.tool_calls)


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "find_book", "arguments": {"title": "Emma"}}\n</tool_call>',
        '<tool_call>{"name": "find_book", "arguments": {"title": "Emma"}}',
        '<function_call>{"name": "find_book", "arguments": "{\\"title\\":\\"Emma\\"}"}</function_call>',
        '<function=find_book>{"title":"Emma"}</function>',
        '[TOOL_CALLS] [{"name": "find_book", "arguments": {"title": "Emma"}}]',
        '{"name": "find_book", "parameters": {"title": "Emma"}}',
        '```json\n{"name": "find_book", "arguments": {"title": "Emma"}}\n```',
    ],
)
def test_tool_calls_as_text(text: str) -> None:
    reply = reply_to(completion(text), tools=TOOLS)
    assert [call["function"]["name"] for call in reply.tool_calls] == ["find_book"]
    assert orjson.loads(reply.tool_calls[0]["function"]["arguments"]) == {"title": "Emma"}
    assert (reply.content, reply.finish_reason) == (None, "tool_calls")


def test_text_around_a_tagged_call_is_kept() -> None:
    reply = reply_to(completion('I look. <tool_call>{"name": "find_book", "arguments": {}}</tool_call>'), tools=TOOLS)
    assert (reply.content, len(reply.tool_calls)) == ("I look.", 1)


@pytest.mark.parametrize(
    "text", ['{"name": "other", "arguments": {}}', '{"name": "find_book"}', "[1, 2]", "<tool_call>x"]
)
def test_text_that_is_no_call_stays_text(text: str) -> None:
    reply = reply_to(completion(text), tools=TOOLS)
    assert (reply.tool_calls, reply.content) == ((), text)


def test_calls_in_text_count_only_where_tools_were_offered() -> None:
    assert reply_to(completion('{"name": "find_book", "arguments": {}}')).tool_calls == ()


def test_missing_ids_are_made_and_made_again_alike() -> None:
    body = completion(None, tool_calls=[{"function": {"name": "find_book", "arguments": "{}"}}] * 2)
    with serve(lambda _: body) as fake:
        config = make_config(fake)
        first, second = ask(config, tools=TOOLS), ask(config, tools=TOOLS)
    assert len({call["id"] for call in first.tool_calls}) == 2
    assert first.tool_calls == second.tool_calls


def test_ids_are_unique_in_the_conversation() -> None:
    messages: list[Message] = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},  # type: ignore[list-item]
        {"role": "tool", "content": "{}", "tool_call_id": "c1"},
    ]
    reply = reply_to(
        completion(None, tool_calls=[CALL, CALL | {"id": "c2"}, CALL | {"id": "c2"}]), messages=messages, tools=TOOLS
    )
    ids = [call["id"] for call in reply.tool_calls]
    assert ids[1] == "c2"
    assert len({"c1", *ids}) == 4


def test_legacy_function_call() -> None:
    body = completion(None, function_call={"name": "find_book", "arguments": "{}"}, finish_reason="function_call")
    reply = reply_to(body, tools=TOOLS)
    assert (reply.tool_calls[0]["function"]["name"], reply.finish_reason) == ("find_book", "tool_calls")


@pytest.mark.parametrize(
    ("given", "read"), [(None, "stop"), ("eos", "stop"), ("end_turn", "stop"), ("tool_calls", "stop")]
)
def test_finish_reasons_of_a_plain_reply(given: str | None, read: str) -> None:
    assert reply_to(completion("Hi", finish_reason=given)).finish_reason == read


def test_missing_usage_is_estimated_and_said() -> None:
    reply = reply_to(completion("x" * 400, usage=None))
    assert reply.usage_estimated
    assert reply.completion_tokens == 100
    assert reply.prompt_tokens > 0
    assert not reply_to(completion("x")).usage_estimated


def test_one_call_at_a_time_where_that_was_asked_for() -> None:
    body = completion(None, tool_calls=[CALL, CALL | {"id": "c2"}])
    assert len(reply_to(body, tools=TOOLS, parallel_tool_calls=False).tool_calls) == 1
    assert len(reply_to(body, tools=TOOLS, parallel_tool_calls=True).tool_calls) == 2


def refusing(field: str, message: str) -> Any:
    """A server that has never heard of a field."""

    def script(body: dict[str, Any]) -> Any:
        if field in body:
            return error(400, message)
        wants_call = "<tool_call>" in str(body["messages"][0]["content"])
        text = '<tool_call>{"name": "find_book", "arguments": {"title": "Emma"}}</tool_call>'
        return completion(text if wants_call else '{"user_message": "Hi", "is_task_complete": false}')

    return script


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("response_format", "Unsupported parameter: response_format of type json_schema"),
        ("seed", "Unrecognized request argument supplied: seed"),
        ("max_tokens", "Unsupported parameter: 'max_tokens' is not supported, use 'max_completion_tokens' instead."),
        ("temperature", "temperature does not support 0.7 with this model. Only the default (1) value is supported."),
    ],
)
def test_a_refused_field_is_left_out_after_one_refusal_and_remembered(tmp_path: Path, field: str, message: str) -> None:
    with serve(refusing(field, message)) as fake:

        async def run() -> str:
            with Journal(tmp_path) as journal:
                async with Models(make_config(fake), journal=journal) as models:
                    for draw in range(2):
                        reply = await models.structured("user_simulator", HELLO, draw=draw)
                        assert reply.value.user_message == "Hi"
                    return reply.replies[0].key

        key = asyncio.run(run())
        assert [field in request for request in fake.requests] == [True, False, False]
        if field == "response_format":
            assert "is_task_complete" in fake.requests[1]["messages"][0]["content"]
        if field == "max_tokens":
            assert fake.requests[1]["max_completion_tokens"] == 2048

        async def later() -> None:
            with Journal(tmp_path) as journal:
                async with Models(make_config(fake), journal=journal) as models:
                    assert (await models.structured("user_simulator", HELLO, draw=1)).replies[0].key == key
                    await models.structured("user_simulator", HELLO, draw=2)

        asyncio.run(later())
        assert [field in request for request in fake.requests[3:]] == [False]


def test_a_server_without_tools_gets_them_in_words() -> None:
    with serve(refusing("tools", '"auto" tool choice requires --enable-auto-tool-choice to be set')) as fake:
        messages: list[Message] = [
            *HELLO,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},  # type: ignore[list-item]
            {"role": "tool", "content": '{"pages": 3}', "tool_call_id": "c1"},
        ]
        reply = ask(make_config(fake), messages=messages, tools=TOOLS, parallel_tool_calls=True)
    assert reply.tool_calls[0]["function"]["name"] == "find_book"
    sent = fake.requests[1]
    assert "tools" not in sent
    assert "parallel_tool_calls" not in sent
    assert "find_book" in sent["messages"][0]["content"]
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert '{"pages": 3}' in sent["messages"][-1]["content"]


def test_parallel_tool_calls_alone_is_left_out() -> None:
    with serve(refusing("parallel_tool_calls", "Extra inputs are not permitted: parallel_tool_calls")) as fake:
        ask(make_config(fake), tools=TOOLS, parallel_tool_calls=False)
    assert "tools" in fake.requests[1]
    assert "parallel_tool_calls" not in fake.requests[1]


def probe(fake: FakeEndpoint, model: str = "tiny") -> Any:
    return asyncio.run(probe_endpoint(fake.url, model))


def post_all(fake: FakeEndpoint, bodies: list[bytes]) -> list[tuple[int, bytes]]:
    async def work() -> list[tuple[int, bytes]]:
        endpoint = Endpoint(fake.url, api_key="sk-secret")
        try:
            return [await endpoint.post("/chat/completions", body) for body in bodies]
        finally:
            await endpoint.close()

    return asyncio.run(work())


def test_every_call_has_its_own_body_and_the_same_headers() -> None:
    """The first call is the package's, later ones repeat what it sent with another body."""
    with serve(["One.", "Two.", "Three."]) as fake:
        answers = post_all(fake, [orjson.dumps({"n": number, "pad": "x" * 10**number}) for number in range(3)])
    assert [request["n"] for request in fake.requests] == [0, 1, 2]
    assert [orjson.loads(body)["choices"][0]["message"]["content"] for _, body in answers] == ["One.", "Two.", "Three."]
    assert [headers["Authorization"] for headers in fake.headers] == ["Bearer sk-secret"] * 3
    assert [int(headers["Content-Length"]) for headers in fake.headers] == [
        len(orjson.dumps({"n": number, "pad": "x" * 10**number})) for number in range(3)
    ]
    first, second, third = (
        {name: text for name, text in headers.items() if name != "Content-Length"} for headers in fake.headers
    )
    assert first == second == third
    assert len(fake.connections) == 1


def test_compressed_replies_are_read() -> None:
    with serve([Reaction(completion("Hello. " * 50), compress=True)]) as fake:
        answers = post_all(fake, [b"{}", b"{}"])
    for status, body in answers:
        assert status == 200 and orjson.loads(body)["choices"][0]["message"]["content"] == "Hello. " * 50


def test_compressed_refusals_are_read_whether_or_not_a_call_was_answered_before() -> None:
    async def work(url: str) -> list[str]:
        endpoint, messages = Endpoint(url), list[str]()
        for _ in range(3):
            try:
                await endpoint.post("/chat/completions", b"{}")
            except Failure as failure:
                messages.append(failure.message)
        await endpoint.close()
        return messages

    refusal = Reaction({"error": {"message": "no such thing " * 9}}, 400, compress=True)
    with serve([refusal, "Hello.", refusal]) as fake:
        messages = asyncio.run(work(fake.url))
    assert messages == ["HTTP 400: " + ("no such thing " * 9).strip()] * 2


def test_a_redirect_that_comes_later_is_followed_too() -> None:
    moved = Reaction({}, 307, {"Location": "/v1/chat/completions"})
    with serve(["One.", moved, moved, "Two.", "Three."]) as fake:
        answers = post_all(fake, [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}'])
    assert [status for status, _ in answers] == [200, 200, 200]
    assert [request["n"] for request in fake.requests] == [1, 2, 2, 2, 3]


def test_the_proxy_of_the_environment_is_used_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serve() as proxy, serve() as here:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        elsewhere = FakeEndpoint(url="http://models.example/v1")
        assert [status for status, _ in post_all(elsewhere, [b"{}", b"{}"])] == [200, 200]
        assert [status for status, _ in post_all(here, [b"{}", b"{}"])] == [200, 200]
    assert [headers["Host"] for headers in proxy.headers] == ["models.example", "models.example"]
    assert len(here.requests) == 2


def test_redirects_are_followed_with_the_body() -> None:
    moved = Reaction({}, 307, {"Location": "/v1/chat/completions"})
    with serve([moved, moved, "Here.", "Here."]) as fake:
        answers = post_all(fake, [b'{"n": 1}', b'{"n": 2}'])
    assert [status for status, _ in answers] == [200, 200]
    assert [request["n"] for request in fake.requests] == [1, 1, 1, 2]


def test_probe_of_a_good_endpoint_makes_no_call() -> None:
    with serve() as fake:
        found = probe(fake)
    assert (found.status, found.models, fake.requests) == ("ok", ("tiny",), [])


def test_probe_of_a_wrong_model_names_the_right_ones() -> None:
    with serve([error(404, "The model `huge` does not exist")]) as fake:
        found = probe(fake, "huge")
    assert found.status == "wrong_model"
    assert "tiny" in found.hint
    assert len(fake.requests) == 1


def test_probe_believes_a_server_that_answers_to_any_name() -> None:
    with serve() as fake:
        assert probe(fake, "alias").is_ok


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Reaction('{"error": {"message": "bad key"}}', 401), "refused"),
        (Reaction("<html>Forbidden</html>", 403), "refused"),
        (Reaction("<html>Welcome</html>", 200), "not_an_api"),
        (Reaction("<html>Bad gateway</html>", 502), "not_an_api"),
    ],
)
def test_probe_of_a_bad_endpoint(answer: Reaction, status: str) -> None:
    with serve() as fake:
        fake.models = answer
        found = probe(fake)
    assert found.status == status
    assert found.hint
    assert fake.url in found.message


def test_probe_of_nothing() -> None:
    with serve() as fake:
        url = fake.url
    found = asyncio.run(probe_endpoint(url, "tiny"))
    assert (found.status, bool(found.hint)) == ("unreachable", True)


def test_features_are_seen_in_three_calls() -> None:
    def script(body: dict[str, Any]) -> Any:
        if "response_format" in body:
            return completion('{"ok": true}')
        if "tools" in body:
            return completion(None, tool_calls=[CALL])
        return error(400, "logprobs is not supported")

    with serve(script) as fake:
        found = asyncio.run(probe_features(fake.url, "tiny"))
    assert found == {"json_schema": True, "tools": True, "parallel_tool_calls": False, "logprobs": False}
    assert len(fake.requests) == 3
