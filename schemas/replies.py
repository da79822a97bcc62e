"""What each role must answer: the JSON Schema of a role's structured reply is made from the class here.

Fields are few and flat, because small models have to fill them.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


REPLIES: dict[Role, type[Reply]] = {
    "question_writer": Questions,
    "sql_tool_writer": SqlToolDrafts,
    "task_writer": TaskDrafts,
    "user_simulator": UserTurn,
    "user_operator": UserAction,
    "judge": Judgement,
}
"""Roles that answer with JSON. The assistant answers in prose and tool calls."""


def reply_schema(role: Role) -> dict[str, Any]:
    """The JSON Schema that an endpoint is given for `role`; every field required, no others."""
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
    return schema
