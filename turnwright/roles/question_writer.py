"""The question writer: 20 to 30 questions that span a domain (UO, questions)."""

from typing import Any, cast

import prompts
from schemas.databases import Database
from schemas.messages import Message
from schemas.replies import Questions, Reply
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply

_TEXT_LENGTH = 80
_MANY_TABLES = 12
_FEW_ROWS = 2


def view_database(database: Database) -> dict[str, Any]:
    """What a writer role sees of a database: structure, closed sets of values, and only a few rows.

    A column's type is what its values are, not what was declared. Long texts are cut, and a database of many tables
    shows fewer rows of each, so that the view fits a small model's context.
    """
    many = len(database.tables) > _MANY_TABLES
    return {
        "name": database.name,
        "dialect": database.dialect,
        "tables": [
            {
                "name": table.name,
                "view": table.view,
                "rows": table.rows,
                "columns": [
                    {
                        "name": column.name,
                        "type": column.format or column.json_type,
                        "nullable": column.nullable,
                        "primary_key": column.primary_key,
                        "surrogate": column.surrogate,
                        "references": list(column.references) if column.references else None,
                        "values": list(column.values),
                    }
                    for column in table.columns
                ],
                "sample": [
                    {name: _shorten(value) for name, value in row.items()}
                    for row in table.sample[: _FEW_ROWS if many else None]
                ],
            }
            for table in database.tables
        ],
    }


def _shorten(value: Any) -> Any:
    return f"{value[:_TEXT_LENGTH]}…" if isinstance(value, str) and len(value) > _TEXT_LENGTH else value


async def write_questions(
    models: Models, database: Database, count: int, *, unit: str, draw: int = 0
) -> tuple[list[str], StructuredReply[Reply]]:
    """Up to `count` different questions, and the reply they came in.

    Raises:
        MalformedReply: no usable reply, even after the repair call.
        ContextOverflow: the database's view does not fit the model.
    """
    user = prompts.render("question_writer", "user", database=view_database(database), count=count)
    request: list[Message] = [
        {"role": "system", "content": prompts.render("question_writer", "system")},
        {"role": "user", "content": user},
    ]
    reply = await models.structured("question_writer", request, draw=draw, unit=unit, remaining=8.0)
    return drop_repeated(cast(Questions, reply.value).questions)[:count], reply


def drop_repeated(questions: list[str]) -> list[str]:
    """The questions in order, each once, however it is cased, spaced or punctuated; two words are no question."""
    kept: dict[str, str] = {}
    for question in questions:
        text = " ".join(question.split())
        words = "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
        if len(words) > 2:
            kept.setdefault(" ".join(words), text)
    return list(kept.values())
