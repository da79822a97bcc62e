"""The commands that read a finished run: `show`, `stats`, `export`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.answers import Answer
from flows.exit_codes import UsageError
from flows.lineage_command import find_place
from turnwright.datasets.versions import find_runs
from turnwright.storage.run_folder import STORE

_LATER_FORMATS = ("trl", "sharegpt", "verl", "tau2")


def show_run(answer: Answer, runs: Path, name: str, dialogue: str | None) -> None:
    """Lists the dialogues of a run, or prints one.

    Raises:
        RunNotFound: there is no such run.
        UsageError: it has no such dialogue.
    """
    from turnwright.reports import reading, terminal

    folder = find_place(runs, name)
    tables: Any = folder.find_tables()
    rows = list(reading.list_dialogues(tables))
    if dialogue is None:
        answer.fields = {"run_dir": str(folder.root), "dialogues": rows}
        answer.say(terminal.list_dialogues(rows))
        return
    fitting = [row["id"] for row in rows if str(row["id"]).startswith(dialogue)]
    if len(fitting) != 1:
        found = "no dialogue" if not fitting else f"{len(fitting)} dialogues"
        raise UsageError(f"{folder.run_id} has {found} whose id begins with {dialogue!r}", "`show RUN` lists them")
    (read,) = reading.read_dialogues(tables, fitting)
    fields = asdict(read)
    answer.fields = {"run_dir": str(folder.root), "dialogue": fields.pop("columns") | fields}
    answer.say(terminal.show_dialogue(read))


def show_statistics_of(answer: Answer, runs: Path, name: str) -> None:
    """Prints the figures of a run.

    Raises:
        RunNotFound: there is no such run.
    """
    from turnwright.reports import terminal
    from turnwright.statistics.statistics import compute_statistics

    folder = find_place(runs, name)
    statistics = compute_statistics(folder.find_tables(), folder.read_run(), find_runs(folder) / STORE / "journal")
    answer.fields = {"run_dir": str(folder.root), **statistics.model_dump(mode="json")}
    answer.say(terminal.show_statistics(statistics))


def export_run(answer: Answer, runs: Path, name: str, export_format: str, out: Path | None) -> None:
    """Writes the dataset of a run in a training format.

    Raises:
        RunNotFound: there is no such run.
        UsageError: the format is not known, or the run has no dataset.
        OSError: the folder cannot be written.
    """
    from rich.text import Text

    from schemas.rows import DatasetRow
    from turnwright.datasets.card import write_card
    from turnwright.datasets.openai import export_openai
    from turnwright.statistics.statistics import compute_statistics
    from turnwright.storage.tables import read_rows

    if export_format in _LATER_FORMATS:
        raise UsageError(f"the format {export_format} is not there yet", "use --format openai")
    if export_format != "openai":
        raise UsageError(f"there is no format {export_format!r}", "use --format openai")
    folder = find_place(runs, name)
    tables = folder.find_tables()
    if "dataset" not in tables:
        raise UsageError(f"{folder.run_id} has no dataset: it ended before build-dataset", "run it again")
    place = out or folder.export(export_format)
    counts = export_openai(read_rows(tables["dataset"], DatasetRow), place)
    told = folder.read_run()
    write_card(place, compute_statistics(tables, told, find_runs(folder) / STORE / "journal"), told)
    answer.fields = {"run_dir": str(folder.root), "format": export_format, "folder": str(place), "rows": counts}
    answer.say(Text(f"{place}: " + ", ".join(f"{count} {split}" for split, count in counts.items())))
