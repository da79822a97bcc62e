"""A dialogue as the statistics see it: requests, calls with their results, and texts.

It is read from the messages alone (and from the tools' specifications where there are some), never from records that
only one side of a comparison has: a dialogue made elsewhere and one of a run are measured by the same rules.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from schemas.vocabulary import Effect
from turnwright.statistics.fidelity.values import Key, make_key, parse_json, read_leaves
from turnwright.tools.effects import tell_effect
from turnwright.validation.documents import is_error

MOST_CALLS = 400
"""Calls of one dialogue that are read; the longest dialogue of UO, table 1 has 322 steps."""
MOST_MESSAGES = 4000
_LONGEST = 20_000
_DESCRIBED = 400
"""Characters of a tool's description in which its verb is looked for."""


@dataclass(frozen=True)
class Call:
    """One tool call."""

    position: int
    """Number of the call in the dialogue, from 0."""
    request: int
    """Number of the user message that it was made for, from 0; -1 before the first."""
    step: int
    """Number of the assistant message with calls, from 0; calls made together share it."""
    tool: str
    arguments: Any
    effect: Effect


@dataclass(frozen=True)
class Result:
    """What came back from a call."""

    call: int
    """Position of the call."""
    value: Any
    """Parsed where it is JSON, else the text."""
    failed: bool


@dataclass(frozen=True)
class Said:
    """Words of the system, the user or the assistant."""

    role: str
    text: str


Event = Call | Result | Said


@dataclass(frozen=True)
class Trajectory:
    """One dialogue."""

    id: str
    cluster: str
    """What it shares with others that are not independent of it: its domain, toolset or twin; empty if nothing."""
    events: tuple[Event, ...]
    """In the order of the messages."""
    offers: Mapping[str, frozenset[Key]] = field(default_factory=dict[str, frozenset[Key]])
    """Parameter name -> values that the tools' specifications offer: defaults and members of an enum."""
    flags: frozenset[str] = frozenset()
    """Parameters that are true or false."""
    tasks: int | None = None
    """High-level goals; none where nobody counted them."""

    @property
    def calls(self) -> list[Call]:
        """The calls in order."""
        return [event for event in self.events if isinstance(event, Call)]


def read_trajectory(
    messages: Sequence[Mapping[str, Any]],
    *,
    identity: str,
    cluster: str = "",
    tools: Iterable[Mapping[str, Any]] = (),
    effects: Mapping[str, Effect] | None = None,
    tasks: int | None = None,
) -> Trajectory:
    """Reads messages in OpenAI's chat format; what does not have that form is passed over, nothing raises.

    Results are paired with calls by id. A result counts as an error where it is an object with a member `error` (or
    `exception`) that says something, or a text that begins with such a word.

    Args:
        messages: the dialogue.
        identity: its id.
        cluster: what it shares with dialogues that are not independent of it.
        tools: OpenAI function specs.
        effects: tool name -> effect; where it is not known, the tool's name and description tell it.
        tasks: high-level goals, where known.
    """
    tools = list(tools)
    known: dict[str, Effect] = dict(effects or {})
    descriptions = dict(_read_descriptions(tools))
    events: list[Event] = []
    open_calls: dict[str, int] = {}
    request, step, position = -1, -1, 0
    for message in messages[:MOST_MESSAGES]:
        role, content = message.get("role"), message.get("content")
        if role == "user":
            request += 1
        if role in ("user", "system", "assistant", "developer") and isinstance(content, str) and content.strip():
            events.append(Said("system" if role == "developer" else str(role), content[:_LONGEST]))
        elif role == "user":
            events.append(Said("user", ""))
        if role == "assistant":
            made = [cast("dict[str, Any]", call) for call in _list(message.get("tool_calls")) if isinstance(call, dict)]
            step += bool(made)
            for call in made[: max(0, MOST_CALLS - position)]:
                tool, arguments = _read_call(call)
                if tool not in known:
                    known[tool] = tell_effect(tool, descriptions.get(tool, ""), unknown="read")
                effect = known[tool]
                events.append(Call(position, request, step, tool, arguments, effect))
                open_calls[str(call.get("id"))] = position
                position += 1
        elif role == "tool":
            answered = open_calls.pop(str(message.get("tool_call_id")), None)
            if answered is not None:
                value = parse_json(content)
                events.append(Result(answered, value, is_error(value)))
    offers, flags = _read_offers(tools)
    return Trajectory(identity, cluster, tuple(events), offers, flags, tasks)


def _read_call(call: Mapping[str, Any]) -> tuple[str, Any]:
    function = call.get("function")
    if not isinstance(function, Mapping):
        return "", {}
    named = cast("Mapping[str, Any]", function)
    return str(named.get("name") or "")[:200], parse_json(named.get("arguments"))


def _read_descriptions(tools: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for tool in tools:
        function = tool.get("function")
        if isinstance(function, Mapping):
            told = cast("Mapping[str, Any]", function)
            yield str(told.get("name") or "")[:200], str(told.get("description") or "")[:_DESCRIBED]


def _read_offers(tools: Iterable[Mapping[str, Any]]) -> tuple[dict[str, frozenset[Key]], frozenset[str]]:
    offers: dict[str, set[Key]] = {}
    flags: set[str] = set()
    for tool in tools:
        function = tool.get("function")
        waiting: list[Any] = (
            [cast("Mapping[str, Any]", function).get("parameters")] if isinstance(function, Mapping) else []
        )
        for _ in range(500):
            if not waiting:
                break
            node = waiting.pop()
            if not isinstance(node, Mapping):
                continue
            schema = cast("Mapping[str, Any]", node)
            properties = schema.get("properties")
            for name, inner in cast("Mapping[str, Any]", properties).items() if isinstance(properties, Mapping) else ():
                if not isinstance(inner, Mapping):
                    continue
                child = cast("Mapping[str, Any]", inner)
                waiting.append(child)
                items = child.get("items")
                members = _list(child.get("enum")) + (_list(items.get("enum")) if isinstance(items, dict) else [])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
                for leaf in read_leaves([child.get("default"), *members]):
                    if (key := make_key(leaf.value)) is not None:
                        offers.setdefault(str(name), set()).add(key)
                if child.get("type") == "boolean":
                    flags.add(str(name))
            waiting.append(schema.get("items"))
    return {name: frozenset(keys) for name, keys in offers.items()}, frozenset(flags)


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
