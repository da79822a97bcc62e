"""The assistant: answers the person, with tools. Its messages are what the training data consists of."""

from collections.abc import Sequence

import prompts
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import ModelReply
from turnwright.rollout.conversation import Conversation


def system_prompt(domain: str, now: str, rule: str | None = None, *, policy: str | None = None) -> str:
    """The system message; it is exported with the dialogue, so it holds nothing about how the dialogue was made.

    `now` is an ISO 8601 time. Underscores of the domain's name become spaces. A domain's own `policy` stands in place
    of the general advice; `rule` is one sentence that holds in this dialogue alone, below either.
    """
    if policy is not None:
        text = prompts.render("assistant", "domain", policy=policy, now=now)
    else:
        name = " ".join(domain.replace("_", " ").split()).removesuffix(" service")
        text = prompts.render("assistant", "system", domain=name, now=now)
    return text if rule is None else f"{text}\n\n{prompts.render('assistant', 'policy', policy=rule)}"


async def answer(
    models: Models,
    conversation: Conversation,
    tools: Sequence[Tool],
    *,
    draw: int,
    unit: str,
    remaining: float,
) -> ModelReply:
    """The assistant's next message: prose for the user, tool calls, or both.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the conversation no longer fits the model.
    """
    return await models.chat(
        "assistant",
        conversation.assistant_view(),
        tools=[tool.spec for tool in tools],
        draw=draw,
        unit=unit,
        remaining=remaining,
    )
