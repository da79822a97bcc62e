"""The embedded summariser: what the last results say, in one or two sentences; at the mistake rate, with a question."""

import json
from typing import Any, cast

from turnwright.selfplay.plan_view import say_deed
from turnwright.selfplay.request import Request
from turnwright.selfplay.words import join_words, say_name, say_value, start_sentence

_MOST_FIELDS = 3


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.SummaryDraft."""
    done: list[dict[str, Any]] = request.blocks["done"]
    rng = request.rng
    text = _tell(done[-1]) if done else "Nothing had to be done."
    if rng.random() < request.mistake_rate:
        text += " Shall I do anything else with it?"
    return {"summary": text}


def _tell(call: dict[str, Any]) -> str:
    try:
        result = json.loads(call["result"])
    except ValueError:
        return "That worked, and the full result is long."
    deed = say_deed(str(call["does"]))
    if isinstance(result, list):
        rows = cast("list[Any]", result)
        if not rows:
            return "Nothing was found for that."
        first = _list_fields(rows[0])
        many = f"I found {len(rows)} entries" if len(rows) > 1 else "I found one entry"
        return f"{many}. For the first one, {first}." if first else f"{many}."
    fields = _list_fields(result)
    if not fields:
        return f"That is done as you asked: {deed}."
    return f"{start_sentence(fields)}."


def _list_fields(value: Any) -> str:
    """`the status is sent and the total is 12`, of the first few scalars; empty where there are none."""
    if not isinstance(value, dict):
        return ""
    fields = cast("dict[str, Any]", value)
    told = [
        f"the {say_name(name)} {_be(name)} {say_value(inner)}" for name, inner in fields.items() if _can_be_said(inner)
    ]
    return join_words([part.rstrip(".") for part in told[:_MOST_FIELDS]])


def _be(name: str) -> str:
    """Names of several things: `beds`, `nights`; not `status` or `address`."""
    return "are" if name.endswith("s") and not name.endswith(("ss", "us", "is", "ws")) else "is"


def _can_be_said(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and value != "" and "?" not in value)
