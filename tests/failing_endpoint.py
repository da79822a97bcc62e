"""An endpoint that can be broken and mended: it stands before another one and passes on what it is asked."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web


@dataclass
class FailingEndpoint:
    """Where it is, and whether it answers."""

    url: str = ""
    broken: bool = False
    breaks_when: Callable[[], bool] = lambda: False
    """Looked at before each call; true breaks it."""
    passed: int = 0
    """Calls of roles that were passed on."""
    again: int = 0
    """Calls that had been answered before it broke, and were asked again later."""
    answered: set[str] = field(default_factory=set[str])
    finished: set[str] = field(default_factory=set[str])
    """Digests of the calls that were answered before it broke."""
    sessions: list[aiohttp.ClientSession] = field(default_factory=list[aiohttp.ClientSession])

    def mend(self) -> None:
        """Answers from here on."""
        self.breaks_when = lambda: False
        self.broken = False


def _is_probe(body: bytes) -> bool:
    """Whether a call only asks what the endpoint can do, as the look before a run does: it wants a few tokens."""
    return json.loads(body).get("max_tokens", 0) <= 128


@contextmanager
def serve_before(target: str) -> Iterator[FailingEndpoint]:
    """Serves on a free port, in a thread of its own, what `target` (root of an API) serves."""
    endpoint = FailingEndpoint()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def pass_on(request: web.Request) -> web.Response:
        if request.method == "POST" and not endpoint.broken and endpoint.breaks_when():
            endpoint.broken = True
            endpoint.finished |= endpoint.answered
        if endpoint.broken:
            return web.json_response({"error": {"message": "switched off"}}, status=503)
        body = await request.read()
        call = hashlib.sha256(body).hexdigest()
        counts = request.method == "POST" and not _is_probe(body)
        endpoint.passed += counts
        endpoint.again += call in endpoint.finished
        place = target.removesuffix("/v1") + request.path_qs
        headers = {"Content-Type": request.content_type}
        async with endpoint.sessions[0].request(request.method, place, data=body, headers=headers) as answer:
            content = await answer.read()
            if counts:
                endpoint.answered.add(call)
            return web.Response(body=content, status=answer.status, content_type=answer.content_type)

    async def main() -> None:
        endpoint.sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", pass_on)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        started.set()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(main(), loop).result(timeout=20)
    try:
        yield endpoint
    finally:
        asyncio.run_coroutine_threadsafe(endpoint.sessions[0].close(), loop).result(timeout=20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=20)
