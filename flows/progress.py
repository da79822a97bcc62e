"""How far a run is, on stderr: one bar a stage."""

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from tasks.workbench import find_workbench

_SECONDS = 0.2


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
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    stopped = threading.Event()
    with Progress(
        TextColumn("{task.description:22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as bars:
        known: dict[str, TaskID] = {}

        def draw() -> None:
            workbench = find_workbench(run_id)
            for progress in list(workbench.progress.values()) if workbench else []:
                if progress.stage not in known:
                    known[progress.stage] = bars.add_task(progress.stage, total=progress.total)
                bars.update(known[progress.stage], completed=progress.done, total=progress.total)

        def watch() -> None:
            while not stopped.wait(_SECONDS):
                draw()

        thread = threading.Thread(target=watch, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            draw()
            stopped.set()
            thread.join()
