"""A scripted model: says what a test tells it to, in order, and raises when its script is at an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson

from schemas.messages import Message, ToolCall
from schemas.replies import REPLIES, Reply
from schemas.vocabulary import Role
from turnwright.models.errors import MalformedReply, ModelError
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.models.structured import ReplyProblem, parse_reply
from turnwright.models.usage import Usage


class ScriptEnded(AssertionError):
    """More replies were asked for than the script has."""


@dataclass(frozen=True)
class ScriptedLine:
    """One scripted reply."""

    content: str | None = None
    calls: tuple[tuple[str, Mapping[str, Any] | str], ...] = ()
    reasoning: str | None = None
    finish_reason: str = "stop"


@dataclass(frozen=True)
class ScriptedRequest:
    """One call that was made."""

    role: Role
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...]
    draw: int
    unit: str
    remaining: float
    parallel_tool_calls: bool | None
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Schemas that the request gave for some fields of a structured reply."""


Line = ScriptedLine | Reply | ModelError | str | Mapping[str, Any]
"""A scripted reply; a Reply or mapping stands for its JSON, a text for itself, an error is raised."""


def says(content: str, *, reasoning: str | None = None) -> ScriptedLine:
    """A reply in prose."""
    return ScriptedLine(content, reasoning=reasoning)


def calls(tool: str, arguments: Mapping[str, Any] | str | None = None, *, content: str | None = None) -> ScriptedLine:
    """A reply that calls one tool; arguments given as text go out as they are."""
    return calls_all((tool, arguments or {}), content=content)


def calls_all(*wanted: tuple[str, Mapping[str, Any] | str], content: str | None = None) -> ScriptedLine:
    """A reply that calls several tools at once."""
    return ScriptedLine(content, tuple(wanted), finish_reason="tool_calls")


@dataclass
class ScriptedModels:
    """Has the interface of `Models`; each role reads its own lines, oldest first."""

    script: Mapping[Role, Sequence[Line]]
    requests: list[ScriptedRequest] = field(default_factory=list[ScriptedRequest])
    """Every call made so far."""
    usage: Usage = field(default_factory=Usage)
    _position: dict[Role, int] = field(default_factory=dict[Role, int])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def chat(
        self,
        role: Role,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        draw: int = 0,
        unit: str = "",
        remaining: float = 1.0,
        parallel_tool_calls: bool | None = None,
    ) -> ModelReply:
        """The role's next line.

        Raises:
            ScriptEnded: the role has no line left.
            ModelError: the line is an error.
        """
        self.requests.append(
            ScriptedRequest(role, tuple(messages), tuple(tools or ()), draw, unit, remaining, parallel_tool_calls)
        )
        return self._next(role)

    async def structured(
        self,
        role: Role,
        messages: Sequence[Message],
        *,
        draw: int = 0,
        unit: str = "",
        remaining: float = 1.0,
        fields: Mapping[str, Any] | None = None,
    ) -> StructuredReply[Any]:
        """The role's next line as its reply class; a line that does not fit is malformed, without a repair call.

        Raises:
            ScriptEnded: the role has no line left.
            MalformedReply: the line is not a reply of that role.
            ModelError: the line is an error.
        """
        reply = await self.chat(role, messages, draw=draw, unit=unit, remaining=remaining)
        if fields:
            self.requests[-1] = replace(self.requests[-1], fields=dict(fields))
        try:
            return StructuredReply(parse_reply(reply, REPLIES[role]), (reply,), False)
        except ReplyProblem as problem:
            text = reply.content or ""
            raise MalformedReply(f"{role}: {problem}", problem=str(problem), text=text, replies=(reply,)) from None

    def name_of(self, role: Role) -> str:  # noqa: ARG002
        """Name that stands in rows."""
        return "scripted"

    def identity_of(self, role: Role) -> str:  # noqa: ARG002
        """Name that stands in keys."""
        return "scripted"

    def requests_of(self, role: Role) -> list[ScriptedRequest]:
        """The calls of one role."""
        return [request for request in self.requests if request.role == role]

    def left(self, role: Role) -> int:
        """Lines that a role has not said yet."""
        return len(self.script.get(role, ())) - self._position.get(role, 0)

    async def close(self) -> None:
        """Nothing to close."""

    def _next(self, role: Role) -> ModelReply:
        lines, position = self.script.get(role, ()), self._position.get(role, 0)
        if position >= len(lines):
            raise ScriptEnded(f"{role} was asked for reply {position + 1}, its script has {len(lines)}")
        self._position[role] = position + 1
        line = lines[position]
        if isinstance(line, ModelError):
            raise line
        if isinstance(line, Reply):
            line = ScriptedLine(line.model_dump_json())
        elif isinstance(line, str):
            line = ScriptedLine(line)
        elif not isinstance(line, ScriptedLine):
            line = ScriptedLine(orjson.dumps(dict(line)).decode())
        made: list[ToolCall] = []
        for index, (name, arguments) in enumerate(line.calls):
            text = arguments if isinstance(arguments, str) else orjson.dumps(dict(arguments)).decode()
            identifier = f"call_{role}_{position}_{index}"
            made.append({"id": identifier, "type": "function", "function": {"name": name, "arguments": text}})
        size = len(line.content or "") // 4 + 8 * len(made) + 1
        return ModelReply(
            content=line.content,
            tool_calls=tuple(made),
            reasoning=line.reasoning,
            finish_reason=line.finish_reason,
            prompt_tokens=10,
            completion_tokens=size,
            key=f"scripted-{role}-{position}",
            model="scripted",
            replayed=False,
        )
