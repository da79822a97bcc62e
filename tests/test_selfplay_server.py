"""The embedded endpoint as a server: pure replies, figures, slots, faults, streams."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from turnwright.selfplay.options import ServeOptions, parse_fault
from turnwright.selfplay.server import draw_fault, draw_latency, start

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "search_players_by_name",
            "description": "Find players whose name contains a text.",
            "parameters": {
                "type": "object",
                "properties": {
                    "player_name": {"type": "string", "description": "Text to find in the name of the player."}
                },
                "required": ["player_name"],
            },
        },
    }
]


def chat(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "selfplay", "messages": [{"role": "user", "content": text}], "tools": TOOLS, **fields}


def look_up(name: str) -> dict[str, Any]:
    return chat(f"Could you tell me the earnings of the player named {name}?")


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    runner, url = await start(ServeOptions(**options))
    try:
        async with aiohttp.ClientSession() as session:
            yield session, url
    finally:
        await runner.cleanup()


async def post(session: aiohttp.ClientSession, url: str, body: Any) -> tuple[int, Any]:
    async with session.post(f"{url}/chat/completions", json=body) as response:
        return response.status, await response.json(content_type=None)


async def read_stats(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url.removesuffix("/v1") + "/stats") as response:
        return await response.json()


def test_reply_is_a_function_of_body_and_seed() -> None:
    async def run(bodies: list[dict[str, Any]], seed: int) -> dict[str, Any]:
        async with serving(seed=seed) as (session, url):
            return {json.dumps(body): await post(session, url, body) for body in bodies}

    bodies = [look_up(name) for name in ("Nick Price", "Greg Norman", "David Frost")]
    forward = asyncio.run(run(bodies, 1))
    backward = asyncio.run(run(bodies[::-1] + bodies, 1))
    assert forward == backward
    assert all(status == 200 for status, _ in forward.values())
    ids = {reply["id"] for _, reply in forward.values()}
    assert len(ids) == len(bodies)


def test_key_order_and_delivery_do_not_change_the_reply() -> None:
    async def run() -> None:
        async with serving() as (session, url):
            body = look_up("Nick Price")
            _, one = await post(session, url, body)
            _, other = await post(session, url, dict(reversed(body.items())))
            assert one == other

    asyncio.run(run())


def test_stream_carries_the_same_reply() -> None:
    async def run() -> None:
        async with serving() as (session, url):
            _, whole = await post(session, url, look_up("Nick Price"))
            body = look_up("Nick Price") | {"stream": True, "stream_options": {"include_usage": True}}
            async with session.post(f"{url}/chat/completions", json=body) as response:
                lines = (await response.text()).split("\n\n")
        events = [line.removeprefix("data: ") for line in lines if line]
        assert events[-1] == "[DONE]"
        chunks = [json.loads(event) for event in events[:-1]]
        assert chunks[-1]["usage"] == whole["usage"]
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
        content = "".join(delta.get("content") or "" for delta in deltas)
        calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
        message = whole["choices"][0]["message"]
        assert content == (message["content"] or "")
        assert [call["function"] for call in calls] == [call["function"] for call in message["tool_calls"]]
        assert {chunk["id"] for chunk in chunks} == {whole["id"]}

    asyncio.run(run())


def test_stats_count_requests_roles_and_repeats() -> None:
    async def run() -> None:
        async with serving() as (session, url):
            for name in ("Nick Price", "Greg Norman", "Nick Price"):
                await post(session, url, look_up(name))
            stats = await read_stats(session, url)
            assert stats["requests"] == 3
            assert stats["repeated"] == 1
            assert stats["by_role"]["assistant"]["requests"] == 3
            assert stats["by_role"]["assistant"]["first_time"] <= stats["by_role"]["assistant"]["last_time"]
            assert stats["faults"] == {}
            async with session.post(url.removesuffix("/v1") + "/reset") as response:
                assert response.status == 200
            assert (await read_stats(session, url))["requests"] == 0
            async with session.get(f"{url}/models") as response:
                assert (await response.json())["data"][0]["id"] == "selfplay"

    asyncio.run(run())


def test_slots_limit_the_work_and_latency_fills_them() -> None:
    async def run() -> None:
        async with serving(slots=2, latency_ms=30) as (session, url):
            await asyncio.gather(*(post(session, url, look_up(f"Player {letter}")) for letter in "ABCDEF"))
            stats = await read_stats(session, url)
            assert stats["max_in_flight"] == 6
            assert stats["busy_slot_seconds"] >= 6 * 0.03
            # Two slots: the six calls cannot overlap more than pairwise.
            assert stats["wall_seconds"] >= 3 * 0.03

    asyncio.run(run())


def test_latency_depends_on_the_body_alone() -> None:
    options = ServeOptions(latency_ms=100, latency_sigma=0.8, seed=3)
    draws = [draw_latency(options, f"{number:064x}") for number in range(400)]
    assert draws == [draw_latency(options, f"{number:064x}") for number in range(400)]
    assert len(set(draws)) == len(draws)
    assert 0.08 < sorted(draws)[200] < 0.125
    assert draw_latency(ServeOptions(latency_ms=100), "ab") == pytest.approx(0.1)


def test_faults_come_at_their_rate_and_a_retry_gets_through() -> None:
    options = ServeOptions(faults={"429": 0.1, "500": 0.2})
    drawn = [draw_fault(options, f"{number:064x}", 0) for number in range(2000)]
    assert 150 < drawn.count("429") < 250
    assert 330 < drawn.count("500") < 470
    hit = next(number for number, kind in enumerate(drawn) if kind)
    assert any(draw_fault(options, f"{hit:064x}", attempt) is None for attempt in range(1, 5))


@pytest.mark.parametrize("kind", ["429", "500", "503"])
def test_status_faults(kind: str) -> None:
    async def run() -> None:
        async with serving(faults={kind: 1.0}) as (session, url):
            async with session.post(f"{url}/chat/completions", json=look_up("Nick Price")) as response:
                assert response.status == int(kind)
                assert ("Retry-After" in response.headers) == (kind == "429")
                assert "message" in (await response.json())["error"]
            stats = await read_stats(session, url)
            assert stats["faults"] == {kind: 1}
            assert stats["repeated"] == 0

    asyncio.run(run())


def test_transport_faults() -> None:
    async def run() -> None:
        async with serving(faults={"drop": 1.0}) as (session, url):
            with pytest.raises(aiohttp.ClientError):
                await post(session, url, look_up("Nick Price"))
            assert (await read_stats(session, url))["faults"] == {"drop": 1}
        async with (
            serving(faults={"html": 1.0}) as (session, url),
            session.post(f"{url}/chat/completions", json=look_up("Nick Price")) as response,
        ):
            assert response.content_type == "text/html"
        async with serving(faults={"hang": 1.0}, slots=1) as (session, url):
            with pytest.raises(asyncio.TimeoutError):
                async with asyncio.timeout(0.2):
                    await post(session, url, look_up("Nick Price"))
            # The client is gone, and so is its hold on the slot.
            await asyncio.sleep(0.1)
            stats = await read_stats(session, url)
            assert stats["faults"] == {"hang": 1}
            assert stats["busy_slot_seconds"] > 0.1

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["malformed", "truncated", "empty"])
def test_content_faults(kind: str) -> None:
    async def run() -> None:
        async with serving(faults={kind: 1.0}) as (session, url):
            status, reply = await post(session, url, look_up("Nick Price"))
        choice = reply["choices"][0]
        assert status == 200
        assert (choice["finish_reason"] == "length") == (kind == "truncated")
        if kind == "empty":
            assert not choice["message"]["content"] and "tool_calls" not in choice["message"]
        else:
            with pytest.raises(json.JSONDecodeError):
                json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])

    asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        (chat("hello", n=2), "n must be 1"),
        (chat("hello", response_format={"type": "json_schema", "json_schema": {"name": "poet"}}), "poet"),
        (chat("hello", response_format={"type": "json_schema", "json_schema": {"name": "user_simulator"}}), "goal"),
        ({"model": "selfplay", "messages": [{"role": "system", "content": "Be kind."}]}, "user"),
    ],
)
def test_a_request_that_no_player_understands_is_refused(body: dict[str, Any], said: str) -> None:
    async def run() -> None:
        async with serving() as (session, url):
            status, reply = await post(session, url, body)
            assert status == 400
            assert said in reply["error"]["message"]

    asyncio.run(run())


@pytest.mark.parametrize("text", ["teapot=0.5", "429", "429=many", "429=1.5", "200=0.1"])
def test_bad_faults_are_explained(text: str) -> None:
    with pytest.raises(ValueError, match=r"fault|form"):
        parse_fault(text)


def test_fault_rates_add_up_to_one_at_most() -> None:
    assert parse_fault("429=0.05") == ("429", 0.05)
    with pytest.raises(ValueError, match="add up"):
        ServeOptions(faults={"429": 0.6, "500": 0.6})
