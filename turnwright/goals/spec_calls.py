"""Calls over tools that are specifications: literals that a person could name, and what an earlier call has to give."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from schemas.goals import ArgumentSource
from schemas.tools import SpecTool
from turnwright.goals.drafts import Detail, DraftCall
from turnwright.goals.field_matching import LIKELY, SURE, Feeder, find_feeders
from turnwright.goals.literals import Cast
from turnwright.goals.spec_parameters import SpecParameter, list_parameters, place_value
from turnwright.goals.spec_phrases import phrase_tool
from turnwright.goals.words import comparable
from turnwright.tools.argument_checks import find_argument_problem
from turnwright.tools.naming import split_words

SpecCall = DraftCall[SpecTool]
_MOST_OPTIONAL = 2
_OPTIONAL = 0.35
_MOST_DETAILS = 7
"""A person who has to name more for one thing writes a form, not a message."""
_LOOKED_UP = 0.85
_SECRET_WEIGHT = 0.08
"""Weight of a tool that wants a password beside one that does not: people rarely hand those out."""


@dataclass(frozen=True)
class Link:
    """A parameter that an earlier call fills and the person points at."""

    parameter: SpecParameter
    call: SpecCall
    feeder: Feeder


class SpecWorld:
    """The tools of one dialogue, and which of them can feed which. Holds no chance, so that draws may share it."""

    def __init__(self, tools: Sequence[SpecTool]) -> None:
        self.tools = tuple(tools)
        self._by_name = {tool.name: tool for tool in tools}
        self._lookups: dict[tuple[str, str], tuple[Feeder, ...]] = {}
        self._phrases: dict[str, str] = {}
        self._weights: dict[tuple[str, bool], float] = {}

    def phrase(self, tool: SpecTool) -> str:
        """What a tool does, told apart from the others; see `phrase_tool`."""
        if tool.name not in self._phrases:
            self._phrases[tool.name] = phrase_tool(tool, self.tools)
        return self._phrases[tool.name]

    def tool(self, name: str) -> SpecTool:
        """The tool of that name."""
        return self._by_name[name]

    @cached_property
    def feeders(self) -> Mapping[tuple[str, str], tuple[Feeder, ...]]:
        """See `find_feeders`."""
        return find_feeders(self.tools)

    def lookups(self, tool: SpecTool, parameter: SpecParameter) -> tuple[Feeder, ...]:
        """Fields by which an identifier can be looked up without a word: reads whose name or description says so."""
        key = (tool.name, parameter.name)
        if key not in self._lookups:
            self._lookups[key] = tuple(self._find_lookups(tool, parameter))
        return self._lookups[key]

    def _find_lookups(self, tool: SpecTool, parameter: SpecParameter) -> list[Feeder]:
        if not (parameter.is_identifier or parameter.is_secret):
            return []
        return [
            feeder
            for feeder in self.feeders.get((tool.name, parameter.name), ())
            if feeder.score >= SURE
            and not feeder.field.is_listed
            and self.tool(feeder.tool).effect == "read"
            and _is_told(self.tool(feeder.tool), feeder)
            and not any(other.name == parameter.name for other in list_parameters(self.tool(feeder.tool)))
        ]

    def weigh(self, tool: SpecTool, *, chained: bool) -> float:
        """How readily a tool becomes a goal; `chained` favours those that need a look-up."""
        key = (tool.name, chained)
        if key not in self._weights:
            parameters = [parameter for parameter in list_parameters(tool) if parameter.required]
            weight = _SECRET_WEIGHT if any(parameter.is_secret for parameter in parameters) else 1.0
            weight *= 0.5 if not parameters else 1.0
            looked_up = chained and any(self.lookups(tool, parameter) for parameter in parameters)
            self._weights[key] = weight * (4.0 if looked_up else 1.0)
        return self._weights[key]

    def links(self, tool: SpecTool, earlier: Sequence[SpecCall]) -> list[Link]:
        """Parameters that a result of earlier calls can fill, newest call first, the surest field of each."""
        found: list[Link] = []
        for parameter in list_parameters(tool):
            for call in reversed(earlier):
                feeders = [
                    feeder
                    for feeder in self.feeders.get((tool.name, parameter.name), ())
                    if feeder.tool == call.tool.name and feeder.score >= LIKELY
                ]
                if feeders:
                    found.append(Link(parameter, call, feeders[0]))
                    break
        return found


def _is_told(producer: SpecTool, feeder: Feeder) -> bool:
    """Whether a producer's name or description says that it gives such a thing: nobody sees its output schema."""
    said = frozenset(split_words(f"{producer.name} {producer.description}"))
    return frozenset(word.lower() for word in split_words(feeder.field.label)) <= said | {"id"}


