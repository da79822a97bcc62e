"""Opens what a calibration needs, a finished run and its databases, and measures the validator on it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from schemas.rows import DialogueRow, DialogueTaskRow, SeedRow, TableRef, ToolsetRow, VerdictRow
from schemas.vocabulary import SIMULATED
from tasks.run_context import RunContext
from tasks.workbench import Workbench
from turnwright.calibration.measuring import calibrate
from turnwright.calibration.record import Calibration
from turnwright.calibration.subject import Subject
from turnwright.storage.tables import read_rows

NEEDED = ("seeds", "toolsets", "dialogue_tasks", "dialogues", "verdicts")
"""Tables that a calibration reads."""


@dataclass(frozen=True)
class Chosen:
    """Dialogues that a calibration works on."""

    subjects: list[Subject]
    controls: list[Subject]


def calibrate_run(
    run: RunContext,
    *,
    seed: int,
    limit: int | None,
    judge: bool,
    every: bool,
    advance: Callable[[], None] = lambda: None,
    begin: Callable[[int], None] = lambda _: None,
) -> Calibration:
    """Calibrates the validator on the dialogues of a run.

    Args:
        run: a finished run.
        seed: of the planters' draws.
        limit: most dialogues that defects are planted in, and most that are left as they are; none: all of them.
        judge: whether the rubric judge is asked.
        every: whether every complete dialogue counts as clean, not those alone that validation kept.
        advance: called after each dialogue.
        begin: told how many dialogues there are.

    Raises:
        TableError: a table cannot be read.
        SourceError: a database is not there.
        ModelError: the judge could not be had.
    """
    bench = Workbench(run)
    try:
        chosen = choose_dialogues(run.folder.find_tables(), bench, limit=limit, every=every)
        begin(len(chosen.subjects) + len(chosen.controls))
        return asyncio.run(
            calibrate(
                chosen.subjects,
                chosen.controls,
                bench.open_models() if judge else None,
                run.config,
                run=run.run_id,
                seed=seed,
                every=every,
                at_once=run.config.concurrency if judge else 8,
                advance=advance,
            )
        )
    finally:
        bench.close()


def choose_dialogues(
    tables: dict[str, TableRef], bench: Workbench, *, limit: int | None = None, every: bool = False
) -> Chosen:
    """The dialogues of a run to plant defects in, and those to leave as they are, the lowest ids first.

    Ids are content hashes, so the lowest ones are a fair draw from all slots.

    Raises:
        TableError: a table cannot be read.
        SourceError: a database is not there.
    """
    valid = {row.dialogue_id for row in read_rows(tables["verdicts"], VerdictRow) if row.judgment == "valid"}
    complete = {row.id for row in read_rows(tables["dialogues"], DialogueRow) if row.ending == "task_complete"}
    planted = set(sorted(valid)[:limit])
    left = set(sorted(complete if every else valid)[:limit])
    tasks = {row.id: row for row in read_rows(tables["dialogue_tasks"], DialogueTaskRow)}
    toolsets = {row.id: row for row in read_rows(tables["toolsets"], ToolsetRow)}
    seeds = {row.id: row for row in read_rows(tables["seeds"], SeedRow)}
    found = {
        row.id: Subject(
            row,
            tasks[row.dialogue_task_id],
            toolsets[row.toolset_id],
            None if row.paradigm in SIMULATED else bench.open_base(seeds[row.seed_id]),
        )
        for row in read_rows(tables["dialogues"], DialogueRow)
        if row.id in planted | left
    }
    return Chosen(subjects=[found[name] for name in sorted(planted)], controls=[found[name] for name in sorted(left)])
