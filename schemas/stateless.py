"""A stateless dialogue (TC): the scenario that it starts from, and how each of its turns came about."""

from typing import Any, Literal

from pydantic import Field

from schemas.closed import Closed
from schemas.goals import PlannedCall
from schemas.vocabulary import Sampler

GenerationStage = Literal[
    "plan",
    "request",
    "question",
    "answer",
    "back_translation",
    "decline",
    "execution",
    "summary",
    "farewell",
    "goodbye",
]
"""The steps of a turn that can come to nothing, in their order. `question` and `answer` are those of a turn that holds
a value back, `decline` that of one which no tool can meet, `farewell` and `goodbye` close a dialogue with a reactive
user."""


def _is_absent(value: object) -> bool:
    return value is None


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


class Clarification(Closed):
    """A value that the request left out, and how it came to be said (missing_parameter)."""

    call: str
    """Id of the call of the ground truth that needs it."""
    parameter: str
    label: str
    """What a person calls the parameter."""
    value: Any
    """A JSON scalar."""
    question: str
    """What the assistant asked."""
    answer: str
    """What the user answered."""


class Refusal(Closed):
    """A request that no offered tool can meet (out_of_scope, removed_tool)."""

    behaviour: Literal["out_of_scope", "removed_tool"]
    wish: str
    """What was asked for, as a verb phrase: `order a taxi for tomorrow morning`."""


class Closing(Closed):
    """How a reactive user ended the dialogue."""

    farewell: str
    """The user's last words."""
    goodbye: str
    """The assistant's."""


class TurnPlan(Closed):
    """One complete turn."""

    calls: tuple[PlannedCall, ...]
    """Ground truth: what the dialogue's calls were made of, with ids that run on over the dialogue. `lookup` marks the
    hidden ones; what results gave is null. Empty in a turn that is declined."""
    planned: tuple[PlannedCall, ...]
    """As the planner had it, before it was translated back; empty where it is the same. In a turn that is declined, the
    call of the tool that is not offered."""
    request: str
    summary: str
    """The assistant's last word of the turn; in one that is declined, the refusal."""
    hints: tuple[ErrorHint, ...] = ()
    clarification: Clarification | None = Field(default=None, exclude_if=_is_absent)
    refusal: Refusal | None = Field(default=None, exclude_if=_is_absent)

    @property
    def exchanges(self) -> list[tuple[str, str]]:
        """What the user said and what the assistant said to it, once or, with a question in between, twice."""
        if self.clarification is None:
            return [(self.request, self.summary)]
        return [(self.request, self.clarification.question), (self.clarification.answer, self.summary)]


class Generation(Closed):
    """How a stateless dialogue came about."""

    turns: tuple[TurnPlan, ...]
    """The complete turns, in order."""
    wanted: int
    """Turns that the scenario asked for; more than there are where a turn failed and the dialogue was rescued."""
    candidates: dict[GenerationStage, int]
    """Candidates drawn, by stage."""
    rejections: tuple[Rejection, ...]
    closing: Closing | None = Field(default=None, exclude_if=_is_absent)
    """Only with a reactive user."""
