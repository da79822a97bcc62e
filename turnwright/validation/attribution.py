"""Attribution: the first faulty message of an invalid dialogue, and whose fault it is, from what all layers found.

A layer points at where it noticed something, which is not always where it went wrong: the outcome sees at the end that
a fact was never told, the judge names a bullet and no message. Here each finding that blocks gets a place, then a
culprit; the earliest one is the first fault, because what comes after it may only follow from it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.findings import Fault, Finding
from schemas.goals import Objective
from schemas.vocabulary import SIMULATED, WITHOUT_USER_SIMULATOR
from turnwright.validation.documents import read_document
from turnwright.validation.outcome import begin_objectives
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.user_conduct import INVENTED_FACT, OVER_AGREEMENT
from turnwright.validation.values import holds_value, states, values_equal

_NAMED = re.compile(r"\bmessage (\d+)\b")
"""How a judge that points at a message of its transcript does it."""
_LOOPS = frozenset({"repeated_message", "repeated_call"})
_MISLEADING = frozenset({INVENTED_FACT, OVER_AGREEMENT})
"""Slips of the user simulator that an assistant who does as it is told cannot mend."""
_RANK: dict[Fault, int] = {"task": 0, "endpoint": 1, "environment": 2, "user_simulator": 3, "assistant": 4}
"""Of two faults in one message the one that the other may follow from comes first."""


@dataclass(frozen=True)
class Attribution:
    """Where an invalid dialogue first went wrong."""

    message: int | None
    """Index of the message; one past the last where something is missing at the end; none where no message is at fault
    or nobody can say which."""
    fault: Fault
    reason: str
    """The finding behind it, as `layer.code: explanation`."""


def attribute_fault(trajectory: Trajectory, findings: Sequence[Finding]) -> Attribution | None:
    """The first fault of a dialogue, or none where nothing blocks.

    Findings that do not block never make a fault. They only tell where a fault without a place began, and that a user
    who misled the assistant is to blame for what came of it.
    """
    blocking = [finding for finding in findings if finding.blocks]
    if not blocking:
        return None
    if trajectory.problem is not None:
        return Attribution(None, blocking[0].fault, _say(blocking[0]))
    begins = begin_objectives(trajectory)
    placed = [_place(trajectory, finding, findings, begins) for finding in blocking]
    return min(placed, key=_order)


def _order(attribution: Attribution) -> tuple[bool, bool, int, int]:
    """A faulty task first, because nobody could have done better; then by message; what has no place comes last."""
    place = attribution.message
    return attribution.fault != "task", place is None, place or 0, _RANK[attribution.fault]


def _place(
    trajectory: Trajectory, finding: Finding, findings: Sequence[Finding], begins: Sequence[int | None]
) -> Attribution:
    message, fault = finding.message, finding.fault
    if finding.layer == "judge":
        message, fault = _place_bullet(trajectory, finding, begins)
    elif finding.code in ("fact_not_told", "missing_change", "missing_call"):
        message, fault = _place_lack(trajectory, finding, begins)
    elif finding.code.startswith("ended_"):
        message = _place_ending(trajectory, finding, findings)
    if fault == "assistant" and finding.layer in ("outcome", "judge"):
        message, fault = _blame_user(message, findings)
    if fault == "user_simulator" and trajectory.row.paradigm in WITHOUT_USER_SIMULATOR:
        # Nobody simulates the user there: the messages are the task's own words.
        fault = "task"
    if fault == "environment" and trajectory.row.paradigm not in SIMULATED and finding.layer == "replay":
        message = None
    return Attribution(message, fault, _say(finding))


def _say(finding: Finding) -> str:
    return f"{finding.layer}.{finding.code}: {finding.explanation}"


def _place_bullet(trajectory: Trajectory, finding: Finding, begins: Sequence[int | None]) -> tuple[int | None, Fault]:
    """A missed bullet: the message that the judge names, else where its objective should have been told as met."""
    named = [int(number) for number in _NAMED.findall(finding.explanation)]
    within = [number for number in named if 1 <= number < len(trajectory.messages)]
    if within:
        role = trajectory.messages[within[0]]["role"]
        return within[0], "user_simulator" if role == "user" else "assistant"
    for position, objective in enumerate(trajectory.objectives):
        if any(finding.explanation.startswith(bullet) for bullet in objective.rubric):
            return _close_of(trajectory, begins, position)
    return _last_answer(trajectory, 0, None), "assistant"


def _place_lack(trajectory: Trajectory, finding: Finding, begins: Sequence[int | None]) -> tuple[int | None, Fault]:
    """Something that did not happen: where its objective was left; the task's fault where it could not happen."""
    if finding.code != "fact_not_told":
        if finding.fault == "user_simulator":
            return _end_of_user(trajectory), "user_simulator"
        return finding.message or _last_answer(trajectory, 0, None), "assistant"
    for position, objective in enumerate(trajectory.objectives):
        for fact in objective.facts:
            if finding.explanation == f"the user was never told {fact.label}: {fact.value!r}":
                if _is_unknowable(trajectory, objective, fact.value):
                    return None, "task"
                answer = _first_silent(trajectory, begins[position], fact.value)
                return (answer, "assistant") if answer is not None else _close_of(trajectory, begins, position)
    return finding.message, finding.fault


