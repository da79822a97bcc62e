"""The tool simulator: answers calls of tools that nothing executes, in one conversation a dialogue (UO, simulation).

Its conversation is append-only. What every dialogue of a toolset has in common, the tools, comes first; then one
exchange a call. A reply that was sent back stands there as it was accepted: the simulator learns from good examples,
and goes on from what the assistant was really told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

import prompts
from schemas.messages import Message
from schemas.replies import ToolSimulation
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply

_KEPT = ("enum", "const", "description")
"""What the endpoint is told of a value: a server that cannot compile a keyword refuses the whole request."""
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_DEEPEST = 8
_QUOTED = 8_000
"""Bytes of a bad reply that the simulator is shown again."""


@dataclass
class SimulatorConversation:
    """The conversation with the simulator in one dialogue."""

    models: Models
    tools: Sequence[Tool]
    unit: str
    """Id of the dialogue task, for the journal."""
    draw: int
    messages: list[Message] = field(default_factory=list[Message])
    """What was settled so far."""
    _asked: list[Message] = field(default_factory=list[Message])
    """The call that is being answered, with the replies that were sent back."""

    async def ask(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        *,
        facts: Sequence[Mapping[str, Any]],
        said: Sequence[Mapping[str, str]],
        now: str,
        remaining: float,
    ) -> StructuredReply[ToolSimulation]:
        """What a call gives back.

        Args:
            tool: the tool that is called.
            arguments: as they were given, checked against its parameters.
            facts: what is known to be true of what the call is about.
            said: `{role, content}` of what was said in prose since the call before.
            now: ISO 8601 time that counts as now.
            remaining: model calls that the dialogue still needs, about.

        Raises:
            MalformedReply: no usable reply, even after the repair call.
            ContextOverflow: the conversation has grown too long for the model.
        """
        self.recall(tool, arguments, facts=facts, said=said, now=now)
        return await self._send(tool, remaining)

    def recall(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        *,
        facts: Sequence[Mapping[str, Any]],
        said: Sequence[Mapping[str, str]],
        now: str,
    ) -> None:
        """Puts a call as `ask` does, without sending it: for one whose answer is known and is settled next."""
        if not self.messages:
            listed = [{**tool.spec["function"], "output_schema": tool.output_schema} for tool in self.tools]
            system = prompts.render("tool_simulator", "system", tools=listed)
            self.messages = [{"role": "system", "content": system}]
        call = {"tool": tool.name, "arguments": dict(arguments)}
        user = prompts.render(
            "tool_simulator",
            "call",
            now=prompts.data_block("now", now),
            said=list(said),
            facts=list(facts),
            call=call,
        )
        self._asked = [{"role": "user", "content": user}]

    async def ask_again(
        self, tool: Tool, before: ToolSimulation | None, problems: Sequence[str], *, remaining: float
    ) -> StructuredReply[ToolSimulation]:
        """The same call once more, after a reply with problems.

        Raises:
            MalformedReply: no usable reply, even after the repair call.
            ContextOverflow: the conversation has grown too long for the model.
        """
        told = prompts.render("tool_simulator", "problems", problems=list(problems))
        bad: Message = {"role": "assistant", "content": _quote(before)}
        self._asked = [*self._asked, bad, {"role": "user", "content": told}]
        return await self._send(tool, remaining)

    def settle(self, value: Any, error: str | None) -> None:
        """Keeps the call with the result that the assistant was given."""
        answer = orjson.dumps({"error": error, "result": value}).decode()
        self.messages = [*self.messages, *self._asked[:1], {"role": "assistant", "content": answer}]

    async def _send(self, tool: Tool, remaining: float) -> StructuredReply[ToolSimulation]:
        return await self.models.structured(
            "tool_simulator",
            [*self.messages, *self._asked],
            draw=self.draw,
            unit=self.unit,
            remaining=remaining,
            fields={"result": {"anyOf": [simplify_schema(tool.output_schema), {"type": "null"}]}},
        )


def _quote(reply: ToolSimulation | None) -> str:
    """A reply as it is held up to the simulator; one that cannot be written down, or is very long, by its frame."""
    try:
        content = orjson.dumps({"error": reply.error, "result": reply.result}) if reply is not None else b""
    except (TypeError, ValueError, RecursionError):
        content = b""
    return content.decode() if 0 < len(content) <= _QUOTED else '{"error": null, "result": null}'


def simplify_schema(schema: Any, depth: int = 0) -> dict[str, Any]:
    """A JSON Schema with nothing in it but shapes, types and closed sets, which every server understands.

    References, patterns, formats and bounds are left to the check of the reply: a request must not fail over them.
    """
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return {}
    given = cast("dict[str, Any]", schema)
    simple: dict[str, Any] = {name: given[name] for name in _KEPT if name in given}
    kind = given.get("type")
    kinds = cast("list[Any]", kind if isinstance(kind, list) else [kind])
    if all(isinstance(name, str) and name in _TYPES for name in kinds):
        simple["type"] = kind
    properties = given.get("properties")
    if isinstance(properties, dict) and properties:
        inner = cast("dict[str, Any]", properties)
        simple["properties"] = {name: simplify_schema(child, depth + 1) for name, child in inner.items()}
        required = given.get("required")
        if isinstance(required, list):
            simple["required"] = [name for name in cast("list[Any]", required) if name in inner]
        if given.get("additionalProperties") is False:
            simple["additionalProperties"] = False
    if isinstance(given.get("items"), dict):
        simple["items"] = simplify_schema(given["items"], depth + 1)
    return simple
