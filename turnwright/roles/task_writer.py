"""The task writer: puts a proved plan into words, told about the person (UO, dialogue tasks)."""

from collections.abc import Sequence
from typing import Any, cast

import prompts
from schemas.databases import Database
from schemas.goals import Persona
from schemas.messages import Message
from schemas.replies import TaskDrafts
from turnwright.goals.drafts import Draft, DraftCall, DraftObjective
from turnwright.goals.words import name_detail
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.tools.naming import to_words

_ROWS = 3
"""Rows of a result that the writer sees."""


def view_plan(draft: Draft, database: Database) -> dict[str, Any]:
    """The plan as the writer gets it, see docs/architecture.md."""
    behaviour = draft.behaviour
    shown = None if behaviour is None else {"name": behaviour.name, "instruction": behaviour.instruction}
    return {
        "difficulty": draft.difficulty,
        "behaviour": shown,
        "objectives": [_view_objective(objective, database) for objective in draft.objectives],
    }


def _view_objective(objective: DraftObjective, database: Database) -> dict[str, Any]:
    return {
        "relation": objective.relation,
        "purpose": objective.purpose,
        "calls": [_view_call(call, database) for call in objective.calls],
        "facts": [fact.model_dump() for fact in objective.facts],
        "known_details": [known.model_dump() for known in objective.known],
    }


def _view_call(call: DraftCall, database: Database) -> dict[str, Any]:
    result = cast(list[Any], call.result)[:_ROWS] if isinstance(call.result, list) else call.result
    return {
        "tool": call.tool.name,
        "description": call.tool.description,
        "lookup": call.lookup,
        "arguments": [
            {
                "name": name,
                "label": _label(call, name, database),
                "value": value,
                "source": call.sources[name].kind,
            }
            for name, value in call.arguments.items()
        ],
        "result": result,
    }


def _label(call: DraftCall, parameter: str, database: Database) -> str:
    for binding in call.tool.bindings:
        table = database.table(binding.table) if binding.name == parameter and binding.table else None
        column = table.column(binding.column) if table is not None and binding.column else None
        if table is not None and column is not None:
            return name_detail(table, column)
    return to_words(parameter)


def ask_for_tasks(draft: Draft, persona: Persona, database: Database) -> list[Message]:
    """The request for the words of one plan."""
    user = prompts.render(
        "task_writer",
        "user",
        domain={"name": database.name, "tables": [table.name for table in database.tables]},
        persona=persona.model_dump(),
        plan=view_plan(draft, database),
    )
    return [
        {"role": "system", "content": prompts.render("task_writer", "system")},
        {"role": "user", "content": user},
    ]


def ask_to_mend(messages: Sequence[Message], drafts: TaskDrafts, problems: Sequence[str]) -> list[Message]:
    """The same request once more, after a reply with problems."""
    return [
        *messages,
        {"role": "assistant", "content": drafts.model_dump_json()},
        {"role": "user", "content": prompts.render("task_writer", "problems", problems=list(problems))},
    ]


async def write_tasks(
    models: Models, messages: Sequence[Message], *, draw: int, unit: str, remaining: float
) -> StructuredReply[TaskDrafts]:
    """One reply of the writer.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the plan does not fit the model.
    """
    return await models.structured("task_writer", messages, draw=draw, unit=unit, remaining=remaining)
