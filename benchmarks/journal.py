"""What the call journal takes at a steady rate of calls: CPU of the process, and time until a reply is on the disk.

    python -m benchmarks.journal [--rate 500] [--seconds 6]

The same entries at the same pace, once appended and once thrown away; the difference is the journal's. Prints one JSON
line.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from turnwright.models.entry import JournalEntry
from turnwright.models.journal import Journal


@dataclass(frozen=True)
class JournalFigures:
    """What appending took."""

    rate: float
    """Calls per second."""
    cpu_us_per_call: float
    share_of_core: float
    """CPU per second of wall time."""
    wait_ms: float
    """Median time from append to durable, with the group that it shares."""
    bytes_per_call: float


def make_call(number: int) -> JournalEntry:
    """An entry as a tool call of the assistant leaves it."""
    rng = random.Random(f"entry:{number}")
    call = {"id": f"call_{number}", "type": "function"}
    return JournalEntry(
        key=rng.randbytes(32).hex(),
        role="assistant",
        unit=f"task_{number // 14:016x}",
        draw=0,
        model="model",
        endpoint="http://127.0.0.1:8000/v1",
        message={
            "role": "assistant",
            "content": None,
            "tool_calls": [call | {"function": {"name": "find_members", "arguments": f'{{"name": "Ann {number}"}}'}}],
        },
        finish_reason="tool_calls",
        prompt_tokens=2500,
        completion_tokens=30,
        prefixes=tuple((1000 * index + number, rng.randbytes(6).hex()) for index in range(10)),
    )


async def pace(entries: list[JournalEntry], rate: float, journal: Journal | None) -> tuple[float, list[float]]:
    """Appends at a steady rate; returns CPU seconds and the wait of each."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []

    async def append(entry: JournalEntry) -> None:
        started = loop.time()
        if journal is not None:
            await journal.append(entry)
        waits.append(loop.time() - started)

    began, cpu = loop.time(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for number, entry in enumerate(entries):
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            group.create_task(append(entry))
    return time.process_time() - cpu, waits


def measure_journal(rate: float, seconds: float) -> JournalFigures:
    """With a journal less without one."""
    entries = [make_call(number) for number in range(int(rate * seconds))]
    bare, _ = asyncio.run(pace(entries, rate, None))
    with tempfile.TemporaryDirectory() as folder:
        with Journal(Path(folder)) as journal:
            used, waits = asyncio.run(pace(entries, rate, journal))
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    each = max(0.0, used - bare) / len(entries)
    return JournalFigures(
        rate=rate,
        cpu_us_per_call=round(1e6 * each, 1),
        share_of_core=round(each * rate, 4),
        wait_ms=round(1000 * statistics.median(waits), 2),
        bytes_per_call=round(size / len(entries)),
    )


def main() -> None:
    """Measures once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=6.0)
    print(json.dumps(asdict(measure_journal(**vars(parser.parse_args())))))


if __name__ == "__main__":
    main()
