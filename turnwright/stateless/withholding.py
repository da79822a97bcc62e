"""Which value of a turn the request leaves out (missing_parameter): one that is needed and only the user can know."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from schemas.content import canonical_json
from schemas.goals import PlannedCall
from schemas.messages import Message
from schemas.stateless import FieldLink
from schemas.tools import Tool
from turnwright.stateless.plans import list_literals
from turnwright.stateless.request_checks import is_said, list_required
from turnwright.tools.parameter_labels import label_parameter
from turnwright.tools.tool_text import first_sentence


@dataclass(frozen=True)
class Withheld:
    """A literal that the user says only once they are asked."""

    call: str
    parameter: str
    label: str
    """What a person calls the parameter."""
    about: str
    """What the tool says of it."""
    value: Any
    """A JSON scalar, neither null nor yes or no."""


def list_withholdable(
    calls: Sequence[PlannedCall],
    tools: Mapping[str, Tool],
    links: Sequence[FieldLink],
    messages: Sequence[Message],
) -> list[Withheld]:
    """The literals of a turn that can be left out of its request, in the order of the calls.

    The tool needs each of them and has no default for it, no offered tool could find it out, and nothing gives it away:
    no message so far, no other literal of the turn, no description of what is asked for.
    """
    filled = {(link.target, link.parameter) for link in links}
    heard = [message["content"] or "" for message in messages]
    heard += [canonical_json(call.get("function")) for message in messages for call in message.get("tool_calls", [])]
    heard += [first_sentence(tools[call.tool].description) for call in calls if call.tool in tools]
    found: list[Withheld] = []
    for call in calls:
        tool = tools.get(call.tool)
        if tool is None:
            continue
        required = cast("list[Any]", tool.parameters.get("required") or [])
        properties = cast("dict[str, Any]", tool.parameters.get("properties") or {})
        for name, value in list_literals(call):
            schema = properties.get(name)
            if name not in required or (call.tool, name) in filled or not isinstance(schema, dict):
                continue
            if not _is_telling(value) or not _is_open(cast("dict[str, Any]", schema)):
                continue
            others = [str(other) for other in _list_others(calls, call, name)]
            if any(is_said(value, text) for text in (*heard, *others)):
                continue
            about = str(cast("dict[str, Any]", schema).get("description") or "")
            found.append(Withheld(call.id, name, label_parameter(tool.name, name), about, value))
    return found


def draw_withheld(
    able: Sequence[Withheld], calls: Sequence[PlannedCall], hidden: frozenset[str], rng: random.Random, *, first: bool
) -> tuple[Withheld, frozenset[str]]:
    """One of the literals, and the calls that stay hidden.

    It is one that the user asks with, not one mentioned in passing: where all of them belong to hidden calls, or where
    nothing would be left that tells the two apart on the first turn, nothing is hidden.
    """
    asked = [one for one in able if one.call not in hidden]
    withheld = rng.choice(asked or able)
    explicit = [leave_out(call, withheld) for call in calls if call.id not in hidden]
    if not asked or (first and hidden and not list_required(explicit)):
        return withheld, frozenset()
    return withheld, hidden


def leave_out(call: PlannedCall, withheld: Withheld) -> PlannedCall:
    """The call without the argument that is left out; another call as it is."""
    if call.id != withheld.call:
        return call
    return call.model_copy(
        update={
            "arguments": {name: value for name, value in call.arguments.items() if name != withheld.parameter},
            "sources": {name: source for name, source in call.sources.items() if name != withheld.parameter},
        }
    )


def _is_telling(value: Any) -> bool:
    """Whether somebody who is asked can say it in a word: no list, no yes or no, nothing empty."""
    return isinstance(value, str | int | float) and not isinstance(value, bool) and bool(str(value).strip())


def _is_open(schema: Mapping[str, Any]) -> bool:
    """Whether the schema leaves open what the value is."""
    options = schema.get("enum")
    single = isinstance(options, list) and len(cast("list[Any]", options)) < 2
    return "default" not in schema and "const" not in schema and not single


def _list_others(calls: Sequence[PlannedCall], call: PlannedCall, parameter: str) -> list[Any]:
    return [
        leaf
        for other in calls
        for name, leaf in list_required([other])
        if not (other.id == call.id and name == parameter)
    ]
