"""The rubric judge: classes every bullet and says whether it is met, from the transcript alone (UO, validation)."""

from collections.abc import Collection, Sequence
from typing import Any

import prompts
from schemas.goals import Objective
from schemas.messages import Message, ToolCall
from schemas.replies import Judgement
from schemas.rows import DialogueRow
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.rollout.arguments import parse_json_object

_CONTENT_LENGTH = 6_000
"""Characters of one message that the judge is shown; a long tool result must not push the rest out of its context."""


CONDUCT = "No error was ignored, no result invented and no action claimed that did not happen."
"""What bullet 0 stands for: the judge adds it where an error rule is broken (prompts/judge/system.md)."""


def list_bullets(objectives: Sequence[Objective], decided: Collection[str] = ()) -> list[dict[str, Any]]:
    """The rubric as the judge gets it: `{number, task, bullet}`; numbers run on over all tasks, both from 1.

    Bullets that are decided are left out. Where no other is left, the one about conduct stands in their place.
    """
    pairs = [
        (task, bullet)
        for task, objective in enumerate(objectives, start=1)
        for bullet in objective.rubric
        if bullet not in decided
    ]
    pairs = pairs or [(1, CONDUCT)]
    return [{"number": n, "task": task, "bullet": bullet} for n, (task, bullet) in enumerate(pairs, start=1)]


def write_transcript(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The conversation without the system message and the reasoning; `index` counts all messages."""
    transcript: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        if message["role"] == "system":
            continue
        line: dict[str, Any] = {"index": index, "role": message["role"], "content": _shorten(message["content"] or "")}
        if calls := message.get("tool_calls"):
            line["calls"] = [_show_call(call) for call in calls]
        if "tool_call_id" in message:
            line["call_id"] = message["tool_call_id"]
        transcript.append(line)
    return transcript


def _show_call(call: ToolCall) -> dict[str, Any]:
    text = call["function"]["arguments"]
    try:
        arguments: Any = parse_json_object(text)
    except ValueError:
        arguments = text
    return {"id": call["id"], "tool": call["function"]["name"], "arguments": arguments}


def _shorten(text: str) -> str:
    if len(text) <= _CONTENT_LENGTH:
        return text
    return f"{text[:_CONTENT_LENGTH]}… ({len(text) - _CONTENT_LENGTH} more characters)"


async def judge(
    models: Models,
    dialogue: DialogueRow,
    objectives: Sequence[Objective],
    messages: Sequence[Message],
    *,
    vote: int,
    decided: Collection[str] = (),
) -> StructuredReply[Judgement]:
    """One vote, a schemas.replies.Judgement; `vote` is its draw index, `decided` are the bullets not asked for.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the transcript does not fit the model.
    """
    user = prompts.render(
        "judge",
        "user",
        tasks=[objective.description for objective in objectives],
        rubric=list_bullets(objectives, decided),
        transcript=write_transcript(messages),
    )
    request = prompts.begin_messages(prompts.render("judge", "system"), user)
    return await models.structured("judge", request, draw=vote, unit=dialogue.id, remaining=1.0)
