"""OpenAI chat format for fine-tuning: one JSON object a line, `{id, messages, tools, metadata}`."""

import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from schemas.rows import DatasetRow
from turnwright.datasets.dataset import TRAIN, VALIDATION

FILES = {TRAIN: "train.jsonl", VALIDATION: "validation.jsonl"}

# Valid inside a JSON string, but line ends to some readers of JSONL.
_LINE_ENDS = {ord("\x85"): "\\u0085", ord("\u2028"): "\\u2028", ord("\u2029"): "\\u2029"}


def export_openai(rows: Iterable[DatasetRow], folder: Path) -> dict[str, int]:
    """Streams rows into `train.jsonl` and `validation.jsonl` and returns the number of lines in each split.

    A message is as it was: arguments are the text that the model wrote, results stand under the id of their call,
    `content` stays null where it was. Only reasoning changes its name, to `reasoning_content`, the field in which
    endpoints return it and trainers look for it. Both files are always written, an empty split is an empty file.

    Raises:
        OSError: the folder cannot be written; files of an earlier export are then as they were.
        KeyError: a row has a split that is neither of the two.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(FILES, 0)
    temporary = {split: folder / f".writing-{name}" for split, name in FILES.items()}
    try:
        with ExitStack() as stack:
            streams: dict[str, TextIO] = {
                split: stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
                for split, path in temporary.items()
            }
            for row in rows:
                streams[row.split].write(format_line(row) + "\n")
                counts[row.split] += 1
            for stream in streams.values():
                stream.flush()
                os.fsync(stream.fileno())
        for split, path in temporary.items():
            path.replace(folder / FILES[split])
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)
    return counts


def format_line(row: DatasetRow) -> str:
    """One row as a line of the export, without its line end."""
    line = _dump(
        {
            "id": row.id,
            "messages": [_format_message(message) for message in json.loads(row.messages)],
            "tools": json.loads(row.tools),
            "metadata": {
                "dialogue_id": row.dialogue_id,
                "domain": row.domain,
                "paradigm": row.paradigm,
                "difficulty": row.difficulty,
                "behaviour": row.behaviour,
                "turns": row.turns,
                "task_count": row.task_count,
                "calls": row.calls,
                "model": row.model,
                "given_messages": row.given_messages,
            },
        }
    )
    return line.translate(_LINE_ENDS)


def _format_message(message: dict[str, Any]) -> dict[str, Any]:
    return {("reasoning_content" if name == "reasoning" else name): value for name, value in message.items()}


def _dump(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair: no UTF-8, but a JSON escape holds it.
        return json.dumps(value)
    return text
