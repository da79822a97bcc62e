"""A plan while it is drawn: real calls with real results, not yet proved and not yet in words."""

from dataclasses import dataclass, replace
from typing import Any, Generic, Literal

from typing_extensions import TypeVar

from schemas.goals import ArgumentSource, BehaviourPlan, Fact, KnownDetail
from schemas.tools import KeyPath, SqlTool, Tool
from schemas.vocabulary import Difficulty

ToolT = TypeVar("ToolT", bound=Tool, default=SqlTool, covariant=True)
"""Kind of the tools of a plan: what is true of any plan takes `Draft[Tool]`."""


@dataclass(frozen=True)
class Detail:
    """One value that the person knows and that singles out what a call is about."""

    label: str
    """Whose value it is, as in `singer name`."""
    short: str
    """The same where it is clear whose: `name`."""
    value: Any
    parameter: str | None
    """Parameter that it fills; none where it only tells one row of the result from the others."""
    table: str | None
    column: str | None
    operator: str
    """As in schemas.tools.ParameterBinding."""
    via: KeyPath = ()
    """Keys that say which row of the table it is of, as in schemas.tools.ParameterBinding."""


@dataclass(frozen=True)
class DraftCall(Generic[ToolT]):
    """One call, made on a scratch copy; of a tool that cannot run, as it would be made."""

    id: str
    tool: ToolT
    arguments: dict[str, Any]
    sources: dict[str, ArgumentSource]
    details: tuple[Detail, ...]
    result: Any
    """None for a tool that cannot run."""
    lookup: bool
    about: str | None = None
    """Table whose row a look-up finds."""
    about_via: KeyPath = ()
    """Keys by which the tool reaches that row, as in schemas.tools.OutputField."""


@dataclass(frozen=True)
class DraftObjective(Generic[ToolT]):
    """One objective: its look-ups and, last or among them, what the person asks for."""

    relation: Literal["first", "extension", "independent"]
    calls: tuple[DraftCall[ToolT], ...]
    facts: tuple[Fact, ...]
    purpose: str
    known: tuple[KnownDetail, ...]
    """What the person knows: the user literals of the calls, and of the calls before that they rest on."""
    told: tuple[str, ...] = ()
    """What has to reach the person, by label, where nothing ran and no value is known; then there are no facts."""
    description: str | None = None
    """The words, where a domain brought them along: then no writer is asked."""
    rubric: tuple[str, ...] = ()
    """What else has to hold, one statement each."""

    @property
    def goals(self) -> tuple[DraftCall[ToolT], ...]:
        """The calls that the person asks for."""
        return tuple(call for call in self.calls if not call.lookup)


@dataclass(frozen=True)
class Draft(Generic[ToolT]):
    """A whole plan."""

    objectives: tuple[DraftObjective[ToolT], ...]
    behaviour: BehaviourPlan | None
    difficulty: Difficulty
    """What the plan is, see goals/difficulty.py."""
    reference_time: str
    person: str | None = None
    """Full name that the persona must have, where the goal is about records of a certain person."""

    @property
    def calls(self) -> tuple[DraftCall[ToolT], ...]:
        """All calls in the order of execution."""
        return tuple(call for objective in self.objectives for call in objective.calls)


def number_calls(objectives: list[DraftObjective[ToolT]]) -> tuple[DraftObjective[ToolT], ...]:
    """The same objectives with calls named `c1`, `c2`, … in the order of execution."""
    calls = [call for objective in objectives for call in objective.calls]
    names = {call.id: f"c{number}" for number, call in enumerate(calls, start=1)}

    def rename(call: DraftCall[ToolT]) -> DraftCall[ToolT]:
        sources = {
            name: source.model_copy(update={"call": names[source.call]}) if source.call else source
            for name, source in call.sources.items()
        }
        return replace(call, id=names[call.id], sources=sources)

    return tuple(replace(objective, calls=tuple(rename(call) for call in objective.calls)) for objective in objectives)


def forget_results(draft: Draft[ToolT]) -> Draft[ToolT]:
    """The same plan for tools that are simulated: what is wanted stays, what only a real result could say does not.

    Results and the arguments taken from them become None, and each fact becomes a label of what has to be told.
    """

    def strip(call: DraftCall[ToolT]) -> DraftCall[ToolT]:
        known = {name: None if call.sources[name].kind == "result" else value for name, value in call.arguments.items()}
        return replace(call, arguments=known, result=None)

    objectives = [
        replace(
            objective,
            calls=tuple(strip(call) for call in objective.calls),
            facts=(),
            told=tuple(dict.fromkeys(fact.label for fact in objective.facts)),
        )
        for objective in draft.objectives
    ]
    return replace(draft, objectives=tuple(objectives))
