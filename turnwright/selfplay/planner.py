"""The embedded planner: chains over the links that it is shown, with literals that fit the parameters.

It begins with what the person is after, fetches what that needs, and adds calls that use what is there. At the mistake
rate a candidate breaks one of the rules of a plan.
"""

import random
from dataclasses import dataclass, field
from typing import Any, cast

from turnwright.selfplay.plan_view import (
    Known,
    PlanTool,
    PlanView,
    next_ids,
    read_earlier,
    read_view,
    write_value,
)
from turnwright.selfplay.request import Request
from turnwright.selfplay.simulated_values import make_number, make_text, pick_type

_TRIES = 24
_OPTIONAL = 0.25
_FETCHED = 0.85
_DEEPEST = 4


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.PlanDraft."""
    view, earlier, rng = read_view(request), read_earlier(request), request.rng
    if "most" not in request.blocks:
        return {"calls": _plan_one(request, view, earlier)}
    most = int(request.blocks["most"])
    best: list[dict[str, Any]] = []
    for _ in range(_TRIES):
        plan = _Plan(request, view, earlier, most, rng)
        plan.draw()
        if plan.holds():
            best = plan.calls
            break
        best = best or plan.calls
    if best and rng.random() < request.mistake_rate:
        best = _spoil(best, rng)
    return {"calls": best}


def _plan_one(request: Request, view: PlanView, earlier: list[Known]) -> list[dict[str, Any]]:
    """One call of the one tool that is shown; at the mistake rate with a mistake."""
    plan = _Plan(request, view, earlier, 1, request.rng)
    plan.add(next(iter(view.tools.values())))
    return _spoil(plan.calls, request.rng) if request.rng.random() < request.mistake_rate else plan.calls


@dataclass
class _Plan:
    request: Request
    view: PlanView
    earlier: list[Known]
    most: int
    rng: random.Random
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        self._ids = next_ids(self.request)
        self._target = self.rng.randint(2, max(2, self.most))
        self._used = {known.tool for known in self.earlier if known.result not in ("null", "[]", "{}")}

    def draw(self) -> None:
        """Fills the plan, as far as the tools allow."""
        goals = self._list_goals()
        if not goals:
            return
        self._add(self.rng.choice(goals), _DEEPEST)
        for _ in range(self._target * 3):
            if len(self.calls) >= self._target:
                break
            names = {call["tool"] for call in self.calls} | self._used
            further = [
                tool
                for tool in self.view.tools.values()
                if any(source in names for name in tool.parameters for source, _ in self._sources(tool, name))
                and (tool.name not in names or self.rng.random() < 0.1)
            ]
            if not further:
                break
            before = len(self.calls)
            self._add(self.rng.choice(further), 2)
            if len(self.calls) > max(2, self.most):
                del self.calls[before:]
                break

    def add(self, tool: PlanTool) -> None:
        """Adds a call of a tool, and of what it needs where that can be fetched."""
        self._add(tool, 0)

    def holds(self) -> bool:
        """Whether the plan is what was asked for, as far as a careful writer checks."""
        if not 2 <= len(self.calls) <= max(2, self.most):
            return False
        arguments = [call["arguments"] for call in self.calls]
        if sum(not _list_said(call) for call in self.calls) > 1:
            return False
        told = [(call["tool"], repr(call["arguments"])) for call in self.calls]
        if len(set(told)) < len(told):
            return False
        before = {known.tool for known in self.earlier}
        if any(call["tool"] in before and not _list_said(call) for call in self.calls):
            return False  # it may well be one that was made before
        known = {known.id for known in self.earlier}
        uses = {one["from_call"] for own in arguments for one in own if one["from_call"]}
        return bool(uses) and (not known or bool(uses & known)) and self._is_connected()

    def _is_connected(self) -> bool:
        joined: list[set[str]] = []
        for call in self.calls:
            own = {call["id"], *(one["from_call"] for one in call["arguments"] if one["from_call"])}
            joined = [part for part in joined if not part & own] + [own.union(*(part for part in joined if part & own))]
        return len(joined) == 1

    def _list_goals(self) -> list[PlanTool]:
        """Tools that something can be fetched for; where there was a turn before, those that it feeds."""
        fed = [tool for tool in self.view.tools.values() if any(self._sources(tool, name) for name in tool.parameters)]
        if not self.earlier:
            return [tool for tool in fed if any(self._sources(tool, name) for name in tool.required)] or fed
        return [
            tool
            for tool in fed
            if any(source in self._used for name in tool.parameters for source, _ in self._sources(tool, name))
        ]

    def _sources(self, tool: PlanTool, parameter: str) -> tuple[tuple[str, str], ...]:
        return self.view.sources(tool.name, parameter)

    def _add(self, tool: PlanTool, depth: int) -> str:
        arguments: list[dict[str, Any]] = []
        for name, schema in tool.parameters.items():
            sources = self._sources(tool, name)
            there = bool(sources) and any(
                source in self._used or any(call["tool"] == source for call in self.calls) for source, _ in sources
            )
            if name not in tool.required and not (there and self.rng.random() < 0.5) and self.rng.random() > _OPTIONAL:
                continue
            reference = self._refer(tool, name, depth) if sources else None
            if reference is None and sources and name not in tool.required:
                continue
            arguments.append(reference or self._say(tool, name, schema))
        if not any(not one["from_call"] for one in arguments):
            # A call without a word of the person's own is one too many: an optional detail is said where there is one.
            spare = [name for name in tool.parameters if name not in {one["name"] for one in arguments}]
            spare = [name for name in spare if not self._sources(tool, name)]
            if spare and self.rng.random() < 0.7:
                name = self.rng.choice(spare)
                arguments.append(self._say(tool, name, tool.parameters[name]))
        identifier = next(self._ids)
        self.calls.append({"id": identifier, "tool": tool.name, "arguments": arguments})
        return identifier

    def _refer(self, tool: PlanTool, name: str, depth: int) -> dict[str, Any] | None:
        """A result that fills a parameter: one that is there, one of an earlier turn, or a call made for it."""
        sources = list(self._sources(tool, name))
        self.rng.shuffle(sources)
        for source, place in sources:
            own = [call["id"] for call in self.calls if call["tool"] == source]
            if own:
                return {"name": name, "value": "", "from_call": self.rng.choice(own), "from_field": place}
        for source, place in sources:
            known = [call.id for call in self.earlier if call.tool == source and source in self._used]
            if known:
                return {"name": name, "value": "", "from_call": known[-1], "from_field": place}
        if depth <= 0 or len(self.calls) + 2 > max(2, self.most) or self.rng.random() > _FETCHED:
            return None
        for source, place in sources:
            fetched = self.view.tools.get(source)
            if fetched is None or source == tool.name or any(call["tool"] == source for call in self.calls):
                continue
            return {"name": name, "value": "", "from_call": self._add(fetched, depth - 1), "from_field": place}
        return None

    def _say(self, tool: PlanTool, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        known = cast("list[Any]", (self.request.blocks.get("known_values") or {}).get(tool.name, {}).get(name) or [])
        value = self.rng.choice(known) if known else self._make(name, schema)
        return {"name": name, "value": write_value(value), "from_call": "", "from_field": ""}

    def _make(self, name: str, schema: dict[str, Any], depth: int = 0) -> Any:
        for key in ("enum", "examples"):
            options = cast("list[Any]", schema.get(key) or [])
            if options:
                return self.rng.choice(options)
        if "const" in schema:
            return schema["const"]
        match pick_type(schema):
            case "boolean":
                return self.rng.random() < 0.5
            case "integer" | "number" as kind:
                return make_number(name, {**schema, "type": kind}, self.rng)
            case "array":
                items = cast("dict[str, Any]", schema.get("items") or {"type": "string"})
                return [self._make(name, items, depth + 1)] if depth < 4 else []
            case "object":
                properties = cast("dict[str, Any]", schema.get("properties") or {})
                required = cast("list[str]", schema.get("required") or list(properties))
                return {key: self._make(key, properties[key], depth + 1) for key in required if key in properties}
            case _:
                return make_text(name, schema, str(self.request.blocks["now"]), self.rng)


def _list_said(call: dict[str, Any]) -> list[str]:
    return [one["name"] for one in call["arguments"] if not one["from_call"]]


def _spoil(calls: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    """A plan with a mistake that planners make."""
    last = calls[-1]
    kind = rng.choice(("forward", "field", "argument", "twice", "alone"))
    if kind == "twice":
        return [*calls, {**last, "id": f"{last['id']}0"}]
    if kind == "alone":
        return calls[:1]
    if kind == "argument":
        extra = {"name": "verbose_mode", "value": "true", "from_call": "", "from_field": ""}
        return [*calls[:-1], {**last, "arguments": [*last["arguments"], extra]}]
    arguments = [dict(one) for one in last["arguments"]]
    for one in arguments:
        if one["from_call"]:
            one |= {"from_call": last["id"]} if kind == "forward" else {"from_field": "internal_reference_code"}
            break
    return [*calls[:-1], {**last, "arguments": arguments}]
