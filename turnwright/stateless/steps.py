"""What all steps of a dialogue's turns have in common: who is asked, for what, and how the best answer is drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.config import RunConfig
from schemas.goals import BehaviourPlan, Persona
from schemas.messages import Message
from schemas.rows import DialogueTaskRow
from schemas.stateless import GenerationStage, Scenario
from schemas.tools import Tool
from schemas.vocabulary import Role
from turnwright.models.models import Models
from turnwright.stateless.behaviours import REFUSED
from turnwright.stateless.candidates import Account, Candidate, draw_candidates

V = TypeVar("V")

_DRAWS_A_TRY = 100
"""Room for draw indexes: attempts and trials never share one."""


class TurnFailed(Exception):
    """No candidate of a step was valid."""

    def __init__(self, stage: GenerationStage) -> None:
        super().__init__(stage)
        self.stage: GenerationStage = stage


@dataclass(frozen=True)
class Try:
    """Which try at which turn, both from 0; another try draws anew."""

    turn: int
    attempt: int


@dataclass(frozen=True)
class Steps:
    """What the steps of a dialogue rest on."""

    task: DialogueTaskRow
    scenario: Scenario
    persona: Persona
    tools: dict[str, Tool]
    """Those that are offered, by name."""
    models: Models
    config: RunConfig
    trial: int
    account: Account
    behaviour: BehaviourPlan | None
    removed: Tool | None
    """The tool that a request is planned for although it is not offered."""

    @property
    def reactive(self) -> bool:
        """Whether the user takes up what the assistant says. Twins go without: their arms differ in one thing each."""
        return self.config.stateless.reactive_user and not self.task.arm

    @property
    def refusing(self) -> bool:
        """Whether one of the turns is to be declined."""
        return self.behaviour is not None and self.behaviour.name in REFUSED

    def happens(self, name: str, turn: int) -> bool:
        """Whether a behaviour is planned for a turn."""
        return self.behaviour is not None and (self.behaviour.name, self.behaviour.objective) == (name, turn)

    async def draw(
        self,
        role: Role,
        messages: Sequence[Message],
        read: Callable[[Any], Candidate[V]],
        *,
        stage: GenerationStage,
        place: Try,
        remaining: float,
        fields: Mapping[str, Any] | None = None,
    ) -> tuple[V, list[V]]:
        """The best valid candidate of a step, and what the others said.

        Args:
            role: who is asked.
            messages: what it is asked.
            read: what a reply, of the role's class, comes to.
            stage: the step.
            place: which try at which turn.
            remaining: calls to come until the turn stands.
            fields: see Models.structured.

        Raises:
            TurnFailed: none is valid; the reasons stand in the account.
            ModelError: no reply could be had.
        """
        drawn = await draw_candidates(
            lambda draw: self.models.structured(
                role,
                messages,
                draw=self._number(place, draw),
                unit=self.task.id,
                remaining=remaining,
                fields=fields,
            ),
            read,
            account=self.account,
            turn=place.turn,
            stage=stage,
            attempt=place.attempt,
            count=self.config.stateless.candidates,
        )
        if drawn.best is None:
            raise TurnFailed(stage)
        return drawn.best, list(drawn.others)

    def _number(self, place: Try, draw: int) -> int:
        """The draw index of a call: trials, attempts and candidates never share one."""
        return (self.trial * _DRAWS_A_TRY) + place.attempt * self.config.stateless.candidates + draw
