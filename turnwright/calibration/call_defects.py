"""Defects of the calls themselves: wrong, missing, superfluous. What they give is what they really give."""

import random
from collections.abc import Iterator
from typing import Any, cast

from schemas.messages import CallRecord
from schemas.tools import SqlTool, Tool
from turnwright.calibration.draft import Draft
from turnwright.calibration.prose_values import as_number, find_numbers, holds_words, stands_in
from turnwright.calibration.subject import CannotPlant, Subject, list_leaves, read_json

_TRIES = 16
_SHORTEST_TOLD = 3
"""Characters from which on a word of a result that stands in an answer counts as told."""


def plant_wrong_argument(subject: Subject, rng: random.Random) -> Draft:
    """A call that mattered is made with another value of an argument, and works; what is told of it stays."""
    for position in _shuffle_needed(subject, rng):
        record = subject.calls[position]
        arguments = read_arguments(record)
        names = [name for name in arguments if not _only_counts(subject, record.tool, name)]
        rng.shuffle(names)
        for name in names:
            for value in _list_others(subject, name, arguments[name], rng):
                draft = Draft(subject)
                draft.set_call(position, arguments=arguments | {name: value})
                if _matters(subject, draft, position):
                    return draft
    raise CannotPlant("no needed call works with another value and then says or does something else")


def plant_invalid_argument(subject: Subject, rng: random.Random) -> Draft:
    """A call gives an argument of a type that the tool does not take; the error comes back, and nobody heeds it."""
    for position in _shuffle_needed(subject, rng):
        record = subject.calls[position]
        arguments, tool = read_arguments(record), subject.tools[record.tool]
        for name in rng.sample(sorted(arguments), len(arguments)):
            wrong = _write_as_other_type(tool, name, arguments[name])
            if wrong is None:
                continue
            draft = Draft(subject)
            draft.set_call(position, arguments=arguments | {name: wrong})
            draft.execute()
            if draft.calls[position].error:
                return draft
    raise CannotPlant("no needed call has an argument of a single type")


def plant_wrong_tool(subject: Subject, rng: random.Random) -> Draft:
    """Another tool of the same effect is called in the place of the right one, and works."""
    pool = _pool_values(subject)
    for position in _shuffle_needed(subject, rng):
        record = subject.calls[position]
        others = [
            tool
            for tool in subject.tools.values()
            if tool.name != record.tool and tool.effect == subject.tools[record.tool].effect
        ]
        for tool in rng.sample(others, len(others)):
            arguments = _fill(tool, pool | {key: [value] for key, value in read_arguments(record).items()}, rng)
            if arguments is None:
                continue
            draft = Draft(subject)
            draft.set_call(position, tool=tool.name, arguments=arguments)
            if _matters(subject, draft, position):
                return draft
    raise CannotPlant("no other tool takes the values that the dialogue has")


def plant_dropped_call(subject: Subject, rng: random.Random) -> Draft:
    """A needed call is not made; what it would have given is told all the same."""
    for position in _shuffle_needed(subject, rng):
        draft = Draft(subject)
        draft.drop_call(position)
        if not draft.calls:
            continue
        draft.execute()
        if _lost(subject, draft) or draft.final_digest != subject.row.final_digest:
            return draft
    raise CannotPlant("no needed call can be left out so that anything is missing")


def plant_unneeded_write(subject: Subject, rng: random.Random) -> Draft:
    """The assistant changes something that nobody asked for, before one of its answers, and says nothing of it."""
    writes = [tool for tool in subject.tools.values() if tool.effect == "write"]
    pool = _pool_values(subject)
    if not subject.reports:
        raise CannotPlant("no answer follows a call")
    for tool in rng.sample(writes, len(writes)):
        for _ in range(_TRIES):
            arguments = _fill(tool, pool, rng)
            if arguments is None:
                break
            draft = Draft(subject)
            draft.add_call(rng.choice(subject.reports), f"call_{rng.getrandbits(64):016x}", tool.name, arguments)
            draft.execute()
            untouched = [record.result for record in draft.calls if record.tool != tool.name] == [
                record.result for record in subject.calls if record.tool != tool.name
            ]
            if untouched and draft.final_digest != subject.row.final_digest:
                return draft
    raise CannotPlant("no tool writes" if not writes else "no write works with the values that the dialogue has")


def plant_repeated_write(subject: Subject, rng: random.Random) -> Draft:
    """A write is made twice in a row, and the second time changes the state again."""
    for position in _shuffle_needed(subject, rng):
        record = subject.calls[position]
        if record.effect != "write":
            continue
        draft = Draft(subject)
        place = draft.find_result(record) + 1
        while place < len(draft.messages) and draft.messages[place]["role"] == "tool":
            place += 1
        draft.add_call(place, f"call_{rng.getrandbits(64):016x}", record.tool, read_arguments(record))
        draft.execute()
        if draft.final_digest != subject.row.final_digest and not any(call.error for call in draft.calls):
            return draft
    raise CannotPlant("no write that changes the state a second time")


def list_told(subject: Subject, position: int) -> list[object]:
    """Values of a call's result that stand in an answer after it."""
    record = subject.calls[position]
    said = "\n".join(subject.messages[index]["content"] or "" for index in subject.reports if index > record.message)
    numbers = {spot.value for spot in find_numbers(said)}
    told: list[object] = []
    for leaf in subject.leaves[position]:
        number = as_number(leaf.value)
        if number is not None:
            if number in numbers:
                told.append(leaf.value)
        elif isinstance(leaf.value, str) and len(leaf.value) >= _SHORTEST_TOLD and holds_words(said, leaf.value):
            told.append(leaf.value)
    return told


