"""Models: one call from request to reply, replay, coalescing, the engine, and the scripted model."""

import asyncio
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import FakeEndpoint, Reaction, completion, serve

from schemas.config import RunConfig
from schemas.messages import Message
from schemas.replies import UserTurn
from turnwright.models.engine import Engine, shared_engine
from turnwright.models.errors import EndpointUnavailable, MalformedReply, ModelSetupError, NotInJournal
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.scripted import ScriptedModels, ScriptEnded, calls, calls_all, says

HELLO: list[Message] = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]


def make_config(fake: FakeEndpoint | None, **changes: Any) -> RunConfig:
    """A run against the fake endpoint; `model` changes are laid over its settings."""
    model = {"base_url": fake.url if fake else "http://127.0.0.1:9/v1", "name": "tiny"} | changes.pop("model", {})
    plain = {"name": "t", "seed": 7, "sources": [{"kind": "sql", "url": "sqlite:///x"}], "retry_seconds": 5.0}
    return RunConfig.model_validate(plain | {"model": model} | changes)


def ask(
    config: RunConfig, journal: Journal | None = None, messages: list[Message] | None = None, **options: Any
) -> Any:
    """One chat of the assistant."""

    async def run() -> Any:
        async with Models(config, journal=journal) as models:
            return await models.chat("assistant", messages or HELLO, **options)

    return asyncio.run(run())


def test_a_request_holds_nothing_that_varies_and_reasoning_is_not_sent_back() -> None:
    with serve() as fake:
        config = make_config(fake, model={"temperature": 0.2, "max_tokens": 64, "extra_body": {"top_k": 5}})
        messages: list[Message] = [
            *HELLO,
            {"role": "assistant", "content": "Hi", "reasoning": "a greeting"},
            {"role": "user", "content": "More"},
        ]
        tool = {"type": "function", "function": {"name": "look", "description": "", "parameters": {}}}
        reply = ask(config, messages=messages, tools=[tool], parallel_tool_calls=True, unit="dialogue_1")
        ask(config, messages=messages, tools=[tool], parallel_tool_calls=True, unit="dialogue_2")
    assert reply.content == "Hello."
    assert fake.requests[0] == fake.requests[1]
    assert set(fake.requests[0]) == {
        "model", "messages", "tools", "temperature", "top_p", "max_tokens", "top_k", "seed", "parallel_tool_calls"
    }  # fmt: skip
    assert fake.requests[0]["messages"][2] == {"role": "assistant", "content": "Hi"}


def test_draw_sets_the_seed_and_the_key() -> None:
    with serve() as fake:
        config = make_config(fake)
        first, again, other = ask(config), ask(config), ask(config, draw=1)
    seeds = [request["seed"] for request in fake.requests]
    assert seeds[0] == seeds[1] != seeds[2]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert first.key == again.key != other.key


def test_a_recorded_reply_is_replayed_without_a_request(tmp_path: Path) -> None:
    with serve(["one", "two"]) as fake:
        config = make_config(fake)
        with Journal(tmp_path) as journal:
            first = ask(config, journal)
        with Journal(tmp_path) as journal:
            second = ask(config, journal)
            changed = make_config(fake, concurrency=2, retry_seconds=1.0, limits={"turns": 9})
            third = ask(changed, journal)
        assert len(fake.requests) == 1
    assert (first.content, first.replayed) == ("one", False)
    assert (second.content, second.replayed) == (third.content, third.replayed) == ("one", True)


def test_offline_serves_the_journal_and_sends_nothing(tmp_path: Path) -> None:
    with serve() as fake, Journal(tmp_path) as journal:
        config = make_config(fake)
        ask(config, journal)

    async def run() -> None:
        with Journal(tmp_path) as journal:
            async with Models(config, journal=journal, offline=True) as models:
                assert (await models.chat("assistant", HELLO)).replayed
                with pytest.raises(NotInJournal) as caught:
                    await models.chat("assistant", HELLO, draw=5)
                assert caught.value.role == "assistant"
                assert len(caught.value.key) == 64
                assert models.usage.requests == 0

    asyncio.run(run())


def test_identical_requests_in_flight_are_one_call() -> None:
    with serve(lambda _: Reaction(completion("Once."), delay=0.1)) as fake:

        async def run() -> list[Any]:
            async with Models(make_config(fake)) as models:
                replies = await asyncio.gather(*(models.chat("assistant", HELLO) for _ in range(5)))
                assert models.usage.of("assistant").calls == 1
                assert models.usage.of("assistant").replayed == 4
                return replies

        replies = asyncio.run(run())
    assert len(fake.requests) == 1
    assert {reply.content for reply in replies} == {"Once."}


def test_whoever_waits_for_a_cancelled_call_makes_its_own() -> None:
    with serve(lambda _: Reaction(completion("Here."), delay=0.5)) as fake:

        async def run() -> Any:
            async with Models(make_config(fake)) as models:
                first = asyncio.create_task(models.chat("assistant", HELLO))
                while not fake.requests:
                    await asyncio.sleep(0.01)
                second = asyncio.create_task(models.chat("assistant", HELLO))
                await asyncio.sleep(0.05)
                first.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await first
                return await second

        assert asyncio.run(run()).content == "Here."
    assert len(fake.requests) == 2


