"""When a person's thank-you is the end of a dialogue although it was not marked as one.

Small models play the person well enough and still leave the mark out three times in four; the dialogue then goes round
in thanks until a limit ends it. So code looks at the message: one that holds nothing but thanks and a goodbye says that
the person is done, if they have what they came for, or if they say it a second time in a row.
"""

import re
from collections.abc import Sequence

from schemas.goals import Objective
from schemas.messages import CallRecord, Message
from schemas.tools import Tool
from turnwright.validation.values import states

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LONGEST = 30
"""Words; more than that is no mere thank-you."""
_THANKS = frozenset("thanks thank thankyou thx ty cheers bye goodbye appreciate appreciated grateful".split())
_POLITE = frozenset(
    "you so much very a lot many again for the your that this it i i'm i'll all help helping assistance"
    " info information update support quick kind great good perfect wonderful lovely awesome excellent ok"
    " okay alright well and have nice day one evening weekend now is was that's done set everything needed"
    " need really been be helpful glad happy to hear got take care my answer answers confirming"
    " confirmation clear just what wanted me on in time details no more nothing else up clearing"
    " clarifying checking sorting there then would were are we we're".split()
)


def is_farewell(text: str) -> bool:
    """Whether a message holds nothing but thanks: no question, no number, no name, no word that asks for anything."""
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if not words or len(words) > _LONGEST or any(mark in text for mark in "?？؟"):
        return False
    return bool(_THANKS & set(words)) and all(word in _THANKS or word in _POLITE for word in words)


def is_settled(
    objectives: Sequence[Objective], tools: Sequence[Tool], messages: Sequence[Message], calls: Sequence[CallRecord]
) -> bool:
    """Whether everything that the plan is about came about: every fact was told, every planned change was made.

    It decides only whether the dialogue may end; whether it was right is for the validation to say.
    """
    told = "\n".join(message["content"] or "" for message in messages if message["role"] == "assistant")
    if not all(states(fact.value, told) for objective in objectives for fact in objective.facts):
        return False
    writes = {tool.name for tool in tools if tool.effect == "write"}
    changed = [record.tool for record in calls if record.rows_changed]
    for planned in (call for objective in objectives for call in objective.calls if call.tool in writes):
        if planned.tool not in changed:
            return False
        changed.remove(planned.tool)
    return True
