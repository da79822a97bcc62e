"""Dialogues made elsewhere: no plan, no environment, no record of what ran; what is left is form and grounding.

The rules of turnwright/validation/rules.py are held against the messages alone. What they take for granted of our own
dialogues (a system message first, a user who never speaks of tools) is only remarked on here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import orjson

from schemas.checking import RowReport
from schemas.content import canonical_json
from schemas.findings import Finding
from schemas.messages import CallRecord
from schemas.rows import DialogueRow, DialogueTaskRow
from schemas.seeds import SeedTool
from schemas.tools import SpecTool
from turnwright.datasets.foreign_files import ForeignLine
from turnwright.datasets.reference import ReferenceDialogue
from turnwright.tools.effects import tell_effect
from turnwright.tools.spec_check import check_spec
from turnwright.validation.documents import clean_text, is_error, read_document, read_error
from turnwright.validation.foreign_order import check_foreign_order
from turnwright.validation.foreign_weight import Context
from turnwright.validation.grounding.check import ground_dialogue
from turnwright.validation.language import check_leaks, find_offer, find_scenes
from turnwright.validation.leakage import check_names
from turnwright.validation.results import check_results
from turnwright.validation.rules import check_calls, check_loops, check_pairs, check_repeats
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.wholeness import check_wholeness

MOST_FINDINGS: Final = 200
"""Findings of one dialogue that are kept, those that block first."""


@dataclass(frozen=True)
class ForeignCheck:
    """What was found in one dialogue."""

    findings: tuple[Finding, ...]
    tools_known: bool
    """False where it has calls and no tools: they are taken from its calls then, and no argument can be wrong."""


def check_line(
    line: ForeignLine, *, tools: Sequence[Mapping[str, Any]] = (), system: str = ""
) -> tuple[RowReport, bool]:
    """The report on one line of a file, and whether the tools of its dialogue are known (true where it has none).

    Args:
        line: as its file has it.
        tools: as for `check_foreign`.
        system: as for `check_foreign`.
    """
    if line.dialogue is None:
        name = f"line {line.number}"
        return RowReport(row=line.number, id=name, outcome="rejected", problem=line.problem or "is no dialogue"), True
    check = check_foreign(line.dialogue, tools=tools, system=system)
    told = [text.partition(": ") for text in line.loose]
    loose = [_find(code, explanation, None, blocks=False) for code, _, explanation in told]
    findings = (*check.findings, *loose)
    outcome = "wrong" if any(each.blocks for each in findings) else "remarked" if findings else "clean"
    return RowReport(row=line.number, id=line.dialogue.id, outcome=outcome, findings=findings), check.tools_known


def check_foreign(
    dialogue: ReferenceDialogue, *, tools: Sequence[Mapping[str, Any]] = (), system: str = ""
) -> ForeignCheck:
    """Holds a dialogue against the rules that need nothing but itself, and grounds what its assistant says.

    Args:
        dialogue: as its file has it.
        tools: OpenAI function specifications, for dialogues that bring none along.
        system: the system prompt that it was made with, for dialogues that bring none along.

    Findings point at messages as the file counts them, from 0.
    """
    own = bool(dialogue.messages) and dialogue.messages[0]["role"] in ("system", "developer")
    added = bool(system) and not own
    messages = [*([{"role": "system", "content": system}] if added else []), *dialogue.messages]
    read = [_plain(message) for message in messages]
    specs = dialogue.tools or list(tools)
    offered, problems = _read_tools(canonical_json(specs)) if specs else (_infer_tools(read), ())
    trajectory = _make_trajectory(read, offered)
    findings: list[Finding] = [_find("unusable_tool", problem, None, blocks=False) for problem in problems]
    if trajectory.problem is not None:
        findings.append(_find("unreadable_dialogue", trajectory.problem, None))
    else:
        findings += check_foreign_order(trajectory.messages)
        for rule in (
            check_pairs,
            check_calls,
            check_results,
            check_repeats,
            check_loops,
            check_wholeness,
            check_leaks,
            check_names,
            _check_user_words,
        ):
            findings += rule(trajectory)
        findings += ground_dialogue(trajectory.messages, offered)
    context = Context.of(trajectory) if trajectory.problem is None else Context()
    kept = [context.soften(finding) for finding in findings if not context.excuses(finding)]
    kept.sort(key=lambda finding: not finding.blocks)
    moved = [_move(finding, int(added)) for finding in kept[:MOST_FINDINGS]]
    return ForeignCheck(tuple(moved), bool(specs) or not offered)


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message without what only some files have, and without text that no file can hold."""
    role = "system" if message["role"] == "developer" else message["role"]
    content = message.get("content")
    plain: dict[str, Any] = {"role": role, "content": None if content is None else clean_text(str(content))}
    if role == "tool":
        plain["tool_call_id"] = str(message.get("tool_call_id") or "")
    if calls := message.get("tool_calls"):
        plain["tool_calls"] = calls
    return plain


