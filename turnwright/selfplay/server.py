"""The embedded endpoint: an OpenAI-compatible server that plays every role by rules.

`POST /v1/chat/completions` (whole or streamed), `GET /v1/models`, `GET /stats`, `POST /reset`. A reply is a pure
function of the request body and the seed, whatever the order, port or history; so is the latency, and a fault besides
depends on how often the body has come, so that a retry gets through. It also serves as the load and fault bench.
"""

import asyncio
import contextlib
import hashlib
import importlib
import json
import math
import sys
import time
import traceback
import typing
from collections.abc import AsyncGenerator, Callable
from typing import Any

import orjson
from aiohttp import web

from schemas.vocabulary import Role
from turnwright.selfplay.completion import build_completion, spoil_completion, stream_completion
from turnwright.selfplay.counters import Counters
from turnwright.selfplay.options import CONTENT_FAULTS, ServeOptions
from turnwright.selfplay.request import NotUnderstood, Request

HANG_SECONDS = 600.0
"""Longest silence of a `hang` fault; it ends when the client gives up."""
_LARGEST_BODY = 256 * 1024 * 1024
_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def _draw(*parts: Any) -> float:
    """A number from 0 to 1, below 1, that depends on `parts` alone."""
    content = hashlib.sha256("\0".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(content[:7], "big") / 2**56


def draw_latency(options: ServeOptions, body_digest: str) -> float:
    """Seconds that a request occupies its slot: lognormal around the median, drawn from the body."""
    if not options.latency_ms:
        return 0.0
    radius = math.sqrt(-2.0 * math.log(1.0 - _draw(options.seed, "latency", body_digest)))
    normal = radius * math.cos(2.0 * math.pi * _draw(options.seed, "angle", body_digest))
    return options.latency_ms / 1000.0 * math.exp(options.latency_sigma * normal)


def draw_fault(options: ServeOptions, body_digest: str, attempt: int) -> str | None:
    """The fault that this attempt of a body meets, or none."""
    if not options.faults:
        return None
    point = _draw(options.seed, "fault", body_digest, attempt)
    for kind, rate in sorted(options.faults.items()):
        if point < rate:
            return kind
        point -= rate
    return None


def _find_player(role: str) -> Callable[[Request], dict[str, Any]]:
    if role not in typing.get_args(Role):
        known = ", ".join(typing.get_args(Role))
        raise NotUnderstood(f"no player for a JSON Schema named {role!r}; the roles are: {known}")
    # Imported when first needed: the endpoint starts in a fraction of a second, and some players import a lot.
    return importlib.import_module(f"turnwright.selfplay.{role}").reply


def play(request: Request) -> dict[str, Any]:
    """The assistant message that answers a request.

    Raises:
        NotUnderstood: no player can answer it.
    """
    player = _find_player(request.role)
    try:
        reply = player(request)
    except NotUnderstood:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        traceback.print_exc(file=sys.stderr)
        problem = f"{type(error).__name__}: {error}"
        raise NotUnderstood(f"the player of {request.role} cannot read this request ({problem})") from error
    if request.role == "assistant":
        return reply
    return {"content": json.dumps(reply, ensure_ascii=False)}


def read_request(content: bytes, options: ServeOptions) -> Request:
    """The request that a body holds.

    Raises:
        NotUnderstood: it is no chat request.
    """
    try:
        body = orjson.loads(content)
    except ValueError as error:
        raise NotUnderstood(f"the body is not JSON: {error}") from error
    fields = typing.cast(dict[str, Any], body) if isinstance(body, dict) else {}
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise NotUnderstood("the body must be an object with a non-empty list `messages`")
    for position, message in enumerate(typing.cast(list[Any], messages)):
        if not isinstance(message, dict) or "role" not in message:
            raise NotUnderstood(f"messages[{position}] must be an object with a role")
        if not isinstance(typing.cast(dict[str, Any], message).get("content"), str | None):
            raise NotUnderstood(f"messages[{position}].content must be text; parts of other kinds are not read")
    if fields.get("n", 1) not in (1, None):
        raise NotUnderstood("n must be 1")
    return Request(fields, options.seed, options.mistake_rate)


def _refuse(status: int, message: str, kind: str, **headers: str) -> web.Response:
    error = {"error": {"message": message, "type": kind, "param": None, "code": None}}
    return web.json_response(error, status=status, headers=headers)


class SelfplayServer:
    """The state of one running endpoint: its slots and its counters."""

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self.counters = Counters()
        self._slots = asyncio.Semaphore(options.slots) if options.slots else None

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_post("/v1/chat/completions", self._complete)
        application.router.add_get("/v1/models", self._list_models)
        application.router.add_get("/stats", self._report)
        application.router.add_post("/reset", self._reset)
        return application

    async def _list_models(self, _: web.Request) -> web.Response:
        model = {"id": "selfplay", "object": "model", "created": 0, "owned_by": "turnwright"}
        return web.json_response({"object": "list", "data": [model]})

    async def _report(self, _: web.Request) -> web.Response:
        return web.json_response(self.counters.to_json())

    async def _reset(self, _: web.Request) -> web.Response:
        fresh = Counters(in_flight=self.counters.in_flight, max_in_flight=self.counters.in_flight)
        self.counters = fresh
        return web.json_response({"reset": True})

    async def _complete(self, http: web.Request) -> web.StreamResponse:
        # Taken once: a reset in the middle leaves this request to the counters it began with.
        counters = self.counters
        counters.enter()
        try:
            return await self._answer(http, counters)
        finally:
            counters.leave()
            if counters is not self.counters:
                self.counters.in_flight -= 1

    async def _answer(self, http: web.Request, counters: Counters) -> web.StreamResponse:
        try:
            request = read_request(await http.read(), self.options)
        except NotUnderstood as error:
            return _refuse(400, str(error), "invalid_request_error")
        key = bytes.fromhex(request.digest)[:16]
        attempt = counters.see(request.role, key)
        fault = draw_fault(self.options, request.digest, attempt)
        if fault is not None and (fault == "html" or fault.startswith("4")):
            return self._fail(http, fault, counters)
        async with self._occupy_slot(request.role, counters):
            await asyncio.sleep(draw_latency(self.options, request.digest))
            if fault == "hang":
                counters.faults[fault] = counters.faults.get(fault, 0) + 1
                await asyncio.sleep(HANG_SECONDS)
                return self._drop(http)
            if fault is not None and fault not in CONTENT_FAULTS:
                return self._fail(http, fault, counters)
            try:
                completion = build_completion(request, play(request))
            except NotUnderstood as error:
                return _refuse(400, str(error), "invalid_request_error")
        if fault is not None and spoil_completion(completion, fault):
            counters.faults[fault] = counters.faults.get(fault, 0) + 1
        else:
            counters.answered.add(key)
        if request.body.get("stream"):
            return await self._stream(http, request, completion)
        return web.Response(body=orjson.dumps(completion), content_type="application/json")

    @contextlib.asynccontextmanager
    async def _occupy_slot(self, role: str, counters: Counters) -> AsyncGenerator[None]:
        async with self._slots or contextlib.nullcontext():
            start = time.monotonic()
            try:
                yield
            finally:
                counters.occupy(role, time.monotonic() - start)

    async def _stream(self, http: web.Request, request: Request, completion: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(http)
        options: dict[str, Any] = request.body.get("stream_options") or {}
        usage = bool(options.get("include_usage"))
        for event in stream_completion(completion, usage=usage):
            await response.write(event)
        await response.write_eof()
        return response

    def _fail(self, http: web.Request, kind: str, counters: Counters) -> web.Response:
        counters.faults[kind] = counters.faults.get(kind, 0) + 1
        if kind == "html":
            return web.Response(text=_PAGE, content_type="text/html")
        if kind == "drop":
            return self._drop(http)
        if kind == "429":
            return _refuse(429, "ordered fault: too many requests", "rate_limit_error", **{"Retry-After": "1"})
        return _refuse(int(kind), f"ordered fault: status {kind}", "server_error")

    def _drop(self, http: web.Request) -> web.Response:
        if http.transport is not None:
            http.transport.abort()
        return web.Response(status=499)


async def start(options: ServeOptions) -> tuple[web.AppRunner, str]:
    """Starts serving on the running loop.

    Returns:
        The runner, to be cleaned up by the caller, and the root of the API, as in `http://127.0.0.1:8000/v1`.

    Raises:
        OSError: the port cannot be taken.
    """
    # Handlers are cancelled when the client goes away: its slot is free again, as with a real server.
    runner = web.AppRunner(SelfplayServer(options).application(), access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, backlog=4096)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"http://{options.host}:{port}/v1"
