"""The embedded back-translator: finds in a request the deeds that tools describe, and works back from them.

It reads the request, the tools, the links and the earlier calls, and nothing else: what a deed needs and nobody said is
fetched over a link. At the mistake rate a candidate loses a literal or the first call.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from turnwright.selfplay.plan_view import (
    Known,
    PlanTool,
    PlanView,
    next_ids,
    read_earlier,
    read_view,
)
from turnwright.selfplay.request import Request
from turnwright.selfplay.request_wording import compile_deed, drop_asides, find_answer, find_asides, find_said, is_taken

_DEEPEST = 4


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.PlanDraft."""
    calls = _Recovery(request, read_view(request), read_earlier(request), _read_talk(request)).recover()
    rng = request.rng
    if calls and rng.random() < request.mistake_rate:
        place = rng.randrange(len(calls))
        said = [one for one in calls[place]["arguments"] if not one["from_call"]]
        if said:
            kept = [one for one in calls[place]["arguments"] if one is not said[0]]
            calls[place] = {**calls[place], "arguments": kept}
        else:
            calls = calls[1:]
    return {"calls": calls}


@dataclass(frozen=True)
class _Talk:
    """What was said: the request, and the answer to what was asked back."""

    request: str
    question: str = ""
    answer: str = ""


def _read_talk(request: Request) -> _Talk:
    """The request alone, or the user's lines of a talk; what the assistant said before it counts for nothing."""
    if "talk" not in request.blocks:
        return _Talk(str(request.blocks["request"]))
    lines = [(str(line["by"]), str(line["said"])) for line in request.blocks["talk"]]
    said = [place for place, (by, _) in enumerate(lines) if by == "user"]
    if len(said) < 2:
        return _Talk(lines[said[0]][1] if said else "")
    return _Talk(lines[said[0]][1], lines[said[1] - 1][1], lines[said[1]][1])


@dataclass(frozen=True)
class _Deed:
    """A place of the request that asks for a tool."""

    tool: PlanTool
    start: int
    text: str
    """From the deed to the next one."""


