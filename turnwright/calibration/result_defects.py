"""Defects around results: swapped, forged, not paired, or an error that nobody heeds."""

import json
import random

from schemas.goals import BehaviourPlan
from turnwright.calibration.call_defects import list_told
from turnwright.calibration.draft import Draft
from turnwright.calibration.prose_values import alter_digits, as_number, find_numbers, replace_at
from turnwright.calibration.subject import CannotPlant, Subject

_FAULTS = ("unavailable", "timeout", "rate_limit")


def plant_swapped_results(subject: Subject, rng: random.Random) -> Draft:
    """Two calls that read have each other's result, in the messages and in the records."""
    reads = [
        position
        for position, record in enumerate(subject.calls)
        if record.side == "assistant" and record.effect == "read" and not record.error
    ]
    pairs = [
        (first, second)
        for place, first in enumerate(reads)
        for second in reads[place + 1 :]
        if subject.calls[first].result != subject.calls[second].result
    ]
    if not pairs:
        raise CannotPlant("no two reads with different results")
    first, second = rng.choice(pairs)
    draft = Draft(subject)
    draft.set_result(first, subject.calls[second].result)
    draft.set_result(second, subject.calls[first].result)
    return draft


def plant_ignored_error(subject: Subject, rng: random.Random) -> Draft:
    """A call fails for a reason of the environment's own, and the assistant goes on as if it had not."""
    if subject.behaviour is not None:
        raise CannotPlant("something else is planned for the dialogue already")
    first: dict[str, int] = {}
    for position, record in enumerate(subject.calls):
        first.setdefault(record.tool, position)
    fitting = [
        position
        for name, position in sorted(first.items())
        if subject.calls[position].side == "assistant"
        and not subject.calls[position].error
        and name in subject.planned_tools
        and (subject.calls[position].effect == "write" or list_told(subject, position))
        and sum(record.tool == name for record in subject.calls) == 1
    ]
    if not fitting:
        raise CannotPlant("no needed tool was called once, and with success")
    position = rng.choice(fitting)
    detail = {"tool": subject.calls[position].tool, "kind": rng.choice(_FAULTS), "times": 1}
    draft = Draft(subject)
    draft.set_behaviour(BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail))
    draft.execute()
    if not draft.calls[position].error:
        raise CannotPlant("the fault did not strike")
    return draft


def plant_unpaired_result(subject: Subject, rng: random.Random) -> Draft:
    """A result stands under an id that no call has."""
    fitting = [position for position, record in enumerate(subject.calls) if record.side == "assistant"]
    if not fitting:
        raise CannotPlant("no call was made")
    record = subject.calls[rng.choice(fitting)]
    draft = Draft(subject)
    draft.messages[draft.find_result(record)]["tool_call_id"] = f"call_{rng.getrandbits(64):016x}"
    return draft


def plant_lost_result(subject: Subject, rng: random.Random) -> Draft:
    """A call has no result in the conversation, though the assistant goes on."""
    fitting = [position for position, record in enumerate(subject.calls) if record.side == "assistant"]
    if not fitting:
        raise CannotPlant("no call was made")
    record = subject.calls[rng.choice(fitting)]
    draft = Draft(subject)
    draft.remove(draft.find_result(record))
    return draft


def plant_forged_result(subject: Subject, rng: random.Random) -> Draft:
    """A number in a result is not what the tool gave, and the assistant tells it: nothing that is said shows it."""
    if subject.simulated:
        raise CannotPlant("the tools are simulated: any number is as good as the one that was made up")
    fitting = [
        (position, str(value))
        for position, record in enumerate(subject.calls)
        if record.side == "assistant" and not record.error and record.effect == "read"
        for value in list_told(subject, position)
        if as_number(value) is not None and not isinstance(value, str)
    ]
    rng.shuffle(fitting)
    for position, told in fitting:
        if told not in subject.calls[position].result:
            continue
        other = alter_digits(told, rng, subject.text)
        if other is None:
            continue
        draft = Draft(subject)
        text = subject.calls[position].result
        (spot, *more) = [found for found in find_numbers(_space_out(text)) if found.text == told] or [None]
        if spot is None or more:
            continue
        forged = replace_at(text, spot.start, spot.end, other)
        draft.set_result(position, forged)
        if json.loads(forged) != json.loads(text) and _retell(draft, subject, position, float(told), other):
            return draft
    raise CannotPlant("no number of a result was told that stands in it once")


def _space_out(text: str) -> str:
    """JSON with its signs as spaces, of the same length, so that its numbers stand by themselves."""
    return "".join(" " if sign in '{}[]:,"' else sign for sign in text)


def _retell(draft: Draft, subject: Subject, position: int, value: float, other: str) -> bool:
    """Puts the other number into every answer that tells the value; says whether one did."""
    done = False
    for index in subject.reports:
        if index < subject.calls[position].message:
            continue
        text = draft.messages[index]["content"] or ""
        for spot in reversed(find_numbers(text)):
            if spot.value == value:
                words = f"{float(other):,.10g}" if "," in spot.text else other
                text, done = replace_at(text, spot.start, spot.end, words), True
        draft.set_content(index, text)
    return done
