"""Dialogues made elsewhere: one JSON object a line with `messages` and, if known, `tools`, in OpenAI's chat format.

Published files take liberties with the format, which are read as what they mean: calls without the `function` level or
without ids, arguments as an object or as the text of a Python call, results as objects, tools without their `type`. A
result without the id of its call answers the first open call (of its name, if it has one) of the message before it, and
one list of objects for several calls answers each with one of them. turnwright/datasets/dialogue_forms.py reads what is
not in that format at all.
"""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from schemas.content import digest
from turnwright.datasets.dialogue_forms import find_messages, find_tools

_MOST_PROBLEMS = 5
_LONGEST_CALL = 20_000
_ROLES = {"system", "developer", "user", "assistant", "tool"}


class BadReference(ValueError):
    """A file cannot be read, or holds no dialogues; the message says where and why."""


@dataclass(frozen=True)
class ReferenceDialogue:
    """One dialogue of a file."""

    id: str
    """Its own, or its line number."""
    arm: str
    """How it was made, where the line says so (`arm`, `paradigm`); else the name of the file."""
    cluster: str
    """Its domain where the line says so, else the names of its tools as a digest; empty where nothing is known."""
    messages: list[dict[str, Any]]
    """In OpenAI's chat format: every call has an id and every result that of its call."""
    tools: list[dict[str, Any]]
    """OpenAI function specs."""
    tasks: int | None
    """High-level goals, where the line says so (`task_count`)."""


def read_references(file: Path) -> Iterator[ReferenceDialogue]:
    """The dialogues of a file, one at a time; empty lines are passed over.

    Raises:
        BadReference: the file cannot be read, has no dialogue, or lines that are none; it names the first of them once
            the end is reached.
    """
    problems: list[str] = []
    found = 0
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    yield read_line(parse_line(line), number, file.name)
                    found += 1
                except ValueError as error:
                    problems.append(f"line {number}: {error}")
    except OSError as error:
        raise BadReference(f"{file} cannot be read: {error.strerror or error}") from None
    if problems:
        more = f" and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
        raise BadReference(f"{file}: {'; '.join(problems[:_MOST_PROBLEMS])}{more}")
    if not found:
        raise BadReference(f"{file} has no dialogues")


