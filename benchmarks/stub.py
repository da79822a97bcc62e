"""A stub of `/v1/chat/completions` with slots and latencies, in a process of its own.

Nothing but time passes in it. By hand:

    python -m benchmarks.stub --slots 64 --latency-ms 100 [--sigma 0.8]
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections import deque
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from benchmarks.processes import ROOT
from benchmarks.workloads import Workload, draw_latency, find_mark

_REPLY = {
    "id": "stub",
    "object": "chat.completion",
    "created": 0,
    "model": "stub",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "The record says that all is well. " * 3},
        }
    ],
    "usage": {"prompt_tokens": 200, "completion_tokens": 24, "total_tokens": 224},
}


class StubServer:
    """Slots, first come first served, and what was counted.

    A slot takes up the next call at the very moment at which the one before ends, however late the loop hears of it: on
    a machine that it shares with a client the stub must not be slower than it says.
    """

    def __init__(self, slots: int, latency_ms: float, sigma: float) -> None:
        self._free = slots
        self._waiting: deque[tuple[asyncio.Future[None], float]] = deque()
        self._latency_ms, self._sigma = latency_ms, sigma
        self._body = orjson.dumps(_REPLY)
        self._requests = 0
        self._busy = 0.0
        self._first: float | None = None
        self._last = 0.0

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self._complete)
        application.router.add_get("/stats", self._report)
        return application

    async def _complete(self, http: web.Request) -> web.Response:
        seconds = draw_latency(find_mark(await http.read()), self._latency_ms, self._sigma)
        loop = asyncio.get_running_loop()
        self._requests += 1
        self._first = self._first or loop.time()
        done: asyncio.Future[None] = loop.create_future()
        if self._free:
            self._free -= 1
            self._begin(done, seconds, loop.time())
        else:
            self._waiting.append((done, seconds))
        await done
        return web.Response(body=self._body, content_type="application/json")

    def _begin(self, done: "asyncio.Future[None]", seconds: float, start: float) -> None:
        self._busy += seconds
        asyncio.get_running_loop().call_at(start + seconds, self._end, done, start + seconds)

    def _end(self, done: "asyncio.Future[None]", moment: float) -> None:
        self._last = max(self._last, moment)
        if not done.done():  # a client that hung up does not wait
            done.set_result(None)
        if self._waiting:
            self._begin(*self._waiting.popleft(), moment)
        else:
            self._free += 1

    async def _report(self, _: web.Request) -> web.Response:
        seconds = self._last - self._first if self._first is not None else 0.0
        return web.json_response({"requests": self._requests, "busy": self._busy, "seconds": seconds})


class Stub:
    """The stub as a child process; ends with the `with` block."""

    def __init__(self, workload: Workload, slots: int) -> None:
        options = ["--slots", str(slots), "--latency-ms", str(workload.latency_ms), "--sigma", str(workload.sigma)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stub", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = str(json.loads(self._process.stdout.readline())["url"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()


async def _serve(slots: int, latency_ms: float, sigma: float) -> None:
    runner = web.AppRunner(StubServer(slots, latency_ms, sigma).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    address: Any = runner.addresses[0]
    print(json.dumps({"url": f"http://127.0.0.1:{address[1]}/v1"}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serves until ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=100.0)
    parser.add_argument("--sigma", type=float, default=0.0)
    options = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(options.slots, options.latency_ms, options.sigma))
    else:
        uvloop.run(_serve(options.slots, options.latency_ms, options.sigma))


if __name__ == "__main__":
    main()
