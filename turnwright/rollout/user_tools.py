"""The user's side of a dialogue with dual control: the person works at a device, and both sides share its state.

Between the assistant's message and the person's answer the person carries out what was asked for, one action at a time
(turnwright/roles/user_operator.py). These calls stand in no message, because the assistant must not see them: it hears
what the person tells. They are recorded like all calls, so that a replay reaches the same state.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.content import canonical_json
from schemas.goals import KnownDetail, Objective
from schemas.messages import CallRecord
from schemas.replies import ActionArgument
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import ModelReply
from turnwright.roles import user_operator
from turnwright.roles.user_simulator import Brief
from turnwright.rollout.conversation import Conversation, replace_surrogates
from turnwright.rollout.prefix import Prefix
from turnwright.rollout.tool_calls import CallRunner

MOST_ACTIONS = 4
"""Most actions between two messages of the person."""
_NOTHING = "none"


@dataclass(frozen=True)
class Actions:
    """What the person did before one message, and the replies that decided it."""

    records: tuple[CallRecord, ...] = ()
    replies: tuple[ModelReply, ...] = ()
    repairs: int = 0


class UserSide:
    """The person's hands in one dialogue. Where a toolset has no tools of the user's side it does nothing."""

    def __init__(
        self,
        tools: Sequence[Tool],
        objectives: Sequence[Objective],
        runner: CallRunner,
        models: Models,
        *,
        draw: int,
        unit: str,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools if tool.side == "user"}
        self._runner = runner
        self._models = models
        self._draw = draw
        self._unit = unit
        self._system = ""
        if self._tools:
            known = {
                canonical_json(one.model_dump()): one for objective in objectives for one in objective.known_details
            }
            self._system = user_operator.system_prompt(list(self._tools.values()), list[KnownDetail](known.values()))
        self._done: dict[int, list[dict[str, Any]]] = {}
        self._made = 0

    def brief(self, brief: Brief) -> Brief:
        """The user simulator's brief, with what was done and seen told beside the answers that asked for it."""
        return (
            _HandsOnBrief(brief.system, brief.opening, brief.objectives, brief.persona, self._done)
            if self._tools
            else brief
        )

    def restore(self, start: Prefix) -> None:
        """Remembers what the person had done in the beginning of a dialogue that goes on."""
        for record in start.calls:
            if record.side == "user":
                told = sum(message["role"] == "user" for message in start.messages[: record.message + 1])
                step = {
                    "action": record.tool,
                    "arguments": json.loads(record.arguments),
                    "seen": json.loads(record.result),
                }
                self._done.setdefault(told, []).append(step)
                self._made += 1

    async def act(self, conversation: Conversation, remaining: float, earlier: int = 0) -> Actions:
        """Carries out what the assistant's last message asks for; `earlier` user messages are not this person's.

        Raises:
            MalformedReply: a decision could not be read, even after its repair.
            ContextOverflow: the message does not fit the model.
        """
        heard = conversation.messages[-1]
        if not self._tools or heard["role"] != "assistant" or not heard["content"]:
            return Actions()
        records: list[CallRecord] = []
        replies: list[ModelReply] = []
        repairs = 0
        done: list[dict[str, Any]] = []
        for _ in range(MOST_ACTIONS):
            reply = await user_operator.decide(
                self._models,
                self._system,
                heard["content"],
                done,
                draw=self._draw,
                unit=self._unit,
                remaining=remaining,
            )
            replies += reply.replies
            repairs += reply.repaired
            name = replace_surrogates(reply.value.action.strip())
            if name.casefold() == _NOTHING or name not in self._tools:
                break
            arguments = read_arguments(self._tools[name], reply.value.arguments)
            if any(step["action"] == name and step["arguments"] == arguments for step in done):
                break
            text = replace_surrogates(json.dumps(arguments, ensure_ascii=False))
            answer = await self._runner.answer(name, text, conversation.messages, "user")
            done.append({"action": name, "arguments": arguments, "seen": answer.result.value})
            self._made += 1
            records.append(
                CallRecord(
                    message=len(conversation.messages) - 1,
                    call_id=f"user_{self._made}",
                    tool=name,
                    arguments=text,
                    result=answer.result.text,
                    effect=answer.effect,
                    error=answer.result.error.kind if answer.result.error else None,
                    fault=answer.fault,
                    rows_changed=answer.result.rows_changed,
                    side="user",
                )
            )
        if done:
            self._done[conversation.requests - earlier] = done
        return Actions(tuple(records), tuple(replies), repairs)


@dataclass(frozen=True)
class _HandsOnBrief(Brief):
    """A brief that also tells what the person did; `done` goes by the number of messages that they had written."""

    done: Mapping[int, Sequence[Mapping[str, Any]]]

    def frame(self, answer: str, told: Sequence[str]) -> str:
        framed = super().frame(answer, told)
        done = self.done.get(len(told))
        return f"{framed}\n\n{user_operator.report(done)}" if done else framed


def read_arguments(tool: Tool, given: Sequence[ActionArgument]) -> dict[str, Any]:
    """The arguments of a reply, text made into what the tool's parameters want; what cannot be stays text."""
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    return {argument.name: _convert(argument.value, properties.get(argument.name, {})) for argument in given}


def _convert(text: str, schema: Mapping[str, Any]) -> Any:
    wanted = schema.get("type")
    try:
        match wanted:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "yes": True, "false": False, "no": False}[text.strip().casefold()]
            case "array" | "object":
                return json.loads(text)
            case _:
                return text
    except (ValueError, KeyError, RecursionError):
        return text
