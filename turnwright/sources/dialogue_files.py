"""Conversations in files: `{messages, tools}` in OpenAI's chat format, one a line, to be gone on with.

Messages are kept byte for byte, so nothing in them is mended: a conversation in another form has a problem that says
where it departs.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

from schemas.seeds import DialogueSeed, Opening, SeedTool
from schemas.sources import DialoguesSource
from turnwright.sources.documents import Entry, read_items
from turnwright.sources.errors import SourceError
from turnwright.sources.json_text import DocumentProblem, parse_json
from turnwright.sources.locators import clean_name
from turnwright.sources.seed_rows import Found
from turnwright.sources.specifications import read_specification, spread_tools

SUFFIXES = (".jsonl", ".json")
MOST_MESSAGES: Final = 1_000
"""Messages of one conversation."""
_LISTS = ("dialogues", "conversations", "data")


def read_dialogue_files(source: DialoguesSource, position: int) -> Found:
    """The conversations of a file or folder, one domain for each file.

    No line is lost: a conversation that cannot be gone on with carries a problem, and its messages where it has some.

    Raises:
        SourceError: a file cannot be read at all, or no conversation can be used.
    """
    title = f"source {position} ({source.path})"
    domains: dict[str, list[Opening]] = {}
    for file, entries in read_items(source.path, SUFFIXES, title, _spread):
        read = map(_read_opening, entries)
        if source.tools == "others":
            read = (opening.model_copy(update={"tools": ()}) for opening in read)
        domains.setdefault(clean_name(source.name or file.path.stem), []).extend(read)
    found = [opening for openings in domains.values() for opening in openings]
    if all(opening.problem is not None for opening in found):
        detail = f"; {found[0].origin}: {found[0].problem}" if found else ""
        raise SourceError(
            f"{title}: holds no conversation that can be gone on with{detail}",
            "give {messages, tools} in OpenAI's chat format, one object a line",
        )
    return Found(
        source.path, tuple(DialogueSeed(name=name, openings=tuple(openings)) for name, openings in domains.items())
    )


def find_message_problem(messages: Iterable[Any]) -> str | None:
    """Where a list of messages departs from OpenAI's chat format, or cannot be gone on with, as `code: explanation`.

    Allowed are the roles system, user, assistant and tool, content as text (none beside calls), calls with id, type and
    function, and each call answered by one result before anybody else speaks. Further fields may stand in a message.
    """
    open_calls: dict[str, int] = {}
    known: set[str] = set()
    spoken = False
    for number, message in enumerate(messages):
        where = f"message {number}"
        if not isinstance(message, dict):
            return f"bad_message: {where} is not an object"
        own = cast("dict[str, Any]", message)
        role, content = own.get("role"), own.get("content")
        if role not in ("system", "user", "assistant", "tool"):
            return f"bad_role: {where} has the role {str(role)[:40]!r}; known are system, user, assistant and tool"
        if own.get("function_call") is not None:
            return f"old_format: {where} has a function_call; write tool_calls"
        calls = own.get("tool_calls")
        if calls and role != "assistant":
            return f"bad_message: {where} of the {role} has tool_calls"
        if not isinstance(content, str) and not (role == "assistant" and content is None and calls):
            return f"bad_content: the content of {where} is not text"
        if role == "tool":
            answered = own.get("tool_call_id")
            if not isinstance(answered, str) or answered not in open_calls:
                return f"unpaired_result: {where} answers no open call; it needs the tool_call_id of one"
            del open_calls[answered]
            continue
        if open_calls:
            return f"unpaired_call: message {min(open_calls.values())} has a call without a result before {where}"
        if role != "system":
            spoken = True
        if calls is not None:
            problem = _find_call_problem(calls, where, known, open_calls, number)
            if problem is not None:
                return problem
    if open_calls:
        return f"unpaired_call: message {min(open_calls.values())} has a call without a result"
    return None if spoken else "no_conversation: nobody has said anything yet"


def _find_call_problem(calls: Any, where: str, known: set[str], open_calls: dict[str, int], number: int) -> str | None:
    if not isinstance(calls, list):
        return f"bad_call: tool_calls of {where} is not a list"
    for index, call in enumerate(cast("list[Any]", calls)):
        place = f"call {index} of {where}"
        own = cast("dict[str, Any]", call) if isinstance(call, dict) else {}
        function = own.get("function")
        if not isinstance(function, dict):
            return f"bad_call: {place} has no `function`; write {{id, type: function, function: {{name, arguments}}}}"
        inner = cast("dict[str, Any]", function)
        identity = own.get("id")
        if not isinstance(identity, str) or not identity or own.get("type", "function") != "function":
            return f"bad_call: {place} has no id, or is no call of a function"
        if identity in known:
            return f"bad_call: {place} has the id of an earlier call"
        if not isinstance(inner.get("name"), str) or not isinstance(inner.get("arguments"), str):
            return f"bad_call: name and arguments of {place} are not text; arguments are JSON as text"
        known.add(identity)
        open_calls[identity] = number
    return None


def _read_opening(entry: Entry) -> Opening:
    if entry.problem is not None:
        return Opening(origin=entry.origin, messages=(), tools=(), problem=entry.problem)
    given = cast("dict[str, Any]", entry.value) if isinstance(entry.value, dict) else {"messages": entry.value}
    messages = given.get("messages")
    if not isinstance(messages, list):
        problem = "no_messages: there is no list `messages`"
        return Opening(origin=entry.origin, messages=(), tools=(), problem=problem)
    listed = cast("list[Any]", messages)
    problem = find_message_problem(listed)
    if len(listed) > MOST_MESSAGES:
        problem = f"too_long: there are {len(listed):,} messages; at most {MOST_MESSAGES:,} are gone on with"
    tools, tool_problem = _read_tools(given, entry.origin)
    kept = tuple(cast("dict[str, Any]", message) for message in listed if isinstance(message, dict))
    return Opening(origin=entry.origin, messages=kept, tools=tools, problem=problem or tool_problem)


def _read_tools(given: dict[str, Any], origin: str) -> tuple[tuple[SeedTool, ...], str | None]:
    """The tools offered in a conversation, which may stand there as JSON text; none is no problem."""
    offered = given.get("tools", given.get("functions"))
    if isinstance(offered, str) and offered.strip():
        try:
            offered = parse_json(offered)
        except DocumentProblem as problem:
            return (), f"bad_tools: `tools` {problem}"
    if offered is None or offered == "":
        return (), None
    items = spread_tools(offered)
    if items is None:
        return (), "bad_tools: `tools` is not a list"
    return tuple(read_specification(Entry(f"{origin} tool {number}", item)) for number, item in enumerate(items)), None


def _spread(document: Any) -> list[Any] | None:
    """The conversations of a JSON document: a list of them, or a list under one of the usual names."""
    if isinstance(document, list):
        items = cast("list[Any]", document)
        messages = bool(items) and all(isinstance(item, dict) and "role" in item for item in items)
        return None if messages else items
    if isinstance(document, dict) and "messages" not in document:
        for key in _LISTS:
            listed = cast("dict[str, Any]", document).get(key)
            if isinstance(listed, list):
                return cast("list[Any]", listed)
    return None
