"""prepare-tools: questions, verified tools and toolsets of each seed."""

from typing import cast

from prefect import task

from schemas.content import content_id
from schemas.rows import DataflowEdgeRow, QuestionRow, Row, SeedRow, TableRef, ToolsetRow, ToolSpecRow
from tasks.cache_keys import compute_shard_key, compute_stage_key, hash_row, narrow_config
from tasks.caching import CACHED
from tasks.crew import works_in_crew
from tasks.run_context import RunContext
from tasks.shards import Made, Shard, ShardResult, write_shard
from tasks.workbench import open_workbench
from turnwright.environments.base import SqlBase
from turnwright.environments.threads import run_blocking
from turnwright.storage.tables import read_rows
from turnwright.tools.domain_tools import prepare_domain_tools
from turnwright.tools.opening_tools import prepare_opening_tools
from turnwright.tools.preparation import prepare_tools
from turnwright.tools.spec_preparation import prepare_spec_tools

STAGE = "prepare-tools"

SPECIFIED = frozenset({"tools", "mcp", "openapi"})
"""Kinds of seeds whose content is a ToolSeed."""


def plan_tools(run: RunContext, seeds: TableRef) -> list[Shard]:
    """One shard a seed, so that a source more or less leaves the others as they are."""
    key = compute_stage_key(STAGE, run.config)
    return [
        Shard(
            stage=STAGE,
            number=number,
            key=compute_shard_key(key, {"seeds": [hash_row(seed)]}),
            inputs={"seeds": seeds},
            start=number,
            stop=number + 1,
            ranges={"seeds": (number, number + 1)},
        )
        for number, seed in enumerate(read_rows(seeds, SeedRow))
    ]


@task(name="prepare-tools", task_run_name="prepare-tools-{work.number}", **CACHED)
@works_in_crew
async def prepare_shard(run: RunContext, work: Shard) -> ShardResult:
    """Prepares the tools of the shard's seeds."""
    bench = open_workbench(run)
    models = bench.open_models()
    config = narrow_config(run.config, STAGE)
    seeds = list(work.read(SeedRow, "seeds"))

    async def make(seed: SeedRow) -> Made:
        if seed.kind in SPECIFIED:
            prepared = await prepare_spec_tools(seed, models, config)
        elif seed.kind == "domain":
            prepared = prepare_domain_tools(seed, config)
        elif seed.kind == "dialogues":
            prepared = await prepare_opening_tools(seed, models, config)
        else:
            base = await run_blocking(bench.open_base, seed)
            prepared = await prepare_tools(seed, cast(SqlBase, base), models, config)
        rows: list[Row] = [*prepared.questions, *prepared.tool_specs, *prepared.toolsets, *prepared.edges]
        return Made(rows, prepared.ledger)

    made = await bench.work(
        STAGE,
        "question_set",
        seeds,
        make,
        identify=lambda seed: content_id("questions", seed.id),
        about=lambda seed: seed,
    )
    tables = {
        "questions": QuestionRow,
        "tool_specs": ToolSpecRow,
        "toolsets": ToolsetRow,
        "dataflow_edges": DataflowEdgeRow,
    }
    return write_shard(run, tables, made)
