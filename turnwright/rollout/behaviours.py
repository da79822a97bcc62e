"""Whether the behaviour planned for a dialogue happened in it, decided by code from the messages and calls."""

import re
from collections.abc import Sequence
from typing import Any

from schemas.goals import BehaviourPlan, Objective
from schemas.messages import CallRecord, Message
from turnwright.rollout.arguments import parse_json_object
from turnwright.validation.values import holds_value, states, values_equal

_WORD = re.compile(r"[^\W\d_]{4,}")
_SHARED_WORDS = 0.5


def behaviour_occurred(
    plan: BehaviourPlan | None,
    objectives: Sequence[Objective],
    messages: Sequence[Message],
    calls: Sequence[CallRecord],
) -> bool:
    """Whether `plan` came about; False where none was planned.

    It says nothing about the assistant's reaction: turnwright/validation/reactions.py judges that.
    """
    if plan is None:
        return False
    match plan.name:
        case "missing_parameter":
            return _was_asked(plan, objectives, messages, calls)
        case "out_of_scope":
            return find_request(plan, messages) is not None
        case "tool_fault":
            return any(record.fault for record in calls)
        case "changed_mind":
            return _changed_mind(plan, messages)
        case "parallel_calls":
            return any(len(message.get("tool_calls", [])) >= 2 for message in messages)
        case _:
            return False


def find_request(plan: BehaviourPlan, messages: Sequence[Message]) -> int | None:
    """Index of the first user message that makes the request which no tool can answer.

    A message makes it when it shares half of the request's words of four letters or more.
    """
    wanted = content_words(str(plan.detail["request"]))
    if not wanted:
        return None
    for index, message in enumerate(messages):
        if message["role"] == "user":
            shared = wanted & content_words(message["content"] or "")
            if len(shared) >= max(1, _SHARED_WORDS * len(wanted)):
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
    told = _first_telling(value, messages)
    if told is None or told < 2:
        return False
    if any(record.message < told and _carries(record, value) for record in calls):
        return False
    question = messages[told - 1]
    if question["role"] != "assistant" or "?" not in (question["content"] or ""):
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


def _first_telling(value: Any, messages: Sequence[Message]) -> int | None:
    for index, message in enumerate(messages):
        if message["role"] == "user" and states(value, message["content"] or ""):
            return index
    return None


def _changed_mind(plan: BehaviourPlan, messages: Sequence[Message]) -> bool:
    """Whether the user told the first value and, after it, the second."""
    first = _first_telling(plan.detail["from"], messages)
    if first is None:
        return False
    return any(
        message["role"] == "user" and states(plan.detail["to"], message["content"] or "")
        for message in messages[first:]
    )
