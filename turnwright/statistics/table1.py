"""UO, table 1: mean (maximum) of steps, turns and tasks, by paradigm and source."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from schemas.closed import Closed
from turnwright.statistics.dialogue_figures import DialogueFigures

Scope = Literal["accepted", "all"]
EVERY_SOURCE = "all"


class Spread(Closed):
    """Mean and maximum of a count; zero samples give zeros."""

    mean: float
    maximum: int
    samples: int
    """Number of values behind the mean."""


class Table1Row(Closed):
    """One line of the table."""

    scope: Scope
    """`accepted`: dialogues with a valid verdict, which is what the paper counts; `all`: every simulated one."""
    paradigm: str
    source: str
    """Domain of the dialogues, `<kind> seeds` for all domains of one kind of seed, or `all`."""
    seed_kind: str = ""
    """Kind of seed that the line sums over; empty for one domain and for all."""
    step: Spread
    """Samples: one value per user request that reached the tools."""
    step_over_all_requests: Spread
    """The same with a zero for each request that was answered without a tool."""
    turn: Spread
    """Samples: one value per dialogue."""
    task: Spread
    """Samples: one value per dialogue."""
    samples: int
    """Dialogues."""


@dataclass
class _Tally:
    total: int = 0
    maximum: int = 0
    samples: int = 0

    def add(self, value: int) -> None:
        self.total += value
        self.maximum = max(self.maximum, value)
        self.samples += 1

    def read(self) -> Spread:
        mean = self.total / self.samples if self.samples else 0.0
        return Spread(mean=round(mean, 4), maximum=self.maximum, samples=self.samples)


@dataclass
class _Group:
    step: _Tally = field(default_factory=_Tally)
    any_request: _Tally = field(default_factory=_Tally)
    turn: _Tally = field(default_factory=_Tally)
    task: _Tally = field(default_factory=_Tally)
    domains: set[str] = field(default_factory=set[str])


class Table1:
    """Collects dialogues one at a time; memory grows with the number of groups only."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Scope, str, str, str], _Group] = {}

    def add(
        self, figures: DialogueFigures, *, paradigm: str, source: str, task_count: int, accepted: bool, kind: str = ""
    ) -> None:
        """Counts one dialogue in its domain, in its kind of seed, in its paradigm, and in both scopes where valid."""
        places = {(source, ""), (EVERY_SOURCE, "")}
        if kind:
            places.add((f"{kind} seeds", kind))
        scopes: Iterable[Scope] = ("all", "accepted") if accepted else ("all",)
        for scope in scopes:
            for place, of_kind in sorted(places):
                group = self._groups.setdefault((scope, paradigm, place, of_kind), _Group())
                group.domains.add(source)
                group.turn.add(figures.turns)
                group.task.add(task_count)
                for steps in figures.steps:
                    group.any_request.add(steps)
                for steps in figures.tool_steps:
                    group.step.add(steps)

    def rows(self) -> list[Table1Row]:
        """The lines: accepted before all, paradigms and sources by name, a paradigm's total first.

        A kind of seed has a line only where its domains' lines do not say the same: where they are several.
        """
        return [
            Table1Row(
                scope=scope,
                paradigm=paradigm,
                source=source,
                seed_kind=kind,
                step=group.step.read(),
                step_over_all_requests=group.any_request.read(),
                turn=group.turn.read(),
                task=group.task.read(),
                samples=group.turn.samples,
            )
            for (scope, paradigm, source, kind), group in sorted(
                self._groups.items(),
                key=lambda item: (*item[0][:2], item[0][2] != EVERY_SOURCE, not item[0][3], item[0][2]),
            )
            if not kind or len(group.domains) > 1
        ]
