"""The flow of report."""

from prefect import flow

from flows.stage_frame import stage_frame
from tasks.report import write_run_report
from tasks.run_context import RunContext
from tasks.run_record import record_ledger


@flow(name="report", flow_run_name="report {run.run_id}")
async def report(run: RunContext) -> str:
    """Statistics and the report of all that the run has made: gives `report/`."""
    with stage_frame(run, "report"):
        record_ledger(run)
        return await write_run_report(run)
