"""The summariser: what the assistant says at the end of a turn (TC, summarise)."""

from collections.abc import Sequence

import prompts
from schemas.messages import Message
from schemas.replies import SummaryDraft
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.stateless.plans import EarlierCall
from turnwright.stateless.views import view_done


def ask_for_summary(request: str, done: Sequence[EarlierCall]) -> list[Message]:
    """The request for the assistant's last word of a turn."""
    user = prompts.render(
        "summariser", "user", request=prompts.data_block("request", request), done=[view_done(call) for call in done]
    )
    return [{"role": "system", "content": prompts.render("summariser", "system")}, {"role": "user", "content": user}]


async def summarise(
    models: Models, messages: Sequence[Message], *, draw: int, unit: str, remaining: float
) -> StructuredReply[SummaryDraft]:
    """One candidate.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the results do not fit the model.
    """
    return await models.structured("summariser", messages, draw=draw, unit=unit, remaining=remaining)