def parse_line(line: bytes) -> Any:
    """The value of a line, read leniently.

    Raises:
        ValueError: it is no JSON, whatever is forgiven.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        pass
    try:
        # Takes NaN and half surrogate pairs; the pairs become question marks, because nothing can store them.
        value = json.loads(line, parse_constant=lambda _: None)
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None


def read_line(line: Any, number: int, name: str) -> ReferenceDialogue:
    """The dialogue that the value of a line is; `name` is that of the file.

    Raises:
        ValueError: it is none; the message says why.
    """
    if not isinstance(line, dict):
        raise ValueError("is not an object")
    given = cast("dict[str, Any]", line)
    messages = find_messages(given)
    if messages is None:
        raise ValueError("has no list `messages`")
    described = given.get("metadata")
    told = given | cast("dict[str, Any]", described) if isinstance(described, dict) else given
    tools = _read_tools(find_tools(given))
    tasks = told.get("task_count")
    return ReferenceDialogue(
        id=str(given.get("id") or f"line {number}")[:200],
        arm=str(told.get("arm") or told.get("paradigm") or Path(name).stem)[:200],
        cluster=str(told.get("domain") or (digest(sorted(_name(tool) for tool in tools))[:16] if tools else ""))[:200],
        messages=_read_messages(messages),
        tools=tools,
        tasks=tasks if isinstance(tasks, int) and not isinstance(tasks, bool) else None,
    )


def _read_messages(messages: Sequence[Any]) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = []
    open_calls: list[tuple[str, str]] = []
    made = 0
    for position, item in enumerate(messages):
        if not isinstance(item, Mapping):
            raise ValueError(f"message {position} is not an object")
        message = cast("Mapping[str, Any]", item)
        role = "tool" if message.get("role") == "function" else message.get("role")
        if role not in _ROLES:
            raise ValueError(f"message {position} has the role {str(role)[:40]!r}")
        if role == "tool":
            if (parts := _split_result(message, messages[position + 1 : position + 2], len(open_calls))) is not None:
                for (call, _), part in zip(open_calls, parts, strict=True):
                    read.append({"role": "tool", "tool_call_id": call, "content": _dump(part)})
                open_calls = []
                continue
            identity = _pair(message, open_calls)
            read.append({"role": "tool", "tool_call_id": identity, "content": _read_result(message)})
            continue
        kept: dict[str, Any] = {"role": role, "content": _read_text(message.get("content"))}
        calls = message.get("tool_calls")
        if role == "assistant" and isinstance(calls, list) and calls:
            kept["tool_calls"] = [_read_call(call, made + place) for place, call in enumerate(cast("list[Any]", calls))]
            made += len(cast("list[Any]", calls))
            # Calls that were never answered stay unanswered: a later result is of a later call.
            open_calls = [(call["id"], call["function"]["name"]) for call in kept["tool_calls"]]
        read.append(kept)
    return read


def _split_result(message: Mapping[str, Any], following: Sequence[Any], calls: int) -> list[Any] | None:
    """The results of several calls where one message without an id holds a list of as many; none for any other."""
    alone = not (following and isinstance(following[0], dict) and cast("Any", following[0]).get("role") == "tool")
    if calls < 2 or not alone or message.get("tool_call_id") is not None or message.get("name") is not None:
        return None
    content = message.get("content")
    try:
        held = orjson.loads(content) if isinstance(content, str) else content
    except orjson.JSONDecodeError:
        return None
    parts = cast("list[Any]", held) if isinstance(held, list) else []
    return parts if len(parts) == calls and all(isinstance(part, dict) for part in parts) else None


def _pair(message: Mapping[str, Any], open_calls: list[tuple[str, str]]) -> str | None:
    wanted, name = message.get("tool_call_id"), message.get("name")
    fitting = [call for call in open_calls if call[0] == wanted] if wanted is not None else []
    if wanted is None:
        fitting = [call for call in open_calls if call[1] == name] or open_calls[:1]
    if not fitting:
        return None if wanted is None else str(wanted)
    open_calls.remove(fitting[0])
    return fitting[0][0]


def _read_call(call: Any, number: int) -> dict[str, Any]:
    given = cast("dict[str, Any]", call) if isinstance(call, dict) else {}
    function = given.get("function")
    inner = cast("dict[str, Any]", function) if isinstance(function, dict) else given
    arguments = inner.get("arguments")
    text = arguments if isinstance(arguments, str) else _dump(arguments if arguments is not None else {})
    if text.lstrip().startswith("("):
        text = _read_python(text)
    return {
        "id": str(given.get("id") or f"call_{number}"),
        "type": "function",
        "function": {"name": str(inner.get("name") or "")[:200], "arguments": text},
    }


def _read_python(text: str) -> str:
    """The keyword arguments of `(a=1, b='x')` as JSON; the text unchanged where it is nothing of the kind."""
    if len(text) > _LONGEST_CALL:
        return text
    try:
        parsed = ast.parse(f"f{text.strip()}", mode="eval").body
        if not isinstance(parsed, ast.Call):
            return text
        named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in parsed.keywords if keyword.arg}
        named |= {f"argument_{place}": ast.literal_eval(value) for place, value in enumerate(parsed.args)}
        return _dump(named)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return text


def _read_result(message: Mapping[str, Any]) -> str:
    exception = message.get("exception")
    if exception:
        return _dump({"error": exception})
    content = message.get("content")
    if isinstance(content, str):
        return content
    return (_read_text(cast("list[Any]", content)) or "") if isinstance(content, list) else _dump(content)


def _read_text(content: Any) -> str | None:
    """Text as it is; of a list of parts those that are text; of anything else its JSON."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [cast("dict[str, Any]", part) for part in cast("list[Any]", content) if isinstance(part, dict)]
        texts = [str(part["text"]) for part in parts if part.get("type") == "text" and "text" in part]
        return "\n".join(texts) if texts else _dump(cast("list[Any]", content))
    return _dump(content)


def _read_tools(tools: Any) -> list[dict[str, Any]]:
    if isinstance(tools, str):
        try:
            tools = json.loads(tools)
        except (ValueError, RecursionError):
            return []
    read: list[dict[str, Any]] = []
    for item in cast("list[Any]", tools) if isinstance(tools, list) else []:
        if not isinstance(item, dict):
            continue
        tool = cast("dict[str, Any]", item)
        if isinstance(tool.get("function"), dict):
            promised = {"output_schema": tool["output_schema"]} if "output_schema" in tool else {}
            read.append({"type": "function", "function": tool["function"], **promised})
        elif "name" in tool:
            read.append({"type": "function", "function": tool})
    return read


def _name(tool: Mapping[str, Any]) -> str:
    return str(tool["function"].get("name"))


def _dump(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    except (TypeError, ValueError):
        return str(value)[:_LONGEST_CALL]