def _first_silent(trajectory: Trajectory, begun: int | None, value: object) -> int | None:
    """The assistant's first answer after a result that has a fact: the first one that could have told it."""
    for record in trajectory.calls:
        if begun is not None and record.message > begun and holds_value(read_document(record.result), value):
            return next((index for index, _ in trajectory.said_by("assistant", record.message + 1)), None)
    return None


def _is_unknowable(trajectory: Trajectory, objective: Objective, value: object) -> bool:
    """Whether all calls of an objective were made as planned, and none of the dialogue's results has the fact."""
    results = [read_document(record.result) for record in trajectory.calls]
    texts = [record.result for record in trajectory.calls]
    if any(holds_value(result, value) for result in results) or any(states(value, text) for text in texts):
        return False
    made = [(record.tool, read_document(record.arguments)) for record in trajectory.calls if record.error is None]
    return bool(objective.calls) and all(
        any(tool == call.tool and values_equal(arguments, call.arguments) for tool, arguments in made)
        for call in objective.calls
    )


def _close_of(trajectory: Trajectory, begins: Sequence[int | None], position: int) -> tuple[int | None, Fault]:
    """The assistant's last answer before the user came to the next objective; the user's end where it never came up."""
    begun = begins[position]
    if begun is None:
        return _end_of_user(trajectory), "user_simulator"
    later = [begin for begin in begins[position + 1 :] if begin is not None and begin > begun]
    answer = _last_answer(trajectory, begun, min(later, default=None))
    return answer if answer is not None else _last_answer(trajectory, begun, None), "assistant"


def _last_answer(trajectory: Trajectory, start: int, end: int | None) -> int | None:
    """The assistant's last prose before `end`; its goodbye, which answers the user's last message, is none."""
    last = _end_of_user(trajectory)
    limit = min(end if end is not None else len(trajectory.messages), last if last is not None else 0)
    said = [index for index, _ in trajectory.said_by("assistant", start, limit)]
    after = [index for index, _ in trajectory.said_by("assistant", start)]
    return said[-1] if said else next(iter(after), None)


def _end_of_user(trajectory: Trajectory) -> int | None:
    """The user's last message: where they ended, or should have gone on."""
    return max((index for index, _ in trajectory.said_by("user")), default=None)


def _place_ending(trajectory: Trajectory, finding: Finding, findings: Sequence[Finding]) -> int | None:
    """A dialogue that broke off: at its end, or where it began to go round in circles."""
    if trajectory.row.ending in ("turn_limit", "call_limit"):
        loops = [one.message for one in findings if one.code in _LOOPS and one.message is not None]
        # Without a loop nobody can say which message was one too many.
        return min(loops, default=None if trajectory.row.ending == "turn_limit" else finding.message)
    return len(trajectory.messages) if trajectory.row.ending == "malformed_reply" else None


def _blame_user(message: int | None, findings: Sequence[Finding]) -> tuple[int | None, Fault]:
    """The user's slip that came before, if there is one that the assistant could only follow."""
    slips = [
        one.message
        for one in findings
        if one.code in _MISLEADING
        and one.fault == "user_simulator"
        and one.message is not None
        and (message is None or one.message < message)
    ]
    return (min(slips), "user_simulator") if slips else (message, "assistant")
