"""The task writer: puts a proved plan into words, told about the person (UO, dialogue tasks)."""

from collections.abc import Sequence
from typing import Any

import prompts
from schemas.databases import Database
from schemas.goals import Persona
from schemas.messages import Message
from schemas.replies import TaskDrafts
from turnwright.goals.drafts import Draft
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.tools.naming import to_words


def view_plan(draft: Draft) -> dict[str, Any]:
    """The plan as the writer gets it, see docs/architecture.md.

    Neither calls nor results are in it: what is not there cannot slip into a description. The facts stand there by
    their labels; code states them in the rubric (turnwright/goals/wording.py).
    """
    return {
        "difficulty": draft.difficulty,
        "objectives": [
            {
                "relation": objective.relation,
                "purpose": objective.purpose,
                "known_details": [known.model_dump() for known in objective.known],
                "to_find_out": [fact.label for fact in objective.facts],
            }
            for objective in draft.objectives
        ],
    }


def ask_for_tasks(draft: Draft, persona: Persona, database: Database) -> list[Message]:
    """The request for the words of one plan."""
    user = prompts.render(
        "task_writer",
        "user",
        service={"name": to_words(database.name)},
        persona={"name": persona.name, "occupation": persona.occupation},
        plan=view_plan(draft),
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
