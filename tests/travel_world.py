"""Tools that are specifications alone, a simulator that answers them by rule, and the loop between the players."""

import hashlib
import json
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.content import canonical_json, content_id
from schemas.goals import Objective, RowChange
from schemas.messages import Message, ToolError, ToolResult
from schemas.replies import REPLIES
from schemas.rows import SeedRow, ToolsetRow
from schemas.seeds import SeedTool, ToolSeed
from schemas.tools import SpecTool, Tool
from schemas.vocabulary import Role
from turnwright.environments.base import Fault
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.rollout.arguments import error_result
from turnwright.selfplay import assistant, judge, task_writer, tool_simulator, user_simulator
from turnwright.selfplay.request import Request

WRITING = frozenset(
    "add create delete remove send post book cancel register set update mkdir mv rm cp touch echo follow unfollow"
    " comment"
    " mention retweet purchase clear replace append fill lock start press release adjust activate contact".split()
)
IDENTIFIER = {"type": "string", "description": "ID of the {}."}


def spec_tool(
    name: str,
    description: str,
    properties: Mapping[str, Any],
    output: Mapping[str, Any],
    *,
    required: Sequence[str] | None = None,
    effect: str = "read",
) -> SpecTool:
    """A tool of these schemas; each output is a JSON type or a schema."""
    parameters = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties) if required is None else list(required),
    }
    function = {"name": name, "description": description, "parameters": parameters}
    fields = {key: {"type": value} if isinstance(value, str) else value for key, value in output.items()}
    return SpecTool(
        name=name,
        spec={"type": "function", "function": function},
        output_schema={"type": "object", "properties": fields},
        effect=effect,  # pyright: ignore
    )


TEXT = {"type": "string"}
TRAVEL = (
    spec_tool(
        "find_traveller",
        "Finds a traveller by e-mail address and returns the traveller ID.",
        {"email": {"type": "string", "format": "email", "description": "E-mail address of the traveller."}},
        {"traveller_id": "string", "full_name": "string"},
    ),
    spec_tool(
        "search_flights",
        "Search for flights between two cities on a date.",
        {
            "origin_city": {"type": "string", "description": "City of departure."},
            "destination_city": {"type": "string", "description": "City of arrival."},
            "travel_date": {"type": "string", "format": "date", "description": "Day of the flight."},
        },
        {
            "flights": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "flight_id": {"type": "string"},
                        "departure_time": {"type": "string"},
                        "price": {"type": "number"},
                    },
                },
            }
        },
    ),
    spec_tool(
        "book_flight",
        "Books a seat on a flight for a traveller.",
        {
            "flight_id": {"type": "string", "description": "ID of the flight."},
            "traveller_id": {"type": "string", "description": "ID of the traveller."},
            "cabin": {"type": "string", "enum": ["economy", "business"], "description": "Cabin to travel in."},
        },
        {"booking_id": "string", "total_price": "number", "status": "string"},
        effect="write",
    ),
    spec_tool(
        "cancel_booking",
        "Cancels a booking.",
        {
            "booking_id": {"type": "string", "description": "ID of the booking."},
            "reason": {"type": "string", "description": "Why it is cancelled."},
        },
        {"refund_amount": "number", "status": "string"},
        effect="write",
    ),
    spec_tool(
        "get_baggage_allowance",
        "Returns the baggage allowance for a cabin class.",
        {"cabin": {"type": "string", "enum": ["economy", "business"], "description": "Cabin to travel in."}},
        {"pieces": "integer", "weight_limit": "number"},
    ),
    spec_tool(
        "send_itinerary",
        "Sends the itinerary of a booking to an e-mail address.",
        {
            "booking_id": {"type": "string", "description": "ID of the booking."},
            "email": {"type": "string", "format": "email", "description": "Where it goes."},
            "with_map": {"type": "boolean", "description": "Whether a map of the airport is added."},
        },
        {"sent": "boolean", "message_id": "string"},
        required=["booking_id", "email"],
        effect="write",
    ),
)


def read_seed_tools(name: str = "bfcl_multi_turn.jsonl") -> dict[str, list[SpecTool]]:
    """The shared seed tools by class, with what they document of their results; nothing where they are not there."""
    folder = os.environ.get("TURNWRIGHT_TEST_DATA")
    file = Path(folder or "") / "seed_tools" / name
    found: dict[str, list[SpecTool]] = {}
    if not folder or not file.is_file():
        return found
    for line in file.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        function, output = entry["function"], entry.get("x_response")
        first = function["name"].lower()
        tool = SpecTool(
            name=function["name"],
            spec={"type": "function", "function": function},
            output_schema=output if isinstance(output, dict) else {"type": "object"},
            effect="write" if any(first.startswith(verb) or f"_{verb}" in first for verb in WRITING) else "read",
        )
        found.setdefault(str(entry["x_category"]), []).append(tool)
    return found


def make_seed(domain: str, tools: Sequence[Tool]) -> SeedRow:
    """The seed that the tools would have come from."""
    content = ToolSeed(
        name=domain, description="", tools=tuple(SeedTool(spec=tool.spec, origin=tool.name) for tool in tools)
    )
    return SeedRow(
        id=f"seed_{domain}",
        kind="tools",
        domain=domain,
        source=0,
        locator=f"{domain}.jsonl",
        base_digest=f"digest-{domain}",
        dialect="",
        content=content.model_dump_json(),
    )


def make_toolset(domain: str, tools: Sequence[Tool]) -> ToolsetRow:
    """All the tools together."""
    text = canonical_json([tool.model_dump() for tool in tools])
    return ToolsetRow(
        id=content_id("toolset", text),
        seed_id=f"seed_{domain}",
        domain=domain,
        tool_ids=[tool.name for tool in tools],
        tools=text,
    )


