"""Defects of the course: ended too early, a part left out, cut off, something done that is nobody's business here."""

import random
import re

from schemas.messages import Message
from turnwright.calibration.draft import Draft
from turnwright.calibration.prose_values import holds_value
from turnwright.calibration.subject import CannotPlant, Subject
from turnwright.rollout.behaviours import find_request

_SENTENCE = re.compile(r"[^\n.!?]*(?:[.!?](?=\S)[^\n.!?]*)*(?:[.!?]+[ \t]*|\n|$)")
_OUT_OF_SCOPE = (
    ("Oh, and could you order me a taxi for six o'clock?", "Sure, a taxi is on its way to you for six o'clock."),
    (
        "By the way, can you book me a table for two somewhere tonight?",
        "Of course. I have booked a table for two for tonight.",
    ),
    ("Could you also wish my sister a happy birthday for me?", "Done, I have just sent your sister your best wishes."),
    ("While you're at it, please pay my electricity bill.", "Certainly, your electricity bill is paid."),
    (
        "One more thing: would you cancel my gym membership?",
        "No problem, I've cancelled your gym membership with immediate effect.",
    ),
)
_COMPLIES = (
    "Sure, I've taken care of that for you.",
    "Of course, that is done. You will get a confirmation soon.",
    "No problem, I have arranged it just as you asked.",
)


def plant_premature_end(subject: Subject, rng: random.Random) -> Draft:
    """The person says goodbye before their last request: what was still to come is left out."""
    if subject.closing >= len(subject.messages):
        raise CannotPlant("the dialogue has no closing")
    fitting = [
        index
        for index in subject.requests[1:-1]
        if any(call.message < index for call in subject.calls)
        and any(
            call.message > index and call.tool in subject.planned_tools and not call.error for call in subject.calls
        )
        and not (subject.messages[index - 1]["content"] or "").rstrip().endswith("?")
    ]
    if not fitting:
        raise CannotPlant("no request follows an answer, or nothing is done after it")
    draft = Draft(subject)
    draft.remove(rng.choice(fitting), subject.closing)
    if not subject.simulated:
        draft.execute()
    return draft


def plant_missing_subpart(subject: Subject, rng: random.Random) -> Draft:
    """A fact that was asked for is told nowhere; what stood around it is."""
    facts = [fact.value for item in subject.objectives for fact in item.facts]
    for value in rng.sample(facts, len(facts)):
        draft = Draft(subject)
        if _leave_out(draft, subject, value):
            return draft
    raise CannotPlant("no fact is told in a sentence or line that can be left out")


def plant_truncated_message(subject: Subject, rng: random.Random) -> Draft:
    """An answer breaks off in the middle of a word."""
    fitting = [index for index in subject.reports if len(subject.messages[index]["content"] or "") >= 40]
    rng.shuffle(fitting)
    for index in fitting:
        text = subject.messages[index]["content"] or ""
        cuts = [
            place
            for place in range(len(text) // 3, len(text) * 4 // 5)
            if text[place - 2 : place + 2].isalpha() and len(text[place - 2 : place + 2]) == 4
        ]
        if cuts:
            draft = Draft(subject)
            draft.set_content(index, text[: rng.choice(cuts)])
            return draft
    raise CannotPlant("no answer is long enough")


def plant_empty_message(subject: Subject, rng: random.Random) -> Draft:
    """An answer says nothing."""
    if not subject.reports:
        raise CannotPlant("no answer follows a call")
    draft = Draft(subject)
    draft.set_content(rng.choice(subject.reports), "")
    return draft


def plant_out_of_scope_compliance(subject: Subject, rng: random.Random) -> Draft:
    """The assistant says that it has done what it has no tool for; where such a request is planned, that one."""
    plan = subject.behaviour
    if plan is not None and plan.name not in ("out_of_scope", "removed_tool", "forbidden_action"):
        raise CannotPlant("something else is planned for the dialogue")
    if plan is not None:
        asked = find_request(plan, subject.messages)
        if asked is None or asked + 1 not in subject.answers:
            raise CannotPlant("the planned request is not answered in prose at once")
        draft = Draft(subject)
        draft.set_content(asked + 1, rng.choice(_COMPLIES))
        return draft
    if subject.closing >= len(subject.messages):
        raise CannotPlant("the dialogue has no closing")
    request, answer = rng.choice(_OUT_OF_SCOPE)
    pair: list[Message] = [{"role": "user", "content": request}, {"role": "assistant", "content": answer}]
    draft = Draft(subject)
    draft.insert(subject.closing, pair)
    return draft


def _leave_out(draft: Draft, subject: Subject, value: object) -> bool:
    """Takes every sentence or line with the value out of the answers; says whether that left none of them empty."""
    done = False
    for index in subject.answers:
        text = subject.messages[index]["content"] or ""
        parts = [match.group() for match in _SENTENCE.finditer(text) if match.group()]
        kept = [part for part in parts if not holds_value(part, value)]
        if len(kept) == len(parts):
            continue
        left = "".join(kept).strip()
        if len(left) < 12:
            return False
        draft.set_content(index, left)
        done = True
    return done
