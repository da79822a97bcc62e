"""What a run brings to a dataset, beside the version before: rows, statistics, quality, cost, drift."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from schemas.closed import Closed
from schemas.incremental import Mode
from schemas.rows import TableRef
from turnwright.statistics.drift import StatisticDrift
from turnwright.statistics.statistics import Statistics
from turnwright.storage.store import replace_file
from turnwright.storage.tables import read_columns

FILE = "difference.json"


class TableChange(Closed):
    """The rows of one table."""

    table: str
    before: int
    """In the last version."""
    made: int
    """By the run."""
    added: int
    """Of these, the ones that the last version does not have."""
    after: int


class FigureChange(Closed):
    """One figure, of the last version, of what the run made, and of both together."""

    group: str
    """`statistics`, `quality` or `cost`."""
    name: str
    before: float | None
    """None where there is no such figure, as the cost of models without a price."""
    run: float | None
    after: float | None


class Difference(Closed):
    """A run against the last version of the dataset that it adds to."""

    dataset: str
    previous: int | None
    """The last version; none where there is none."""
    version: int
    """The version that it becomes."""
    run_id: str
    mode: Mode
    tables: list[TableChange]
    figures: list[FigureChange]
    new_domains: list[str]
    new_seeds: int
    """Seeds that the last version does not have."""
    repeated_goals: float | None
    """Share of the run's dialogue tasks whose planned calls, with their arguments, are those of a task in the last
    version; none without tasks."""
    drift: list[StatisticDrift]
    """Empty where there is nothing to compare with."""

    @property
    def added(self) -> int:
        """Rows that the dataset gains."""
        return next((change.added for change in self.tables if change.table == "dataset"), 0)

    @property
    def failures(self) -> list[StatisticDrift]:
        """Statistics that forbid the version."""
        return [one for one in self.drift if one.level == "fail"]

    @property
    def warnings(self) -> list[StatisticDrift]:
        """Statistics that deserve a look."""
        return [one for one in self.drift if one.level == "warn"]


class DriftFailed(Exception):
    """What a run made is too far from the last version: nothing was published. The message says all figures."""

    def __init__(self, difference: Difference, page: Path) -> None:
        super().__init__(difference, page)
        self.difference = difference
        self.page = page

    def __str__(self) -> str:
        """Statistics, figures, limits, and where the report is."""
        failures = self.difference.failures
        noun = "statistic" if len(failures) == 1 else "statistics"
        name = f"{self.difference.dataset} v{self.difference.previous}"
        lines = [f"the gate on drift failed: {len(failures)} {noun} of the run differ from {name}"]
        lines += [f"  {describe_drift(one)}" for one in failures]
        return "\n".join([*lines, f"  report: {self.page}"])


def describe_drift(drift: StatisticDrift) -> str:
    """One line: the index, the test, and where it went."""
    if drift.mean_before is not None and drift.mean_added is not None:
        told = f"mean {drift.mean_before:g} to {drift.mean_added:g}"
    else:
        most = max(drift.bins, key=lambda one: abs(one.added - one.before))
        told = f"{most.name[:60]} {most.before:.0%} to {most.added:.0%}"
    return f"{drift.name}: PSI {drift.psi:.3f}, p {drift.p:.2g}, {told}"


def compare_figures(before: Statistics | None, run: Statistics, after: Statistics) -> list[FigureChange]:
    """The figures of three sets of statistics side by side."""
    values = [None if one is None else dict(_list_figures(one)) for one in (before, run, after)]
    known = [one for one in values if one is not None]
    names = dict.fromkeys(name for one in (known[-1], *known) for name in one)
    read = [[None if one is None else one.get(name) for one in values] for name in names]
    return [
        FigureChange(group=group, name=name, before=old, run=new, after=both)
        for (group, name), (old, new, both) in zip(names, read, strict=True)
    ]


def share_repeated_goals(before: TableRef | None, run: TableRef | None) -> float | None:
    """The share of a run's dialogue tasks that ask for what a task of the last version asks for.

    Raises:
        TableError: a table cannot be read.
    """
    if run is None or not run.rows:
        return None
    known = set(_list_goals(before)) if before is not None else set[str]()
    repeated = sum(goal in known for goal in _list_goals(run))
    return round(repeated / run.rows, 6)


def write_difference(difference: Difference, folder: Path) -> Path:
    """Writes difference.json and returns its path.

    Raises:
        OSError: the folder cannot be written.
    """
    replace_file(folder / FILE, difference.model_dump_json(indent=2).encode() + b"\n")
    return folder / FILE


def read_difference(file: Path) -> Difference:
    """Reads difference.json.

    Raises:
        OSError: the file cannot be read.
        ValueError: it was written by another version.
    """
    return Difference.model_validate_json(file.read_bytes())


def _list_figures(statistics: Statistics) -> Iterator[tuple[tuple[str, str], float | None]]:
    counts, costs = statistics.counts, statistics.costs
    total = [row for row in statistics.table1 if row.scope == "accepted" and row.source == "all"]
    dialogues = sum(row.samples for row in total)
    yield ("statistics", "domains"), counts.domains
    yield ("statistics", "tools"), counts.tools_verified
    yield ("statistics", "dialogues simulated"), counts.dialogues
    yield ("statistics", "examples"), sum(counts.exported.values())
    for name, pick in (("turns", "turn"), ("tasks", "task")):
        means = sum(getattr(row, pick).mean * row.samples for row in total)
        yield ("statistics", f"mean {name}"), round(means / dialogues, 4) if dialogues else None
    steps = sum(row.step.samples for row in total)
    summed = sum(row.step.mean * row.step.samples for row in total)
    yield ("statistics", "mean steps"), round(summed / steps, 4) if steps else None
    yield ("quality", "valid rate"), round(counts.valid_rate, 6)
    yield ("quality", "invalid"), counts.invalid
    yield ("quality", "unscored"), counts.unscored
    yield ("quality", "malformed replies mended"), statistics.repairs
    yield ("cost", "model calls"), costs.calls
    yield ("cost", "prompt tokens"), costs.prompt_tokens
    yield ("cost", "generated tokens"), costs.completion_tokens
    yield ("cost", "dollars"), costs.cost_usd
    yield ("cost", "seconds"), costs.seconds
    yield ("cost", "tokens per accepted dialogue"), costs.tokens_per_accepted
    yield ("cost", "dollars per accepted dialogue"), costs.cost_per_accepted_usd


def _list_goals(tasks: TableRef) -> Iterator[str]:
    for row in read_columns(tasks, "dialogue_tasks", ["domain", "objectives"]):
        calls = [
            (call.get("tool"), call.get("arguments"))
            for objective in orjson.loads(row["objectives"])
            for call in objective.get("calls") or ()
        ]
        yield orjson.dumps([row["domain"], calls], option=orjson.OPT_SORT_KEYS).decode()
