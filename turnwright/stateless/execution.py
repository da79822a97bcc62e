"""Runs the plan of a turn (TC, execute): calls in order, references put in and checked anew, faults met by a retry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson

from schemas.content import digest
from schemas.goals import PlannedCall
from schemas.messages import CallRecord, ToolCall
from schemas.stateless import ErrorHint
from schemas.tools import Tool
from turnwright.models.reply import ModelReply
from turnwright.rollout.conversation import Conversation
from turnwright.rollout.tool_calls import CallRunner
from turnwright.stateless.plans import EarlierCall, Problem, list_references
from turnwright.tools.entity_canon import read_kind

_RETRIES = 3
"""Times that a call which fails by a fault of code is made again."""
_DEEPEST = 4


Count = Callable[[Sequence[ModelReply], int], None]
"""Told of replies and of repairs among them."""


def ignore_costs(replies: Sequence[ModelReply], repaired: int) -> None:
    """For whoever has nothing to account for."""


class ExecutionFailed(Exception):
    """A turn that cannot be carried out as planned."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.explanation}")
        self.problem = problem


@dataclass(frozen=True)
class Progress:
    """A dialogue as far as it went."""

    conversation: Conversation
    records: tuple[CallRecord, ...] = ()
    earlier: tuple[EarlierCall, ...] = ()


async def run_plan(
    start: Progress,
    calls: Sequence[PlannedCall],
    tools: Mapping[str, Tool],
    runner: CallRunner,
    hints: Sequence[ErrorHint] = (),
    *,
    count: Count = ignore_costs,
    parallel: bool = False,
) -> Progress:
    """Carries out the calls of a turn after what was said and done.

    Each call is one message; with `parallel`, neighbouring calls that do not need each other share one. A call that
    fails by a fault of code is made again. `hints` put a wrong call before the right one, answered by the hint. `count`
    is told what models said for it, also where the turn fails.

    Raises:
        ExecutionFailed: a reference has no value, or a call fails by itself.
        ContextOverflow, ModelError: the tool simulator could not be asked.
    """
    progress = start
    results: dict[str, EarlierCall] = {known.call.id: known for known in start.earlier}
    wrong = {hint.before: hint for hint in hints}
    for group in _group_calls(calls, parallel=parallel):
        for call in group:
            if call.id in wrong:
                progress = _put_hint(progress, wrong[call.id], tools)
        arguments = {call.id: resolve_arguments(call, tools[call.tool], results) for call in group}
        progress, values = await _make_calls(progress, [(call, arguments[call.id]) for call in group], runner, count)
        for call in group:
            made = EarlierCall(call, tools[call.tool], arguments[call.id], values[call.id])
            results[call.id] = made
            progress = replace(progress, earlier=(*progress.earlier, made))
    return progress


def resolve_arguments(call: PlannedCall, tool: Tool, results: Mapping[str, EarlierCall]) -> dict[str, Any]:
    """The arguments of a call with the values that its references come to.

    Raises:
        ExecutionFailed: a result has no such value.
    """
    properties = cast("dict[str, Any]", tool.parameters.get("properties") or {})
    arguments = {name: value for name, value in call.arguments.items() if call.sources[name].kind != "result"}
    for name, identifier, wanted in list_references(call):
        schema = cast("dict[str, Any]", properties.get(name) or {})
        several = (read_kind(schema) or "").startswith("array")
        found = pick_values(results[identifier].value, wanted)
        if not found:
            text = f"{call.tool}: {results[identifier].call.tool} returned no {wanted} for {name}"
            raise ExecutionFailed(Problem("no_value", text))
        whole = cast("list[Any]", found[0]) if isinstance(found[0], list) else found
        arguments[name] = whole if several else found[0]
    # In the order of the plan, whatever came from where.
    return {name: arguments[name] for name in call.sources}


