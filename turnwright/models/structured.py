"""Reading a model's JSON: strict first, then as a person would read it.

A model without constrained decoding wraps JSON in prose or code fences, leaves commas behind, quotes like Python or
breaks lines inside strings. What can be read without guessing at content is read; everything else is a problem to
tell the model.
"""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar, cast, get_origin

import orjson
from pydantic import ValidationError

from schemas.messages import Message
from schemas.replies import Reply
from turnwright.models.reply import ModelReply

R = TypeVar("R", bound=Reply)

_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)```", re.DOTALL)
_STRING = r'"(?:[^"\\]|\\.)*"'
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)
_PYTHON_WORD = re.compile(rf"({_STRING})|('(?:[^'\\]|\\.)*')|\b(true|false|null)\b", re.DOTALL)
_WORDS = {"true": "True", "false": "False", "null": "None"}
_LONGEST = 400_000
_QUOTED_BACK = 4000
"""Most characters of a bad reply that the repair call repeats."""


class ReplyProblem(ValueError):
    """A reply that cannot be read, said in a way that helps the model to mend it."""


def parse_reply(reply: ModelReply, kind: type[R]) -> R:
    """The value in a structured reply.

    Raises:
        ReplyProblem: refused, empty, cut off, not JSON, or JSON of another shape.
    """
    if reply.refusal and not reply.content:
        raise ReplyProblem(f"it is a refusal: {reply.refusal[:200]}")
    if reply.finish_reason == "content_filter":
        raise ReplyProblem("it was stopped by a content filter")
    if not reply.content:
        cut = (
            "it is empty; the length limit was reached while thinking"
            if reply.finish_reason == "length"
            else "it is empty"
        )
        raise ReplyProblem(cut)
    try:
        return parse_text(reply.content, kind)
    except ReplyProblem as problem:
        if reply.finish_reason == "length":
            raise ReplyProblem("it was cut off at the length limit; write a shorter one") from problem
        raise


def parse_text(text: str, kind: type[R]) -> R:
    """The first value in `text` that fits `kind`.

    Raises:
        ReplyProblem: there is none.
    """
    problem: ReplyProblem | None = None
    for value in _read_values(text[:_LONGEST]):
        for candidate in _unwrap(value, kind):
            try:
                return kind.model_validate(candidate)
            except ValidationError as error:
                problem = problem or ReplyProblem(f"it is JSON, but {_describe(error)}")
    raise problem or ReplyProblem("it is not JSON")


def check_chat_reply(reply: ModelReply) -> None:
    """Holds for a usable reply in prose and calls.

    Raises:
        ReplyProblem: it says nothing and calls nothing, or was cut off.
    """
    if reply.tool_calls:
        if reply.finish_reason == "length" and not _is_json(reply.tool_calls[-1]["function"]["arguments"]):
            raise ReplyProblem("it was cut off at the length limit inside a call")
        return
    if reply.finish_reason == "length":
        raise ReplyProblem("it was cut off at the length limit; write a shorter one")
    if not reply.content and not reply.refusal:
        raise ReplyProblem("it is empty")


def repair_messages(reply: ModelReply, problem: ReplyProblem, *, structured: bool) -> list[Message]:
    """What the one repair call adds to the conversation: the bad reply, and what is wrong with it."""
    wanted = "Reply again with the JSON value only." if structured else "Reply again."
    bad = (reply.content or reply.refusal or "(no reply)")[:_QUOTED_BACK]
    return [
        {"role": "assistant", "content": bad},
        {"role": "user", "content": f"That reply cannot be used: {problem}. {wanted}"},
    ]


def _read_values(text: str) -> Iterator[Any]:
    """Values that the text may stand for, the most literal reading first."""
    stripped = text.strip().lstrip("\ufeff")
    pieces = [stripped, *(match.strip() for match in _FENCE.findall(stripped))]
    pieces += [piece for piece in _bracketed(stripped) if piece not in pieces]
    for piece in pieces:
        if not piece:
            continue
        value = _read_leniently(piece)
        if isinstance(value, str):  # JSON inside a JSON string
            value = _read_leniently(value.strip())
        if isinstance(value, dict | list):
            yield value


def _read_leniently(text: str) -> Any:
    """The value of one piece of text; None where it is no JSON even with a blind eye."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    if text[:1] not in ("{", "[", '"'):
        return None
    mended = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    for attempt in (text, mended):
        try:
            return json.loads(attempt, strict=False)  # control characters inside strings
        except (ValueError, RecursionError):
            continue
    try:
        return ast.literal_eval(_PYTHON_WORD.sub(_to_python, mended))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _to_python(match: re.Match[str]) -> str:
    return match.group(1) or match.group(2) or _WORDS[match.group(3)]


def _bracketed(text: str) -> Iterator[str]:
    """The outermost `{…}` and `[…]` of a text, brackets inside double-quoted strings not counted."""
    depth, start, in_string, escaped = 0, 0, False, False
    for index, character in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif depth and character == '"':
            in_string = True
        elif character in "{[":
            if not depth:
                start = index
            depth += 1
        elif character in "}]" and depth:
            depth -= 1
            if not depth:
                yield text[start : index + 1]


def _unwrap(value: Any, kind: type[Reply]) -> Iterator[Any]:
    """The value, and what it may be wrapped in or lack: a single outer key, or the only field's name."""
    yield value
    if isinstance(value, dict):
        inner = list(cast(dict[str, Any], value).values())
        if len(inner) == 1 and isinstance(inner[0], dict):
            yield inner[0]
    elif isinstance(value, list):
        items = cast(list[Any], value)
        fields = list(kind.model_fields.items())
        if len(fields) == 1 and get_origin(fields[0][1].annotation) is list:
            yield {fields[0][0]: items}
        elif len(items) == 1:
            yield items[0]


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _describe(error: ValidationError) -> str:
    """The first few differences, as `field: what`."""
    found = [
        f"{'.'.join(str(part) for part in item['loc']) or 'the value'}: {item['msg']}" for item in error.errors()[:4]
    ]
    return "; ".join(found)
