"""Words that no person would say: identifiers of the system, and keys that only a database knows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.closed import Closed
from schemas.databases import Database
from schemas.tools import SqlTool, Tool

_IDENTIFIER = re.compile(r"\w*[^\W_]_[^\W_]\w*")
_WORD = re.compile(r"[\w-]+")
_KEY_WORD = re.compile(r"(?:\bids?|\bkeys?|\bnumber|\bno\.?|\bcode|#)\s*(?:is|of|=|:)?\s*$", re.IGNORECASE)

SMALL_KEY = 1000
"""A number below this is only taken for a key where the words before it say so: `id 7`, but not `7 matches`."""


class Language(Closed):
    """What users say that they should not, over accepted dialogues, or all where there are no verdicts."""

    first_user_messages: int
    distinct_first_user_messages: int
    repeated_first_user_messages: list[str]
    """Some of those that several dialogues share."""
    identifiers: int
    """Words with an underscore that nobody had said before."""
    surrogate_keys: int
    """Database keys that nobody had said before."""
    examples: list[str]
    """Some of them, as `dialogue id: word`."""


@dataclass(frozen=True)
class SurrogateFields:
    """Where keys that a person does not know go in and come out, for the tools of one toolset."""

    arguments: frozenset[tuple[str, str]]
    """Tool and parameter."""
    outputs: frozenset[tuple[str, str]]
    """Tool and field of its result."""


def find_surrogate_fields(database: Database, tools: Sequence[Tool]) -> SurrogateFields:
    """The parameters and result fields that stand for surrogate columns of the database."""

    def is_surrogate(table: str | None, column: str | None) -> bool:
        if table is None or column is None:
            return False
        known = database.table(table)
        found = known.column(column) if known else None
        return found is not None and found.surrogate

    statements = [tool for tool in tools if isinstance(tool, SqlTool)]
    return SurrogateFields(
        arguments=frozenset(
            (tool.name, binding.name)
            for tool in statements
            for binding in tool.bindings
            if binding.operator not in ("limit", "offset") and is_surrogate(binding.table, binding.column)
        ),
        outputs=frozenset(
            (tool.name, output.name)
            for tool in statements
            for output in tool.outputs
            if is_surrogate(output.table, output.column)
        ),
    )


def find_identifiers(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Words with an underscore that a user says before the assistant or a tool result has said them."""
    heard: set[str] = set()
    found: list[str] = []
    for message in messages:
        words = set(_IDENTIFIER.findall(str(message.get("content") or "")))
        if message["role"] == "user":
            found.extend(sorted(words - heard))
        elif message["role"] != "system":
            heard |= words
    return found


def find_surrogate_keys(
    messages: Sequence[Mapping[str, Any]],
    calls: Sequence[Mapping[str, Any]],
    fields: SurrogateFields,
    known_details: Iterable[Any] = (),
) -> list[str]:
    """Surrogate keys that a user says before the assistant or a tool result has said them.

    What counts as a key are the values that went into, or came out of, surrogate fields in this dialogue, except those
    that the person was given as a known detail (the year 2014 may also be an id).
    """
    keys = {str(value) for call in calls for value in _read_keys(call, fields)} - {
        str(value) for value in known_details
    }
    heard: set[str] = set()
    found: list[str] = []
    for message in messages:
        text = str(message.get("content") or "")
        words = list(_WORD.finditer(text))
        if message["role"] == "user":
            for word in words:
                value = word.group()
                if value in keys and value not in heard and _is_meant_as_key(text, word):
                    found.append(value)
        elif message["role"] != "system":
            heard |= {word.group() for word in words}
    return found


def _is_meant_as_key(text: str, word: re.Match[str]) -> bool:
    if word.group().isdigit() and int(word.group()) < SMALL_KEY:
        return bool(_KEY_WORD.search(text[: word.start()]))
    return True


def _read_keys(call: Mapping[str, Any], fields: SurrogateFields) -> Iterator[Any]:
    if call.get("error") is not None:
        return
    try:
        arguments, result = orjson.loads(call["arguments"]), orjson.loads(call["result"])
    except orjson.JSONDecodeError:
        return
    for row, names in ((arguments, fields.arguments), *((row, fields.outputs) for row in _as_rows(result))):
        if isinstance(row, dict):
            for name, value in row.items():  # pyright: ignore[reportUnknownVariableType]
                if (call["tool"], name) in names and isinstance(value, int | str):
                    yield value


def _as_rows(result: Any) -> list[Any]:
    return result if isinstance(result, list) else [result]  # pyright: ignore[reportUnknownVariableType]
