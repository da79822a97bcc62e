"""The person: knows the goal, says it bit by bit, and says when everything is settled (UO, simulation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import prompts
from schemas.goals import BehaviourPlan, Objective, Persona
from schemas.replies import UserTurn
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.rollout.conversation import Conversation


@dataclass(frozen=True)
class Brief:
    """The part of the user simulator's request that is the same for a whole dialogue."""

    system: str
    """Who the person is and what they want."""
    opening: str
    """The fixed first line, to which the person's first message is the answer."""


def brief(persona: Persona, objectives: Sequence[Objective], behaviour: BehaviourPlan | None) -> Brief:
    """What the user simulator is told. It never holds a rubric, a planned call or a fact that is to be found out."""
    goal: dict[str, Any] = {
        "tasks": [
            {
                "description": objective.description,
                "known_details": [detail.model_dump(mode="json") for detail in objective.known_details],
            }
            for objective in objectives
        ],
        "behaviour": (behaviour.instruction or None) if behaviour else None,
    }
    system = prompts.render("user_simulator", "system", persona=persona.model_dump(mode="json"), goal=goal)
    return Brief(system, prompts.render("user_simulator", "user"))


async def speak(
    models: Models, told: Brief, conversation: Conversation, *, draw: int, unit: str, remaining: float
) -> StructuredReply[UserTurn]:
    """The person's next message, a schemas.replies.UserTurn.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the conversation no longer fits the model.
    """
    messages = conversation.user_view(told.system, told.opening)
    return await models.structured("user_simulator", messages, draw=draw, unit=unit, remaining=remaining)
