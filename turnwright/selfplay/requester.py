"""The embedded requester: the wish in the words of the tools' own descriptions, then the details in passing.

It also answers a question, takes up what the assistant said, and says goodbye. At the mistake rate a candidate leaves a
value out, or begins with what should only be mentioned.
"""

import re
from collections.abc import Sequence
from typing import Any

from turnwright.selfplay.persona_voice import read_voice
from turnwright.selfplay.plan_view import say_deed
from turnwright.selfplay.request import Request
from turnwright.selfplay.request_wording import point_at, say_answer, say_aside, say_details, say_references
from turnwright.selfplay.words import start_sentence

_OPENINGS = {
    "casual": ("can you", "could you", "please", "I need you to", "hey, can you", "hi, could you"),
    "formal": ("could you please", "would you kindly", "I would like you to", "may I ask you to", "please"),
    "neutral": ("please", "could you", "I'd like you to", "can you", "I need you to", "could you please"),
}
_FURTHER = {
    "casual": ("also", "then", "and", "oh, and please", "while you're at it,"),
    "formal": ("I would also like you to", "after that, please", "in addition, please", "then please"),
    "neutral": ("I'd also like you to", "after that, please", "then please", "also, please", "and please"),
}
_GOING_ON = {
    "casual": ("OK,", "Right,", "Good,", "Next up,", "With that in hand,", "Now,"),
    "formal": ("With that settled,", "Thank you.", "Next,", "Going on from there,", "On that basis,"),
    "neutral": ("With that in hand,", "Going on from there,", "Next,", "Now that we have that,", "Thanks.", "OK,"),
}
_GREETING = re.compile(r"^(?:hey|hi), ")
_ASKING = re.compile(r"(?:hey, |hi, )?(?:can|could|would|may) ")
_TOLD = re.compile(r"(?:^|[,.] |and )the ([a-z][a-z ]{3,24}?) (?:is|are) ", re.IGNORECASE)
_STAMP = re.compile(r" (?:ID|on|by)$")
"""Ends of labels that nobody takes up in words."""
_TAKEN_UP = (
    "Good to know about the {}.",
    "Thanks for looking up the {}.",
    "OK, that settles the {}.",
    "OK, noted about the {}.",
    "I see what you say about the {}.",
    "Good, that clears up the {}.",
)
_COUNTED = ("Good that there are entries.", "I see, so there are entries for that.", "Those entries will do.")
_SHORT = {
    "asked": "Good, that is what I had asked for.",
    "worked": "Glad that it worked.",
    "found": "I see what was found.",
}
"""For answers that name nothing: a word of theirs, and what takes it up."""
_REFUSED = {
    "something": ("Fair enough, it was only something to try.", "Pity, but something else is more urgent."),
    "possible": ("Too bad that this is not possible.", "I see, not possible then."),
    "unable": ("All right, if you are unable to, we leave it.", "I understand that you are unable to."),
    "tools": ("No such tools, I see.", "A pity about the tools."),
    "afraid": ("No need to be afraid of saying no.", "I was afraid of that."),
    "outside": ("So that is outside of this service. Understood.", "Outside of this service, I see."),
}
_NO = re.compile(r"\b(?:can't|cannot|not|no|none|unable)\b")
_FAREWELLS = {
    "casual": ("Great, thanks, that's it.", "Cool, thanks a lot!", "Perfect, that's all. Cheers.", "Thanks, bye!"),
    "formal": (
        "Thank you very much, that is all.",
        "I am grateful for your help. Goodbye.",
        "That is everything. Thank you for your time.",
    ),
    "neutral": (
        "Thanks, that's all for today.",
        "That's everything, thank you.",
        "Good, that was all. Thanks for your help.",
        "Thank you, that helps a lot.",
    ),
}


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.RequestDraft."""
    blocks, rng = request.blocks, request.rng
    register = read_voice(blocks.get("persona") or {}).register
    if "question" in blocks:
        return {"request": _answer(request, register)}
    if "asks_for" not in blocks:
        return {"request": _close(request, register)}
    wishes: list[dict[str, Any]] = blocks["asks_for"]
    mentions: list[dict[str, Any]] = list(blocks["mentions"])
    spoilt = rng.random() < request.mistake_rate
    if spoilt and mentions and rng.random() < 0.5:
        mentions.pop(rng.randrange(len(mentions)))
    sentences: list[str] = []
    for number, wish in enumerate(wishes):
        sentences += _say_wish(request, wish, register, number, lost=spoilt and not mentions and not number)
    if mentions:
        aside = say_aside(mentions, rng)
        if spoilt:
            sentences.insert(0, aside)
        else:
            sentences.append(aside)
    if blocks.get("answer") and not (spoilt and rng.random() < 0.5):
        sentences.insert(0, _take_up(str(blocks["answer"]), request))
    return {"request": " ".join(sentences)}


def _say_wish(request: Request, wish: dict[str, Any], register: str, number: int, *, lost: bool) -> list[str]:
    """The sentences of one wish: what is to be done, and details that have a sentence of their own."""
    rng = request.rng
    opening = rng.choice(_pick(_FURTHER if number else _OPENINGS, register))
    if request.blocks.get("earlier"):
        opening = _GREETING.sub("", opening)
    start = start_sentence(opening)
    if not number and request.blocks.get("earlier") and not request.blocks.get("answer"):
        going_on = rng.choice(_pick(_GOING_ON, register))
        start = f"{going_on} {start if going_on.endswith('.') else opening}"
    wording = point_at(say_deed(wish["does"]), wish["takes"])
    details: Sequence[dict[str, Any]] = wish["details"]
    tail, sentences = say_details(wording.deed, details[1:] if lost else details, rng)
    references = say_references(wish["takes"], wording.spoken, rng, again=tail.startswith(", with"))
    mark = "?" if _ASKING.match(opening) else "."
    return [f"{start} {wording.deed}{tail}{references}{mark}", *sentences]


def _answer(request: Request, register: str) -> str:
    """What was asked for; at the mistake rate the person does not know."""
    detail: dict[str, Any] = request.blocks["detail"]
    if request.rng.random() < request.mistake_rate:
        return "I would have to look that up."
    return say_answer(str(detail["label"]), detail["value"], register, request.rng)


def _close(request: Request, register: str) -> str:
    """The last words; at the mistake rate they ask for more."""
    if request.rng.random() < request.mistake_rate:
        return "Thanks. Could you also send me a summary?"
    return request.rng.choice(_pick(_FAREWELLS, register))


def _take_up(answer: str, request: Request) -> str:
    """A word about what the assistant said last, with none of its values."""
    rng = request.rng
    for word, said in _REFUSED.items():
        if re.search(rf"\b{word}\b", answer, re.IGNORECASE) and _NO.search(answer):
            return rng.choice(said)
    told = _TOLD.findall(answer)
    if told:
        plain = [label.strip().removesuffix(" ID") for label in told if not _STAMP.search(label)]
        return rng.choice(_TAKEN_UP).format(rng.choice(plain or [told[0].strip().removesuffix(" ID")]))
    if "entries" in answer:
        return rng.choice(_COUNTED)
    for word, said in _SHORT.items():
        if re.search(rf"\b{word}\b", answer):
            return said
    words = [word for word in re.findall(r"\b[a-z]{5,}\b", answer) if word not in ("which", "there", "about")]
    return f"I see what you mean by {rng.choice(words)}." if words else "Good."


def _pick(forms: dict[str, tuple[str, ...]], register: str) -> tuple[str, ...]:
    return forms.get(register, forms["neutral"])
