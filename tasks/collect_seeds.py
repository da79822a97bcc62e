"""collect-seeds: looks at every source and keeps what it found."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from prefect import task

from schemas.content import content_id
from schemas.rows import SeedRow
from schemas.sources import Source
from tasks.ledger import record_unit
from tasks.run_context import RunContext
from tasks.shards import Made, ShardResult, write_shard
from tasks.workbench import open_workbench
from turnwright.sources.collection import collect_seeds

_READERS = 8


@task(name="collect-seeds")
async def collect_sources(run: RunContext) -> ShardResult:
    """Reads all sources, each time: what they hold may have changed. What follows is keyed by what was found.

    Raises:
        SourceError: a source cannot be reached or read.
        OSError: the store cannot be written.
    """
    sources = run.config.sources
    advance = open_workbench(run).begin_stage("collect-seeds", len(sources))

    def read(position: int, source: Source) -> list[SeedRow]:
        rows = collect_seeds(source, position, run.config.seed, run.store)
        advance(Made(rows=[*rows]))
        return rows

    with ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="sources") as pool:
        loop = asyncio.get_running_loop()
        reads = [loop.run_in_executor(pool, read, position, source) for position, source in enumerate(sources)]
        found = await asyncio.gather(*reads)
    rows = name_domains([row for of_source in found for row in of_source])
    made = [
        Made(rows=[row], ledger=[record_unit("collect-seeds", "seed", row.id, "accepted", about=row)]) for row in rows
    ]
    return write_shard(run, {"seeds": SeedRow}, made)


def name_domains(rows: list[SeedRow]) -> list[SeedRow]:
    """Gives each seed a domain of its own: of two databases of one name the second becomes `<name>_2`."""
    taken: set[str] = set()
    named: list[SeedRow] = []
    for row in rows:
        domain, number = row.domain, 1
        while domain in taken:
            number += 1
            domain = f"{row.domain}_{number}"
        taken.add(domain)
        if domain != row.domain:
            row = row.model_copy(update={"domain": domain, "id": content_id("seed", [row.id, domain])})
        named.append(row)
    return named
