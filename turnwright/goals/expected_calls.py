"""What a rubric says of calls whose results nobody can know before the dialogue.

UO, dialogue tasks: the expected tool-use pattern, with placeholders for dynamic arguments.
"""

import re
from collections.abc import Sequence
from typing import Any

from schemas.content import canonical_json
from schemas.goals import ArgumentSource
from schemas.tools import Tool
from turnwright.goals.drafts import DraftCall, DraftObjective
from turnwright.goals.words import join_words

_LONGEST = 120
"""Most characters of one argument that a bullet quotes."""


def state_outcome(objective: DraftObjective[Tool]) -> list[str]:
    """What the person has to hear, without values."""
    if any(goal.tool.effect == "write" for goal in objective.goals):
        return [f"The assistant says whether this is done: {_head(objective)}."]
    if objective.told:
        return [f"The assistant tells the user {join_words([f'the {label}' for label in objective.told])}."]
    return [f"The assistant says what came of this: {_head(objective)}."]


def _head(objective: DraftObjective[Tool]) -> str:
    """What is wanted, without the details: the bullets of the calls hold those."""
    return re.split(r", (?:with|using) ", objective.purpose, maxsplit=1)[0]


def state_calls(objective: DraftObjective[Tool], earlier: Sequence[DraftObjective[Tool]]) -> list[str]:
    """A bullet for each call: its tool and the arguments that matter; look-ups say what they are for."""
    calls = {call.id: call for other in (*earlier, objective) for call in other.calls}
    return [_state_call(call, calls, objective) for call in objective.calls]


def _state_call(call: DraftCall[Tool], calls: dict[str, DraftCall[Tool]], objective: DraftObjective[Tool]) -> str:
    told = [_state_argument(name, value, call.sources.get(name), calls) for name, value in call.arguments.items()]
    text = f"the assistant uses {call.tool.name}{f' with {join_words(told)}' if told else ''}."
    needed = [name for other in objective.calls for name, source in other.sources.items() if source.call == call.id]
    if call.lookup and needed:
        return f"To know the {needed[0]}, {text}"
    return text[0].upper() + text[1:]


def _state_argument(name: str, value: Any, source: ArgumentSource | None, calls: dict[str, DraftCall[Tool]]) -> str:
    if source is not None and source.call is not None:
        field = source.field or "value"
        return f"{name} = <{field} of {calls[source.call].tool.name}>"
    text = canonical_json(value)
    return f"{name} = {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}"
