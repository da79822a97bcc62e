"""What each role must answer: the JSON Schema of a role's structured reply is made from the class here.

Fields are few and flat, because small models have to fill them.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.vocabulary import BulletClass, Role


class Reply(BaseModel):
    """A structured reply; unknown fields are ignored, because a model may add one."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Questions(Reply):
    """question_writer: a few of the 20 to 30 questions that span a domain.

    The schema that an endpoint is given has an upper bound, so that constrained decoding stops a list without end; a
    longer reply of an endpoint without it is still read.
    """

    questions: list[str] = Field(min_length=1, json_schema_extra={"maxItems": 12})


class SqlToolDraft(Reply):
    """One tool as the writer gives it."""

    name: str
    description: str
    sql: str


class SqlToolDrafts(Reply):
    """sql_tool_writer: tools that answer a batch of questions; may be empty."""

    tools: list[SqlToolDraft] = Field(json_schema_extra={"maxItems": 10})


class ParameterDraft(Reply):
    """One parameter of a drafted specification. Flat: a schema inside a schema is more than small models write well."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "array"]
    items: Literal["string", "integer", "number", "none"] = "none"
    """Type of an array's items; `none` for everything else."""
    description: str
    required: bool
    values: list[str] = Field(default=[], json_schema_extra={"maxItems": 12})
    """All values of a closed set; empty where any value will do."""


class SpecDraft(Reply):
    """One tool as a specification, before code has looked at it."""

    name: str
    description: str
    parameters: list[ParameterDraft] = Field(json_schema_extra={"maxItems": 12})


class SpecDrafts(Reply):
    """tool_writer, tool_expander: tools that are missing; may be empty."""

    tools: list[SpecDraft] = Field(json_schema_extra={"maxItems": 10})


class FieldDraft(Reply):
    """One field of a result."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "array"]
    items: Literal["string", "integer", "number", "none"] = "none"
    """Type of an array's items; `none` for everything else."""
    description: str


class OutputDraft(Reply):
    """schema_writer: what one tool returns: one object, or a list of objects, with these fields."""

    kind: Literal["object", "array"]
    fields: list[FieldDraft] = Field(min_length=1, json_schema_extra={"maxItems": 16})


class TaskDraft(Reply):
    """One objective put into words."""

    description: str = Field(min_length=1)
    rubric: list[str] = Field(min_length=1)


class TaskDrafts(Reply):
    """task_writer: as many tasks as the plan has objectives, in the same order."""

    tasks: list[TaskDraft] = Field(min_length=1)


class UserTurn(Reply):
    """user_simulator: the next message of the person."""

    user_message: str = Field(min_length=1)
    is_task_complete: bool


class ActionArgument(Reply):
    """user_operator: one argument."""

    name: str
    value: str
    """As text, whatever type the parameter has."""


class UserAction(Reply):
    """user_operator: what the person does at their device next."""

    action: str
    """Name of a tool of the user's side, or `none`."""
    arguments: list[ActionArgument] = Field(default_factory=list[ActionArgument], json_schema_extra={"maxItems": 8})


class BulletJudgement(Reply):
    """judge: one bullet of the rubric."""

    bullet: int
    """Its number, from 1."""
    bullet_class: BulletClass
    evidence: str
    met: bool


class Judgement(Reply):
    """judge: every bullet, then the whole."""

    bullets: list[BulletJudgement]
    reasoning: str
    judgment: Literal["valid", "invalid"]


class ToolSimulation(Reply):
    """tool_simulator: what one call gives back.

    `result` is of the shape that the tool's output schema says; each request names that schema.
    """

    error: str | None = None
    """Why the call fails, in a sentence; none where it works."""
    result: Any
    """Null where the call fails."""

    @model_validator(mode="before")
    @classmethod
    def _bare_result(cls, value: Any) -> Any:
        """A result without the frame around it is taken as one: small models leave the frame out."""
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            framed = any(isinstance(child, dict) and "result" in child for child in fields.values())
            return fields if fields.keys() & {"result", "error"} or framed else {"result": fields}
        return {"result": cast("list[Any]", value)} if isinstance(value, list) else value


class PlanArgument(Reply):
    """planner, back_translator: one argument, either a literal or the output field of an earlier call."""

    name: str
    value: str = ""
    """The literal as text, whatever type the parameter has; empty for a reference."""
    from_call: str = ""
    """Id of the call whose result gives the value; empty for a literal."""
    from_field: str = ""
    """Field of that result; empty for a literal."""

    @field_validator("value", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Small models write numbers and lists as they are; null means that there is no literal."""
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    @field_validator("from_call", "from_field", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return "" if value is None else value


class PlanCall(Reply):
    """planner, back_translator: one call."""

    id: str
    tool: str
    arguments: list[PlanArgument] = Field(json_schema_extra={"maxItems": 16})


class PlanDraft(Reply):
    """planner, back_translator: the calls of one turn, in the order in which they are made."""

    calls: list[PlanCall] = Field(json_schema_extra={"maxItems": 8})


class RequestDraft(Reply):
    """requester: what the user says."""

    request: str


class SummaryDraft(Reply):
    """summariser: what the assistant says when the calls are done."""

    summary: str


class ResponseDraft(Reply):
    """responder: what the assistant says where it calls nothing."""

    response: str


REPLIES: dict[Role, type[Reply]] = {
    "question_writer": Questions,
    "sql_tool_writer": SqlToolDrafts,
    "tool_writer": SpecDrafts,
    "tool_expander": SpecDrafts,
    "schema_writer": OutputDraft,
    "task_writer": TaskDrafts,
    "user_simulator": UserTurn,
    "user_operator": UserAction,
    "judge": Judgement,
    "tool_simulator": ToolSimulation,
    "planner": PlanDraft,
    "requester": RequestDraft,
    "back_translator": PlanDraft,
    "summariser": SummaryDraft,
    "responder": ResponseDraft,
}
"""Roles that answer with JSON. The assistant answers in prose and tool calls."""


def reply_schema(role: Role, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON Schema that an endpoint is given for `role`; every field required, no others.

    `fields` has a schema of its own for some fields, where the shape of a reply differs from request to request.
    """
    schema = REPLIES[role].model_json_schema()

    def close(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":  # pyright: ignore
                node["additionalProperties"] = False
                node["required"] = list(node.get("properties", {}))  # pyright: ignore
            node.pop("title", None)  # pyright: ignore
            for child in node.values():  # pyright: ignore
                close(child)
        elif isinstance(node, list):
            for child in node:  # pyright: ignore
                close(child)

    close(schema)
    for name, own in (fields or {}).items():
        schema["properties"][name] = own
    return schema