@lru_cache(maxsize=512)
def _read_tools(specs: str) -> tuple[tuple[SpecTool, ...], tuple[str, ...]]:
    """The tools, and what is wrong with some: such a tool takes any arguments."""
    tools: list[SpecTool] = []
    problems: list[str] = []
    taken: set[str] = set()
    for position, spec in enumerate(cast("list[dict[str, Any]]", orjson.loads(specs))):
        function = cast("dict[str, Any]", spec["function"])
        name = str(function.get("name") or "")
        described = function if function.get("description") else {**function, "description": name or "?"}
        output = spec.get("output_schema", function.get("output_schema"))
        output = cast("dict[str, Any]", output) if isinstance(output, dict) else None
        text = str(described["description"])
        seed = SeedTool(
            spec={"type": "function", "function": described},
            output_schema=output,
            effect=tell_effect(name, text),
            origin=f"tool {position}",
        )
        checked = check_spec(seed, taken)
        if isinstance(checked, SpecTool):
            tools.append(checked)
        else:
            problems.append(f"{name[:64] or f'tool {position}'}: {'; '.join(checked)}"[:400])
            if name and name not in taken:
                tools.append(_open_tool(name, text[:4096]))
        taken.add(name)
    return tuple(tools), tuple(problems)


def _infer_tools(messages: Sequence[Mapping[str, Any]]) -> tuple[SpecTool, ...]:
    """The tools that a dialogue calls, where nobody says what they take."""
    names = {str(call["function"]["name"]) for message in messages for call in message.get("tool_calls", [])}
    return tuple(_open_tool(name, "") for name in sorted(names) if name)


def _open_tool(name: str, description: str) -> SpecTool:
    function = {"name": name, "description": description, "parameters": {"type": "object"}}
    return SpecTool(
        name=name,
        spec={"type": "function", "function": function},
        output_schema={},
        effect=tell_effect(name, description),
    )


def _make_trajectory(messages: Sequence[dict[str, Any]], tools: tuple[SpecTool, ...]) -> Trajectory:
    """The dialogue as the rules read one: rows that hold nothing but the messages and the calls in them."""
    records = [record.model_dump() for record in _list_calls(messages, {tool.name: tool for tool in tools})]
    row = DialogueRow.model_construct(
        messages=canonical_json(messages), calls=canonical_json(records), ending="task_complete", changes="[]"
    )
    task = DialogueTaskRow.model_construct(objectives="[]", behaviour_plan="null", goal_changes="[]")
    return Trajectory(row, task, tools)


def _list_calls(messages: Sequence[dict[str, Any]], tools: Mapping[str, SpecTool]) -> Iterator[CallRecord]:
    """What ran, as far as the messages show it. A write counts as having changed something unless it failed."""
    for index, message in enumerate(messages):
        results: dict[str, str] = {}
        for answer in messages[index + 1 :] if message.get("tool_calls") else ():
            if answer["role"] != "tool":
                break
            results.setdefault(answer["tool_call_id"], answer["content"] or "")
        for call in message.get("tool_calls", ()):
            name, result = str(call["function"]["name"]), results.get(call["id"])
            error = "no_result" if result is None else _read_failure(result)
            tool = tools.get(name)
            effect = tool.effect if tool else None
            yield CallRecord(
                message=index,
                call_id=call["id"],
                tool=name,
                arguments=clean_text(call["function"]["arguments"]),
                result=result or "",
                effect=effect,
                error=error,
                rows_changed=int(effect == "write" and error is None),
            )


def _read_failure(result: str) -> str | None:
    """The error that a result tells of."""
    value = read_document(result)
    return read_error(value) or (result.strip()[:80] if is_error(value) else None)


def _check_user_words(trajectory: Trajectory) -> Iterator[Finding]:
    """`behind_the_scenes`, `role_swap`: words that a user who is a person would hardly say."""
    for index, text in trajectory.said_by("user"):
        if words := find_scenes(text):
            yield _find("behind_the_scenes", f"the user says {words!r}", index, "user_simulator")
        if words := find_offer(text):
            yield _find("role_swap", f"the user speaks as the assistant: {words!r}", index, "user_simulator")


def _move(finding: Finding, added: int) -> Finding:
    if not added or finding.message is None:
        return finding
    return finding.model_copy(update={"message": max(0, finding.message - added)})


def _find(code: str, explanation: str, message: int | None, fault: Any = "environment", blocks: bool = True) -> Finding:
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault=fault, blocks=blocks)