@dataclass
class _Recovery:
    request: Request
    view: PlanView
    earlier: list[Known]
    talk: _Talk
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        self._text = drop_asides(self.talk.request)
        self._asides = find_asides(self.talk.request)
        self._made: dict[int, str] = {}
        self._making: set[int] = set()
        self._deeds = self._find_deeds()
        self._ids = next_ids(self.request)

    def recover(self) -> list[dict[str, Any]]:
        """The calls behind the request, in an order in which they can be made."""
        for place in range(len(self._deeds)):
            self._make_deed(place)
        numbers = dict(zip([call["id"] for call in self.calls], self._ids, strict=False))
        return [
            {
                "id": numbers[call["id"]],
                "tool": call["tool"],
                "arguments": [
                    {**one, "from_call": numbers.get(one["from_call"], one["from_call"])} for one in call["arguments"]
                ],
            }
            for call in self.calls
        ]

    def _find_deeds(self) -> list[_Deed]:
        plain = self._text.casefold()
        found: list[tuple[int, PlanTool]] = []
        taken: list[tuple[int, int]] = []
        for tool in sorted(self.view.tools.values(), key=lambda tool: (-len(tool.deed), tool.name)):
            for match in compile_deed(tool.deed).finditer(plain):
                span = match.span()
                if all(span[1] <= start or stop <= span[0] for start, stop in taken):
                    taken.append(span)
                    found.append((span[0], tool))
        found.sort(key=lambda item: item[0])
        ends = [*(start for start, _ in found[1:]), len(self._text)][: len(found)]
        return [_Deed(tool, start, self._text[start:end]) for (start, tool), end in zip(found, ends, strict=True)]

    def _make_deed(self, place: int) -> str | None:
        """Makes the call that a place of the request asks for, what it needs first; none where it is under way."""
        if place in self._made:
            return self._made[place]
        if place in self._making:
            return None
        self._making.add(place)
        deed = self._deeds[place]
        arguments: list[dict[str, Any]] = []
        for name, schema in deed.tool.parameters.items():
            label = deed.tool.label(name)
            others = [deed.tool.label(other) for other in deed.tool.parameters]
            said = find_said(label, deed.text, schema, others=others) or self._find_answered(label, schema)
            taken = is_taken(label, deed.text)
            if said is not None and not taken:
                arguments.append(_literal(name, said))
            elif name in deed.tool.required or taken:
                reference = self._look_back(deed.tool, name) if taken == "before" else None
                reference = reference or self._refer(deed.tool, name, _DEEPEST)
                if reference is not None:
                    arguments.append(reference)
        self._made[place] = self._append(deed.tool, arguments)
        return self._made[place]

    def _find_answered(self, label: str, schema: dict[str, Any]) -> str | None:
        """The value that the user gave when asked for it by this label."""
        if not self.talk.answer or not re.search(rf"\b{re.escape(label)}\b", self.talk.question, re.IGNORECASE):
            return None
        return find_answer(self.talk.answer, schema)

    def _refer(self, tool: PlanTool, name: str, depth: int) -> dict[str, Any] | None:
        """What fills a parameter that nobody said: a deed of the request, a look-up with details, an earlier call."""
        sources = self.view.sources(tool.name, name)
        for source, place in sources:
            for number, deed in enumerate(self._deeds):
                if deed.tool.name == source and (made := self._make_deed(number)) is not None:
                    return _reference(name, made, place)
        for source, place in sources:
            for call in self.calls:
                if call["tool"] == source:
                    return _reference(name, call["id"], place)
        ranked = sorted(
            ((self._count_said(source), -number, source, place) for number, (source, place) in enumerate(sources)),
            reverse=True,
        )
        for said, _, source, place in ranked:
            if said and depth > 0 and (made := self._look_up(source, depth)) is not None:
                return _reference(name, made, place)
        if (known := self._look_back(tool, name)) is not None:
            return known
        for _, _, source, place in ranked:
            if depth > 0 and source != tool.name and (made := self._look_up(source, depth)) is not None:
                return _reference(name, made, place)
        return None

    def _look_back(self, tool: PlanTool, name: str) -> dict[str, Any] | None:
        """The latest call of the turns before that fills a parameter."""
        for known in reversed(self.earlier):
            for source, place in self.view.sources(tool.name, name):
                if known.tool == source:
                    return _reference(name, known.id, place)
        return None

    def _count_said(self, source: str) -> int:
        """Details of the request that a look-up could take."""
        tool = self.view.tools.get(source)
        if tool is None:
            return 0
        return sum(
            find_said(tool.label(name), self._asides, schema, aside=True) is not None
            for name, schema in tool.parameters.items()
        )

    def _look_up(self, source: str, depth: int) -> str | None:
        """A call that nobody asked for, where all that it needs is said or can be fetched."""
        tool = self.view.tools.get(source)
        if tool is None:
            return None
        before = len(self.calls)
        arguments: list[dict[str, Any]] = []
        for name, schema in tool.parameters.items():
            said = find_said(tool.label(name), self._asides, schema, aside=True)
            if said is not None:
                arguments.append(_literal(name, said))
            elif name in tool.required:
                reference = self._refer(tool, name, depth - 1)
                if reference is None:
                    del self.calls[before:]
                    return None
                arguments.append(reference)
        return self._append(tool, arguments)

    def _append(self, tool: PlanTool, arguments: list[dict[str, Any]]) -> str:
        identifier = f"new{len(self.calls)}"
        self.calls.append({"id": identifier, "tool": tool.name, "arguments": arguments})
        return identifier


def _literal(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "from_call": "", "from_field": ""}


def _reference(name: str, call: str, place: str) -> dict[str, Any]:
    return {"name": name, "value": "", "from_call": call, "from_field": place}