class Simulator:
    """Answers any tool by its output schema, from the call alone: the same call has the same result."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        rng = random.Random(hashlib.sha256(canonical_json([name, dict(arguments)]).encode()).digest())
        value = self._draw(self._tools[name].output_schema, "result", dict(arguments), rng)
        return ToolResult(text=json.dumps(value), value=value)

    def _draw(self, schema: Any, name: str, arguments: dict[str, Any], rng: random.Random) -> Any:
        schema = schema if isinstance(schema, dict) else {}
        properties = schema.get("properties")
        if isinstance(properties, dict):
            return {key: self._draw(value, key, arguments, rng) for key, value in properties.items()}
        if name in arguments:
            return arguments[name]
        kind = schema.get("type")
        if kind == "array":
            return [self._draw(schema.get("items"), name, {}, rng) for _ in range(rng.randint(1, 3))]
        if kind == "object":
            return {"outcome": rng.choice(["ready", "accepted"]), "score": rng.randint(10, 99)}
        if kind == "boolean":
            return True
        if kind == "integer":
            return rng.randint(100, 9999)
        if kind == "number":
            return round(rng.uniform(10, 900), 2)
        if name.endswith("id"):
            return f"{name[:2].upper()}-{rng.randint(1000, 9999)}"
        return f"{rng.choice(['amber', 'cedar', 'north', 'river'])} {name.replace('_', ' ')}"


class Talk:
    """A conversation of the embedded assistant with tools that are specifications."""

    def __init__(self, tools: Sequence[Tool], *, seed: int = 0, domain: str = "travel") -> None:
        self.tools = tools
        self.simulator = Simulator(tools)
        self.seed = seed
        self.messages: list[dict[str, Any]] = [
            {"role": "system", "content": f"You are a helpful assistant for {domain}. {seed}"}
        ]

    def say(self, text: str) -> str:
        """Says something, lets the assistant work, and returns what it says in the end."""
        self.messages.append({"role": "user", "content": text})
        for _ in range(12):
            body = {"messages": self.messages, "tools": [tool.spec for tool in self.tools]}
            reply = assistant.reply(Request(json.loads(json.dumps(body)), self.seed, 0.0))
            self.messages.append({"role": "assistant", **reply})
            made = reply.get("tool_calls")
            if not made:
                return str(reply["content"])
            for call in made:
                result = self.simulator.call(call["function"]["name"], json.loads(call["function"]["arguments"]))
                self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": result.text})
        raise AssertionError("the assistant does not come to an end")

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls that were made."""
        return [
            (call["function"]["name"], json.loads(call["function"]["arguments"]))
            for message in self.messages
            for call in message.get("tool_calls") or ()
        ]

    @property
    def turns(self) -> int:
        """User, assistant and tool messages."""
        return len(self.messages) - 1


def carry_out(talk: Talk, objective: Objective) -> bool:
    """Whether the calls of a talk hold the goals of an objective, with everything that the person had to give."""
    for call in objective.calls:
        if call.lookup:
            continue
        wanted = {name: value for name, value in call.arguments.items() if call.sources[name].kind == "user"}
        linked = {name for name in call.arguments if call.sources[name].kind == "result"}
        if not any(
            name == call.tool
            and all(arguments.get(key) == value for key, value in wanted.items())
            and linked <= set(arguments)
            for name, arguments in talk.calls
        ):
            return False
    return True


class SimulatedEnvironment:
    """The simulator as an environment: stateless, so that its digest never changes."""

    def __init__(self, tools: Sequence[Tool], fault: Fault | None) -> None:
        self._simulator = Simulator(tools)
        self._fault = fault
        self._struck = 0

    def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        if self._fault is not None and tool == self._fault.tool and self._struck < self._fault.times:
            self._struck += 1
            return error_result(ToolError(kind=self._fault.kind, message="No answer."))
        return self._simulator.call(tool, arguments)

    def state_digest(self) -> str:
        return "simulated"

    def changes(self) -> list[RowChange]:
        return []

    def close(self) -> None:
        return None


class SimulatedBase:
    """Opens simulated environments."""

    digest = "simulated"

    def open(
        self, tools: Sequence[Tool], *, seed: str, reference_time: str, fault: Fault | None = None
    ) -> SimulatedEnvironment:
        return SimulatedEnvironment(tools, fault)

    def close(self) -> None:
        return None


class SelfplayModels:
    """The embedded players without a server: each reply is what the endpoint would send."""

    def __init__(self, *, mistake_rate: float = 0.0) -> None:
        self._mistake_rate = mistake_rate

    async def chat(self, role: Role, messages: Sequence[Message], *, tools: Any = None, **_: Any) -> ModelReply:
        value = assistant.reply(self._request(messages, tools or []))
        return self._reply(value.get("content"), tuple(value.get("tool_calls") or ()))

    async def structured(self, role: Role, messages: Sequence[Message], **_: Any) -> StructuredReply[Any]:
        players = {
            "task_writer": task_writer,
            "user_simulator": user_simulator,
            "judge": judge,
            "tool_simulator": tool_simulator,
        }
        value = players[role].reply(self._request(messages, []))
        return StructuredReply(REPLIES[role].model_validate(value), (self._reply(json.dumps(value), ()),), False)

    def name_of(self, role: Role) -> str:
        return "selfplay"

    def _request(self, messages: Sequence[Message], tools: list[Any]) -> Request:
        return Request(json.loads(json.dumps({"messages": list(messages), "tools": tools})), 1, self._mistake_rate)

    def _reply(self, content: str | None, made: tuple[Any, ...]) -> ModelReply:
        return ModelReply(content, made, None, "stop", 1, 1, "k", "selfplay", False)
