"""Defects of the user: tells everything at once, knows what it cannot know, speaks of tools."""

import random
import re

from turnwright.calibration.draft import Draft
from turnwright.calibration.prose_values import holds_words
from turnwright.calibration.subject import CannotPlant, Subject

_JOINTS = ("Also: {}", "And besides that: {}", "On top of that: {}", "Then there is this: {}")
_THANKS = re.compile(r"^(?:[^.!?]*\b(?:thanks|thank you|great|perfect|okay|ok|good|lovely)\b[^.!?]*[.!?]\s*)+", re.I)
_HINTS = (
    "You can use {tool} for that.",
    "I think {tool} is the right one here.",
    "Just run {tool}, please.",
)
_KNOWN_IDS = (
    "If it helps, the {label} should be {value}.",
    "I believe that is {label} {value}.",
    "The {label} is {value}, by the way.",
)


def plant_leaked_goal(subject: Subject, rng: random.Random) -> Draft:
    """The person's first message holds everything that they were to ask bit by bit."""
    if subject.closing >= len(subject.messages):
        raise CannotPlant("the dialogue has no closing")
    if subject.behaviour is not None and subject.behaviour.name not in ("tool_fault", "parallel_calls"):
        raise CannotPlant("what the person says when is part of the plan")
    wishes = [item for item in subject.objectives if item.calls]
    later = [
        _strip_thanks(subject.messages[index]["content"] or "")
        for index in subject.requests[1:-1]
        if not (subject.messages[index - 1]["content"] or "").rstrip().endswith("?")
    ]
    later = [text for text in later if len(text) >= 20]
    if len(wishes) < 2 or len(later) < 2:
        raise CannotPlant("there is too little to leak")
    first = (subject.messages[subject.requests[0]]["content"] or "").rstrip()
    joints = rng.sample(_JOINTS, len(_JOINTS))
    added = [joints[number % len(joints)].format(text) for number, text in enumerate(later)]
    draft = Draft(subject)
    draft.set_content(subject.requests[0], " ".join([first, *added]))
    return draft


def plant_unknowable_value(subject: Subject, rng: random.Random) -> Draft:
    """The person gives a key that only a result could have told, before it did."""
    known = [str(detail.value) for item in subject.objectives for detail in item.known_details]
    fitting: list[tuple[int, str, object]] = []
    for item in subject.objectives:
        for call in item.calls:
            for name, source in call.sources.items():
                value = call.arguments.get(name)
                if source.kind != "result" or not isinstance(value, int | str) or str(value) in known:
                    continue
                brought = [
                    record.message
                    for record, leaves in zip(subject.calls, subject.leaves, strict=True)
                    if any(leaf.value == value and leaf.field == name for leaf in leaves)
                ]
                asked = [index for index in subject.requests if brought and index < brought[0]]
                said = " ".join(subject.messages[index]["content"] or "" for index in asked)
                if asked and not holds_words(said, str(value)):
                    fitting.append((asked[-1], name, value))
    if not fitting:
        raise CannotPlant("no key comes from a result")
    index, name, value = rng.choice(fitting)
    draft = Draft(subject)
    draft.add_sentence(index, rng.choice(_KNOWN_IDS).format(label=name.replace("_", " "), value=value))
    return draft


def plant_tool_name_by_user(subject: Subject, rng: random.Random) -> Draft:
    """The person names a tool."""
    called = sorted({call.tool for call in subject.calls if call.side == "assistant" and "_" in call.tool})
    asked = [index for index in subject.requests if index < subject.closing]
    if not called or not asked:
        raise CannotPlant("no tool with a name of its own was called")
    draft = Draft(subject)
    draft.add_sentence(rng.choice(asked), rng.choice(_HINTS).format(tool=rng.choice(called)))
    return draft


def plant_tool_name_by_assistant(subject: Subject, rng: random.Random) -> Draft:
    """The assistant tells the person the name of the tool that it used, with what it gave it."""
    fitting = [call for call in subject.calls if call.side == "assistant" and call.message < subject.closing]
    if not fitting or not subject.reports:
        raise CannotPlant("no answer follows a call")
    call = rng.choice(fitting)
    later = [index for index in subject.reports if index > call.message]
    if not later:
        raise CannotPlant("no answer follows the call")
    draft = Draft(subject)
    draft.add_sentence(later[0], f"I got this from {call.tool} with {call.arguments}.")
    return draft


def _strip_thanks(text: str) -> str:
    """A message without the thanks that it begins with."""
    return _THANKS.sub("", text).strip()
