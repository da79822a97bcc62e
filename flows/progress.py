"""How far a run is, and what it has cost so far, on stderr: one bar a stage."""

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from tasks.crew import read_accounts, sum_progress, sum_usage
from tasks.workbench import Progress, Workbench, find_workbench
from turnwright.models.usage import Usage
from turnwright.reports.formats import format_count
from turnwright.storage.mirrors import find_url

_SECONDS = 0.2
_CREW_SECONDS = 2.0
"""Between two looks where other processes keep accounts in files, or where looking for them asks an object store."""


@contextmanager
def show_progress(run_id: str, *, wanted: bool | None) -> Generator[None]:
    """Draws the bars of a run while the body works.

    Args:
        run_id: the run; its workbench is in this process.
        wanted: whether to draw; None: where stderr is a terminal.
    """
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    stopped = threading.Event()
    with Bars(
        TextColumn("{task.description:22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[spent]}"),
        console=Console(stderr=True),
    ) as bars:
        known: dict[str, TaskID] = {}

        def draw() -> None:
            workbench = find_workbench(run_id)
            if workbench is None:
                return
            accounts = read_accounts(workbench.run)
            for progress in sum_progress(workbench.run, accounts).values():
                if progress.stage not in known:
                    known[progress.stage] = bars.add_task(progress.stage, total=progress.total, spent="")
                bars.update(known[progress.stage], completed=progress.done, total=progress.total)
                if progress.done < progress.total:
                    # What was spent grows in the stage at work; beside the others it stays as it was at their end.
                    bars.update(
                        known[progress.stage], spent=describe_spent(sum_usage(workbench.run, accounts), progress)
                    )

        def watch() -> None:
            while not stopped.wait(_look_again(find_workbench(run_id))):
                draw()

        thread = threading.Thread(target=watch, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            draw()
            stopped.set()
            thread.join()


def _look_again(workbench: Workbench | None) -> float:
    run = None if workbench is None else workbench.run
    near = run is None or (run.config.workers.kind == "threads" and find_url(run.place) is None)
    return _SECONDS if near else _CREW_SECONDS


def describe_spent(usage: Usage, progress: Progress) -> str:
    """What the run has used, and how much of it falls on each unit that the stage has accepted so far.

    While dialogues are validated that is the cost per accepted dialogue, everything before included.
    """
    if not usage.tokens:
        return ""
    parts = [f"{format_count(usage.tokens)} tokens"]
    cost = usage.cost_usd
    if cost:
        parts = [f"${cost:,.2f}", *parts]
    if progress.accepted:
        each = (
            f"${cost / progress.accepted:.4f}" if cost else f"{format_count(usage.tokens / progress.accepted)} tokens"
        )
        parts.append(f"{each} per accepted")
    return " · ".join(parts)
