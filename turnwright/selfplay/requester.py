"""The embedded requester: the wish in the words of the tools' own descriptions, then the details in passing.

At the mistake rate a candidate leaves a value out, or begins with what should only be mentioned.
"""

import re
from typing import Any

from turnwright.selfplay.plan_view import say_deed, write_value
from turnwright.selfplay.request import Request
from turnwright.selfplay.words import start_sentence

_OPENINGS = ("please", "could you", "I'd like you to", "I need you to", "can you")
_FURTHER = ("I also want you to", "and then please", "after that, please")
_GOING_ON = ("With that in hand,", "Going on from there,", "Next,", "Now that we have that,", "With what you found,")
_ASIDES = ("For what it's worth,", "In case it matters,", "What I have here:", "As far as I know,")
_PLAIN = re.compile(r"[^\s,;\"]+(?: [^\s,;\"]+){0,3}")


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.RequestDraft."""
    blocks, rng = request.blocks, request.rng
    wishes: list[dict[str, Any]] = blocks["asks_for"]
    mentions: list[dict[str, Any]] = list(blocks["mentions"])
    spoilt = rng.random() < request.mistake_rate
    if spoilt and mentions and rng.random() < 0.5:
        mentions.pop(rng.randrange(len(mentions)))
    sentences: list[str] = []
    for number, wish in enumerate(wishes):
        opening = rng.choice(_FURTHER if number else _OPENINGS)
        start = start_sentence(opening)
        if not number and blocks.get("earlier"):
            start = f"{rng.choice(_GOING_ON)} {opening}"
        sentences.append(f"{start} {_say_wish(wish)}{'?' if opening in ('could you', 'can you') else '.'}")
    if mentions:
        told = [f"the {each['label']} is {say_value(each['value'])}" for each in mentions]
        aside = f"{rng.choice(_ASIDES)} {', and '.join(told)}."
        if spoilt:
            sentences.insert(0, aside)
        else:
            sentences.append(aside)
    return {"request": " ".join(sentences)}


def _say_wish(wish: dict[str, Any]) -> str:
    parts = [f"the {each['label']} {say_value(each['value'])}" for each in wish["details"]]
    text = say_deed(wish["does"])
    if parts:
        text += f", with {' and '.join(parts)}"
    for origin, words in (("this request", "from there"), ("earlier", "from before")):
        taken = dict.fromkeys(each["label"] for each in wish["takes"] if each["from"] == origin)
        if taken:
            text += f", taking the {' and the '.join(taken)} {words}"
    return text


def say_value(value: Any) -> str:
    """A value as it stands in a sentence: in quotes where it could not be told from the words around it."""
    text = write_value(value)
    bare = isinstance(value, int | float) or (
        isinstance(value, str) and _PLAIN.fullmatch(text) and " and " not in text and not text.endswith((".", "?", "!"))
    )
    return text if bare else f'"{text}"'
