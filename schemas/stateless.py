"""A stateless dialogue (TC): the scenario that it starts from, and how each of its turns came about."""

from typing import Any, Literal

from schemas.closed import Closed
from schemas.goals import PlannedCall
from schemas.vocabulary import Sampler

GenerationStage = Literal["plan", "request", "back_translation", "execution", "summary"]
"""The steps of a turn that can come to nothing, in their order."""


class FieldLink(Closed):
    """An output field that can fill a parameter: an edge of the dataflow graph, by names."""

    source: str
    """Tool that returns the field."""
    field: str
    target: str
    """Tool that asks for the parameter."""
    parameter: str


class Scenario(Closed):
    """What a stateless dialogue starts from, drawn before any model is asked (TC, sample)."""

    sampler: Sampler
    """How the tools were drawn; `neighbour` where no shape that was tried had an edge."""
    tools: tuple[str, ...]
    """Names of the tools that are offered, in the order of the toolset."""
    links: tuple[FieldLink, ...]
    """The edges between them."""
    lengths: tuple[int, ...]
    """Most calls of each turn (L); as many as the dialogue has turns."""
    hints: int
    """Wrong calls with a hint that are to be put in, at most; 0 for none."""
    values: dict[str, dict[str, list[Any]]] = {}
    """Tool -> parameter -> values that stand in the database; only of twins, whose plans also run there."""


class Rejection(Closed):
    """A candidate that was not used, and why."""

    turn: int
    """From 0."""
    stage: GenerationStage
    attempt: int
    """Which try at the turn, from 0."""
    draw: int
    """Which candidate of the try, from 0."""
    code: str
    explanation: str


class ErrorHint(Closed):
    """A wrong call that was put before a right one, with what set it right (TC, error hints)."""

    before: str
    """Id of the right call."""
    tool: str
    arguments: dict[str, Any]
    hint: str
    kind: Literal["other_candidate", "look_alike", "mixed_up"]
    """`other_candidate`: a losing back-translation made it; `look_alike`: a similar tool; `mixed_up`: another value."""


class TurnPlan(Closed):
    """One complete turn."""

    calls: tuple[PlannedCall, ...]
    """Ground truth: what the dialogue's calls were made of, with ids that run on over the dialogue. `lookup` marks the
    hidden ones; what results gave is null."""
    planned: tuple[PlannedCall, ...]
    """As the planner had it, before it was translated back; empty where it is the same."""
    request: str
    summary: str
    hints: tuple[ErrorHint, ...] = ()


class Generation(Closed):
    """How a stateless dialogue came about."""

    turns: tuple[TurnPlan, ...]
    """The complete turns, in order."""
    wanted: int
    """Turns that the scenario asked for; more than there are where a turn failed and the dialogue was rescued."""
    candidates: dict[GenerationStage, int]
    """Candidates drawn, by stage."""
    rejections: tuple[Rejection, ...]
