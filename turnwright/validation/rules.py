"""The rules inside a dialogue that concern form: pairs, order, arguments, ending. Each yields what it finds.

turnwright/validation/language.py has the rules about what is said.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from schemas.findings import Finding
from schemas.vocabulary import WITHOUT_USER_SIMULATOR, Ending
from turnwright.rollout.arguments import BadArguments, check_by_side
from turnwright.validation.language import LANGUAGE_RULES
from turnwright.validation.leakage import check_goal_leak, check_names
from turnwright.validation.results import check_results
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.wholeness import check_wholeness

Rule = Callable[[Trajectory], Iterator[Finding]]

_FAULT_OF_ENDING: dict[Ending, Any] = {
    "turn_limit": "user_simulator",
    "call_limit": "assistant",
    "malformed_reply": "endpoint",
    "context_overflow": "endpoint",
    "environment_failed": "environment",
    "generation_failed": "task",
}
_MAY_FOLLOW: dict[str, set[str]] = {
    "start": {"system"},
    "system": {"user"},
    "user": {"assistant"},
    "assistant": {"user"},
    "calling": {"tool"},
    "tool": {"tool", "assistant"},
}
_LOOP = 3
"""The same call, or the same message, this often is a loop and no longer a harmless extra."""


def check_rules(trajectory: Trajectory) -> list[Finding]:
    """What all rules find, in the order of the rules; costs no model call."""
    return [finding for rule in RULES for finding in rule(trajectory)]


def check_ending(trajectory: Trajectory) -> Iterator[Finding]:
    """`ended_…`: the dialogue ended in another way than by the task being complete."""
    ending = trajectory.row.ending
    if ending != "task_complete":
        explanation = trajectory.row.detail or "the dialogue did not end with the task complete"
        yield _find(f"ended_{ending}", explanation, len(trajectory.messages) - 1, _FAULT_OF_ENDING[ending])


def check_order(trajectory: Trajectory) -> Iterator[Finding]:
    """`role_order`: system, user, then assistant and tools in turn; a complete dialogue closes with the assistant."""
    state = "start"
    for index, message in enumerate(trajectory.messages):
        role = message["role"]
        if role not in _MAY_FOLLOW[state]:
            yield _find("role_order", f"{role} after {state}", index, "environment")
        state = "calling" if message.get("tool_calls") else role
    if trajectory.row.ending == "task_complete" and state != "assistant":
        yield _find("role_order", f"the dialogue closes with {state}", len(trajectory.messages) - 1, "environment")


def check_pairs(trajectory: Trajectory) -> Iterator[Finding]:
    """`unpaired_call`, `unpaired_result`, `repeated_id`: each call has its one result, before the next message."""
    waiting: dict[str, int] = {}
    seen: set[str] = set()
    for index, message in enumerate(trajectory.messages):
        if message["role"] == "tool":
            identifier = message.get("tool_call_id", "")
            if waiting.pop(identifier, None) is None:
                yield _find("unpaired_result", f"no open call has the id {identifier!r}", index, "environment")
            continue
        for identifier, asked in waiting.items():
            yield _find("unpaired_call", f"the call {identifier!r} has no result", asked, "environment")
        waiting = {}
        for call in message.get("tool_calls", []):
            if call["id"] in seen:
                yield _find("repeated_id", f"two calls have the id {call['id']!r}", index, "assistant")
            seen.add(call["id"])
            waiting[call["id"]] = index
    for identifier, asked in waiting.items():
        yield _find("unpaired_call", f"the call {identifier!r} has no result", asked, "environment")


def check_records(trajectory: Trajectory) -> Iterator[Finding]:
    """`record_mismatch`: the executed calls are the calls in the messages, and the results are theirs."""
    said: dict[str, tuple[int, str, str]] = {}
    results: dict[str, str | None] = {}
    for index, message in enumerate(trajectory.messages):
        for call in message.get("tool_calls", []):
            said[call["id"]] = (index, call["function"]["name"], call["function"]["arguments"])
        if "tool_call_id" in message:
            results[message["tool_call_id"]] = message["content"]
    for record in (record for record in trajectory.calls if record.side == "assistant"):
        if said.pop(record.call_id, None) != (record.message, record.tool, record.arguments):
            yield _find("record_mismatch", f"the call {record.call_id!r} differs from its record", record.message)
        elif results.get(record.call_id) != record.result:
            yield _find("record_mismatch", f"the result of {record.call_id!r} differs from its record", record.message)
    for identifier, (index, _, _) in said.items():
        yield _find("record_mismatch", f"the call {identifier!r} was never executed", index)


def check_calls(trajectory: Trajectory) -> Iterator[Finding]:
    """`unknown_tool`, `invalid_arguments`: calls of offered tools, with arguments that fit.

    A tool that does not exist always blocks. Arguments that do not fit block unless a later call of the tool mended it
    (UO, validation: a failed call that a retry mends never blocks).
    """
    checkers = check_by_side(trajectory.tools)
    for position, record in enumerate(trajectory.calls):
        fault = "assistant" if record.side == "assistant" else "user_simulator"
        try:
            checkers[record.side].check(record.tool, record.arguments)
        except BadArguments as bad:
            if bad.error.kind == "unknown_tool":
                yield _find("unknown_tool", bad.error.message, record.message, fault)
                continue
            later = trajectory.calls[position + 1 :]
            mended = any(other.tool == record.tool and other.error is None for other in later)
            blocks = record.error is None or not mended
            yield _find("invalid_arguments", f"{record.tool}: {bad.error.message}", record.message, fault, blocks)


def check_repeats(trajectory: Trajectory) -> Iterator[Finding]:
    """`repeated_call`: the same call again although it had answered, nothing was written and nobody spoke in between.

    A second time is a harmless extra; from the third on it blocks.
    """
    counts: Counter[str] = Counter()
    made = Counter((trajectory.request_of[record.message], record.tool) for record in trajectory.calls)
    request = 0
    for record in trajectory.calls:
        current = trajectory.request_of[record.message]
        if current != request:
            counts.clear()
            request = current
        if record.error is not None:
            continue
        if record.rows_changed:
            counts.clear()
        if record.side == "user" or made[current, record.tool] == 1:
            continue
        key = f"{record.tool} {_canonical(record.arguments)}"
        counts[key] += 1
        if counts[key] > 1:
            text = f"{record.tool} was called {counts[key]} times with the same arguments"
            yield _find("repeated_call", text, record.message, "assistant", counts[key] >= _LOOP)


def check_loops(trajectory: Trajectory) -> Iterator[Finding]:
    """`repeated_message`: a role says the very same thing for the third time; words beside a call do not count."""
    counts: Counter[tuple[str, str]] = Counter()
    for index, message in enumerate(trajectory.messages):
        if index < trajectory.row.given_messages:
            continue
        if message["role"] in ("user", "assistant") and message["content"] and not message.get("tool_calls"):
            key = (message["role"], " ".join(message["content"].casefold().split()))
            counts[key] += 1
            if counts[key] == _LOOP:
                fault = "user_simulator" if message["role"] == "user" else "assistant"
                yield _find("repeated_message", f"said {_LOOP} times: {message['content'][:80]}", index, fault)


def check_completion(trajectory: Trajectory) -> Iterator[Finding]:
    """`early_completion`, `premature_completion`: the user ends only after the outcome was reported.

    A completion that came too early and was passed over does no harm, and is counted as a weakness of the simulator.
    """
    for index in trajectory.row.early_completions:
        yield _find("early_completion", "declared complete before the outcome was told", index, "user_simulator", False)
    if trajectory.row.ending != "task_complete" or trajectory.row.paradigm in WITHOUT_USER_SIMULATOR:
        return
    users = [index for index, _ in trajectory.said_by("user")]
    last = users[-1] if users else 0
    before = trajectory.messages[last - 1]
    if before["role"] != "assistant" or before.get("tool_calls") or not before["content"]:
        yield _find("premature_completion", "the user ended before anything was reported", last, "user_simulator")
    elif trajectory.calls_between(last, len(trajectory.messages)):
        text = "the assistant still acted after the user had ended the dialogue"
        yield _find("premature_completion", text, last, "user_simulator")


def _canonical(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments


def _find(code: str, explanation: str, message: int | None, fault: Any = "environment", blocks: bool = True) -> Finding:
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault=fault, blocks=blocks)


RULES: tuple[Rule, ...] = (
    check_ending,
    check_order,
    check_pairs,
    check_records,
    check_calls,
    check_results,
    check_repeats,
    check_loops,
    check_completion,
    check_wholeness,
    *LANGUAGE_RULES,
    check_goal_leak,
    check_names,
)
