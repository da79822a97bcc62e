"""Whether the behaviour planned for a dialogue happened in it, decided by code from the messages and calls."""

import re
from collections.abc import Sequence
from typing import Any

from schemas.goals import BehaviourPlan, Objective
from schemas.messages import CallRecord, Message
from turnwright.rollout.arguments import parse_json_object
from turnwright.validation.values import holds_value, names, states, values_equal

_WORD = re.compile(r"[^\W\d_]{4,}")
_SHARED_WORDS = 0.5
_FRAME = frozenset("whose with from that this them their into find show tell number name named called".split())
"""Words of a purpose that say nothing of what it is about."""


def behaviour_occurred(
    plan: BehaviourPlan | None,
    objectives: Sequence[Objective],
    messages: Sequence[Message],
    calls: Sequence[CallRecord],
) -> bool:
    """Whether `plan` came about; False where none was planned.

    It says nothing about the assistant's reaction: turnwright/validation/reactions.py judges that.
    """
    if plan is None or has_no_turn(plan):
        return False
    match plan.name:
        case "missing_parameter":
            return _was_asked(plan, objectives, messages, calls)
        case "out_of_scope":
            return find_request(plan, messages) is not None
        case "removed_tool" | "forbidden_action":
            return find_blocked_request(plan, objectives, messages) is not None
        case "ambiguous_reference":
            return find_vague_reference(plan, messages) is not None
        case "wrong_premise":
            return find_claim(plan, messages) is not None
        case "tool_fault":
            return any(record.fault for record in calls)
        case "changed_mind":
            return _changed_mind(plan, messages)
        case "parallel_calls":
            return any(len(message.get("tool_calls", [])) >= 2 for message in messages)
        case _:
            return False


def has_no_turn(plan: BehaviourPlan) -> bool:
    """Whether the turn of a stateless dialogue for which a behaviour was planned did not come about."""
    return plan.detail.get("said") == ""


def find_request(plan: BehaviourPlan, messages: Sequence[Message]) -> int | None:
    """Index of the first user message that makes the request which no tool can answer.

    A message makes it when it shares half of the request's words of four letters or more; in a stateless dialogue it is
    known which one does.
    """
    if "said" in plan.detail:
        return find_said(plan, messages)
    wanted = content_words(str(plan.detail["request"]))
    if not wanted:
        return None
    for index, message in enumerate(messages):
        if message["role"] == "user":
            shared = wanted & content_words(message["content"] or "")
            if len(shared) >= max(1, _SHARED_WORDS * len(wanted)):
                return index
    return None


def find_telling(value: Any, messages: Sequence[Message]) -> int | None:
    """Index of the first user message that states a value."""
    for index, message in enumerate(messages):
        if message["role"] == "user" and states(value, message["content"] or ""):
            return index
    return None


def find_said(plan: BehaviourPlan, messages: Sequence[Message]) -> int | None:
    """Index of the user message that a stateless dialogue's turn was made for: its words are part of the plan."""
    wanted = " ".join(str(plan.detail["said"]).split())
    found = (
        index
        for index, message in enumerate(messages)
        if message["role"] == "user" and " ".join((message["content"] or "").split()) == wanted
    )
    return next(found, None)


def find_blocked_request(
    plan: BehaviourPlan, objectives: Sequence[Objective], messages: Sequence[Message]
) -> int | None:
    """Index of the user message with which the request that cannot be met has been made.

    It has been made when a message, with the user's message before it, shares half of the request's telling words, or
    names a detail that belongs to this objective alone and shares a word; in a stateless dialogue it is known which one
    makes it.
    """
    if "said" in plan.detail:
        return find_said(plan, messages)
    wanted = content_words(str(plan.detail["request"])) - _FRAME
    elsewhere = [
        detail.value
        for number, objective in enumerate(objectives)
        if number != plan.objective
        for detail in objective.known_details
    ]
    own = [
        detail.value
        for detail in objectives[plan.objective].known_details
        if not any(values_equal(detail.value, value) for value in elsewhere)
    ]
    before = ""
    for index, message in enumerate(messages):
        if message["role"] != "user":
            continue
        text = message["content"] or ""
        shared = wanted & content_words(f"{before}\n{text}")
        fresh = wanted & content_words(text)
        if fresh and (len(shared) >= max(1, _SHARED_WORDS * len(wanted)) or any(names(value, text) for value in own)):
            return index
        before = text
    return None


def find_vague_reference(plan: BehaviourPlan, messages: Sequence[Message]) -> int | None:
    """Index of the user message that names a record by what fits several, before the user said which one is meant.

    None where the user named it whole at once, or another way that fits no other record.
    """
    told = find_telling(plan.detail["value"], messages)
    for index, message in enumerate(messages):
        if message["role"] == "user":
            if told is not None and index >= told:
                return None
            if names(plan.detail["vague"], _leave_out(plan.detail["candidates"], message["content"] or "")):
                return index
    return None


def _leave_out(candidates: Sequence[Any], text: str) -> str:
    """`text` without the whole names of candidates, of which the vague word is a part."""
    for value in candidates:
        text = re.sub(re.escape(str(value)), " ", text, flags=re.IGNORECASE)
    return text


def find_claim(plan: BehaviourPlan, messages: Sequence[Message]) -> int | None:
    """Index of the user message that states the false belief, before the assistant had said otherwise."""
    for index, message in enumerate(messages):
        if message["role"] == "user" and names(plan.detail["claimed"], message["content"] or ""):
            return index
    return None


def content_words(text: str) -> set[str]:
    """The words of `text` that have four letters or more, without case."""
    return {word.casefold() for word in _WORD.findall(text)}


def _was_asked(
    plan: BehaviourPlan,
    objectives: Sequence[Objective],
    messages: Sequence[Message],
    calls: Sequence[CallRecord],
) -> bool:
    """Whether the user told the parameter's value only when the assistant asked for it, and before any call used it."""
    objective, value = objectives[plan.objective], plan.detail["value"]
    told = find_telling(value, messages)
    if told is None or told < 2:
        return False
    if any(record.message < told and _carries(record, value) for record in calls):
        return False
    question = messages[told - 1]
    if question["role"] != "assistant" or not any(mark in (question["content"] or "") for mark in "?？؟"):
        return False
    before = max((index for index in range(told) if messages[index]["role"] == "user"), default=None)
    if before is None:
        return False
    others = [detail.value for detail in objective.known_details if not values_equal(detail.value, value)]
    begun = any(states(other, messages[before]["content"] or "") for other in others)
    return begun or not any(before < record.message < told for record in calls)


def _carries(record: CallRecord, value: Any) -> bool:
    try:
        arguments = parse_json_object(record.arguments)
    except ValueError:
        return False
    return any(
        holds_value(argument.strip("%") if isinstance(argument, str) else argument, value)
        for argument in arguments.values()
    )


def _changed_mind(plan: BehaviourPlan, messages: Sequence[Message]) -> bool:
    """Whether the user told the first value and, after it, the second."""
    first = find_telling(plan.detail["from"], messages)
    if first is None:
        return False
    return any(
        message["role"] == "user" and states(plan.detail["to"], message["content"] or "")
        for message in messages[first:]
    )
