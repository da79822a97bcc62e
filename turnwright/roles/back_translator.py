"""The back-translator: the calls that a request asks for, from the request alone (TC, back-translate)."""

from collections.abc import Sequence

import prompts
from schemas.messages import Message
from schemas.replies import PlanDraft
from schemas.stateless import FieldLink
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.stateless.plans import EarlierCall
from turnwright.stateless.views import view_earlier, view_links, view_plan_tools


def ask_for_calls(
    tools: Sequence[Tool], links: Sequence[FieldLink], request: str, earlier: Sequence[EarlierCall], most: int
) -> list[Message]:
    """The request for the calls behind a request: it holds no plan, and nothing that was hidden."""
    system = prompts.render("back_translator", "system", tools=view_plan_tools(tools), links=view_links(links))
    user = prompts.render(
        "back_translator",
        "user",
        earlier=view_earlier(earlier),
        request=prompts.data_block("request", request),
        most=most,
        next_id=prompts.data_block("next_id", f"c{len(earlier) + 1}"),
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


async def translate_back(
    models: Models, messages: Sequence[Message], *, draw: int, unit: str, remaining: float
) -> StructuredReply[PlanDraft]:
    """One candidate.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the dialogue no longer fits the model.
    """
    return await models.structured("back_translator", messages, draw=draw, unit=unit, remaining=remaining)
