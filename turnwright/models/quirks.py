"""The habits of providers, evened out: whatever came back becomes one ModelReply.

Everything here is a pure function of the stored reply and the request, so a replay from the journal reads the same.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson

from schemas.messages import ToolCall
from turnwright.models.entry import JournalEntry
from turnwright.models.reply import ModelReply
from turnwright.models.request import BYTES_PER_TOKEN, ChatRequest

_THINK = re.compile(r"^\s*<(think|thinking|reasoning)>(.*?)</\1>\s*", re.DOTALL)
_OPEN_THINK = re.compile(r"^\s*<(?:think|thinking|reasoning)>(.*)\Z", re.DOTALL)
_TAGGED_CALL = re.compile(r"<(tool_call|function_call|tool_code)>\s*(.*?)\s*(?:</\1>|\Z)", re.DOTALL)
_NAMED_CALL = re.compile(r"<function=([\w.-]+)>\s*(.*?)\s*(?:</function>|\Z)", re.DOTALL)
_LISTED_CALLS = re.compile(r"\[TOOL_CALLS\]\s*(\[.*\])", re.DOTALL)
_FENCE = re.compile(r"\A\s*```(?:json|tool_call)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)
_FINISH = {
    None: "stop",
    "": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
}


def read_reply(entry: JournalEntry, request: ChatRequest, *, replayed: bool) -> ModelReply:
    """The reply of a journal entry, in the one shape that the rest of turnwright knows."""
    message = entry.message
    content, reasoning = _split_content(message.get("content"))
    stated = _stated_reasoning(message)
    if stated:
        reasoning = stated
    elif content and (thought := _split_thinking(content)):
        reasoning, content = thought
    refusal = message.get("refusal")
    refusal = refusal if isinstance(refusal, str) and refusal.strip() else None
    found = list(_native_calls(message))
    if not found and request.tools and content:
        found, content = _text_calls(content, {str(tool["function"]["name"]) for tool in request.tools})
    if request.tail.get("parallel_tool_calls") is False:
        found = found[:1]  # asked for one at a time; endpoints without the switch may still send several
    calls = _identify_calls(found, request)
    content = content if content and content.strip() else None
    finish = _FINISH.get(entry.finish_reason, entry.finish_reason) or "stop"
    if calls and finish == "stop":
        finish = "tool_calls"
    elif not calls and finish == "tool_calls":
        finish = "stop"
    prompt_tokens, completion_tokens = entry.prompt_tokens, entry.completion_tokens
    estimated = prompt_tokens is None or completion_tokens is None
    if prompt_tokens is None:
        prompt_tokens = request.estimated_prompt_tokens
    if completion_tokens is None:
        written = (
            len(content or "") + len(reasoning or "") + sum(len(call["function"]["arguments"]) + 16 for call in calls)
        )
        completion_tokens = max(1, written // BYTES_PER_TOKEN)
    return ModelReply(
        content=content,
        tool_calls=calls,
        reasoning=reasoning.strip() or None if reasoning else None,
        finish_reason=finish,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        key=entry.key,
        model=entry.model,
        replayed=replayed,
        usage_estimated=estimated,
        refusal=refusal,
    )


def _split_content(content: Any) -> tuple[str | None, str | None]:
    """Text and thinking of a message's content, which may be a list of typed parts."""
    if content is None or isinstance(content, str):
        return content, None
    if not isinstance(content, list):
        return orjson.dumps(content).decode(), None
    texts: list[str] = []
    thoughts: list[str] = []
    for part in cast(list[Any], content):
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            fields = cast(dict[str, Any], part)
            is_thought = fields.get("type") in ("thinking", "reasoning")
            text = fields.get("thinking") if is_thought and "thinking" in fields else fields.get("text")
            if isinstance(text, list):
                text, _ = _split_content(text)
            if isinstance(text, str):
                (thoughts if is_thought else texts).append(text)
    return "".join(texts), "\n".join(thoughts) or None


def _stated_reasoning(message: Mapping[str, Any]) -> str | None:
    """Thinking that has a field of its own."""
    for name in ("reasoning_content", "reasoning", "thinking"):
        value = message.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None


