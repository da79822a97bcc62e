"""The plan of one turn, read from what a model wrote: literals in the types that tools ask for, references by id."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from schemas.goals import ArgumentSource, PlannedCall
from schemas.replies import PlanArgument, PlanDraft
from schemas.tools import Tool
from turnwright.environments.simulation.records import is_within_bounds
from turnwright.rollout.conversation import replace_surrogates

LONGEST_LITERAL = 500
"""Most characters of one literal: more than that nobody says in passing."""
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?")
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Problem:
    """Why something was not accepted."""

    code: str
    explanation: str


@dataclass(frozen=True)
class EarlierCall:
    """A call of an earlier turn: what a later plan may refer to."""

    call: PlannedCall
    tool: Tool
    arguments: Mapping[str, Any]
    """With the values that references came to."""
    value: Any
    """Its result."""


@dataclass(frozen=True)
class ReadPlan:
    """The calls of a draft, and what could not be read of it."""

    calls: tuple[PlannedCall, ...]
    problems: tuple[Problem, ...]


def read_plan(draft: PlanDraft, tools: Mapping[str, Tool], earlier: Sequence[EarlierCall]) -> ReadPlan:
    """The plan that a draft stands for.

    Calls are numbered anew after the earlier ones, so that ids run on over the dialogue. A reference is an id compared
    whole: `c1` is no part of `c10`. One that names no call stays as it was written, for the acceptance rules to find.
    """
    problems: list[Problem] = []
    taken = {known.call.id for known in earlier}
    numbers: dict[str, str] = {}
    for position, call in enumerate(draft.calls):
        own = _clean(call.id)
        if own in taken or own in numbers:
            problems.append(Problem("reused_id", f"two calls have the id {own!r}"))
        numbers.setdefault(own, f"c{len(earlier) + position + 1}")
    calls: list[PlannedCall] = []
    for position, call in enumerate(draft.calls):
        name = _clean(call.tool)
        tool = tools.get(name)
        arguments: dict[str, Any] = {}
        sources: dict[str, ArgumentSource] = {}
        for argument in call.arguments:
            key = _clean(argument.name)
            if key in sources:
                problems.append(Problem("repeated_argument", f"{name}: {key} is given twice"))
                continue
            sources[key], arguments[key] = _read_argument(argument, tool, numbers, taken, tools)
            if (problem := _find_oversize(name, key, argument, arguments[key])) is not None:
                problems.append(problem)
        calls.append(
            PlannedCall(
                id=f"c{len(earlier) + position + 1}", tool=name, arguments=arguments, sources=sources, result=None
            )
        )
    return ReadPlan(tuple(calls), tuple(problems))


def list_literals(call: PlannedCall) -> list[tuple[str, Any]]:
    """Parameter and value of each literal argument of a call."""
    return [(name, call.arguments[name]) for name, source in call.sources.items() if source.kind == "user"]


def list_references(call: PlannedCall) -> list[tuple[str, str, str]]:
    """Parameter, call and field of every reference of a call: all of them, not the first alone."""
    return [
        (name, source.call or "", source.field or "")
        for name, source in call.sources.items()
        if source.kind == "result"
    ]


def find_sinks(calls: Sequence[PlannedCall]) -> list[PlannedCall]:
    """The calls whose results no other one uses: what the user is after."""
    used = {identifier for call in calls for _, identifier, _ in list_references(call)}
    return [call for call in calls if call.id not in used]


def read_literal(text: str, schema: Mapping[str, Any]) -> Any:
    """A literal in the type that its parameter asks for; what cannot be read as that stays text."""
    plain = text.strip()
    for kind in list_types(schema):
        match kind:
            case "integer" if _INTEGER.fullmatch(plain):
                return int(plain)
            case "number" if _NUMBER.fullmatch(plain):
                return int(plain) if _INTEGER.fullmatch(plain) else float(plain)
            case "boolean" if plain.casefold() in _TRUTHS:
                return _TRUTHS[plain.casefold()]
            case "array" | "object":
                value = _read_document(plain)
                if isinstance(value, list if kind == "array" else dict):
                    return cast("Any", value)
                if kind == "array" and plain:
                    items = schema.get("items")
                    return [read_literal(plain, cast("dict[str, Any]", items) if isinstance(items, dict) else {})]
            case "string":
                return text
            case _:
                continue
    return text


def list_types(schema: Mapping[str, Any]) -> list[str]:
    """The JSON types that a schema allows, those that are told by text alone last."""
    declared = schema.get("type")
    kinds = cast("list[Any]", declared if isinstance(declared, list) else [declared])
    for part in cast("list[Any]", schema.get("anyOf") or schema.get("oneOf") or []):
        if isinstance(part, dict):
            kinds = [*kinds, *list_types(cast("dict[str, Any]", part))]
    known = [kind for kind in kinds if isinstance(kind, str)]
    if not known:
        options = schema.get("enum")
        known = [_name_type(option) for option in cast("list[Any]", options)] if isinstance(options, list) else []
    return sorted(dict.fromkeys(known), key=lambda kind: kind == "string")


def _name_type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(cast("type[Any]", type(value)), "null")


def _read_argument(
    argument: PlanArgument, tool: Tool | None, numbers: Mapping[str, str], taken: set[str], tools: Mapping[str, Tool]
) -> tuple[ArgumentSource, Any]:
    if argument.from_call:
        called = _clean(argument.from_call)
        # An id of an earlier turn means that turn: a plan that takes it for one of its own is found out as reused_id.
        identifier = called if called in taken else numbers.get(called, called)
        return ArgumentSource(kind="result", call=identifier, field=_read_field(argument.from_field, tools)), None
    properties = cast("dict[str, Any]", tool.parameters.get("properties") or {}) if tool is not None else {}
    schema = properties.get(argument.name)
    value = read_literal(
        replace_surrogates(argument.value), cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    )
    return ArgumentSource(kind="user"), value


def _read_field(text: str, tools: Mapping[str, Tool]) -> str:
    """The field, also where it is written as the links of the prompt write it, with its tool: `get_order.total`."""
    field = _clean(text)
    tool, _, own = field.rpartition(".")
    return own if tool in tools else field


def _find_oversize(tool: str, name: str, argument: PlanArgument, value: Any) -> Problem | None:
    if len(argument.value) > LONGEST_LITERAL or not is_within_bounds(value):
        return Problem("oversized_literal", f"{tool}: {name} is longer than {LONGEST_LITERAL} characters, or too deep")
    return None


def _read_document(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _clean(text: str) -> str:
    return replace_surrogates(text.strip())[:200]
