"""The embedded responder: a question back, a refusal, a goodbye; at the mistake rate, one that guesses or pretends."""

import re
from typing import Any

from turnwright.selfplay.plan_view import say_deed
from turnwright.selfplay.request import Request
from turnwright.selfplay.words import stems

_QUESTIONS = (
    "What {be} the {}?",
    "Which {} should it be?",
    "Could you tell me the {}?",
    "Happy to. What {be} the {}, please?",
    "One thing is still missing: what {be} the {}?",
    "Before I begin, which {} do you have in mind?",
    "Sure. What should the {} be?",
)
_DECLINES = (
    "I'm sorry, that is not something I can do here.",
    "I'm afraid none of my tools can do that.",
    "Unfortunately that is not possible for me here.",
    "I can't help with that one: it is outside of what I have access to.",
    "That is something I cannot do, sorry.",
    "I am unable to do that in this service.",
)
_OFFERS = ("What I can do is {}.", "I can {}, though.", "Instead, I can {}.", "What I can help with: I can {}.")
_RELATIVE = re.compile(r"[,;:(]| (?:that|who|which) | by part ")
"""Where a description goes into more than somebody would say in passing."""
_GOODBYES = (
    "You're welcome, have a good day!",
    "Glad that helped. All the best!",
    "My pleasure, take care!",
    "You're welcome, goodbye!",
)


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.ResponseDraft."""
    blocks = request.blocks
    slips = request.rng.random() < request.mistake_rate
    if "missing" in blocks:
        return {"response": _ask(request, slips=slips)}
    if "can_do" in blocks:
        return {"response": _decline(request, slips=slips)}
    return {"response": "Anything else?" if slips else request.rng.choice(_GOODBYES)}


def _ask(request: Request, *, slips: bool) -> str:
    label = str(request.blocks["missing"]["label"])
    if slips:
        return f"I have taken the usual {label}."
    be = "are" if label.endswith("s") and not label.endswith(("ss", "us", "is")) else "is"
    return request.rng.choice(_QUESTIONS).format(label, be=be)


def _decline(request: Request, *, slips: bool) -> str:
    """The refusal, with the one or two deeds that come closest to what was asked for."""
    rng = request.rng
    if slips:
        return "I've done that for you."
    wanted = set(stems(str(request.blocks["request"])))
    deeds = [say_deed(_RELATIVE.split(str(each))[0]) for each in request.blocks["can_do"]]
    ranked = sorted(dict.fromkeys(deeds), key=lambda deed: (-len(wanted & set(stems(deed))), deed))
    offered = ranked[: rng.choice((1, 2))]
    offer = rng.choice(_OFFERS).format(" or ".join(offered)) if offered else "I can help with other things, though."
    return f"{rng.choice(_DECLINES)} {offer}"
