"""The tools of one domain as they come in: which are accepted, and why the others are not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from schemas.config import RunConfig
from schemas.replies import SpecDraft
from schemas.seeds import SeedTool
from schemas.tools import SpecTool
from schemas.vocabulary import Role
from turnwright.tools.effects import tell_effect
from turnwright.tools.entity_canon import EntityCanon, find_changed_inputs
from turnwright.tools.near_duplicates import find_twins
from turnwright.tools.rejection import Rejection
from turnwright.tools.spec_check import check_spec
from turnwright.tools.spec_drafts import build_tool
from turnwright.tools.text_vectors import Vectoriser
from turnwright.tools.tool_text import list_own_descriptions

MENDABLE = frozenset({"name", "description", "parameter", "too_many_required", "entity_type"})
"""Codes of faults that a writer is told of once; the others say that the tool is not wanted."""
_LONGEST = 300


@dataclass
class Candidate:
    """A tool on its way to being accepted or rejected."""

    origin: dict[str, Any]
    """What sets it apart from the other tools of its seed; its id is made of it."""
    name: str
    description: str
    role: Role | None
    """Role that wrote it; none for a given tool."""
    keys: list[str]
    """Journal keys of the replies that it rests on."""
    question_ids: list[str]
    tool: SpecTool | None
    reasons: list[str] = field(default_factory=list[str])
    """Why it is rejected; empty while it is not."""

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against it so far."""
        return self.tool is not None and not self.reasons

    def reject(self, reasons: Sequence[str]) -> None:
        """Records why it cannot be used."""
        self.reasons = list(reasons)


@dataclass
class Domain:
    """All candidates of one seed, in the order in which they came."""

    config: RunConfig
    vectoriser: Vectoriser
    candidates: list[Candidate] = field(default_factory=list[Candidate])
    canon: EntityCanon = field(default_factory=EntityCanon)

    @property
    def accepted(self) -> list[Candidate]:
        """The candidates that nothing speaks against."""
        return [candidate for candidate in self.candidates if candidate.accepted]

    @property
    def tools(self) -> list[SpecTool]:
        """The accepted tools."""
        return [candidate.tool for candidate in self.candidates if candidate.accepted and candidate.tool]

    def take_given(self, given: Sequence[SeedTool]) -> None:
        """Judges the tools of the source: legal, different from each other, no more than are to be used.

        Their types are taken as they are, even where two disagree: whoever owns them calls them so. Such tools never
        stand in one toolset.
        """
        settings = self.config.tools.synthesise
        taken: set[str] = set()
        for position, seed_tool in enumerate(given):
            made = check_spec(seed_tool, taken)
            name, description = read_names(seed_tool.spec)
            candidate = Candidate(
                {"given": position}, name or seed_tool.origin, description or name, None, [], [], None
            )
            self.candidates.append(candidate)
            if isinstance(made, tuple):
                candidate.reject([clean_text(reason) for reason in made])
            elif len(taken) >= settings.given:
                candidate.reject([f"enough: Of one source {settings.given} tools are used (tools.synthesise.given)."])
            else:
                taken.add(made.name)
                candidate.tool = made
                candidate.name, candidate.description = made.name, made.description
        self._tell_effects(given)
        self._reject_twins([candidate for candidate in self.candidates if candidate.accepted])
        for tool in self.tools:
            self.canon.note(tool)

    def _tell_effects(self, given: Sequence[SeedTool]) -> None:
        """Effects of the given tools whose source does not tell: by their names and own descriptions."""
        open_tools = [candidate for candidate in self.candidates if candidate.tool is not None]
        own = list_own_descriptions([candidate.tool for candidate in open_tools if candidate.tool])
        for candidate, text in zip(open_tools, own, strict=True):
            if candidate.tool is not None and given[candidate.origin["given"]].effect is None:
                effect = tell_effect(candidate.tool.name, text)
                candidate.tool = candidate.tool.model_copy(update={"effect": effect})

    def take_drafts(
        self, drafts: Sequence[SpecDraft], role: Role, keys: list[str], question_ids: list[str], origin: dict[str, Any]
    ) -> list[Candidate]:
        """Judges the drafts of one reply; gives a candidate for each, in their order."""
        made: list[Candidate] = []
        for position, draft in enumerate(drafts):
            candidate = Candidate(
                {**origin, "position": position, "draft": draft.model_dump()},
                clean_text(draft.name) or "unnamed",
                clean_text(draft.description),
                role,
                keys,
                question_ids,
                None,
            )
            made.append(candidate)
            self.candidates.append(candidate)
            try:
                tool = build_tool(draft, self.config)
                self._compare(tool)
            except Rejection as rejection:
                candidate.reject([clean_text(rejection.reason)])
                continue
            candidate.tool, candidate.name, candidate.description = tool, tool.name, tool.description
            self.canon.note(tool)
        self._reject_twins(self.accepted)
        if any(candidate.tool is not None and not candidate.accepted for candidate in made):
            # What a rejected tool calls things settles nothing.
            self.canon = EntityCanon()
            for tool in self.tools:
                self.canon.note(tool)
        return made

    def _compare(self, tool: SpecTool) -> None:
        if tool.name in {other.name for other in self.tools}:
            raise Rejection("duplicate_name", f"There is a tool {tool.name} already.")
        conflicts = self.canon.find_conflicts(tool)
        if conflicts:
            raise Rejection("entity_type", f"{'; '.join(conflicts)}.")

    def _reject_twins(self, candidates: Sequence[Candidate]) -> None:
        tools = [candidate.tool for candidate in candidates if candidate.tool]
        threshold = self.config.tools.synthesise.near_duplicate
        for position, twin in find_twins(tools, threshold, self.vectoriser).items():
            other = tools[twin.other].name
            candidates[position].reject(
                [f"near_duplicate: {other} does the same: {twin.similarity:.2f} alike, allowed below {threshold:g}."]
            )

    def find_output_faults(self, tool: SpecTool) -> list[str]:
        """What of a tool's written result does not go with its own parameters, or with what other tools settled."""
        return list(dict.fromkeys([*find_changed_inputs(tool), *self._find_foreign(tool)]))

    def _find_foreign(self, tool: SpecTool) -> list[str]:
        """Conflicts of the result alone: a given tool's own parameters are as they are."""
        bare = tool.spec | {"function": tool.spec["function"] | {"parameters": {"type": "object", "properties": {}}}}
        inputs = set(tool.parameters.get("properties", {}))
        result = tool.model_copy(update={"spec": bare})
        return [
            problem
            for problem in self.canon.find_conflicts(result)
            # What comes back is of the type in which it was asked for, whatever others call it.
            if problem.split(" is ", 1)[0].removeprefix(f"{tool.name}.") not in inputs
        ]


def read_names(spec: Any) -> tuple[str, str]:
    """Name and description of what may be a specification, as far as they are text; for the row that says why not."""
    outer = cast("dict[str, Any]", spec) if isinstance(spec, dict) else {}
    inner = outer.get("function", outer)
    function = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    name, description = function.get("name"), function.get("description")
    return (
        clean_text(name)[:80] if isinstance(name, str) else "",
        clean_text(description) if isinstance(description, str) else "",
    )


def clean_text(text: str) -> str:
    """A text that any table can hold: no lone surrogates, on one line, cut where it is long."""
    legal = text.encode("utf-8", "replace").decode()
    line = " ".join(legal.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
