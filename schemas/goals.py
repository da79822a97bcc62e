"""What a user simulator pursues, and how code knows that it was reached."""

from typing import Any, Literal

from schemas.closed import Closed


class ArgumentSource(Closed):
    """Where the value of an argument comes from."""

    kind: Literal["user", "result", "default"]
    """`user`: the person knows it; `result`: an earlier call returned it; `default`: the tool has a default."""
    call: str | None = None
    """Id of the earlier call, for `result`."""
    field: str | None = None
    """Field of that call's result row."""


class PlannedCall(Closed):
    """One call of a proved plan, with the result that it gave when the plan was run."""

    id: str
    """`c1`, `c2`, … in the order of execution, over the whole dialogue."""
    tool: str
    arguments: dict[str, Any]
    """Literal values, references already resolved; null where only a simulated result will tell."""
    sources: dict[str, ArgumentSource]
    """For each argument where its value comes from."""
    result: Any
    """The value returned in the proof; null where the tool is simulated."""
    lookup: bool = False
    """Made only because a later call needs its result; the person never asks for it."""


class Fact(Closed):
    """Something that must reach the user before an objective counts as met."""

    label: str
    """What the value is, in words, as in `earnings of Maria Silva`."""
    value: Any
    """A JSON scalar; compared by value: 25 equals 25.0 and 1,200 equals 1200."""


class KnownDetail(Closed):
    """Something that the person knows and may say; everything else has to be found out."""

    label: str
    value: Any


class Objective(Closed):
    """One high-level goal of a dialogue (the task of the task count)."""

    description: str
    """A descriptive task: what the person wants to end up with, told about them, complete in itself."""
    relation: Literal["first", "extension", "independent"]
    """`extension`: builds on a result of the objective before it."""
    known_details: tuple[KnownDetail, ...]
    rubric: tuple[str, ...]
    """Success criteria, one bullet each."""
    calls: tuple[PlannedCall, ...]
    facts: tuple[Fact, ...]


class Persona(Closed):
    """Who the user is. Shapes how messages sound, never what is true."""

    name: str
    occupation: str
    patience: Literal["low", "normal", "high"]
    precision: Literal["vague", "normal", "exact"]
    language_register: Literal["casual", "neutral", "formal"]
    openness: int
    """Big Five scores, 1 to 5 each."""
    conscientiousness: int
    extraversion: int
    agreeableness: int
    neuroticism: int


class BehaviourPlan(Closed):
    """What a behaviour means in this dialogue; turnwright/goals/behaviours/ makes it."""

    name: str
    """A word of schemas.vocabulary.BEHAVIOURS."""
    objective: int
    """Index of the objective in which it is to happen."""
    instruction: str
    """What the user simulator is told to do; empty for behaviours made by code (tool_fault)."""
    detail: dict[str, Any]
    """What code needs to bring it about and to check it:

    * missing_parameter: `{parameter, call, label, value}`, the value that is left out
    * ambiguous_reference: `{parameter, call, label, vague, value, candidates}`, the word that fits all candidates, and
      the one of them that is meant
    * changed_mind: `{parameter, call, label, from, to, same_message}`
    * wrong_premise: `{label, claimed, fact}`, what the person believes of the objective's fact with that index
    * out_of_scope: `{request}`
    * removed_tool: `{tools, request}`, names of the tools that are not offered
    * forbidden_action: `{tools, request, policy}`, names of the tools that would do it, the rule in the system prompt
    * tool_fault: `{tool, kind, times}`
    * parallel_calls: `{calls: [ids]}`

    In stateless dialogues the objective is a turn, and its detail comes with the dialogue (schemas.stateless.TurnPlan):
    missing_parameter has none before; removed_tool has `links` besides (schemas.stateless.FieldLink), which lead to the
    tool that the request is planned for, the first of `tools`.

    With removed_tool and forbidden_action the objective has neither calls nor facts: nothing of it is to happen.
    """


class RowChange(Closed):
    """One row that differs between two states of a database."""

    table: str
    before: dict[str, Any] | None
    """None where the row was inserted."""
    after: dict[str, Any] | None
    """None where the row was deleted."""


class Beginning(Closed):
    """The messages that a dialogue starts from, begun elsewhere: given, and never changed or judged."""

    seed_id: str
    """Of the seed of kind `dialogues`."""
    origin: str
    """Where the conversation stood: `dialogues.jsonl:3`."""
    messages: tuple[dict[str, Any], ...]
    """In OpenAI's chat format, in order."""
