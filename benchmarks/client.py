"""Drives an endpoint with one client and one workload, as a process of its own; prints one JSON line.

    python -m benchmarks.client CLIENT WORKLOAD --url http://127.0.0.1:8199/v1 [--concurrency 88]

CLIENT  turnwright             client, permits and journal of the pipeline
        turnwright-no-journal  the same without a journal
        aiohttp                aiohttp with a semaphore: about the least that Python can do
        openai                 the openai package as it comes, with a semaphore
"""

import argparse
import asyncio
import gc
import json
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

from benchmarks.workloads import FILLER, Workload, make_mark, read_workload
from schemas.config import RunConfig
from schemas.messages import Message
from turnwright.models.engine import shared_engine
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.remaining import expect_remaining

Ask = Callable[[list[Message], int, float], Awaitable[Message]]
"""Messages, number of the conversation, calls that it still needs -> the assistant's message."""

CLIENTS = ("turnwright", "turnwright-no-journal", "aiohttp", "openai")
_LONGEST = 40


async def converse(ask: Ask, number: int, length: int, expected: float) -> None:
    """One conversation; `expected` is its length as far as the scheduler knows."""
    messages: list[Message] = [
        {"role": "system", "content": "You are the clinic's assistant. " + FILLER},
        {"role": "user", "content": f"Hello, please help me with record {number}. {make_mark(number, 0)}"},
    ]
    for turn in range(length):
        reply = await ask(messages, number, expect_remaining(expected, turn, _LONGEST))
        messages.append(reply)
        messages.append({"role": "user", "content": f"And step {turn + 1}? {make_mark(number, turn + 1)}"})


async def drive(ask: Ask, workload: Workload) -> dict[str, Any]:
    """Holds all conversations at once."""
    gc.collect()
    gc.freeze()  # as a run does (tasks/memory.py): what was imported is not looked through again and again
    cpu, started = time.process_time(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, (length, expected) in enumerate(zip(workload.lengths, workload.expected_lengths, strict=True)):
            group.create_task(converse(ask, number, length, expected))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return {
        "calls": workload.calls,
        "seconds": round(seconds, 3),
        "cpu_per_1000": round(1000 * used / workload.calls, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def drive_turnwright(workload: Workload, url: str, concurrency: int, *, with_journal: bool) -> dict[str, Any]:
    """Through turnwright's client and permits."""
    config = RunConfig.model_validate(
        {
            "name": "bench",
            "sources": [{"kind": "sql", "url": "sqlite://"}],
            "model": {"base_url": url, "name": "stub", "timeout_seconds": 30, "max_tokens": 256},
            "concurrency": concurrency,
        }
    )

    async def work(journal: Journal | None) -> dict[str, Any]:
        async with Models(config, journal=journal) as models:

            async def ask(messages: list[Message], number: int, remaining: float) -> Message:
                reply = await models.chat("assistant", messages, unit=str(number), remaining=remaining)
                return reply.message()

            return await drive(ask, workload)

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        journal = stack.enter_context(Journal(Path(folder))) if with_journal else None
        return shared_engine().submit(work(journal)).result()


async def drive_aiohttp(workload: Workload, url: str, concurrency: int) -> dict[str, Any]:
    """Through aiohttp alone."""
    import aiohttp

    permits = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(messages: list[Message], number: int, remaining: float) -> Message:  # noqa: ARG001
            body = {"model": "stub", "messages": messages, "max_tokens": 256, "temperature": 0.7}
            async with permits, session.post(f"{url}/chat/completions", json=body) as response:
                answer: dict[str, Any] = await response.json()
            message: Message = answer["choices"][0]["message"]
            return message

        return await drive(ask, workload)


async def drive_openai(workload: Workload, url: str, concurrency: int) -> dict[str, Any]:
    """Through the openai package as it comes."""
    import openai

    permits = asyncio.Semaphore(concurrency)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(openai.AsyncOpenAI(base_url=url, api_key="unused"))

        async def ask(messages: list[Message], number: int, remaining: float) -> Message:  # noqa: ARG001
            given: Any = messages
            async with permits:
                completion = await client.chat.completions.create(
                    model="stub", messages=given, max_tokens=256, temperature=0.7
                )
            return {"role": "assistant", "content": completion.choices[0].message.content}

        return await drive(ask, workload)


def run_client(client: str, workload: Workload, url: str, concurrency: int) -> dict[str, Any]:
    """Drives one workload."""
    if client.startswith("turnwright"):
        return drive_turnwright(workload, url, concurrency, with_journal=client == "turnwright")
    work: Coroutine[Any, Any, dict[str, Any]] = (drive_aiohttp if client == "aiohttp" else drive_openai)(
        workload, url, concurrency
    )
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def main() -> None:
    """Runs one workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("workload", help="see benchmarks/workloads.py")
    parser.add_argument("--url", required=True)
    parser.add_argument("--concurrency", type=int, default=88)
    options = parser.parse_args()
    print(json.dumps(run_client(options.client, read_workload(options.workload), options.url, options.concurrency)))


if __name__ == "__main__":
    main()
