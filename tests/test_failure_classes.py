"""Which failure is whose: infrastructure is retried, refusals are said at once, the rest is the request's own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import Reaction, completion, error, serve
from test_models import HELLO, ask, make_config

from turnwright.models.errors import (
    ContextOverflow,
    EndpointRefused,
    EndpointUnavailable,
    MalformedReply,
    RequestRejected,
)
from turnwright.models.failures import classify_status, read_retry_after, redact
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.probe import probe_endpoint


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwright.models.dispatch._FIRST_PAUSE", 0.02)
    monkeypatch.setattr("turnwright.models.dispatch._LONGEST_PAUSE", 0.2)


HTML = "<!doctype html><html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "slow down"),
        error(500, "boom"),
        error(503, "loading model"),
        Reaction(HTML, 502),
        Reaction(HTML, 200),
        Reaction(completion("x" * 1000), drop=True),
        Reaction(completion("x" * 1000), truncate=100),
        Reaction('{"choices": [{"message": {"content": "Hel'),
        Reaction({"error": {"message": "upstream died"}}),
        Reaction({"choices": []}),
        Reaction(completion("late"), delay=1.0),
    ],
    ids=["429", "500", "503", "html", "html-200", "dropped", "cut", "not-json", "error-200", "no-choices", "hang"],
)
def test_infrastructure_is_tried_again(fault: Reaction) -> None:
    with serve([fault, fault, "Here."]) as fake:
        reply = ask(make_config(fake, model={"timeout_seconds": 0.3}))
    assert reply.content == "Here."
    assert len(fake.requests) == 3


def test_it_gives_up_after_retry_seconds_and_says_where() -> None:
    with serve([error(500, "boom")]) as fake, pytest.raises(EndpointUnavailable, match="boom") as caught:
        ask(make_config(fake, retry_seconds=0.5))
    assert fake.url in str(caught.value)
    assert caught.value.url == fake.url
    assert caught.value.hint


def test_a_dead_endpoint_fails_everyone_who_waits() -> None:
    with serve() as fake:
        pass

    async def run() -> list[Any]:
        async with Models(make_config(fake, retry_seconds=0.5, concurrency=4)) as models:
            calls = (models.chat("assistant", HELLO, draw=draw) for draw in range(300))
            return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 8)

    results = asyncio.run(run())
    assert all(isinstance(result, EndpointUnavailable) for result in results)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (error(401, "Incorrect API key provided: sk-abcdef123456"), "api_key_env"),
        (error(403, "no"), "api_key_env"),
        (error(404, "The model `tiny` does not exist"), "name"),
        (error(429, "You exceeded your current quota", code="insufficient_quota"), "credit"),
    ],
)
def test_refusals_are_said_at_once(answer: Reaction, hint: str) -> None:
    with serve([answer]) as fake, pytest.raises(EndpointRefused) as caught:
        ask(make_config(fake))
    assert len(fake.requests) == 1
    assert hint in caught.value.hint
    assert "abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "This model's maximum context length is 4096 tokens", code="context_length_exceeded"),
        error(
            400, "the request exceeds the available context size, try increasing it", type="exceed_context_size_error"
        ),
        error(413, "Payload too large"),
    ],
)
def test_context_overflow_is_the_dialogues_own_and_is_remembered(tmp_path: Path, answer: Reaction) -> None:
    with serve([answer]) as fake:
        for _ in range(2):
            with Journal(tmp_path) as journal, pytest.raises(ContextOverflow):
                ask(make_config(fake), journal)
    assert len(fake.requests) == 1


def test_a_rejected_request_fails_alone_once_others_were_answered(tmp_path: Path) -> None:
    def script(body: dict[str, Any]) -> Any:
        if "forbidden" in body["messages"][-1]["content"]:
            return error(400, "The response was filtered", code="content_filter")
        return completion("Fine.")

    with serve(script) as fake, Journal(tmp_path) as journal:
        config = make_config(fake)

        async def run() -> None:
            async with Models(config, journal=journal) as models:
                assert (await models.chat("assistant", HELLO)).content == "Fine."
                with pytest.raises(RequestRejected, match="filtered"):
                    await models.chat("assistant", [{"role": "user", "content": "forbidden"}])
                with pytest.raises(MalformedReply):
                    await models.chat("assistant", [{"role": "user", "content": "forbidden"}])

        asyncio.run(run())
        assert len(fake.requests) == 2


def test_settings_that_an_endpoint_rejects_stop_the_run() -> None:
    with serve([error(400, "top_k must be positive")]) as fake, pytest.raises(EndpointRefused, match="top_k"):
        ask(make_config(fake, model={"extra_body": {"top_k": -1}}))
    assert len(fake.requests) == 1


def test_a_request_that_always_breaks_a_healthy_server_does_not_block_the_run() -> None:
    def script(body: dict[str, Any]) -> Any:
        if "poison" in body["messages"][-1]["content"]:
            return error(500, "cannot render this conversation")
        return completion("Fine.")

    with serve(script) as fake:

        async def run() -> None:
            async with Models(make_config(fake, retry_seconds=60.0)) as models:
                poison = asyncio.create_task(models.chat("assistant", [{"role": "user", "content": "poison"}]))
                for draw in range(60):
                    await models.chat("assistant", HELLO, draw=draw)
                    await asyncio.sleep(0.005)
                with pytest.raises(RequestRejected, match="render"):
                    await asyncio.wait_for(poison, 5)

        asyncio.run(run())


def test_a_storm_of_faults_loses_nothing() -> None:
    tried: dict[str, int] = {}

    def script(body: dict[str, Any]) -> Any:
        text = body["messages"][-1]["content"]
        tried[text] = tried.get(text, 0) + 1
        fault = (int(text) * 7 + tried[text] * 13) % 20
        match fault:
            case 0:
                return error(429, "slow down")
            case 1:
                return error(500, "boom")
            case 2:
                return Reaction(completion("x" * 200), drop=True)
            case 3:
                return Reaction(completion("x" * 200), truncate=40)
            case _:
                return completion(f"reply {text}")

    with serve(script) as fake:

        async def run() -> list[Any]:
            async with Models(make_config(fake, retry_seconds=30.0)) as models:
                calls = (models.chat("assistant", [{"role": "user", "content": str(number)}]) for number in range(200))
                return await asyncio.gather(*calls)

        replies = asyncio.run(run())
    assert [reply.content for reply in replies] == [f"reply {number}" for number in range(200)]


def test_retry_after_may_be_seconds_milliseconds_or_a_date() -> None:
    assert read_retry_after({"retry-after": "2.5"}) == 2.5
    assert read_retry_after({"retry-after-ms": "300"}) == 0.3
    assert read_retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert read_retry_after({"retry-after": "soon"}) is None
    assert read_retry_after({}) is None


def test_secrets_are_cut_out_of_messages() -> None:
    assert redact("key abc-secret is wrong", "abc-secret") == "key *** is wrong"
    assert "sk-proj" not in classify_status(401, b'{"error": {"message": "bad key sk-proj-abcdefgh"}}', {}).message


def test_a_refused_connection_is_not_called_a_timeout() -> None:
    report = asyncio.run(probe_endpoint("http://127.0.0.1:9/v1", "any"))
    assert not report.is_ok
    assert "refused" in report.message
