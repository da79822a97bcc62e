"""A small OpenAI-compatible server for tests, with whatever habits and faults a test gives it.

`reply(request) -> Reaction` is asked for every request; a Reaction is a status, a body and a few ways to misbehave.
"""

import asyncio
import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Reaction:
    """What the server does with one request."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    truncate: int | None = None
    compress: bool = False


def completion(
    content: Any = "Hello.",
    *,
    tool_calls: Any = None,
    finish_reason: str | None = "stop",
    usage: dict[str, Any] | None = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},  # noqa: B006
    **extra: Any,
) -> dict[str, Any]:
    """A chat completion body; `extra` goes into the message."""
    message = {"role": "assistant", "content": content, **extra}
    if tool_calls is not None:
        message["tool_calls"] = tool_calls
    body = {
        "id": "x",
        "object": "chat.completion",
        "model": "served-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    return body if usage is None else body | {"usage": usage}


def error(status: int, message: str, *, headers: dict[str, str] | None = None, **fields: Any) -> Reaction:
    """An error answer in OpenAI's form."""
    return Reaction({"error": {"message": message, **fields}}, status, headers or {})


Script = Callable[[dict[str, Any]], Any]


@dataclass
class FakeEndpoint:
    """The running server: where it is and what it was asked."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    in_flight: int = 0
    max_in_flight: int = 0
    connections: set[Any] = field(default_factory=set)
    models: Any = field(default_factory=lambda: {"object": "list", "data": [{"id": "tiny"}]})


@contextmanager
def serve(script: Script | list[Any] | None = None, *, tls: ssl.SSLContext | None = None) -> Iterator[FakeEndpoint]:
    """Serves on a free port in a thread of its own.

    `script` is a function of the request body, or a list of what to do in turn (the last one from then on). A plain
    dict stands for a Reaction with that body, a text for a completion with that content.
    """
    fake = FakeEndpoint()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    def react(body: dict[str, Any]) -> Reaction:
        if callable(script):
            made = script(body)
        else:
            lines = script or ["Hello."]
            made = lines[min(len(fake.requests), len(lines)) - 1]
        if isinstance(made, str):
            made = completion(made)
        return made if isinstance(made, Reaction) else Reaction(made)

    async def chat(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        fake.requests.append(body)
        fake.headers.append(dict(request.headers))
        fake.connections.add(request.transport.get_extra_info("peername") if request.transport else None)
        fake.in_flight += 1
        fake.max_in_flight = max(fake.max_in_flight, fake.in_flight)
        try:
            reaction = react(body)
            if reaction.delay:
                await asyncio.sleep(reaction.delay)
            if reaction.drop:
                assert request.transport
                request.transport.abort()
                return web.Response()
            content = reaction.body if isinstance(reaction.body, str) else json.dumps(reaction.body)
            kind = "text/html" if content.lstrip().startswith("<") else "application/json"
            data = content.encode()
            if reaction.truncate is not None:  # promises more than it sends, then hangs up
                response = web.StreamResponse(headers={"Content-Length": str(len(data))})
                await response.prepare(request)
                await response.write(data[: reaction.truncate])
                assert request.transport
                request.transport.abort()
                return response
            headers = dict(reaction.headers)
            if reaction.compress:
                data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
            return web.Response(body=data, status=reaction.status, headers=headers, content_type=kind)
        finally:
            fake.in_flight -= 1

    async def models(_: web.Request) -> web.StreamResponse:
        if isinstance(fake.models, Reaction):
            text = fake.models.body if isinstance(fake.models.body, str) else json.dumps(fake.models.body)
            return web.Response(text=text, status=fake.models.status, content_type="text/html")
        return web.json_response(fake.models)

    def run() -> None:
        async def start() -> web.AppRunner:
            app = web.Application(client_max_size=1 << 26)
            app.router.add_post("/v1/chat/completions", chat)
            app.router.add_get("/v1/models", models)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
            await site.start()
            fake.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/v1"
            return runner

        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield fake
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
