"""What the dialogues of a dataset are like, one value a dialogue: the statistics that drift is looked for in."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from schemas.rows import TableRef
from turnwright.statistics.dialogue_figures import measure_dialogue, read_messages
from turnwright.statistics.drift import Values
from turnwright.storage.tables import read_columns

_MOST_DIALOGUES = 20_000
"""Dialogues of a table that are measured, evenly spread over it: enough for a distribution, and time stays bounded."""
_COLUMNS = ("domain", "paradigm", "difficulty", "behaviour", "model", "task_count", "messages")


def measure_dataset(tables: Mapping[str, TableRef]) -> dict[str, Values]:
    """Values of each statistic: of the examples, and, for `judgment` and `ending`, of all simulated dialogues.

    Raises:
        TableError: a table cannot be read.
    """
    groups: dict[str, list[str]] = {name: [] for name in ("domain", "paradigm", "difficulty", "behaviour", "model")}
    numbers: dict[str, list[float]] = {
        name: [] for name in ("turns", "requests", "steps", "tasks", "calls", "user_characters", "assistant_characters")
    }
    tools: list[str] = []
    for row in _spread(tables, "dataset", *_COLUMNS):
        for name, values in groups.items():
            values.append(str(row[name]))
        messages = read_messages(str(row["messages"]))
        figures = measure_dialogue(messages)
        measured: dict[str, float] = {
            "turns": figures.turns,
            "requests": figures.requests,
            "steps": sum(figures.steps),
            "tasks": int(str(row["task_count"])),
            "calls": figures.calls,
        }
        spoken = {"user": 0, "assistant": 0}
        for message in messages:
            if message["role"] in spoken:
                spoken[message["role"]] += len(str(message.get("content") or ""))
            for call in message.get("tool_calls") or ():
                tools.append(str(call.get("function", {}).get("name", "")))
        measured |= {f"{role}_characters": count for role, count in spoken.items()}
        for name, values in numbers.items():
            values.append(measured[name])
    judgments = [str(row["judgment"]) for row in _spread(tables, "verdicts", "judgment")]
    endings = [str(row["ending"]) for row in _spread(tables, "dialogues", "ending")]
    return {**numbers, **groups, "tool": tools, "judgment": judgments, "ending": endings}


def _spread(tables: Mapping[str, TableRef], table: str, *columns: str) -> Iterator[Mapping[str, Any]]:
    if table in tables:
        stride = -(-tables[table].rows // _MOST_DIALOGUES) or 1
        yield from islice(read_columns(tables[table], table, columns), 0, None, stride)
