"""The planner: the calls of one turn, before anybody has said a word (TC, plan)."""

from collections.abc import Mapping, Sequence
from typing import Any

import prompts
from schemas.goals import Persona
from schemas.messages import Message
from schemas.stateless import FieldLink
from schemas.tools import Tool
from turnwright.stateless.plans import EarlierCall
from turnwright.stateless.views import view_earlier, view_links, view_plan_tools


def ask_for_plan(
    tools: Sequence[Tool],
    links: Sequence[FieldLink],
    persona: Persona,
    now: str,
    said: Sequence[str],
    earlier: Sequence[EarlierCall],
    known_values: Mapping[str, Mapping[str, Sequence[Any]]],
    most: int,
) -> list[Message]:
    """The request for one plan. Tools and links come first, and are the same in all turns of a dialogue."""
    system = prompts.render("planner", "system", tools=view_plan_tools(tools), links=view_links(links))
    user = prompts.render(
        "planner",
        "user",
        persona=persona.model_dump(),
        now=prompts.data_block("now", now),
        said=list(said),
        earlier=view_earlier(earlier),
        known_values={tool: {name: list(values) for name, values in own.items()} for tool, own in known_values.items()},
        most=most,
        next_id=prompts.data_block("next_id", f"c{len(earlier) + 1}"),
    )
    return prompts.begin_messages(system, user)


def ask_for_removed_call(
    tool: Tool,
    links: Sequence[FieldLink],
    persona: Persona,
    now: str,
    said: Sequence[str],
    earlier: Sequence[EarlierCall],
) -> list[Message]:
    """The request for one call of a tool that is not offered: what a turn that is to be declined asks for."""
    system = prompts.render("planner", "removed_system", tools=view_plan_tools([tool]), links=view_links(links))
    user = prompts.render(
        "planner",
        "removed_user",
        persona=persona.model_dump(),
        now=prompts.data_block("now", now),
        said=list(said),
        earlier=view_earlier(earlier),
        next_id=prompts.data_block("next_id", f"c{len(earlier) + 1}"),
    )
    return prompts.begin_messages(system, user)
