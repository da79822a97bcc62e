"""The task writer: puts a plan into words, told about the person or as their whole query (UO, dialogue tasks)."""

from collections.abc import Sequence
from typing import Any

import prompts
from schemas.goals import Persona
from schemas.messages import Message
from schemas.replies import TaskDrafts
from schemas.tools import Tool
from turnwright.goals.drafts import Draft
from turnwright.goals.planning import Service
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.tools.naming import to_words


def view_plan(draft: Draft[Tool], *, query: bool = False) -> dict[str, Any]:
    """The plan as the writer gets it, see docs/architecture.md.

    Neither calls nor results are in it: what is not there cannot slip into a description. The facts stand there by
    their labels; code states them in the rubric (turnwright/goals/wording.py). A plan for a whole query says so.
    """
    form = {"form": "query"} if query else {}
    return form | {
        "difficulty": draft.difficulty,
        "objectives": [
            {
                "relation": objective.relation,
                "purpose": objective.purpose,
                "known_details": [known.model_dump() for known in objective.known],
                "to_find_out": [*(fact.label for fact in objective.facts), *objective.told],
            }
            for objective in draft.objectives
        ],
    }


def ask_for_tasks(draft: Draft[Tool], persona: Persona, service: Service, *, query: bool = False) -> list[Message]:
    """The request for the words of one plan: told about the person, or as the whole `query` that the person writes."""
    user = prompts.render(
        "task_writer",
        "query_user" if query else "user",
        service={"name": to_words(service.name)},
        persona={"name": persona.name, "occupation": persona.occupation},
        plan=view_plan(draft, query=query),
    )
    return prompts.begin_messages(prompts.render("task_writer", "query_system" if query else "system"), user)


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
