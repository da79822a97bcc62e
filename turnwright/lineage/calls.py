"""The model calls behind a row: what was asked of whom, and what came back, from the call journal."""

from collections.abc import Iterable
from pathlib import Path

from schemas.closed import Closed
from turnwright.models.journal import Journal

_LONGEST_TEXT = 400


class CallEntry(Closed):
    """One model call."""

    key: str
    """Hash of the whole request and its draw index."""
    found: bool
    """Whether the journal has it; the other fields are empty where it has not."""
    role: str = ""
    model: str = ""
    endpoint: str = ""
    unit: str = ""
    """Id of the dialogue or row that the call was for."""
    draw: int = 0
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    text: str = ""
    """Beginning of the reply's content."""
    tools: list[str] = []
    """Names of the tools that the reply calls."""


def read_calls(journal: Path, keys: Iterable[str]) -> list[CallEntry]:
    """The calls of these keys, in the order given, each once.

    Raises:
        SegmentError: the journal is damaged.
        OSError: it cannot be read.
    """
    wanted = list(dict.fromkeys(keys))
    if not wanted or not journal.is_dir():
        return [CallEntry(key=key, found=False) for key in wanted]
    with Journal(journal) as opened:
        return [_describe(opened, key) for key in wanted]


def _describe(journal: Journal, key: str) -> CallEntry:
    try:
        entry = journal.get(key)
    except ValueError:
        entry = None  # not a key: rows made elsewhere may hold anything
    if entry is None:
        return CallEntry(key=key, found=False)
    calls = entry.message.get("tool_calls")
    return CallEntry(
        key=key,
        found=True,
        role=entry.role,
        model=entry.model,
        endpoint=entry.endpoint,
        unit=entry.unit,
        draw=entry.draw,
        finish_reason=entry.finish_reason,
        prompt_tokens=entry.prompt_tokens,
        completion_tokens=entry.completion_tokens,
        text=str(entry.message.get("content") or "")[:_LONGEST_TEXT],
        tools=[_name_tool(call) for call in calls] if isinstance(calls, list) else [],  # pyright: ignore
    )


def _name_tool(call: object) -> str:
    match call:
        case {"function": {"name": str(name)}}:
            return name
        case _:
            return "?"
