"""The summariser: what the assistant says at the end of a turn (TC, summarise)."""

from collections.abc import Sequence

import prompts
from schemas.messages import Message
from turnwright.stateless.plans import EarlierCall
from turnwright.stateless.views import view_done


def ask_for_summary(request: str, done: Sequence[EarlierCall]) -> list[Message]:
    """The request for the assistant's last word of a turn."""
    user = prompts.render(
        "summariser", "user", request=prompts.data_block("request", request), done=[view_done(call) for call in done]
    )
    return prompts.begin_messages(prompts.render("summariser", "system"), user)
