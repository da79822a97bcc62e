"""report: statistics.json and report/index.html of a run, and the dataset card of each export."""

import asyncio

from prefect import task

from tasks.run_context import RunContext
from turnwright.datasets.card import write_card
from turnwright.reports.html import write_report
from turnwright.statistics.statistics import compute_statistics, write_statistics
from turnwright.storage.run_folder import RunFolder
from turnwright.storage.tables import read_columns

STAGE = "report"


@task(name="report")
async def write_run_report(run: RunContext) -> str:
    """Counts the run's tables and writes its report and cards; returns the page's path. Made anew: it tells times.

    Raises:
        OSError: the run folder cannot be written.
    """

    def write() -> str:
        folder = run.folder
        statistics = compute_statistics(folder.find_tables(), folder.read_run(), folder.journal)
        told = folder.read_run()
        for name in run.config.export.formats:
            if folder.export(name).is_dir():
                write_card(folder.export(name), statistics, told)
        write_statistics(statistics, folder.report / "statistics.json")
        compare_arms(folder)
        write_report(folder, statistics)
        return str(folder.report / "index.html")

    return await asyncio.to_thread(write)


def compare_arms(folder: RunFolder) -> None:
    """Writes report/fidelity.json where the run made valid dialogues in more than one way.

    Raises:
        OSError: the run folder cannot be written.
    """
    tables = folder.find_tables()
    ways = {
        (row["paradigm"], row["arm"]) for row in read_columns(tables["dialogues"], "dialogues", ("paradigm", "arm"))
    }
    if len(ways) < 2:
        return
    from turnwright.statistics.fidelity.arms import read_run_arms
    from turnwright.statistics.fidelity.fidelity import compute_fidelity
    from turnwright.statistics.fidelity.record import write_fidelity

    arms = read_run_arms(tables)
    if len(arms) > 1:
        write_fidelity(compute_fidelity(arms), folder.report / "fidelity.json")
