"""The question writer: 20 to 30 questions that span a domain (UO, questions)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import prompts
from schemas.databases import Column, Database
from schemas.messages import Message
from schemas.replies import Questions, Reply
from schemas.tools import Tool
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.tools.naming import plural, split_words
from turnwright.tools.tool_text import view_tools

_TEXT_LENGTH = 80
_MANY_TABLES = 12
_FEW_ROWS = 2
_MANY_TOOLS = 40
"""Tools that are shown with their parameters."""
_AT_ONCE = 8
"""Questions that one request asks for."""
_EXTRA_ROUNDS = 2
_MOST_FAULTS = 6
_WORD = re.compile(r"\w+")
_IDENTIFIER = re.compile(r"\b\w*[^\W_]_+[^\W_]\w*\b")
_TECHNICAL = re.compile(
    r"\b(?:tables?|columns?|rows?|databases?|sql|primary keys?|foreign keys?|schemas?|tuples?)\b", re.IGNORECASE
)


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
                **({"view": True} if table.view else {}),
                "rows": table.rows,
                "columns": [_view_column(column) for column in table.columns],
                "sample": [
                    {name: _shorten(value) for name, value in row.items()}
                    for row in table.sample[: _FEW_ROWS if many else None]
                ],
            }
            for table in database.tables
        ],
    }


def _view_column(column: Column) -> dict[str, Any]:
    """What does not hold is left out: half of the view would say no more than that."""
    facts: dict[str, Any] = {"name": column.name, "type": column.format or column.json_type}
    if not column.nullable:
        facts["nullable"] = False
    if column.primary_key:
        facts["primary_key"] = True
    if column.surrogate:
        facts["surrogate"] = True
    if column.references:
        facts["references"] = list(column.references)
    if column.values:
        facts["values"] = list(column.values)
    return facts


def _shorten(value: Any) -> Any:
    return f"{value[:_TEXT_LENGTH]}…" if isinstance(value, str) and len(value) > _TEXT_LENGTH else value


async def write_questions(
    models: Models, database: Database, topics: Sequence[str], count: int, *, unit: str, draw: int = 0
) -> tuple[list[str], list[StructuredReply[Reply]]]:
    """Up to `count` different questions that a person could ask, and the replies they came in.

    They are asked for in one conversation, a few at a time: a small model that has to write two dozen at once loses the
    thread and does not stop. Rounds go on while questions are missing, with what was wrong with the ones before, up to
    two rounds more than are needed.

    Args:
        models: the way to the model.
        database: what the writer sees a limited view of.
        topics: what the questions should be about, in order; where they run out, they begin again.
        count: most questions.
        unit: id of the seed, for the journal.
        draw: index of the draw.

    Raises:
        MalformedReply: no usable reply to the first request, even after the repair call.
        ContextOverflow: the database's view does not fit the model.
    """

    def open_conversation(topics: list[str], wanted: int) -> list[Message]:
        view = view_database(database)
        user = prompts.render("question_writer", "user", database=view, topics=topics, count=wanted)
        return prompts.begin_messages(prompts.render("question_writer", "system"), user)

    return await _converse(models, open_conversation, _known_words(database), topics, count, unit, draw)


async def write_tool_questions(
    models: Models,
    service: Mapping[str, str],
    tools: Sequence[Tool],
    topics: Sequence[str],
    count: int,
    *,
    unit: str,
    draw: int = 0,
) -> tuple[list[str], list[StructuredReply[Reply]]]:
    """The same for a domain that is known by its tools alone.

    Args:
        models: the way to the model.
        service: `{name, description}` of the domain.
        tools: its tools, of which the writer sees names, descriptions and parameters.
        topics: what the questions should be about, in order; where they run out, they begin again.
        count: most questions.
        unit: id of the seed, for the journal.
        draw: index of the draw.

    Raises:
        MalformedReply: no usable reply to the first request, even after the repair call.
        ContextOverflow: the tools do not fit the model.
    """

    def open_conversation(topics: list[str], wanted: int) -> list[Message]:
        user = prompts.render(
            "question_writer",
            "tools_user",
            service=dict(service),
            tools=view_tools(tools, most=_MANY_TOOLS),
            topics=topics,
            count=wanted,
        )
        return prompts.begin_messages(prompts.render("question_writer", "tools_system"), user)

    known = {word for tool in tools for word in split_words(f"{tool.name} {tool.description}")}
    return await _converse(models, open_conversation, known, topics, count, unit, draw)


async def _converse(
    models: Models,
    open_conversation: Callable[[list[str], int], list[Message]],
    known: set[str],
    topics: Sequence[str],
    count: int,
    unit: str,
    draw: int,
) -> tuple[list[str], list[StructuredReply[Reply]]]:
    messages: list[Message] = []
    asked: list[str] = []
    replies: list[StructuredReply[Reply]] = []
    faults: list[str] = []
    most = -(-count // _AT_ONCE) + _EXTRA_ROUNDS
    for number in range(most):
        wanted = min(_AT_ONCE, count - len(asked))
        if wanted <= 0:
            break
        about = _next_topics(topics, number * _AT_ONCE, wanted)
        request = [*messages, *(_go_on(about, wanted, faults) if messages else open_conversation(about, wanted))]
        remaining = 6.0 + most - number
        try:
            reply = await models.structured("question_writer", request, draw=draw, unit=unit, remaining=remaining)
        except (MalformedReply, ContextOverflow):
            if not replies:
                raise
            break
        replies.append(reply)
        messages = [*request, {"role": "assistant", "content": reply.value.model_dump_json()}]
        found, faults = _sort_out(cast(Questions, reply.value).questions, known)
        asked = drop_repeated([*asked, *found])
    return asked[:count], replies


def _go_on(topics: list[str], count: int, faults: list[str]) -> list[Message]:
    if faults:
        mend = prompts.render("question_writer", "mend", problems=faults, topics=topics, count=count)
        return [{"role": "user", "content": mend}]
    again = prompts.render("question_writer", "again", topics=topics, count=count)
    return [{"role": "user", "content": again}]


def _next_topics(topics: Sequence[str], start: int, count: int) -> list[str]:
    return [topics[(start + offset) % len(topics)] for offset in range(count)] if topics else []


def sort_out(questions: Sequence[str], database: Database) -> tuple[list[str], list[str]]:
    """The questions that a person could ask, each once, and what is wrong with the others, each fault once."""
    return _sort_out(questions, _known_words(database))


def _sort_out(questions: Sequence[str], known: set[str]) -> tuple[list[str], list[str]]:
    kept: list[str] = []
    faults: dict[str, None] = {}
    for question in drop_repeated(list(questions)):
        fault = _find_fault(question, known)
        if fault is None:
            kept.append(question)
        else:
            faults.setdefault(fault)
    return kept, list(faults)[:_MOST_FAULTS]


def _find_fault(question: str, known: set[str]) -> str | None:
    for word in _TECHNICAL.findall(question):
        if word.lower() not in known:
            return f"{word.lower()} is no word of a person who uses the service."
    for word in _IDENTIFIER.findall(question):
        if word.lower() not in known:
            return f"{word} is no word of a person who uses the service."
    return None


def _known_words(database: Database) -> set[str]:
    """Words that only look technical, because the domain or its content has them: the tables of a restaurant."""
    words: set[str] = set()
    for table in database.tables:
        for name in (table.name, *(column.name for column in table.columns)):
            words |= set(split_words(name)) | {plural(word) for word in split_words(name)}
        values = [value for column in table.columns for value in column.values]
        for value in (*values, *(value for row in table.sample for value in row.values())):
            if isinstance(value, str):
                words |= {word.lower() for word in _WORD.findall(value)}
    return words


def drop_repeated(questions: list[str]) -> list[str]:
    """The questions in order, each once, however it is cased, spaced or punctuated; two words are no question."""
    kept: dict[str, str] = {}
    for question in questions:
        text = " ".join(question.split())
        words = "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
        if len(words) > 2:
            kept.setdefault(" ".join(words), text)
    return list(kept.values())
