"""A chat request as it is hashed, sent and recorded.

The body is serialised once. Shared parts come first (model, tools, messages), so that a server's prefix cache and the
prefix statistics see the same order. Nothing in it varies from run to run: no user field, no ids, no times.

The journal key is that of the request at an endpoint's full capability: what an endpoint's missing features change in
the bytes that are sent (turnwright/models/capabilities.py) does not change the key, so a rebuild always finds its
replies.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import orjson

from schemas.endpoints import EndpointModel, SelfplayModel
from schemas.messages import Message
from schemas.replies import REPLIES, reply_schema
from schemas.vocabulary import Role
from turnwright.models.errors import ModelSetupError

_RESERVED = frozenset(
    {"model", "messages", "tools", "response_format", "parallel_tool_calls", "seed", "stream", "n", "user"}
)
_TAIL_BOUNDARIES = 8
BYTES_PER_TOKEN = 4
"""Rough size of a token, for estimates only."""


@dataclass(frozen=True)
class ChatRequest:
    """One request: the bytes, and what is needed to read the reply."""

    key: str
    """SHA-256 (hex) of endpoint identity, draw and body."""
    content: bytes
    """The body as sent to an endpoint of full capability."""
    role: Role
    unit: str
    draw: int
    model: str
    endpoint: str
    """Identity of the endpoint."""
    head: Mapping[str, Any]
    """Model and tools."""
    head_size: int
    """Bytes of the head in `content`."""
    messages: Sequence[Mapping[str, Any]]
    tail: Mapping[str, Any]
    """Everything after the messages."""
    fragments: tuple[bytes, ...]
    """Each message as it stands in `content`."""

    @property
    def tools(self) -> list[dict[str, Any]]:
        """Function specs offered."""
        return cast(list[dict[str, Any]], self.head.get("tools") or [])

    @property
    def estimated_prompt_tokens(self) -> int:
        """Prompt tokens by size."""
        return len(self.content) // BYTES_PER_TOKEN

    @cached_property
    def prefixes(self) -> tuple[tuple[int, str], ...]:
        """`(bytes, digest)` of the prompt up to some boundaries: model and tools, the first message, the last eight.

        Two prompts share a prefix if they have a boundary in common. As prompts are append-only, the whole prompt of
        the call before stands among the last boundaries of the next, so these few are enough to count prefix reuse.
        """
        rolling = hashlib.blake2b(memoryview(self.content)[: self.head_size], digest_size=6)
        size = self.head_size
        boundaries: list[tuple[int, str]] = [(size, rolling.copy().hexdigest())] if self.tools else []
        last = max(1, len(self.fragments) - _TAIL_BOUNDARIES)
        between = b"".join(self.fragments[1:last])
        for part in (*self.fragments[:1], between, *self.fragments[last:]):
            if part:
                rolling.update(part)
                size += len(part)
            if part is not between:
                boundaries.append((size, rolling.copy().hexdigest()))
        return tuple(boundaries)


def endpoint_identity(model: SelfplayModel | EndpointModel) -> str:
    """What names an endpoint in a journal key: never a port of the embedded endpoint, never a key."""
    if isinstance(model, SelfplayModel):
        return f"selfplay/{model.seed}/{model.mistake_rate:g}"
    return ",".join(sorted(model.urls))


def model_name(model: SelfplayModel | EndpointModel) -> str:
    """Name sent with each request."""
    return "selfplay" if isinstance(model, SelfplayModel) else model.name


def derive_seed(seed: int, draw: int) -> int:
    """The `seed` field of a request: 31 bits that depend on the run's seed and the draw alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{draw}".encode()).digest()[:4], "big") & 0x7FFFFFFF


def response_format(role: Role, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """JSON Schema response format of a role; the schema's name is the role.

    `fields` replaces the schemas of some fields for one request. What comes from a tool's schema need not hold to what
    strict mode asks of a schema, so it is not asked for then.
    """
    schema = reply_schema(role, fields)
    return {"type": "json_schema", "json_schema": {"name": role, "schema": schema, "strict": not fields}}


class RequestBuilder:
    """Builds the requests of one role; what does not change from call to call is prepared once.

    Raises:
        ModelSetupError: `extra_body` sets a field that turnwright sets itself.
    """

    def __init__(self, role: Role, model: SelfplayModel | EndpointModel, seed: int) -> None:
        self.role: Role = role
        self.model = model_name(model)
        self.endpoint = endpoint_identity(model)
        self._seed = seed
        self._format = response_format(role) if role in REPLIES else None
        self._sampling: dict[str, Any] = {}
        if isinstance(model, EndpointModel):
            taken = sorted(_RESERVED & set(model.extra_body))
            if taken:
                raise ModelSetupError(f"extra_body of {role}'s model must not set {', '.join(taken)}")
            self._sampling = {"temperature": model.temperature, "top_p": model.top_p, "max_tokens": model.max_tokens}
            self._sampling |= dict(sorted(model.extra_body.items()))

    def build(
        self,
        messages: Sequence[Message],
        *,
        draw: int = 0,
        unit: str = "",
        tools: Sequence[Mapping[str, Any]] | None = None,
        parallel_tool_calls: bool | None = None,
        structured: bool = False,
        fields: Mapping[str, Any] | None = None,
    ) -> ChatRequest:
        """The request for `messages`; reasoning of earlier turns is not sent back.

        `fields` has schemas of some fields of a structured reply, for this request alone.
        """
        head: dict[str, Any] = {"model": self.model}
        if tools:
            head["tools"] = list(tools)
        tail = dict(self._sampling)
        tail["seed"] = derive_seed(self._seed, draw)
        if tools and parallel_tool_calls is not None:
            tail["parallel_tool_calls"] = parallel_tool_calls
        if structured:
            tail["response_format"] = response_format(self.role, fields) if fields else self._format
        sent = [_without_reasoning(message) for message in messages]
        fragments = tuple(map(orjson.dumps, sent))
        start = orjson.dumps(head)[:-1]
        content = _join(start, fragments, tail)
        key = hashlib.sha256(f"{self.endpoint}\0{draw}\0".encode())
        key.update(content)
        return ChatRequest(
            key=key.hexdigest(),
            content=content,
            role=self.role,
            unit=unit,
            draw=draw,
            model=self.model,
            endpoint=self.endpoint,
            head=head,
            head_size=len(start),
            messages=sent,
            tail=tail,
            fragments=fragments,
        )


def join_body(head: Mapping[str, Any], fragments: Sequence[bytes], tail: Mapping[str, Any]) -> bytes:
    """The JSON body made of a serialised message list and what stands around it; `head` is not empty."""
    return _join(orjson.dumps(head)[:-1], fragments, tail)


def _join(start: bytes, fragments: Sequence[bytes], tail: Mapping[str, Any]) -> bytes:
    end = b"]," + orjson.dumps(tail)[1:] if tail else b"]}"
    return b"".join((start, b',"messages":[', b",".join(fragments), end))


def _without_reasoning(message: Message) -> Mapping[str, Any]:
    if "reasoning" not in message:
        return message
    return {name: value for name, value in message.items() if name != "reasoning"}