def pick_values(result: Any, field_name: str, depth: int = 0) -> list[Any]:
    """The values of a field in a result, in order: of the object itself, of each item of a list, of what they wrap."""
    if depth > _DEEPEST:
        return []
    if isinstance(result, list):
        items = cast("list[Any]", result)
        return [value for item in items for value in pick_values(item, field_name, depth + 1)]
    if not isinstance(result, dict):
        return []
    fields = cast("dict[str, Any]", result)
    if fields.get(field_name) is not None:
        return [fields[field_name]]
    return [found for inner in fields.values() for found in pick_values(inner, field_name, depth + 1)]


def _group_calls(calls: Sequence[PlannedCall], *, parallel: bool) -> list[list[PlannedCall]]:
    groups: list[list[PlannedCall]] = []
    for call in calls:
        needs = {identifier for _, identifier, _ in list_references(call)}
        if parallel and groups and not needs & {other.id for other in groups[-1]}:
            groups[-1].append(call)
        else:
            groups.append([call])
    return groups


async def _make_calls(
    progress: Progress, calls: Sequence[tuple[PlannedCall, dict[str, Any]]], runner: CallRunner, count: Count
) -> tuple[Progress, dict[str, Any]]:
    """Makes calls in one message, and those that met a fault again, until each has its result."""
    values: dict[str, Any] = {}
    waiting = list(calls)
    for _ in range(_RETRIES + 1):
        conversation = progress.conversation.add_assistant(
            None, [_write_call(progress, n, *each) for n, each in enumerate(waiting)]
        )
        message = len(conversation.messages) - 1
        said, again = conversation.messages, list[tuple[PlannedCall, dict[str, Any]]]()
        records = list(progress.records)
        for written, (call, arguments) in zip(said[message].get("tool_calls", []), waiting, strict=True):
            text = written["function"]["arguments"]
            answer = await runner.answer(call.tool, text, said)
            count(answer.replies, answer.repaired)
            error = answer.result.error
            if error is not None and not answer.fault:
                explanation = f"{call.tool}: {error.kind}: {error.message}"[:300]
                raise ExecutionFailed(Problem("failed_call", explanation))
            conversation = conversation.add_result(written["id"], answer.result.text)
            records.append(
                CallRecord(
                    message=message,
                    call_id=written["id"],
                    tool=call.tool,
                    arguments=text,
                    result=answer.result.text,
                    effect=answer.effect,
                    error=error.kind if error else None,
                    fault=answer.fault,
                    rows_changed=answer.result.rows_changed,
                )
            )
            if answer.fault:
                again.append((call, arguments))
            else:
                values[call.id] = answer.result.value
        progress = Progress(conversation, tuple(records), progress.earlier)
        waiting = again
        if not waiting:
            return progress, values
    raise ExecutionFailed(Problem("fault_stayed", f"{waiting[0][0].tool} still fails after {_RETRIES} retries"))


def _write_call(progress: Progress, number: int, call: PlannedCall, arguments: Mapping[str, Any]) -> ToolCall:
    """The call as it stands in a message; its id follows from where it stands."""
    place = f"call_{digest([len(progress.conversation.messages), number, call.id, call.tool])[:12]}"
    text = orjson.dumps(dict(arguments)).decode()
    return {"id": place, "type": "function", "function": {"name": call.tool, "arguments": text}}


def _put_hint(progress: Progress, hint: ErrorHint, tools: Mapping[str, Tool]) -> Progress:
    """The wrong call, answered by the hint; it never reaches the environment."""
    text = orjson.dumps(hint.arguments).decode()
    place = f"call_{digest([len(progress.conversation.messages), 'hint', hint.before])[:12]}"
    written: ToolCall = {"id": place, "type": "function", "function": {"name": hint.tool, "arguments": text}}
    conversation = progress.conversation.add_assistant(None, [written])
    result = orjson.dumps({"error": "wrong_call", "message": hint.hint}).decode()
    record = CallRecord(
        message=len(conversation.messages) - 1,
        call_id=place,
        tool=hint.tool,
        arguments=text,
        result=result,
        effect=tools[hint.tool].effect,
        error="wrong_call",
        fault=True,
        hint=True,
    )
    return replace(progress, conversation=conversation.add_result(place, result), records=(*progress.records, record))
