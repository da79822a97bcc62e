"""A small office that is known by specifications alone, plans over it, and models that play the stateless roles."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spec_world import STRING, tool

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.goals import ArgumentSource, Persona, PlannedCall
from schemas.messages import Message
from schemas.replies import REPLIES, PlanArgument, PlanCall, PlanDraft, reply_schema
from schemas.rows import DialogueTaskRow, ToolsetRow
from schemas.stateless import FieldLink, Scenario
from schemas.tools import SpecTool
from schemas.vocabulary import Role
from turnwright.goals.personas import draw_persona
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.models.structured import parse_reply
from turnwright.selfplay.request import Request
from turnwright.selfplay.server import play
from turnwright.stateless.plans import EarlierCall

NOW = "2025-03-10T10:00:00"
TOOLS: dict[str, SpecTool] = {
    one.name: one
    for one in (
        tool(
            "find_employees",
            {"employee_name": STRING, "city": STRING},
            {"employee_id": STRING, "employee_name": STRING, "city": STRING},
            description="Find the colleagues who have a name.",
            required=["employee_name"],
        ),
        tool(
            "get_order",
            {"order_code": STRING},
            {"order_id": "integer", "order_code": STRING, "total": "number", "customer_id": STRING},
            description="Show an order with its total.",
        ),
        tool(
            "get_customer",
            {"customer_id": STRING, "year": "integer"},
            {"customer_id": STRING, "customer_name": STRING},
            description="Look at who a customer is.",
            required=["customer_id"],
        ),
        tool(
            "send_message",
            {"employee_id": STRING, "subject": STRING, "total": "number"},
            {"message_id": STRING, "status": STRING},
            description="Send a note to a colleague.",
            effect="write",
            required=["employee_id", "subject"],
        ),
        tool(
            "delete_message",
            {"message_id": STRING, "reason": STRING},
            {"message_id": STRING, "deleted": "boolean"},
            description="Take a note back.",
            effect="write",
        ),
    )
}
LINKS = tuple(
    FieldLink(source=source, field=field, target=target, parameter=field)
    for source, field, target in (
        ("find_employees", "employee_id", "send_message"),
        ("get_order", "total", "send_message"),
        ("get_order", "customer_id", "get_customer"),
        ("send_message", "message_id", "delete_message"),
    )
)


def call(identifier: str, name: str, **arguments: Any) -> PlannedCall:
    """A planned call; an argument `("c1", "field")` is a reference."""
    references: dict[str, tuple[str, str]] = {
        key: value for key, value in arguments.items() if isinstance(value, tuple)
    }
    return PlannedCall(
        id=identifier,
        tool=name,
        arguments={key: None if key in references else value for key, value in arguments.items()},
        sources={
            key: ArgumentSource(kind="result", call=references[key][0], field=references[key][1])
            if key in references
            else ArgumentSource(kind="user")
            for key in arguments
        },
        result=None,
    )


def draft(*calls: PlannedCall) -> PlanDraft:
    """The same plan as a model writes it."""
    return PlanDraft(
        calls=[
            PlanCall(
                id=one.id,
                tool=one.tool,
                arguments=[
                    PlanArgument(name=name, from_call=source.call or "", from_field=source.field or "")
                    if source.kind == "result"
                    else PlanArgument(name=name, value=str(one.arguments[name]))
                    for name, source in one.sources.items()
                ],
            )
            for one in calls
        ]
    )


def errand() -> list[PlannedCall]:
    """Priya, in Leeds, is sent the total of an order: the look-ups first, what is wanted last."""
    return [
        call("c1", "find_employees", employee_name="Priya", city="Leeds"),
        call("c2", "get_order", order_code="W12"),
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject="Total", total=("c2", "total")),
    ]


def made(planned: PlannedCall, value: Any, **arguments: Any) -> EarlierCall:
    """A call of an earlier turn with what it gave."""
    return EarlierCall(planned, TOOLS[planned.tool], arguments, value)


def config(**stateless: Any) -> RunConfig:
    """A config with these settings of `stateless`."""
    return RunConfig.model_validate(
        {
            "name": "office",
            "sources": [{"kind": "sql", "url": "sqlite:///unused.sqlite"}],
            "paradigms": {"stateless": 1.0},
            "stateless": stateless,
        }
    )


TOOLSET = ToolsetRow(
    id="toolset_office",
    seed_id="seed_office",
    domain="office",
    tool_ids=sorted(TOOLS),
    tools=canonical_json([one.model_dump(mode="json") for one in TOOLS.values()]),
)


def task(lengths: Sequence[int] = (4, 4), hints: int = 0, **changes: Any) -> DialogueTaskRow:
    """A stateless dialogue task over all tools of the office."""
    scenario = Scenario(sampler="random", tools=tuple(TOOLS), links=LINKS, lengths=tuple(lengths), hints=hints)
    content: dict[str, Any] = {
        "toolset_id": TOOLSET.id,
        "seed_id": TOOLSET.seed_id,
        "domain": "office",
        "paradigm": "stateless",
        "slot": 0,
        "difficulty": "easy",
        "behaviour": "none",
        "behaviour_plan": "null",
        "persona": canonical_json(persona().model_dump()),
        "objectives": "[]",
        "task_count": len(lengths),
        "planned_calls": 0,
        "reference_time": NOW,
        "start_digest": "start",
        "goal_digest": "start",
        "goal_changes": "[]",
        "role": None,
        "model": None,
        "prompt_digest": None,
        "seed": 7,
        "model_calls": [],
        "scenario": canonical_json(scenario.model_dump(mode="json")),
    }
    content |= changes
    return DialogueTaskRow(id=content_id("task", content), **content)


def persona() -> Persona:
    """Somebody."""
    return draw_persona("office")


class OfficeModels:
    """Has the interface of `Models`; the embedded players answer, but for roles that are scripted."""

    def __init__(
        self,
        scripts: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None,
        mistake_rate: float = 0.0,
    ) -> None:
        """`scripts`: role -> the request's body -> a reply as a value, or none for the player's own."""
        self.scripts = dict(scripts or {})
        self.mistake_rate = mistake_rate
        self.asked: Counter[str] = Counter()
        self.requests: list[tuple[str, list[Message]]] = []

    def name_of(self, role: Role) -> str:
        """Model that plays a role."""
        return f"office-{role}"

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
        """A reply through JSON both ways, as over the wire."""
        assert unit
        assert remaining >= 1.0
        self.asked[role] += 1
        self.requests.append((role, list(messages)))
        shape = {"type": "json_schema", "json_schema": {"name": role, "schema": reply_schema(role, fields)}}
        body = json.loads(json.dumps({"messages": list(messages), "seed": draw, "response_format": shape}))
        scripted = self.scripts[role](body) if role in self.scripts else None
        content = (
            json.dumps(scripted) if scripted is not None else str(play(Request(body, 0, self.mistake_rate))["content"])
        )
        reply = ModelReply(content, (), None, "stop", 3, 2, content_id("key", body), "office", False)
        return StructuredReply(parse_reply(reply, REPLIES[role]), (reply,), False)
