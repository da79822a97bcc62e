"""Other ways to write a dialogue down, brought into OpenAI's chat format.

Known are `conversations` of `{from, value}` (ShareGPT), the `function_call` of OpenAI's first format, and calls that
stand in the text between `<tool_call>` tags. What cannot be told apart from prose stays prose.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

_LISTS = ("messages", "conversations", "conversation", "dialogue", "dialog")
_SPEAKERS = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "function_call": "calling",
    "tool_call": "calling",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "function": "tool",
}
_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)
_ANSWERED = re.compile(r"\s*<tool_response>\s*(.*?)\s*</tool_response>\s*", re.DOTALL)


def find_messages(line: Mapping[str, Any]) -> list[Any] | None:
    """The messages of one line of a file, in OpenAI's chat format as far as they can be read so; none without a list.

    A `system` text beside the list becomes the first message.
    """
    found = next((line[key] for key in _LISTS if isinstance(line.get(key), list)), None)
    if found is None:
        return None
    messages = [_read_form(item) for item in cast("list[Any]", found)]
    system = line.get("system")
    first: Any = messages[0] if messages else None
    spoken = isinstance(first, dict) and cast("dict[str, Any]", first).get("role") in ("system", "developer")
    if isinstance(system, str) and system.strip() and not spoken:
        return [{"role": "system", "content": system}, *messages]
    return messages


def find_tools(line: Mapping[str, Any]) -> Any:
    """What a line says of its tools, unread; none where it says nothing."""
    return next((line[key] for key in ("tools", "functions") if line.get(key) is not None), None)


def _read_form(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    message = cast("dict[str, Any]", item)
    if "role" not in message and "from" in message:
        message = _read_spoken(message)
    call = message.get("function_call")
    if isinstance(call, dict) and not message.get("tool_calls"):
        kept = {key: value for key, value in message.items() if key != "function_call"}
        kept["tool_calls"] = [cast("dict[str, Any]", call)]
        return kept
    return message


def _read_spoken(message: dict[str, Any]) -> dict[str, Any]:
    """A message of ShareGPT: who speaks stands in `from`, what is said in `value`."""
    speaker = str(message["from"])
    role = _SPEAKERS.get(speaker, speaker)
    value = message.get("value")
    if not isinstance(value, str):
        return {"role": "assistant" if role == "calling" else role, "content": value}
    if role == "calling":
        return _read_calls(value, [value])
    if role == "assistant" and (tagged := _TAGGED.findall(value)):
        return _read_calls(value, tagged, _TAGGED.sub("", value).strip())
    if role == "tool" and (inner := _ANSWERED.fullmatch(value)):
        value = inner[1]
    return {"role": role, "content": value}


def _read_calls(value: str, texts: Sequence[str], prose: str = "") -> dict[str, Any]:
    """An assistant message with the calls that `texts` hold, or the text as it stood where one of them is no call."""
    calls: list[dict[str, Any]] = []
    for text in texts:
        try:
            read = orjson.loads(text)
        except orjson.JSONDecodeError:
            return {"role": "assistant", "content": value}
        for call in cast("list[Any]", read) if isinstance(read, list) else [read]:
            if not isinstance(call, dict) or "name" not in call:
                return {"role": "assistant", "content": value}
            calls.append(cast("dict[str, Any]", call))
    return {"role": "assistant", "content": prose or None, "tool_calls": calls}