def _split_thinking(content: str) -> tuple[str, str] | None:
    """`(thinking, rest)` of a reply that thinks in tags; None for one that does not."""
    closed = _THINK.match(content)
    if closed:
        return closed.group(2), content[closed.end() :]
    opened = _OPEN_THINK.match(content)
    if opened:
        return opened.group(1), ""
    head, tag, rest = content.partition("</think>")
    if tag and "<think>" not in head:  # some chat templates put the opening tag into the prompt
        return head, rest.lstrip()
    return None


def _native_calls(message: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """`(id, name, arguments)` of the calls that stand in the fields for calls."""
    listed = message.get("tool_calls")
    calls = cast(list[Any], listed) if isinstance(listed, list) else []
    if not calls and isinstance(message.get("function_call"), dict):
        calls = [{"function": message["function_call"]}]
    for call in calls:
        if not isinstance(call, dict):
            continue
        fields = cast(dict[str, Any], call)
        function = fields.get("function")
        function = cast(dict[str, Any], function) if isinstance(function, dict) else fields
        name = function.get("name")
        if isinstance(name, str) and name:
            identifier = fields.get("id")
            arguments = function.get("arguments", function.get("parameters"))
            yield identifier if isinstance(identifier, str) else "", name, _arguments_text(arguments)


def _arguments_text(arguments: Any) -> str:
    """Arguments as JSON text; a text is left exactly as the model wrote it."""
    if isinstance(arguments, str):
        return arguments if arguments.strip() else "{}"
    return "{}" if arguments is None else orjson.dumps(arguments).decode()


def _text_calls(content: str, names: set[str]) -> tuple[list[tuple[str, str, str]], str]:
    """Calls that the model wrote into its text, and the text without them.

    Tags are taken at their word. JSON without tags counts only if it is the whole reply and names a tool that was
    offered.
    """
    found: list[tuple[str, str, str]] = []
    for pattern in (_TAGGED_CALL, _LISTED_CALLS):
        matches = list(pattern.finditer(content))
        for match in matches:
            found += _json_calls(match.group(match.lastindex or 1))
        if found:
            return found, pattern.sub("", content).strip()
    for match in _NAMED_CALL.finditer(content):
        found.append(("", match.group(1), _arguments_text(match.group(2))))
    if found:
        return found, _NAMED_CALL.sub("", content).strip()
    fenced = _FENCE.match(content)
    bare = fenced.group(1) if fenced else content
    if bare.lstrip().startswith(("{", "[")):
        whole = _json_calls(bare)
        if whole and all(name in names for _, name, _ in whole):
            return whole, ""
    return [], content


def _json_calls(text: str) -> list[tuple[str, str, str]]:
    """Calls in a JSON object, a JSON list, or one object a line; nothing where the text is not that."""
    values: list[Any] = []
    try:
        value = orjson.loads(text)
        values = cast(list[Any], value) if isinstance(value, list) else [value]
    except orjson.JSONDecodeError:
        for line in text.splitlines():
            try:
                values.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                return []
    has_arguments = all(
        isinstance(value, dict) and {"arguments", "parameters", "function"} & value.keys() for value in values
    )
    return list(_native_calls({"tool_calls": values})) if has_arguments else []


def _identify_calls(found: list[tuple[str, str, str]], request: ChatRequest) -> tuple[ToolCall, ...]:
    """Calls with ids unique in the conversation; a missing or repeated id is made from the request's key."""
    taken: set[str] = set()
    if found:
        for message in request.messages:
            for call in cast(list[dict[str, Any]], message.get("tool_calls") or []):
                taken.add(str(call.get("id")))
    calls: list[ToolCall] = []
    for index, (identifier, name, arguments) in enumerate(found):
        if not identifier or identifier in taken:
            identifier = "call_" + hashlib.sha256(f"{request.key}:{index}".encode()).hexdigest()[:24]
        taken.add(identifier)
        calls.append({"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}})
    return tuple(calls)
