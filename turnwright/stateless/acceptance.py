"""The rules by which the plan of a turn is accepted (TC, plan), each with its reason code; no model has a say in it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from schemas.content import canonical_json
from schemas.goals import PlannedCall
from schemas.tools import Tool
from turnwright.stateless.placeholders import is_placeholder
from turnwright.stateless.plans import EarlierCall, Problem, list_literals, list_references
from turnwright.tools.argument_checks import find_problem
from turnwright.tools.entity_canon import read_kind
from turnwright.tools.tool_text import list_fields

FEWEST = 2
"""Fewest calls of a turn."""


def check_plan(
    calls: Sequence[PlannedCall], tools: Mapping[str, Tool], earlier: Sequence[EarlierCall], *, most: int
) -> list[Problem]:
    """Everything that forbids a plan; empty where it is accepted.

    Args:
        calls: the calls of one turn, in order.
        tools: those that are offered, by name.
        earlier: the calls of the turns before; where there are some, the plan has to refer to one of them.
        most: most calls that the turn may have.
    """
    return [
        *_check_size(calls, most),
        *_check_arguments(calls, tools),
        *_check_references(calls, tools, earlier),
        *_check_shape(calls, earlier),
    ]


def check_removed_call(calls: Sequence[PlannedCall], tool: Tool, earlier: Sequence[EarlierCall]) -> list[Problem]:
    """Everything that forbids the plan of a turn that is to be declined: one call of the tool that is not offered.

    It may refer to earlier calls, and need not. `other_goal` where it is another call, or more than one.
    """
    names = [call.tool for call in calls]
    problems = [] if names == [tool.name] else [Problem("other_goal", f"{names} instead of one call of {tool.name}")]
    known = {tool.name: tool}
    linking = [one for one in _check_references(calls, known, earlier) if one.code not in _LINKS]
    return [*problems, *_check_arguments(calls, known), *linking]


_LINKS = frozenset({"no_reference", "no_earlier_link"})
"""What only calls that are made have to meet: they hang together."""


def find_components(calls: Sequence[PlannedCall]) -> list[set[str]]:
    """The connected components of a plan, by ids, earlier calls that it refers to included; edges have no direction."""
    components: list[set[str]] = []
    for call in calls:
        joined = {call.id, *(identifier for _, identifier, _ in list_references(call))}
        touching = [component for component in components if component & joined]
        components = [component for component in components if not component & joined]
        components.append(joined.union(*touching))
    return components


def _check_size(calls: Sequence[PlannedCall], most: int) -> Iterator[Problem]:
    """`too_few_calls`, `too_many_calls`."""
    if len(calls) < FEWEST:
        yield Problem("too_few_calls", f"{len(calls)} calls; a turn has at least {FEWEST}")
    if len(calls) > max(FEWEST, most):
        yield Problem("too_many_calls", f"{len(calls)} calls; this turn has at most {max(FEWEST, most)}")


def _check_arguments(calls: Sequence[PlannedCall], tools: Mapping[str, Tool]) -> Iterator[Problem]:
    """`unknown_tool`, `unknown_argument`, `missing_argument`, `invalid_literal`, `placeholder`: what no tool takes."""
    for call in calls:
        tool = tools.get(call.tool)
        if tool is None:
            yield Problem("unknown_tool", f"{call.id}: there is no tool {call.tool!r}")
            continue
        schema = tool.parameters
        properties = cast("dict[str, Any]", schema.get("properties") or {})
        unknown = sorted(call.sources.keys() - properties.keys())
        if unknown:
            yield Problem("unknown_argument", f"{call.id}: {call.tool} has no parameter {', '.join(unknown)}")
        required = [str(name) for name in cast("list[Any]", schema.get("required") or [])]
        missing = [name for name in required if name not in call.sources]
        if missing:
            yield Problem("missing_argument", f"{call.id}: {call.tool} needs {', '.join(missing)}")
        literals = {name: value for name, value in list_literals(call) if name in properties}
        known = {**schema, "required": [name for name in required if name in literals]}
        problem = find_problem(known, literals)
        if problem is not None:
            yield Problem("invalid_literal", f"{call.id}: {call.tool}: {problem}")
        for name, value in literals.items():
            closed = "enum" in cast("dict[str, Any]", properties[name])
            if isinstance(value, str) and not closed and is_placeholder(name, value):
                yield Problem("placeholder", f"{call.id}: {value[:80]!r} stands for a {name} and is none")


def _check_references(
    calls: Sequence[PlannedCall], tools: Mapping[str, Tool], earlier: Sequence[EarlierCall]
) -> Iterator[Problem]:
    """`forward_reference`, `unknown_reference`, `unknown_field`, `field_type`, `no_reference`, `no_earlier_link`."""
    places = {call.id: position for position, call in enumerate(calls)}
    made: dict[str, Tool] = {known.call.id: known.tool for known in earlier}
    referred = 0
    for position, call in enumerate(calls):
        for name, identifier, field in list_references(call):
            referred += 1
            if places.get(identifier, -1) >= position:
                yield Problem("forward_reference", f"{call.id}: {name} comes from {identifier}, which is not made yet")
                continue
            own = tools.get(calls[places[identifier]].tool) if identifier in places else None
            source = made.get(identifier) or own
            if source is None:
                yield Problem("unknown_reference", f"{call.id}: {name} comes from {identifier!r}, which is no call")
                continue
            given = list_fields(source.output_schema).get(field)
            if given is None:
                yield Problem("unknown_field", f"{call.id}: {source.name} returns no field {field!r}")
                continue
            schema = tools[call.tool].parameters if call.tool in tools else {}
            wanted = cast("dict[str, Any]", schema.get("properties") or {}).get(name)
            if isinstance(wanted, dict) and not fits_type(given, cast("dict[str, Any]", wanted)):
                yield Problem("field_type", f"{call.id}: {field} of {source.name} is no value for {name}")
    if not referred:
        yield Problem("no_reference", "no call uses the result of another one")
    if earlier and not any(identifier in made for call in calls for _, identifier, _ in list_references(call)):
        yield Problem("no_earlier_link", "no call uses a result of an earlier turn")


def fits_type(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a field can fill a parameter: the same type, a list for one item, or an item of a list.

    A closed set is filled only by a field whose own closed set shares a value with it. A schema that names no one type,
    or several, is given the benefit of the doubt: execution checks the value itself.
    """
    options = wanted.get("enum")
    if isinstance(options, list):
        given_options = cast("list[Any]", given.get("enum") or [])
        if not any(option in given_options for option in cast("list[Any]", options)):
            return False
    source, target = read_kind(given), read_kind(wanted)
    if source is None or target is None or "array" in (source, target):
        return True
    return source.removeprefix("array of ") == target.removeprefix("array of ")


def _check_shape(calls: Sequence[PlannedCall], earlier: Sequence[EarlierCall]) -> Iterator[Problem]:
    """`not_connected`, `without_literal`, `duplicate_call`."""
    components = find_components(calls)
    if len(components) > 1:
        parts = " | ".join(", ".join(sorted(part)) for part in components)
        yield Problem("not_connected", f"the calls fall into parts: {parts}")
    bare = [call.id for call in calls if not list_literals(call)]
    if len(bare) > 1:
        yield Problem("without_literal", f"{', '.join(bare)} have no literal argument; one call at most may have none")
    seen: dict[str, str] = {_identify(known.call): known.call.id for known in earlier}
    for call in calls:
        same = seen.setdefault(_identify(call), call.id)
        if same != call.id:
            yield Problem("duplicate_call", f"{call.id} is the same call as {same}")


def _identify(call: PlannedCall) -> str:
    """What makes two calls the same: tool, literals and references."""
    sources = sorted((name, identifier, field) for name, identifier, field in list_references(call))
    return canonical_json([call.tool, sorted(list_literals(call), key=lambda item: item[0]), sources])
