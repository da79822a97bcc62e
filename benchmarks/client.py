"""Drives an OpenAI-compatible endpoint through turnwright's client, permits and journal, and through nothing else.

    python benchmarks/client.py WORKLOAD --url http://127.0.0.1:8199/v1 [--concurrency 88] [--journal DIR]

WORKLOAD  singles[:N]        N independent structured calls (2,000)
          chains[:N[:CALLS]] N conversations (300) of 12 calls, each waiting for the one before
          heavy[:N]          N conversations (300) of 4 to 40 calls, whose lengths the permits know to within a half
          zero[:N]           N short calls (10,000), for the ceiling of the client itself

A message ends in `[[k=CONVERSATION.TURN]]`, by which a stub endpoint can give every client the same latencies. A
concurrency of 1.25 to 1.5 x the endpoint's slots hides the client's turnaround. Prints one JSON line.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from schemas.config import RunConfig
from schemas.messages import Message
from turnwright.models.engine import shared_engine
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.remaining import expect_remaining

FILLER = "Write one self-contained question with its answer about the records of a small clinic. " * 4
DEFAULTS = {"singles": 2000, "chains": 300, "heavy": 300, "zero": 10_000}
ALIASES = {
    "w1": "singles",
    "w2": "chains",
    "w3": "heavy",
    "w1s": "singles:200",
    "w2s": "chains:40:6",
    "w3s": "heavy:40",
}


def plan_lengths(workload: str) -> tuple[str, list[int]]:
    """Kind of workload, and the number of calls of each conversation."""
    kind, _, rest = ALIASES.get(workload, workload).partition(":")
    count, _, calls = rest.partition(":")
    number = int(count) if count else DEFAULTS[kind]
    if kind == "chains":
        return kind, [int(calls or 12)] * number
    if kind == "heavy":
        lengths = [4 + (index * 2654435761 % 4294967296) % 37 for index in range(number)]
        return kind, [length // 4 + 1 for length in lengths] if workload == "w3s" else lengths
    return kind, [1] * number


def mark(conversation: int, turn: int) -> str:
    """What a stub recognises a call by."""
    return f"[[k={conversation}.{turn}]]"


async def converse(models: Models, kind: str, number: int, length: int, expected: float) -> None:
    """One conversation; `expected` is its length as far as the permits know."""
    messages: list[Message] = [
        {"role": "system", "content": "You are the clinic's assistant. " + FILLER},
        {"role": "user", "content": f"Hello, please help me with record {number}. {mark(number, 0)}"},
    ]
    if kind == "singles":
        await models.structured("question_writer", messages, unit=str(number))
        return
    for turn in range(length):
        remaining = expect_remaining(expected, turn, 40) if kind == "heavy" else expected - turn
        reply = await models.chat("assistant", messages, unit=str(number), remaining=remaining)
        messages += [reply.message(), {"role": "user", "content": f"And step {turn + 1}? {mark(number, turn + 1)}"}]


async def drive(models: Models, kind: str, lengths: list[int], order: str) -> float:
    """Seconds from the first call to the last reply."""
    rng = random.Random("expected lengths")
    within = 0.5 if kind == "heavy" else 0.0
    expected = [length * rng.uniform(1 - within, 1 + within) if order == "lpt" else 1.0 for length in lengths]
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, length in enumerate(lengths):
            group.create_task(converse(models, kind, number, length, expected[number]))
    return time.perf_counter() - started


def main() -> None:
    """Runs one workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload")
    parser.add_argument(
        "--url", default=os.environ.get("OPENAI_BASE_URL"), required="OPENAI_BASE_URL" not in os.environ
    )
    parser.add_argument("--model", default="stub-model")
    parser.add_argument("--concurrency", type=int, default=88)
    parser.add_argument("--order", choices=["lpt", "fifo"], default="lpt")
    parser.add_argument("--journal", help="folder; default: a temporary one; `none`: no journal")
    options = parser.parse_args()
    kind, lengths = plan_lengths(options.workload)
    config = RunConfig.model_validate(
        {
            "name": "bench",
            "sources": [{"kind": "sql", "url": "sqlite://"}],
            "model": {"base_url": options.url, "name": options.model, "timeout_seconds": 30, "max_tokens": 256},
            "concurrency": options.concurrency,
        }
    )
    with ExitStack() as stack:
        journal = None
        if options.journal != "none":
            folder = options.journal or stack.enter_context(tempfile.TemporaryDirectory())
            journal = stack.enter_context(Journal(Path(folder)))

        async def work() -> tuple[float, dict[str, object], float]:
            before = time.process_time()
            async with Models(config, journal=journal) as models:
                seconds = await drive(models, kind, lengths, options.order)
                return seconds, models.usage.to_dict(), time.process_time() - before

        seconds, usage, cpu = shared_engine().submit(work()).result()
    calls = sum(lengths)
    print(
        json.dumps(
            {
                "workload": options.workload,
                "calls": calls,
                "requests": usage["requests"],
                "seconds": round(seconds, 3),
                "calls_per_second": round(calls / seconds, 1),
                "cpu_seconds_per_1000": round(1000 * cpu / calls, 3),
                "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


if __name__ == "__main__":
    main()
