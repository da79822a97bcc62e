"""report: statistics.json and report/index.html of a run."""

import asyncio

from prefect import task

from tasks.run_context import RunContext
from turnwright.reports.html import write_report
from turnwright.statistics.statistics import compute_statistics, write_statistics

STAGE = "report"


@task(name="report")
async def write_run_report(run: RunContext) -> str:
    """Counts the run's tables and writes its report; returns the path of the page. Made for each run: it tells times.

    Raises:
        OSError: the run folder cannot be written.
    """

    def write() -> str:
        folder = run.folder
        statistics = compute_statistics(folder.find_tables(), folder.read_run(), folder.journal)
        write_statistics(statistics, folder.report / "statistics.json")
        write_report(folder, statistics)
        return str(folder.report / "index.html")

    return await asyncio.to_thread(write)
