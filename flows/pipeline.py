"""The whole DAG: each stage by name, what it takes and what it gives."""

from prefect import flow

from flows.build_dataset import build_dataset
from flows.collect_seeds import collect_seeds
from flows.prepare_tools import prepare_tools
from flows.publish_dataset import publish_dataset
from flows.repair_dialogues import repair_dialogues
from flows.report import report
from flows.simulate_dialogues import simulate_dialogues
from flows.validate_dialogues import validate_dialogues
from flows.write_dialogue_tasks import write_dialogue_tasks
from schemas.config import RunConfig
from schemas.rows import TableRef
from tasks.estimates import record_estimate
from tasks.extension import extend_run
from tasks.publish_dataset import adds_nothing
from tasks.register import accompany_run
from tasks.run_context import begin_run
from tasks.run_record import RunSummary, recorded_run, summarize_run


@flow(name="turnwright", flow_run_name="{config.name}")
async def pipeline(
    config: RunConfig, runs: str = "runs", offline: bool = False, run_id: str | None = None
) -> RunSummary:
    """From sources to checked, exported dialogues.

    Args:
        config: everything that the run is told.
        runs: folder of all runs: a path, or a URL as `s3://bucket/folder`.
        offline: only the call journal answers; no endpoint is asked.
        run_id: name of the run folder; default: a new one.
    """
    run = extend_run(begin_run(config, runs, offline=offline, run_id=run_id))
    with accompany_run(run), recorded_run(run):
        record_estimate(run)
        seeds = (await collect_seeds(run)).tables["seeds"]
        if adds_nothing(run, seeds):
            await publish_dataset(run)
            return summarize_run(run)
        toolsets = (await prepare_tools(run, seeds)).tables["toolsets"]
        tasks = (await write_dialogue_tasks(run, seeds, toolsets)).tables["dialogue_tasks"]
        dialogues = (await simulate_dialogues(run, seeds, toolsets, tasks)).tables["dialogues"]
        verdicts = (await validate_dialogues(run, seeds, toolsets, tasks, dialogues)).tables["verdicts"]
        repaired: dict[str, TableRef] = {}
        if config.repair.tries:
            repaired = (await repair_dialogues(run, seeds, toolsets, tasks, dialogues, verdicts)).tables
        await build_dataset(run, toolsets, dialogues, verdicts, **repaired)
        await report(run)
        if config.incremental:
            await publish_dataset(run)
    return summarize_run(run)