def test_selfplay_is_known_by_its_seed_and_not_by_its_port() -> None:
    keys: list[str] = []
    for _ in range(2):
        with serve() as fake:
            config = RunConfig.model_validate(
                {"name": "t", "sources": [{"kind": "sql", "url": "sqlite:///x"}], "model": "selfplay"}
            )

            async def run(config: RunConfig, url: str) -> Any:
                async with Models(config, selfplay_url=url) as models:
                    assert models.identity_of("assistant") == "selfplay/0/0.03"
                    return await models.chat("assistant", HELLO)

            reply = asyncio.run(run(config, fake.url))
            assert fake.requests[0]["model"] == reply.model == "selfplay"
            keys.append(reply.key)
    assert keys[0] == keys[1]


def test_role_overrides_reach_their_own_model() -> None:
    with serve() as fake:
        config = make_config(fake, roles={"judge": {"name": "bigger"}, "assistant": {"temperature": 0.0}})

        async def run() -> None:
            async with Models(config) as models:
                await models.chat("assistant", HELLO)
                await models.chat("judge", HELLO)

        asyncio.run(run())
    assert [(request["model"], request["temperature"]) for request in fake.requests] == [("tiny", 0.0), ("bigger", 0.7)]


def test_a_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("TEST_KEY", secret)
    with serve() as fake, Journal(tmp_path) as journal:
        config = make_config(fake, model={"api_key_env": "TEST_KEY"})
        models = Models(config, journal=journal)
        ask(config, journal)
        assert fake.headers[0]["Authorization"] == f"Bearer {secret}"
        assert secret not in repr(models) + repr(list(journal.iter_entries()))
    assert all(secret.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def test_without_a_key_nothing_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-service")
    with serve() as fake:
        ask(make_config(fake))
    assert "another-service" not in repr(fake.headers)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": {"api_key_env": "NOT_SET_ANYWHERE"}}, "NOT_SET_ANYWHERE"),
        ({"budget": {"cost_usd": 1.0}}, "price"),
        ({"model": {"extra_body": {"user": "x"}}}, "user"),
    ],
)
def test_settings_that_cannot_work_are_said(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelSetupError, match=named):
        ask(make_config(None, **changes))


def test_connections_are_kept_and_not_capped_at_a_hundred() -> None:
    with serve(lambda _: Reaction(completion("Hi"), delay=0.3)) as fake:

        async def run() -> None:
            async with Models(make_config(fake, concurrency=300)) as models:
                permits = models._dispatcher("assistant")._permits  # pyright: ignore[reportPrivateUsage]
                permits.lanes[0].capacity.limit = 150
                for again in range(2):
                    await asyncio.gather(
                        *(models.chat("assistant", [{"role": "user", "content": f"{again} {i}"}]) for i in range(150))
                    )

        asyncio.run(run())
    assert fake.max_in_flight > 120
    assert len(fake.connections) <= 150


def test_chat_from_several_threads_shares_one_loop() -> None:
    with serve() as fake:
        models = Models(make_config(fake))
        contents: list[str | None] = []

        def work(number: int) -> None:
            async def run() -> None:
                contents.append((await models.chat("assistant", HELLO, draw=number)).content)

            asyncio.run(run())

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        asyncio.run(models.close())
    assert contents == ["Hello."] * 4
    assert sum(thread.name == "turnwright-engine" for thread in threading.enumerate()) == 1


def test_cancelling_the_caller_ends_the_work_on_the_engine() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.01)
            ended.append("cleaned up")

    async def run() -> None:
        task = asyncio.create_task(shared_engine().run(work()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert ended == ["cleaned up"]


def test_closing_the_engine_cancels_and_it_can_start_again() -> None:
    engine = Engine()
    future = engine.submit(asyncio.sleep(30))
    engine.close()
    assert future.cancelled()
    assert engine.submit(asyncio.sleep(0, "again")).result(5) == "again"
    engine.close()


def test_errors_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(EndpointUnavailable("down", url="http://x/v1", hint="start it")))
    assert (str(error), error.url, error.hint) == ("down", "http://x/v1", "start it")


def test_scripted_models_speak_their_lines_and_run_dry() -> None:
    done = UserTurn(user_message="Thanks", is_task_complete=True)
    models = ScriptedModels(
        {
            "assistant": [
                calls("find", {"id": 3}),
                calls_all(("a", {}), ("b", "{oops")),
                says("Found it.", reasoning="so"),
            ],
            "user_simulator": [{"user_message": "Hi", "is_task_complete": False}, done, "no JSON"],
            "judge": [EndpointUnavailable("down")],
        }
    )

    async def run() -> None:
        first = await models.chat("assistant", HELLO, tools=[{"x": 1}], unit="d1", remaining=4)
        assert first.tool_calls[0]["function"] == {"name": "find", "arguments": '{"id":3}'}
        second = await models.chat("assistant", HELLO)
        assert [call["function"]["arguments"] for call in second.tool_calls] == ["{}", "{oops"]
        assert len({call["id"] for call in (*first.tool_calls, *second.tool_calls)}) == 3
        assert (await models.chat("assistant", HELLO)).message()["reasoning"] == "so"
        with pytest.raises(ScriptEnded, match="assistant was asked for reply 4"):
            await models.chat("assistant", HELLO)
        assert (await models.structured("user_simulator", HELLO)).value.user_message == "Hi"
        assert (await models.structured("user_simulator", HELLO)).value == done
        with pytest.raises(MalformedReply):
            await models.structured("user_simulator", HELLO)
        with pytest.raises(EndpointUnavailable):
            await models.structured("judge", HELLO)

    asyncio.run(run())
    assert models.requests[0].tools == ({"x": 1},)
    assert models.requests[0].remaining == 4
    assert len(models.requests_of("user_simulator")) == 3
    assert models.left("user_simulator") == 0
