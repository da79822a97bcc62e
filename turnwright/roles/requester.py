"""The requester: a user's words for a plan, with some of its calls hidden (TC, request)."""

from collections.abc import Mapping, Sequence

import prompts
from schemas.goals import Persona, PlannedCall
from schemas.messages import Message
from schemas.replies import RequestDraft
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.stateless.views import view_details, view_wish


def ask_for_request(
    explicit: Sequence[PlannedCall],
    hidden: Sequence[PlannedCall],
    tools: Mapping[str, Tool],
    persona: Persona,
    now: str,
    earlier: Sequence[tuple[str, str]],
) -> list[Message]:
    """The request for the words of one plan: no tool by its name, and of hidden calls nothing but their literals.

    Args:
        explicit: the calls that the user asks for, what they are after first.
        hidden: the other ones.
        tools: those that are offered, by name.
        persona: who speaks.
        now: ISO 8601 time that counts as now.
        earlier: requests and answers so far.
    """
    own_turn = {call.id for call in (*explicit, *hidden)}
    user = prompts.render(
        "requester",
        "user",
        persona=persona.model_dump(),
        now=prompts.data_block("now", now),
        earlier=[{"user": said, "assistant": answer} for said, answer in earlier],
        asks_for=[view_wish(call, tools, own_turn) for call in explicit],
        mentions=[detail for call in hidden for detail in view_details(call, tools[call.tool])],
    )
    return [{"role": "system", "content": prompts.render("requester", "system")}, {"role": "user", "content": user}]


async def write_request(
    models: Models, messages: Sequence[Message], *, draw: int, unit: str, remaining: float
) -> StructuredReply[RequestDraft]:
    """One candidate.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the dialogue no longer fits the model.
    """
    return await models.structured("requester", messages, draw=draw, unit=unit, remaining=remaining)
