"""Objectives: one thing that a person wants, with the calls that get it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.goals import ArgumentSource, KnownDetail
from schemas.tools import ParameterBinding, SqlTool
from turnwright.goals.calls import CallDrawer, Pinned
from turnwright.goals.drafts import Detail, DraftCall, DraftObjective
from turnwright.goals.facts import Told, choose_facts, tell_same
from turnwright.goals.keys import result_rows
from turnwright.goals.purposes import Speaker
from turnwright.goals.values import is_sayable
from turnwright.goals.words import comparable, say_value

_TOOLS_TRIED = 8
_TRIES_A_TOOL = 2
_VARIED = 25
"""A tool that can be asked about so many different things is as good as any."""


@dataclass(frozen=True)
class ObjectiveWish:
    """What the next objective should be like."""

    write: bool
    depth: int
    """Most look-ups one behind the other."""
    extension: bool
    """It should rest on a key that the objective before found."""
    parallel: int = 0
    """So many look-ups of the same tool at once; 0 for an ordinary objective."""


class ObjectiveDrawer:
    """Draws the objectives of one plan, one after the other."""

    def __init__(self, drawer: CallDrawer, rng: random.Random, *, plain: float = 0.3) -> None:
        """`plain` is the weight of tools that need no look-up beside those that do."""
        self._plain = plain
        self._drawer = drawer
        self._toolbox = drawer.toolbox
        self._rng = rng
        self._calls: dict[str, DraftCall] = {}
        self.objectives: list[DraftObjective] = []

    def draw(self, wish: ObjectiveWish) -> DraftObjective | None:
        """The next objective, or none where no tool gives one; an accepted one is added to the plan."""
        used = {goal.tool.name for objective in self.objectives for goal in objective.goals}
        tools = [tool for tool in self._toolbox if tool.name not in used and (tool.effect == "write") == wish.write]
        for tool in self._shuffle(tools, wish)[: _TOOLS_TRIED * (2 if wish.parallel else 1)]:
            for _ in range(_TRIES_A_TOOL):
                objective = self._draw_of(tool, wish)
                if objective is not None:
                    self._accept(objective)
                    return objective
        return None

    def _shuffle(self, tools: Sequence[SqlTool], wish: ObjectiveWish) -> list[SqlTool]:
        keys = self._drawer.keys

        def weigh(tool: SqlTool) -> float:
            bindings = self._toolbox.required_bindings(tool)
            hidden = sum(keys.is_hidden(binding.table, binding.column) for binding in bindings)
            if wish.extension and self.objectives:
                return 4.0 if self._pin(tool) is not None else 0.5
            if wish.depth <= 0:
                return 0.01 if hidden else 1.0
            if not bindings and not self._toolbox.shape(tool).optional:
                return 0.1
            return (self._plain + 1.75 * min(2, hidden)) * self._variety(bindings)

        drawn = [(self._rng.random() ** (1.0 / weigh(tool)), tool) for tool in tools]
        return [tool for _, tool in sorted(drawn, key=lambda entry: -entry[0])]

    def _variety(self, bindings: Sequence[ParameterBinding]) -> float:
        """From 0.1 to 1: how many different things a tool can be asked about, so that dialogues do not start alike."""
        count = 0
        for binding in bindings:
            place = self._drawer.keys.place(binding.table, binding.column)
            if place is not None and binding.operator not in ("set", "values"):
                home = self._drawer.keys.table(place[1].references[0]) if place[1].references else place[0]
                count = max(count, len(place[1].values) or (home or place[0]).rows)
            elif binding.operator == "values":
                count = _VARIED
        return max(0.1, min(1.0, count / _VARIED))

    def _draw_of(self, tool: SqlTool, wish: ObjectiveWish) -> DraftObjective | None:
        if wish.parallel:
            return self._draw_parallel(tool, wish)
        pin = self._pin(tool) if wish.extension else None
        pinned, rows = pin if pin is not None else ({}, None)
        if wish.extension and self.objectives and pin is None and self._rng.random() < 0.5:
            return None
        if tool.effect == "write":
            return self._draw_write(tool, wish, pinned, rows)
        calls = self._drawer.draw(tool, depth=wish.depth, pinned=pinned, rows=rows)
        if calls is None:
            return None
        told = self._tell(calls, self._known(calls))
        return None if told is None else self._compose(calls, [told])

    def _tell(self, calls: Sequence[DraftCall], known: Sequence[Any]) -> Told | None:
        before = [*calls[:-1], *_ancestors(calls, {**self._calls, **{call.id: call for call in calls}})]
        return choose_facts(calls[-1], before, self._drawer.keys, known, self._subject(calls), self._rng)

    def _draw_write(
        self, tool: SqlTool, wish: ObjectiveWish, pinned: Pinned, rows: dict[str, dict[str, Any]] | None
    ) -> DraftObjective | None:
        scratch = self._drawer.scratch
        before = scratch.environment.state_digest()
        calls = self._drawer.draw(tool, depth=wish.depth, pinned=pinned, rows=rows)
        changed = scratch.environment.state_digest() != before
        objective = self._compose(calls, []) if calls is not None and changed else None
        if objective is None and changed:
            scratch.go_back(self._calls.values())
        return objective

    def _draw_parallel(self, tool: SqlTool, wish: ObjectiveWish) -> DraftObjective | None:
        if tool.effect == "write" or not self._toolbox.shape(tool).required:
            return None
        calls: list[DraftCall] = []
        told: list[Told] = []
        for _ in range(wish.parallel * 4):
            drawn = self._drawer.draw(tool, depth=wish.depth)
            if drawn is None or any(_same_call(drawn[-1], call) for call in calls):
                continue
            known = self._known([*calls, *drawn])
            if told:
                one = tell_same(drawn[-1], told[0], self._drawer.keys, known, self._subject(drawn))
            else:
                one = self._tell(drawn, known)
            if one is None or one.rows != 1 or not _has_detail(drawn):
                continue
            if any(_same_call(call, other) for call in drawn for other in calls):
                continue
            calls += drawn
            told.append(one)
            if len(told) == wish.parallel:
                break
        return self._compose(calls, told) if len(told) >= 2 else None

    def _pin(self, tool: SqlTool) -> tuple[dict[str, tuple[Any, ArgumentSource]], dict[str, dict[str, Any]]] | None:
        """An argument that a key of the objective before fills, and the row that it leads to."""
        # After several look-ups at once nobody could tell which of the things found is meant.
        if not self.objectives or len(self.objectives[-1].goals) > 1:
            return None
        drawer = self._drawer
        for call in reversed(self.objectives[-1].calls):
            if call.tool.verb != "select":
                continue
            found = drawer.found_keys(call)
            groups = [group for group, _ in found]
            for name, binding in self._toolbox.shape(tool).bindings.items():
                place = drawer.keys.place(binding.table, binding.column) if binding else None
                if (
                    binding is None
                    or place is None
                    or not place[1].surrogate
                    or binding.operator not in ("=", "values")
                ):
                    continue
                group = drawer.keys.group(place[0].name, place[1].name)
                for (other, _), field in found.items():
                    # Of two keys of a kind, as of a transfer's two clubs, nobody could tell which is meant.
                    if other != group or groups.count(group) > 1:
                        continue
                    value = next(row[field] for row in result_rows(call.result) if row.get(field) is not None)
                    rows = drawer.source.find(place[0], {place[1].name: value})
                    if rows or binding.operator == "values":
                        anchored = {place[0].name: self._rng.choice(rows)} if rows else {}
                        source = ArgumentSource(kind="result", call=call.id, field=field)
                        return {name: (value, source)}, anchored
        return None

    def _known(self, calls: Sequence[DraftCall]) -> list[Any]:
        """Values that are no news: what the person said so far, says now, or was told before."""
        told = [fact.value for objective in self.objectives for fact in objective.facts]
        return [detail.value for call in [*self._calls.values(), *calls] for detail in call.details] + told

    def _subject(self, calls: Sequence[DraftCall]) -> str:
        """What the person calls the thing that the last call is about: the first name that they give for it."""
        everything = {**self._calls, **{call.id: call for call in calls}}
        for call in [calls[-1], *reversed(calls[:-1]), *_ancestors(calls, everything)]:
            plain = [
                detail
                for detail in call.details
                if detail.operator in ("=", "like")
                and isinstance(detail.value, str)
                and not any(map(str.isdigit, detail.value))
            ]
            names = [detail for detail in plain if detail.short.endswith("name")] or plain[:1]
            if names:
                return " ".join(say_value(detail.value) for detail in names[:2])
        return ""

    def _compose(self, calls: list[DraftCall], told: list[Told]) -> DraftObjective | None:
        own = {call.id for call in calls}
        known_calls = {**self._calls, **{call.id: call for call in calls}}
        goals = [call for call in calls if not call.lookup]
        purpose = Speaker(self._drawer.keys, known_calls).purpose(goals, told)
        details = [detail for call in calls for detail in call.details]
        if not all(_is_said(detail, purpose) for detail in details):
            return None
        ancestors = _ancestors(calls, known_calls)
        details += [detail for call in ancestors for detail in call.details if _is_said(detail, purpose)]
        linked = any(source.call and source.call not in own for call in calls for source in call.sources.values())
        return DraftObjective(
            relation="first" if not self.objectives else "extension" if linked else "independent",
            calls=tuple(calls),
            facts=tuple(fact for one in told for fact in one.facts),
            purpose=purpose,
            known=_known_details(details),
        )

    def _accept(self, objective: DraftObjective) -> None:
        self.objectives.append(objective)
        self._calls |= {call.id: call for call in objective.calls}
        self._drawer.accept(objective.calls)


def _same_call(one: DraftCall, other: DraftCall) -> bool:
    return one.tool.name == other.tool.name and one.arguments == other.arguments


def _has_detail(calls: Sequence[DraftCall]) -> bool:
    return any(detail.operator in ("=", "like") for call in calls for detail in call.details)


def _is_said(detail: Detail, purpose: str) -> bool:
    return say_value(detail.value) in purpose


def _ancestors(calls: Sequence[DraftCall], known: Mapping[str, DraftCall]) -> list[DraftCall]:
    found: dict[str, DraftCall] = {}
    waiting = list(calls)
    while waiting:
        for source in waiting.pop().sources.values():
            if source.call is not None and source.call not in found:
                found[source.call] = known[source.call]
                waiting.append(known[source.call])
    own = {call.id for call in calls}
    return [call for name, call in sorted(found.items()) if name not in own]


def _known_details(details: Sequence[Detail]) -> tuple[KnownDetail, ...]:
    known: dict[tuple[str, str], KnownDetail] = {}
    for detail in details:
        if is_sayable(detail.value):
            known.setdefault(
                (detail.label, comparable(detail.value)), KnownDetail(label=detail.label, value=detail.value)
            )
    return tuple(known.values())
