"""The person: knows the goal, says it bit by bit, and says when everything is settled (UO, simulation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import prompts
from schemas.goals import BehaviourPlan, Objective, Persona
from schemas.messages import Message
from schemas.replies import UserTurn
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.models.structured import ReplyProblem, repair_messages
from turnwright.roles.user_slips import find_slip
from turnwright.rollout.behaviours import content_words
from turnwright.rollout.conversation import Conversation
from turnwright.validation.values import names

_SHARED_WORDS = 0.3
"""Share of a description's words that a person uses who asks for it without naming a value."""
_EARLIER_MESSAGES = 20
"""Latest messages of a chat gone on with that the person is shown."""
_EARLIER_TEXT = 1000
"""Characters of each."""


@dataclass(frozen=True)
class Brief:
    """What is the same in all of the user simulator's requests of a dialogue."""

    system: str
    """Who the person is and what they want."""
    opening: str
    """The prompt that the person's first message answers: what they come with."""
    objectives: tuple[Objective, ...]
    persona: Persona

    def frame(self, answer: str, told: Sequence[str]) -> str:
        """What the assistant said, as the simulator hears it after its own messages `told`.

        It is told each time whose turn it is and what it has not asked for yet: a small model that gets the bare text
        goes on as the assistant, asks for the same thing again, or for things that nobody wants. Both come from the
        goal and the messages alone, so nothing is told that the person does not know.
        """
        block = prompts.data_block("answer", answer)
        open_wishes = list_not_asked(self.objectives, told)
        if open_wishes:
            return prompts.render("user_simulator", "next", answer=block, not_asked=open_wishes)
        return prompts.render("user_simulator", "last", answer=block)


def brief(
    persona: Persona,
    objectives: Sequence[Objective],
    behaviour: BehaviourPlan | None,
    earlier: Sequence[Message] = (),
) -> Brief:
    """What the user simulator is told. It never holds a rubric, a planned call or a fact that is to be found out.

    `earlier` is what was said in a chat that the person goes on with: they read it once, and come with a wish of their
    own. It stands in the opening and not among the replies, because it was nobody's who knew this wish.
    """
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
    first = [objective.description for objective in objectives[:1]]
    said = [
        {"by": "person" if message["role"] == "user" else "assistant", "said": message["content"][:_EARLIER_TEXT]}
        for message in earlier
        if message["role"] in ("user", "assistant") and message["content"]
    ]
    opening = (
        prompts.render("user_simulator", "continue", earlier=said[-_EARLIER_MESSAGES:], not_asked=first)
        if said
        else prompts.render("user_simulator", "user", not_asked=first)
    )
    return Brief(system, opening, tuple(objectives), persona)


def list_not_asked(objectives: Sequence[Objective], told: Sequence[str]) -> list[str]:
    """The descriptions of the objectives that the person's messages have not touched.

    A message touches an objective when it names one of the values that come up in no objective before it; where there
    is none, when it shares a third of the description's words. One that was passed over counts as asked for after two
    more messages: nobody is to be driven round in circles by a value that was worded differently.
    """
    said = "\n".join(told)
    words = content_words(said)
    known: set[str] = set()
    left: list[str] = []
    for position, objective in enumerate(objectives):
        values = [detail.value for detail in objective.known_details if str(detail.value) not in known]
        known |= {str(detail.value) for detail in objective.known_details}
        own = content_words(objective.description)
        touched = any(names(value, said) for value in values) if values else _share(own, words) >= _SHARED_WORDS
        if not (touched or (position == 0 and told) or len(told) > position + 2):
            left.append(objective.description)
    return left


def _share(wanted: set[str], words: set[str]) -> float:
    return len(wanted & words) / len(wanted) if wanted else 1.0


async def speak(
    models: Models, told: Brief, conversation: Conversation, *, draw: int, unit: str, remaining: float
) -> StructuredReply[UserTurn]:
    """The person's next message, a schemas.replies.UserTurn. A slip is named once, and what comes then is taken.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the conversation no longer fits the model.
    """
    messages = conversation.user_view(told.system, told.opening, told.frame)
    reply = await models.structured("user_simulator", messages, draw=draw, unit=unit, remaining=remaining)
    slip = find_slip(reply.value.user_message, conversation, told.persona)
    if slip is None or reply.repaired:
        return reply
    again = [*messages, *repair_messages(reply.replies[-1], ReplyProblem(slip), structured=True)]
    mended = await models.structured("user_simulator", again, draw=draw, unit=unit, remaining=remaining)
    return StructuredReply(mended.value, (*reply.replies, *mended.replies), repaired=True)
