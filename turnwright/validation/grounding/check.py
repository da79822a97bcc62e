"""The one entry: walks through a dialogue once, gathers evidence, and checks each message against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

import orjson

from schemas.findings import Finding
from schemas.messages import CallRecord, Message, ToolCall
from schemas.tools import SpecTool, SqlTool, Tool
from turnwright.rollout.toolset_memory import once_per_toolset
from turnwright.validation.documents import read_document, read_error
from turnwright.validation.grounding.arguments import find_invented
from turnwright.validation.grounding.attribution import check_attribution
from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.consistency import Said
from turnwright.validation.grounding.counting import check_counts
from turnwright.validation.grounding.deeds import Deed, check_deeds, is_empty
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.known import Known, Notes, read_spec
from turnwright.validation.grounding.plain_text import compose, fold, label_of
from turnwright.validation.grounding.prose import Prose, read_prose
from turnwright.validation.grounding.records import Scalar, read_records, walk_leaves
from turnwright.validation.grounding.result_reading import read_result
from turnwright.validation.grounding.statements import Naming
from turnwright.validation.grounding.told_ids import ToldIds, read_field_names
from turnwright.validation.grounding.tracing import Untraced, trace_claims
from turnwright.validation.readings import MOST_CHARACTERS
from turnwright.validation.trajectory import Trajectory

_GENERAL_WORDS = 80
_MOST_FINDINGS = 50
"""Findings of one dialogue that are kept: more of them say nothing more."""


def check_grounding(trajectory: Trajectory) -> list[Finding]:
    """What in the assistant's prose rests on nothing, or on the wrong thing; costs no model call."""
    return ground_dialogue(trajectory.messages, trajectory.tools, trajectory.calls)


def ground_dialogue(
    messages: Sequence[Message], tools: Sequence[Tool], calls: Sequence[CallRecord] = ()
) -> list[Finding]:
    """The same for any dialogue in OpenAI's chat format; `calls` are its executed calls, where they are known.

    A dialogue without tools has nothing that its claims could be traced to: nothing is found there.
    """
    if not tools:
        return []
    findings: list[Finding] = []
    for finding in _Walk(tools, calls).check(messages):
        findings.append(finding)
        if len(findings) == _MOST_FINDINGS:
            break
    return findings


