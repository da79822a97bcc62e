"""Slips of a user simulator that can be seen in its message alone, before anybody has read it.

A model that plays a person falls out of the part now and then, small ones often. One more request, with the slip named,
mends most of it and costs less than a dialogue that is thrown away.
"""

import re

from schemas.goals import Persona
from turnwright.rollout.conversation import Conversation
from turnwright.validation.language import find_offer, find_scenes, find_third_person

_ASIDE = re.compile(
    r"\b(?:is there )?anything else (?:that )?i (?:need to|should|have to|must)\b|"
    r"\bwhat(?:'s| is| are) the next steps?\b|\bwhat (?:should|do|can) i do next\b",
    re.IGNORECASE,
)
"""A model that has lost the thread of its part asks what to do."""
_COPIED = 40
"""Characters of the assistant's words that nobody says again by chance."""


def find_slip(text: str, conversation: Conversation, persona: Persona) -> str | None:
    """What is wrong with the person's next message, said so that the model can mend it, or none."""
    plain = _plain(text)
    if _ASIDE.search(text):
        return "nobody asks that who wants something; say what is still open, or end with a short thank-you"
    said = [_plain(message["content"] or "") for message in conversation.messages if message["role"] == "user"]
    heard = [_plain(message["content"] or "") for message in conversation.messages if message["role"] == "assistant"]
    if plain in said:
        return (
            "the person has written exactly this before; the next message asks for what is still open, says what is "
            "wrong with the answer, or is a short thank-you"
        )
    if heard and len(heard[-1]) >= _COPIED and (heard[-1][:_COPIED] in plain):
        return "it repeats the answer instead of what the person says next"
    if (words := find_scenes(text)) is not None:
        return f"a person in a chat says `you` and never {words!r}"
    if (words := find_offer(text)) is not None:
        return f"{words!r} is what the other side says; the person only asks and tells"
    if (words := find_third_person(text, persona)) is not None:
        return f"{words!r} speaks about the person; the person says `I`"
    return None


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
