"""Dialogues as a person reads them: calls with their results, next to the verdict and what the user wanted."""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.rows import TableRef
from turnwright.storage.tables import read_columns

Source = Path | TableRef

_DIALOGUE_COLUMNS = (
    "id",
    "dialogue_task_id",
    "domain",
    "paradigm",
    "difficulty",
    "behaviour",
    "behaviour_occurred",
    "messages",
    "ending",
    "detail",
    "turns",
    "steps",
    "task_count",
    "model",
    "repaired_from",
    "repaired_at",
    "repaired_because",
)


@dataclass(frozen=True)
class ReadCall:
    """One tool call and what came back."""

    name: str
    arguments: str
    """As the model wrote them."""
    result: str | None
    """None where no message answers the call."""

    @property
    def brief_arguments(self) -> str:
        """Arguments as `name=value, ...`, or as written where they are no JSON object."""
        value = parse(self.arguments)
        if not isinstance(value, dict):
            return self.arguments
        return ", ".join(f"{name}={json.dumps(item, ensure_ascii=False)}" for name, item in value.items())  # pyright: ignore[reportUnknownVariableType]

    @property
    def failed(self) -> bool:
        """Whether the result is an error."""
        value = parse(self.result or "")
        return isinstance(value, dict) and set(value) == {"error", "message"}  # pyright: ignore[reportUnknownArgumentType]

    @property
    def pretty_result(self) -> str:
        """The result with line breaks, where it is JSON."""
        value = parse(self.result or "")
        return self.result or "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


@dataclass(frozen=True)
class ReadMessage:
    """One message; tool messages stand with the calls that they answer."""

    index: int
    """Position in the dialogue's messages."""
    role: str
    content: str
    reasoning: str = ""
    calls: tuple[ReadCall, ...] = ()


@dataclass(frozen=True)
class ReadDialogue:
    """A dialogue with all that was said about it."""

    columns: Mapping[str, Any]
    """The scalar columns of its row."""
    messages: list[ReadMessage]
    verdict: Mapping[str, Any] | None = None
    """Its verdict, with `findings` and `bullets` as values."""
    objectives: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What the user pursued."""

    @property
    def id(self) -> str:
        """Row id."""
        return str(self.columns["id"])

    @property
    def judgment(self) -> str:
        """`valid`, `invalid`, `unscored`, or `not judged`."""
        return str(self.verdict["judgment"]) if self.verdict else "not judged"


def list_dialogues(tables: Mapping[str, Source]) -> Iterator[dict[str, Any]]:
    """The light columns of every dialogue, with its `judgment` and `reasons`.

    Raises:
        TableError: a file cannot be read.
    """
    verdicts = {row["dialogue_id"]: row for row in _read(tables, "verdicts", "dialogue_id", "judgment", "reasons")}
    light = [name for name in _DIALOGUE_COLUMNS if name != "messages"]
    for row in _read(tables, "dialogues", *light):
        verdict = verdicts.get(row["id"], {"judgment": "not judged", "reasons": []})
        yield dict(row) | {"judgment": verdict["judgment"], "reasons": verdict["reasons"]}


def choose_dialogues(tables: Mapping[str, Source], count: int = 3) -> list[str]:
    """Ids of dialogues worth reading: a typical valid one, one with a behaviour, and one that was not kept.

    Where a kind is missing, further valid ones take its place. The choice depends on the tables alone.
    """
    listed = sorted(list_dialogues(tables), key=lambda row: row["id"])
    if not listed:
        return []
    valid = [row for row in listed if row["judgment"] == "valid"]
    usual = statistics.median(row["turns"] for row in valid or listed)
    typical = sorted(valid, key=lambda row: (row["task_count"] < 2, abs(row["turns"] - usual)))
    eventful = [row for row in typical if row["behaviour"] != "none" and row["behaviour_occurred"]]
    refused = sorted((row for row in listed if row["judgment"] == "invalid"), key=lambda row: abs(row["turns"] - usual))
    wanted = [*typical[:1], *[row for row in eventful if row not in typical[:1]][:1], *refused[:1], *typical, *listed]
    return list(dict.fromkeys(row["id"] for row in wanted))[:count]


def read_dialogues(tables: Mapping[str, Source], ids: Sequence[str]) -> list[ReadDialogue]:
    """The dialogues of these ids, in their order; an id that is not there is left out.

    Raises:
        TableError: a file cannot be read.
    """
    wanted = set(ids)
    rows = {row["id"]: row for row in _read(tables, "dialogues", *_DIALOGUE_COLUMNS) if row["id"] in wanted}
    verdicts = {row["dialogue_id"]: row for row in _read_verdicts(tables) if row["dialogue_id"] in wanted}
    tasks = {row["dialogue_task_id"] for row in rows.values()}
    objectives = {
        row["id"]: json.loads(row["objectives"])
        for row in _read(tables, "dialogue_tasks", "id", "objectives")
        if row["id"] in tasks
    }
    return [
        ReadDialogue(
            columns={name: value for name, value in rows[identifier].items() if name != "messages"},
            messages=pair_calls(json.loads(rows[identifier]["messages"])),
            verdict=verdicts.get(identifier),
            objectives=objectives.get(rows[identifier]["dialogue_task_id"], []),
        )
        for identifier in ids
        if identifier in rows
    ]


def pair_calls(messages: Sequence[Mapping[str, Any]]) -> list[ReadMessage]:
    """Messages with each tool result next to its call, paired by id; a result that answers no call stands alone."""
    results = {message["tool_call_id"]: message for message in messages if message["role"] == "tool"}
    called = {call["id"] for message in messages for call in message.get("tool_calls") or ()}
    read: list[ReadMessage] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool" and message["tool_call_id"] in called:
            continue
        calls = tuple(
            ReadCall(
                name=call["function"]["name"],
                arguments=call["function"]["arguments"],
                result=results[call["id"]]["content"] if call["id"] in results else None,
            )
            for call in message.get("tool_calls") or ()
        )
        read.append(
            ReadMessage(
                index=index,
                role=message["role"],
                content=message.get("content") or "",
                reasoning=message.get("reasoning") or "",
                calls=calls,
            )
        )
    return read


def parse(text: str) -> Any:
    """The JSON value of a text, or none where it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _read_verdicts(tables: Mapping[str, Source]) -> Iterator[dict[str, Any]]:
    columns = ("dialogue_id", "judgment", "reasons", "findings", "replay", "outcome", "judge", "bullets", "reasoning")
    for row in _read(tables, "verdicts", *columns, "first_faulty_message", "fault"):
        yield dict(row) | {name: json.loads(row[name]) for name in ("findings", "bullets")}


_REPAIRED = {"dialogues": "repaired_dialogues", "verdicts": "repaired_verdicts"}
"""Tables that are read together with another one: a repaired dialogue is a dialogue."""


def _read(tables: Mapping[str, Source], table: str, *columns: str) -> Iterator[Mapping[str, Any]]:
    for part in dict.fromkeys((table, _REPAIRED.get(table, table))):
        if part in tables:
            yield from read_columns(tables[part], part, columns)
