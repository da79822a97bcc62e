"""The responder: what the assistant of a stateless dialogue says where it calls nothing."""

from collections.abc import Sequence

import prompts
from schemas.messages import Message
from schemas.replies import ResponseDraft
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.tools.tool_text import first_sentence

_MOST_DEEDS = 12


def ask_for_question(request: str, earlier: Sequence[tuple[str, str]], label: str, about: str) -> list[Message]:
    """The request for a question back: it holds the name of what is missing, and no value."""
    user = prompts.render(
        "responder",
        "question_user",
        earlier=_view(earlier),
        request=prompts.data_block("request", request),
        missing={"label": label, "about": about},
    )
    return [
        {"role": "system", "content": prompts.render("responder", "question_system")},
        {"role": "user", "content": user},
    ]


def ask_for_decline(request: str, earlier: Sequence[tuple[str, str]], tools: Sequence[Tool]) -> list[Message]:
    """The request for a refusal, with what can be done instead; no tool by its name."""
    can_do = list(dict.fromkeys(first_sentence(tool.description) for tool in tools))[:_MOST_DEEDS]
    user = prompts.render(
        "responder",
        "decline_user",
        earlier=_view(earlier),
        request=prompts.data_block("request", request),
        can_do=can_do,
    )
    return [
        {"role": "system", "content": prompts.render("responder", "decline_system")},
        {"role": "user", "content": user},
    ]


def ask_for_goodbye(farewell: str, earlier: Sequence[tuple[str, str]]) -> list[Message]:
    """The request for the assistant's last word."""
    user = prompts.render(
        "responder", "goodbye_user", earlier=_view(earlier), farewell=prompts.data_block("farewell", farewell)
    )
    return [
        {"role": "system", "content": prompts.render("responder", "goodbye_system")},
        {"role": "user", "content": user},
    ]


async def respond(
    models: Models, messages: Sequence[Message], *, draw: int, unit: str, remaining: float
) -> StructuredReply[ResponseDraft]:
    """One candidate.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the dialogue no longer fits the model.
    """
    return await models.structured("responder", messages, draw=draw, unit=unit, remaining=remaining)


def _view(earlier: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"user": said, "assistant": answer} for said, answer in earlier]