def read_arguments(record: CallRecord) -> dict[str, Any]:
    """The arguments of a call; none where they are no object."""
    value = read_json(record.arguments)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _shuffle_needed(subject: Subject, rng: random.Random) -> Iterator[int]:
    """Positions of the calls that worked and that the result rests on: writes, and reads whose values are told.

    Raises:
        CannotPlant: there is none.
    """
    if subject.simulated:
        raise CannotPlant("the tools are simulated: nothing answers a changed call")
    fitting = [
        position
        for position, record in enumerate(subject.calls)
        if record.side == "assistant"
        and not record.error
        and record.tool in subject.planned_tools
        and record.tool in subject.tools
        and (record.effect == "write" or list_told(subject, position))
    ]
    if not fitting:
        raise CannotPlant("no call of the plan worked and was told of")
    yield from rng.sample(fitting, len(fitting))


def _matters(subject: Subject, draft: Draft, position: int) -> bool:
    """Whether the changed call works and makes a difference: to the state, or to what was told."""
    draft.execute()
    record = draft.calls[position]
    if record.error or (record.effect == "write" and not record.rows_changed):
        return False
    if record.effect == "write":
        return draft.final_digest != subject.row.final_digest
    return bool(_lost(subject, draft))


def _lost(subject: Subject, draft: Draft) -> set[str]:
    """What was told of results and stands in none of them, nor in the user's words, after an edit."""
    held = {_fold(leaf.value) for record in draft.calls for leaf in list_leaves(read_json(record.result))}
    said = "\n".join(subject.messages[index]["content"] or "" for index in subject.requests)
    return {
        _fold(value)
        for position in range(len(subject.calls))
        for value in list_told(subject, position)
        if _fold(value) not in held and not stands_in(_fold(value), said)
    }


def _fold(value: object) -> str:
    number = as_number(value)
    return str(value) if number is None else f"{number:g}"


def _only_counts(subject: Subject, tool: str, parameter: str) -> bool:
    """Whether a parameter only says how many rows come back."""
    kind = subject.tools[tool]
    return isinstance(kind, SqlTool) and any(
        binding.name == parameter and binding.operator in ("limit", "offset") for binding in kind.bindings
    )


def _list_others(subject: Subject, name: str, value: Any, rng: random.Random) -> Iterator[Any]:
    """Other values for an argument, the most plausible first: those that the dialogue has under that name."""
    near = [other for other in _pool_values(subject).get(name, []) if type(other) is type(value) and other != value]
    yield from rng.sample(near, min(len(near), _TRIES // 2))
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + step for step in rng.sample([-3, -2, -1, 1, 2, 3, 5], 5) if value + step > 0)
    elif isinstance(value, float):
        yield from (round(value * factor, 2) for factor in (1.5, 0.5, 2.0))
    elif isinstance(value, str):
        enum = _read_property(subject, name).get("enum", [])
        yield from (other for other in enum if other != value)
        yield from _list_strings(subject, value, rng)


def _read_property(subject: Subject, name: str) -> dict[str, Any]:
    for tool in subject.tools.values():
        found = tool.parameters.get("properties", {}).get(name)
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    return {}


def _list_strings(subject: Subject, value: str, rng: random.Random) -> list[str]:
    """A few words that results hold."""
    found = sorted(
        {leaf.value for leaves in subject.leaves for leaf in leaves if isinstance(leaf.value, str)} - {value, ""}
    )
    return rng.sample(found, min(len(found), _TRIES // 4))


def _pool_values(subject: Subject) -> dict[str, list[Any]]:
    """Values that the dialogue has under each name: in results and in arguments."""
    pool: dict[str, dict[str, Any]] = {}
    for leaves, record in zip(subject.leaves, subject.calls, strict=True):
        for name, value in [*((leaf.field, leaf.value) for leaf in leaves), *read_arguments(record).items()]:
            if isinstance(value, str | int | float):
                pool.setdefault(name, {})[repr(value)] = value
    return {name: [values[key] for key in sorted(values)] for name, values in sorted(pool.items())}


def _fill(tool: Tool, pool: dict[str, list[Any]], rng: random.Random) -> dict[str, Any] | None:
    """Arguments for the required parameters of a tool; none where one cannot be given a value."""
    schema = tool.parameters
    arguments: dict[str, Any] = {}
    for name in schema.get("required", []):
        rule = cast("dict[str, Any]", schema.get("properties", {}).get(name, {}))
        fitting = [value for value in pool.get(name, []) if _has_type(value, rule.get("type"))]
        if rule.get("enum"):
            fitting = list(rule["enum"])
        if not fitting and rule.get("type") in ("integer", "number"):
            fitting = list(range(1, 13))
        if not fitting:
            return None
        arguments[name] = rng.choice(fitting)
    return arguments


def _has_type(value: Any, kind: Any) -> bool:
    match kind:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return False


def _write_as_other_type(tool: Tool, name: str, value: Any) -> Any:
    """The value as a model writes it that takes the parameter for another type; none where that cannot be told."""
    rule = cast("dict[str, Any]", tool.parameters.get("properties", {}).get(name, {}))
    match rule.get("type"):
        case "integer" | "number":
            return f"number {value}"
        case "string":
            return [value]
        case "boolean":
            return "yes" if value else "no"
        case "array":
            return str(value)
        case _:
            return None
