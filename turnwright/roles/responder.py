"""The responder: what the assistant of a stateless dialogue says where it calls nothing."""

from collections.abc import Sequence

import prompts
from schemas.messages import Message
from schemas.tools import Tool
from turnwright.stateless.views import view_exchanges
from turnwright.tools.tool_text import first_sentence

_MOST_DEEDS = 12


def ask_for_question(request: str, earlier: Sequence[tuple[str, str]], label: str, about: str) -> list[Message]:
    """The request for a question back: it holds the name of what is missing, and no value."""
    user = prompts.render(
        "responder",
        "question_user",
        earlier=view_exchanges(earlier),
        request=prompts.data_block("request", request),
        missing={"label": label, "about": about},
    )
    return prompts.begin_messages(prompts.render("responder", "question_system"), user)


def ask_for_decline(request: str, earlier: Sequence[tuple[str, str]], tools: Sequence[Tool]) -> list[Message]:
    """The request for a refusal, with what can be done instead; no tool by its name."""
    can_do = list(dict.fromkeys(first_sentence(tool.description) for tool in tools))[:_MOST_DEEDS]
    user = prompts.render(
        "responder",
        "decline_user",
        earlier=view_exchanges(earlier),
        request=prompts.data_block("request", request),
        can_do=can_do,
    )
    return prompts.begin_messages(prompts.render("responder", "decline_system"), user)


def ask_for_goodbye(farewell: str, earlier: Sequence[tuple[str, str]]) -> list[Message]:
    """The request for the assistant's last word."""
    user = prompts.render(
        "responder", "goodbye_user", earlier=view_exchanges(earlier), farewell=prompts.data_block("farewell", farewell)
    )
    return prompts.begin_messages(prompts.render("responder", "goodbye_system"), user)
