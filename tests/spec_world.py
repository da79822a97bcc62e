"""A small service that is known by its tools' specifications alone, and models that the embedded players play."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.messages import Message
from schemas.replies import REPLIES, reply_schema
from schemas.rows import SeedRow
from schemas.seeds import SeedTool, ToolSeed
from schemas.tools import SpecTool
from schemas.vocabulary import Effect, Role
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.models.structured import parse_reply
from turnwright.selfplay.request import Request
from turnwright.selfplay.server import play

STRING = "string"


def spec(name: str, description: str, parameters: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    """An OpenAI function spec; a parameter is a type, or (type, description)."""
    properties: dict[str, Any] = {}
    for key, kind in parameters.items():
        one, said = (kind, f"The {key.replace('_', ' ')}.") if isinstance(kind, str) else kind
        properties[key] = {"type": one, "description": said}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def returns(fields: Mapping[str, str], *, many: bool = False) -> dict[str, Any]:
    """An output schema."""
    properties = {
        name: {"type": kind, "description": f"The {name.replace('_', ' ')}."} for name, kind in fields.items()
    }
    record = {"type": "object", "properties": properties, "required": list(fields)}
    return {"type": "array", "items": record} if many else record


def tool(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    fields: Mapping[str, str] | None = None,
    *,
    description: str = "",
    effect: Effect = "read",
    required: Sequence[str] | None = None,
) -> SpecTool:
    """A finished tool; all its parameters are required unless it says otherwise."""
    given = parameters or {}
    said = description or f"{name.replace('_', ' ')} of the service."
    return SpecTool(
        name=name,
        spec=spec(name, said, given, list(given) if required is None else required),
        output_schema=returns(fields or {"done": "boolean"}),
        effect=effect,
    )


LIBRARY = [
    SeedTool(
        spec=spec(
            "search_books", "Search the catalogue by title. Returns ids and titles.", {"title": STRING}, ["title"]
        ),
        output_schema=returns({"book_id": STRING, "title": STRING}, many=True),
        origin="library.jsonl:1",
    ),
    SeedTool(
        spec=spec("get_book", "Get the author and the free copies of a book.", {"book_id": STRING}, ["book_id"]),
        origin="library.jsonl:2",
    ),
    SeedTool(
        spec=spec(
            "create_reservation",
            "Reserve a book for a member. Returns the reservation.",
            {"book_id": STRING, "member_id": "integer"},
            ["book_id", "member_id"],
        ),
        origin="library.jsonl:3",
    ),
    SeedTool(
        spec=spec("find_members", "Find members by part of their name.", {"member_name": STRING}, ["member_name"]),
        output_schema=returns({"member_id": "integer", "member_name": STRING}, many=True),
        origin="library.jsonl:4",
    ),
]


def seed_of(tools: Sequence[SeedTool] = LIBRARY, name: str = "library") -> SeedRow:
    """The seed of a domain that is these tools."""
    content = canonical_json(
        ToolSeed(name=name, description="A town library.", tools=tuple(tools)).model_dump(mode="json")
    )
    return SeedRow(
        id=content_id("seed", content),
        kind="tools",
        domain=name,
        source=0,
        locator=f"{name}.jsonl",
        base_digest="0" * 64,
        dialect="",
        content=content,
    )


def config(**synthesise: Any) -> RunConfig:
    """A config with these settings of `tools.synthesise`."""
    return RunConfig.model_validate(
        {
            "name": "specs",
            "sources": [{"kind": "sql", "url": "sqlite:///unused.sqlite"}],
            "tools": {"synthesise": synthesise},
        }
    )


class PlayedModels:
    """Has the interface of `Models` for structured replies; the embedded players answer, without a server."""

    def __init__(self, mistake_rate: float = 0.0, seed: int = 0) -> None:
        self.mistake_rate = mistake_rate
        self.seed = seed
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, list[Message]]] = []

    async def structured(
        self, role: Role, messages: Sequence[Message], *, draw: int = 0, unit: str = "", remaining: float = 1.0
    ) -> StructuredReply[Any]:
        """The player's reply, through JSON both ways as over the wire."""
        assert unit
        assert remaining >= 1.0
        self.calls[role] += 1
        self.requests.append((role, list(messages)))
        shape = {"type": "json_schema", "json_schema": {"name": role, "schema": reply_schema(role)}}
        body = json.loads(json.dumps({"messages": list(messages), "seed": draw, "response_format": shape}))
        content = str(play(Request(body, self.seed, self.mistake_rate))["content"])
        key = content_id("key", body)
        reply = ModelReply(content, (), None, "stop", 1, 1, key, "selfplay", False)
        return StructuredReply(parse_reply(reply, REPLIES[role]), (reply,), False)