class SpecDrawer:
    """Draws the calls of one plan."""

    def __init__(self, world: SpecWorld, cast: Cast, rng: random.Random) -> None:
        self.world = world
        self.cast = cast
        self._rng = rng
        self._made = 0

    def draw(
        self,
        tool: SpecTool,
        *,
        depth: int,
        link: Link | None = None,
        taken: Mapping[str, Any] | None = None,
        fresh: bool = False,
    ) -> list[SpecCall] | None:
        """A goal call of `tool` with its look-ups, or none where a person could not give what it needs.

        Args:
            tool: what is called.
            depth: most look-ups that may stand one behind the other.
            link: a parameter that an earlier result fills.
            taken: labels and values that are said beside it; none of them is used for something else.
            fresh: other values than those named before.
        """
        said = {**taken} if taken else {}
        calls = self._fill(tool, depth, link, said, frozenset(), lookup=False, fresh=fresh)
        details = [detail for call in calls or [] for detail in call.details]
        return calls if calls is not None and len(details) <= _MOST_DETAILS else None

    def _fill(
        self,
        tool: SpecTool,
        depth: int,
        link: Link | None,
        said: dict[str, Any],
        avoid: frozenset[str],
        *,
        lookup: bool,
        fresh: bool,
    ) -> list[SpecCall] | None:
        before: list[SpecCall] = []
        arguments: dict[str, Any] = {}
        sources: dict[str, ArgumentSource] = {}
        details: list[Detail] = []
        for parameter in self._choose_parameters(tool, link, lookup):
            top = parameter.path[0]
            if link is not None and link.parameter.name == parameter.name:
                arguments[top] = None
                sources[top] = ArgumentSource(kind="result", call=link.call.id, field=link.feeder.field.name)
                continue
            found = (
                self._look_up(tool, parameter, depth, said, avoid | {tool.name}) if len(parameter.path) == 1 else None
            )
            if found is not None:
                calls, field = found
                before += calls
                arguments[top] = None
                sources[top] = ArgumentSource(kind="result", call=calls[-1].id, field=field)
                continue
            value = self._name(parameter, said, fresh)
            if value is None:
                if parameter.required:
                    return None
                continue
            place_value(arguments, parameter.path, value)
            sources[top] = ArgumentSource(kind="user")
            details.append(Detail(parameter.label, parameter.label, value, parameter.name, None, None, "="))
        if find_literal_problem(tool, arguments, sources) is not None:
            return None
        self._made += 1
        call = DraftCall(f"d{self._made}", tool, arguments, sources, tuple(details), None, lookup)
        return [*before, call]

    def _choose_parameters(self, tool: SpecTool, link: Link | None, lookup: bool) -> list[SpecParameter]:
        """The required parameters, what the link fills, and at times one or two of the others."""
        parameters = list_parameters(tool)
        linked = link.parameter.name if link is not None else None
        optional = [
            parameter
            for parameter in parameters
            if not parameter.required
            and parameter.name != linked
            and not parameter.is_secret
            and not parameter.is_identifier
            and len(parameter.path) == 1
        ]
        chosen = [parameter.name for parameter in optional if not lookup and self._rng.random() < _OPTIONAL]
        return [
            parameter
            for parameter in parameters
            if parameter.required or parameter.name == linked or parameter.name in chosen[:_MOST_OPTIONAL]
        ]

    def _look_up(
        self, tool: SpecTool, parameter: SpecParameter, depth: int, said: dict[str, Any], avoid: frozenset[str]
    ) -> tuple[list[SpecCall], str] | None:
        if depth <= 0 or self._rng.random() > _LOOKED_UP:
            return None
        for feeder in self.world.lookups(tool, parameter)[:3]:
            if feeder.tool in avoid:
                continue
            trial = dict(said)
            producer = self.world.tool(feeder.tool)
            calls = self._fill(producer, depth - 1, None, trial, avoid, lookup=True, fresh=False)
            # What is looked up without anything to go by would be the same for everyone.
            if calls is not None and any(call.details for call in calls):
                said.update(trial)
                return calls, feeder.field.name
        return None

    def _name(self, parameter: SpecParameter, said: dict[str, Any], fresh: bool) -> Any:
        """A literal, said once under its label; the same label again means the same value."""
        if parameter.label in said:
            known: Any = said[parameter.label]
            return known if isinstance(known, list) == (parameter.kind == "array") else None  # pyright: ignore
        taken = frozenset(comparable(value) for value in said.values())
        value = self.cast.draw(parameter, taken, fresh=fresh)
        if value is not None:
            said[parameter.label] = value
        return value


def find_literal_problem(
    tool: SpecTool, arguments: Mapping[str, Any], sources: Mapping[str, ArgumentSource]
) -> str | None:
    """What is wrong with the arguments of a call, those that a result will fill aside; none where they fit."""
    known = {name: value for name, value in arguments.items() if sources[name].kind != "result"}
    schema = dict(tool.parameters)
    required = schema.get("required")
    if isinstance(required, list):
        names = cast("list[Any]", required)
        taken = {name for name in arguments if name not in known}
        schema["required"] = [name for name in names if not (isinstance(name, str) and name in taken)]
    return find_argument_problem(tool.model_copy(update={"spec": _with_parameters(tool, schema)}), known)


def _with_parameters(tool: SpecTool, schema: dict[str, Any]) -> dict[str, Any]:
    return {**tool.spec, "function": {**tool.spec["function"], "parameters": schema}}
