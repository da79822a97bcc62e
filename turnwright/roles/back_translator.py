"""The back-translator: the calls that a request asks for, from the request alone (TC, back-translate)."""

from collections.abc import Sequence
from typing import Literal

import prompts
from schemas.messages import Message
from schemas.stateless import FieldLink
from schemas.tools import Tool
from turnwright.stateless.plans import EarlierCall
from turnwright.stateless.views import view_earlier, view_links, view_plan_tools

Line = tuple[Literal["user", "assistant"], str]
"""Who said something, and what."""


def ask_for_calls(
    tools: Sequence[Tool],
    links: Sequence[FieldLink],
    request: str,
    earlier: Sequence[EarlierCall],
    most: int,
    *,
    talk: Sequence[Line] = (),
    refusing: bool = False,
) -> list[Message]:
    """The request for the calls behind what was said: it holds no plan, and nothing that was hidden.

    Args:
        tools: those that are offered.
        links: the edges between them.
        request: what the user says.
        earlier: the calls of the turns before.
        most: most calls that the plan may have.
        talk: who said what, the request among it, where only all of it together says what is wanted.
        refusing: whether no call at all is an answer too. It is so in all turns of a dialogue in which one is to be
            declined: in none of them does the prompt tell which.
    """
    part = "refusing_system" if refusing else "system"
    system = prompts.render("back_translator", part, tools=view_plan_tools(tools), links=view_links(links))
    view, next_id = view_earlier(earlier), prompts.data_block("next_id", f"c{len(earlier) + 1}")
    if talk:
        lines = [{"by": by, "said": said} for by, said in talk]
        user = prompts.render("back_translator", "talk_user", earlier=view, talk=lines, most=most, next_id=next_id)
    else:
        own = prompts.data_block("request", request)
        user = prompts.render("back_translator", "user", earlier=view, request=own, most=most, next_id=next_id)
    return prompts.begin_messages(system, user)