@dataclass
class _Walk:
    """Where one pass over a dialogue stands."""

    tools: Sequence[Tool]
    calls: Sequence[CallRecord]
    evidence: Evidence = field(default_factory=Evidence)
    deeds: list[Deed] = field(default_factory=list[Deed])
    said: Said = field(default_factory=Said)
    asked: bool = False
    """Whether the assistant's last words were a question: then the answer goes on with the same request."""
    given: list[Scalar] = field(default_factory=list[Scalar])
    """Argument values of the current request."""
    told: list[Claim] = field(default_factory=list[Claim])
    """Claims of the user in the current request."""
    waiting: dict[str, tuple[int, ToolCall]] = field(default_factory=dict[str, tuple[int, ToolCall]])
    told_ids: ToldIds = field(init=False)

    def __post_init__(self) -> None:
        self.told_ids = ToldIds(read_field_names(self.tools))

    def check(self, messages: Sequence[Message]) -> Iterator[Finding]:
        """The findings, in the order of the messages."""
        by_name = {tool.name: tool for tool in self.tools}
        changed = {record.call_id: record.rows_changed for record in self.calls}
        self.evidence.take(_read_specs(self.tools), -1)  # the model is shown them
        for index, message in enumerate(messages):
            role, content = message["role"], message.get("content") or ""
            if role == "assistant":
                if content.strip() and len(content) <= MOST_CHARACTERS:
                    self.evidence.message = index
                    yield from self._check_prose(read_prose(content), calling=bool(message.get("tool_calls")))
                for call in message.get("tool_calls", []):
                    self.waiting[call["id"]] = (index, call)
            elif role == "tool":
                yield from self._take_result(index, message, content, by_name, changed)
            elif role == "user":
                self._take_request(index, content)
            elif len(content) <= MOST_CHARACTERS:
                self.evidence.add_lines(content, index)
            else:
                self.told_ids.take_claims(self.evidence.add_text(content, index))

    def _take_request(self, index: int, content: str) -> None:
        # What was asked of the person, and the answer, belong to one request: the answer alone says little.
        self.evidence.begin_request(index)
        told = self.evidence.add_text(content, index)
        self.told_ids.take_claims(told)
        self.told = [*self.told, *told] if self.asked else told
        self.given = self.given if self.asked else []
        talk = fold(compose(content))
        self.evidence.talk = f"{self.evidence.talk}\n{talk}" if self.asked else talk

    def _take_result(
        self, index: int, message: Message, content: str, by_name: dict[str, Tool], changed: dict[str, int]
    ) -> Iterator[Finding]:
        identifier = message.get("tool_call_id", "")
        made, call = self.waiting.pop(identifier, (index, None))
        name = call["function"]["name"] if call else ""
        arguments = _read_arguments(call)
        leaves = list(walk_leaves(arguments))
        self.told_ids.take_arguments(leaves)
        result = read_result(content)
        value = result.value
        error = read_error(value)
        tool = by_name.get(name)
        effect = tool.effect if tool else None
        came_through = effect == "write" and error is None and _met_something(value, changed.get(identifier))
        for invented in find_invented(leaves, self.evidence):
            # A guess that finds nothing does no harm; one that changes or answers something does.
            blocks = invented.certain and error is None and (effect == "write" or not is_empty(value))
            yield Finding(
                layer="grounding",
                code="invented_argument",
                explanation=f"{name}: nobody gave {invented.name} = {str(invented.value)[:80]!r}",
                message=made,
                fault="assistant",
                blocks=blocks,
            )
        if error is None:
            scalars = [leaf for _, leaf in leaves]
            for scalar in scalars:  # the call ran: telling what was asked for is telling the truth
                self.evidence.add_leaf(scalar, index)
            self.given += scalars
        else:
            scalars = []
        if isinstance(value, str):
            self.told_ids.take_claims(self.evidence.add_text(value, index))
        else:
            self.evidence.add_result(result, index, scalars)
        if came_through and tool is not None:
            _overwrite(self.evidence, tool, arguments, index)
            # What was written is known as if it had been read.
            self.evidence.records.add(read_records(arguments), index, ())
            self.said.forget(label_of(key) for key in arguments)
        sure = tool is not None and not isinstance(tool, SpecTool)
        self.deeds.append(Deed(made, name, effect, value, error, came_through, sure, tuple(arguments), tuple(scalars)))

    def _check_prose(self, prose: Prose, *, calling: bool) -> Iterator[Finding]:
        """What is wrong with a message; beside calls it announces, and does not report."""
        evidence = self.evidence
        self.asked = prose.asks
        found: list[Untraced] = list(islice(trace_claims(prose, evidence), _MOST_FINDINGS))
        spans = {(each.claim.start, each.claim.end) for each in found}
        deeds = () if calling else check_deeds(prose, self.deeds, evidence)
        naming = Naming(prose, evidence.records)
        for each in (
            *islice(check_attribution(prose, evidence, naming, self.told, self.given), _MOST_FINDINGS),
            *self.told_ids.check(prose, evidence, naming),
            *check_counts(prose, evidence),
            *self.said.check(prose, evidence),
            *deeds,
        ):
            if not any(start <= each.claim.start < end for start, end in spans) or each.code in _OF_DEEDS:
                found.append(each)
                spans.add((each.claim.start, each.claim.end))
        # A long answer before any call speaks of the world, and not of what the tools keep.
        general = not self.deeds and len(prose.words) > _GENERAL_WORDS
        for each in found:
            yield Finding(
                layer="grounding",
                code=each.code,
                explanation=f"{each.claim.text[:80]!r}: {each.why}",
                message=evidence.message,
                fault="assistant",
                blocks=each.blocks and not general,
                start=each.claim.start,
                end=each.claim.end,
            )


_OF_DEEDS = frozenset({"claimed_deed", "denied_deed", "denied_result", "ignored_error"})


def _read_arguments(call: ToolCall | None) -> dict[str, Any]:
    if call is None:
        return {}
    value = read_document(call["function"]["arguments"])
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _met_something(value: Any, changed: int | None) -> bool:
    """Whether a write without an error changed anything, as far as its result or record tells."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get("rows_changed") == 0:
            return False
        return not (fields.get("success") is False or fields.get("status") in ("error", "failed"))
    return changed is None or changed > 0 or value is not None


def _overwrite(evidence: Evidence, tool: Tool, arguments: dict[str, Any], message: int) -> None:
    """Lays what a write set over what was read before."""
    scalars = {name: value for name, value in arguments.items() if not isinstance(value, dict | list)}
    keys: dict[str, Scalar] = {}
    values: dict[str, Scalar] = {}
    spoilt: list[str] = []
    if isinstance(tool, SqlTool):
        if tool.verb != "update":
            return
        for binding in tool.bindings:
            if binding.column is None or binding.name not in scalars:
                continue
            if binding.operator == "set":
                values[label_of(binding.column)] = scalars[binding.name]
            elif binding.operator == "=":
                keys[label_of(binding.column)] = scalars[binding.name]
        if any(binding.operator == "expression" for binding in tool.bindings):
            spoilt = [label_of(b.column) for b in tool.bindings if b.operator == "expression" and b.column]
    else:
        for name, value in scalars.items():
            label = label_of(name)
            for prefix in ("new ", "updated "):
                label = label.removeprefix(prefix)
            if label == "id" or label.endswith(" id"):
                keys[label] = value
            else:
                values[label] = value
    evidence.records.overwrite(keys, values, spoilt, message)


@once_per_toolset
def _read_specs(tools: Sequence[Tool]) -> Known:
    """What the tools' specifications say."""
    notes = Notes()
    for tool in tools:
        notes.take(read_spec(orjson.dumps(tool.spec)))
    return notes.finish()
