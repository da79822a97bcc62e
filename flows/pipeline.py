"""The whole DAG: each stage by name, what it takes and what it gives."""

from prefect import flow

from flows.build_dataset import build_dataset
from flows.collect_seeds import collect_seeds
from flows.preflight import require_deployed_needs
from flows.prepare_tools import prepare_tools
from flows.publish_dataset import publish_dataset
from flows.repair_dialogues import repair_dialogues
from flows.report import report
from flows.simulate_dialogues import simulate_dialogues
from flows.stage_runs import StageRuns, name_run
from flows.validate_dialogues import validate_dialogues
from flows.write_dialogue_tasks import write_dialogue_tasks
from schemas.config import RunConfig
from schemas.rows import TableRef
from tasks.estimates import record_estimate
from tasks.extension import extend_run
from tasks.publish_dataset import adds_nothing
from tasks.register import accompany_run
from tasks.run_context import begin_run
from tasks.run_course import recorded_run
from tasks.run_summary import RunSummary, summarize_run


@flow(name="turnwright", flow_run_name="{config.name}")
async def pipeline(
    config: RunConfig,
    runs: str = "runs",
    offline: bool = False,
    run_id: str | None = None,
    stages_as_deployments: bool = False,
) -> RunSummary:
    """From sources to checked, exported dialogues.

    Args:
        config: everything that the run is told.
        runs: folder of all runs: a path, which starts where the worker puts the code, or a URL as `s3://bucket/folder`.
        offline: only the call journal answers; no endpoint is asked.
        run_id: name of the run folder; default: a new one, which a retry of this flow run goes on with.
        stages_as_deployments: each stage is a flow run of its own deployment, which can be retried alone.
    """
    begun = begin_run(config, runs, offline=offline, run_id=run_id or name_run(config.name))
    await require_deployed_needs(config, begun.place, offline=offline)
    run = extend_run(begun)
    stage = StageRuns(run, as_deployments=stages_as_deployments)
    with accompany_run(run), recorded_run(run):
        record_estimate(run)
        seeds = (await stage(collect_seeds))["seeds"]
        if adds_nothing(run, seeds):
            await stage(publish_dataset)
            return summarize_run(run)
        toolsets = (await stage(prepare_tools, seeds=seeds))["toolsets"]
        grounds = {"seeds": seeds, "toolsets": toolsets}
        grounds |= await stage(write_dialogue_tasks, **grounds)
        dialogues = await stage(simulate_dialogues, **grounds)
        verdicts = await stage(validate_dialogues, **grounds, **dialogues)
        repaired: dict[str, TableRef] = {}
        if config.repair.tries:
            repaired = await stage(repair_dialogues, **grounds, **dialogues, **verdicts)
        await stage(build_dataset, toolsets=toolsets, **dialogues, **verdicts, **repaired)
        await stage(report)
        if config.incremental:
            await stage(publish_dataset)
    return summarize_run(run)
