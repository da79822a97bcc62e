"""The person's hands: carries out what the assistant asks for at a device that only the person can reach."""

from collections.abc import Mapping, Sequence
from typing import Any

import prompts
from schemas.goals import KnownDetail
from schemas.replies import UserAction
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply


def system_prompt(tools: Sequence[Tool], known: Sequence[KnownDetail]) -> str:
    """What can be done and what the person knows; the same in all requests of a dialogue."""
    actions = [
        {"name": tool.name, "description": tool.description, "parameters": tool.parameters.get("properties", {})}
        for tool in tools
    ]
    details = [detail.model_dump(mode="json") for detail in known]
    return prompts.render("user_operator", "system", actions=actions, known_details=details)


async def decide(
    models: Models,
    system: str,
    answer: str,
    done: Sequence[Mapping[str, Any]],
    *,
    draw: int,
    unit: str,
    remaining: float,
) -> StructuredReply[UserAction]:
    """The next action, after what was done for the same message of the assistant.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the message does not fit the model.
    """
    user = prompts.render("user_operator", "user", answer=prompts.data_block("answer", answer), done=list(done))
    messages = prompts.begin_messages(system, user)
    return await models.structured("user_operator", messages, draw=draw, unit=unit, remaining=remaining)


def report(done: Sequence[Mapping[str, Any]]) -> str:
    """What the user simulator is told of what was done and seen, before it writes the person's next message."""
    return prompts.render("user_operator", "report", done=list(done))
