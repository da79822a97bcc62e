"""How well the user simulator plays the person: what is found here never blocks, and is counted per model.

The user simulator is the least reliable part of such a system: it stops early, leaks the whole goal at once, invents
facts and agrees to everything. turnwright/statistics/scorecard.py only counts these findings.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.findings import Finding
from schemas.goals import KnownDetail, Objective, Persona
from turnwright.rollout.behaviours import content_words
from turnwright.validation.outcome import begin_objectives
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import names, states, values_equal

STOPPED_EARLY = "stopped_early"
LEAKED_GOAL = "leaked_goal"
INVENTED_FACT = "invented_fact"
OVER_AGREEMENT = "over_agreement"
OBJECTED = "objected"
META_CODES = frozenset({"behind_the_scenes", "json", "role_swap", "third_person", "markup", "leaked_prompt"})
"""Codes of turnwright/validation/language.py for words that give the play away."""

_FEWEST_DETAILS = 4
"""A goal of one task with fewer details is said in one message by anyone."""
_QUOTED = re.compile(r"[\"“]([^\"”\n]{2,60})[\"”]")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w[\w.-]*")
_NUMBER = re.compile(r"(?<![\w.,:/-])\d[\d,]*(?:\.\d+)?(?![\w:/-])")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NAME = re.compile(r"(?<![.!?:;,\n\"“(-] )(?<!^)\b(?!I\b)[A-ZÀ-ÖØ-Þ][\w'’-]+(?:\s+[A-ZÀ-ÖØ-Þ][\w'’-]+)+")
"""Two capitalised words or more, not at the start of a sentence: a name, in English."""
_LEAST_NUMBER = 13
"""Smaller numbers are said in passing: `just 5 minutes`, `the two of us`."""
_YES = re.compile(
    r"\b(?:yes|yep|yeah|yup|right|correct|exactly|perfect|great|good|fine|go ahead|please do|do it|confirm\w*|"
    r"thanks|thank you|sounds|okay|ok|sure|agreed)\b"
)
_NO = re.compile(
    r"\b(?:no|not|nope|wrong|incorrect|actually|instead|meant|mistake|wait|sorry|isn't|should(?: be|n't)|but)\b|n't\b"
)


def check_user_conduct(trajectory: Trajectory) -> list[Finding]:
    """What is found of the person's conduct, over all rules of this file."""
    return [
        *_check_stopping(trajectory),
        *_check_leak(trajectory),
        *_check_inventions(trajectory),
        *_check_agreement(trajectory),
    ]


def can_leak(objectives: Sequence[Objective]) -> bool:
    """Whether there is something to dole out: several tasks with details of their own, or many details."""
    owners = sum(1 for objective in objectives if _list_telling(objective.known_details))
    return owners >= 2 or len(_list_telling([d for o in objectives for d in o.known_details])) >= _FEWEST_DETAILS


def _check_stopping(trajectory: Trajectory) -> Iterator[Finding]:
    """`stopped_early`: the person declared everything settled before an outcome was told, or left a task out."""
    for index in trajectory.row.early_completions:
        yield _find(STOPPED_EARLY, "declared complete before the outcome was told", index)
    if trajectory.row.ending != "task_complete" or trajectory.row.early_completions:
        return
    last = max((index for index, _ in trajectory.said_by("user")), default=0)
    for number, begun in enumerate(begin_objectives(trajectory), start=1):
        if begun is None:
            yield _find(STOPPED_EARLY, f"ended without having asked for task {number}", last)
            return


def _check_leak(trajectory: Trajectory) -> Iterator[Finding]:
    """`leaked_goal`: one message holds every detail that the person knows, and nobody told them to say it at once."""
    together = trajectory.behaviour is not None and trajectory.behaviour.name == "parallel_calls"
    if not can_leak(trajectory.objectives) or (together and len(trajectory.objectives) == 1):
        return
    details = _list_telling([detail for objective in trajectory.objectives for detail in objective.known_details])
    for index, text in trajectory.said_by("user"):
        if all(names(value, text) for value in details):
            yield _find(LEAKED_GOAL, f"all {len(details)} details in one message", index)
            return


def _list_telling(details: Sequence[KnownDetail]) -> list[Any]:
    """The different values that can be recognised in a text."""
    found: list[Any] = []
    for detail in details:
        value = detail.value
        small = isinstance(value, int | float) and abs(value) < 10
        if not (value in (None, "") or isinstance(value, bool) or small or any(values_equal(value, o) for o in found)):
            found.append(value)
    return found


def _check_inventions(trajectory: Trajectory) -> Iterator[Finding]:
    """`invented_fact`: a number, date, address or name that is neither in the goal nor in what was heard before."""
    heard = _list_goal(trajectory)
    for index, message in enumerate(trajectory.messages):
        if message["role"] == "assistant":
            heard.append(message["content"] or "")
        if message["role"] != "user":
            continue
        for said in _list_said(message["content"] or ""):
            if not _is_known(said, heard):
                yield _find(INVENTED_FACT, f"nobody told the person {said!r}", index)


def _list_goal(trajectory: Trajectory) -> list[str]:
    """Everything that the person knows from the start, in pieces."""
    persona = Persona.model_validate_json(trajectory.task.persona)
    plan = trajectory.behaviour
    parts = [persona.name, persona.occupation, plan.instruction if plan else ""]
    parts += [trajectory.task.reference_time[:10], " ".join(trajectory.task.domain.split("_"))]
    for objective in trajectory.objectives:
        parts += [objective.description, *(f"{detail.label} {detail.value}" for detail in objective.known_details)]
    return parts


def _list_said(text: str) -> list[str]:
    """What a message states that could be a fact, as it is written."""
    found = [*_DATE.findall(text), *_MAIL.findall(text), *_QUOTED.findall(text)]
    rest = _QUOTED.sub(" ", _MAIL.sub(" ", _DATE.sub(" ", text)))
    for number in _NUMBER.findall(rest):
        value = float(number.replace(",", ""))
        if value >= _LEAST_NUMBER or not value.is_integer():
            found.append(number.rstrip(","))
    return list(dict.fromkeys([*found, *_NAME.findall(rest)]))


def _is_known(said: str, heard: Sequence[str]) -> bool:
    if any(names(said, text) for text in heard):
        return True
    if _NUMBER.fullmatch(said):
        return any(states(float(said.replace(",", "")), text) for text in heard)
    # A name may be told in parts, and in another order.
    words = content_words(said)
    return bool(words) and words <= {word for text in heard for word in content_words(text)}


def _check_agreement(trajectory: Trajectory) -> Iterator[Finding]:
    """`over_agreement`: the assistant says another value for something that the person knows, and they agree.

    `objected`: the same, and they do not. Together these are the chances that the person had.
    """
    wanted = _list_new_values(trajectory)
    for index, text in trajectory.said_by("assistant") if wanted else ():
        reply = trajectory.next_user(index)
        if reply >= len(trajectory.messages):
            return
        begun = [detail for detail, since, until in wanted if since <= index < until]
        wrong = _find_contradiction(trajectory, begun, text)
        if wrong is None:
            continue
        answer = trajectory.messages[reply]["content"] or ""
        plain = answer.replace("’", "'").casefold()
        objects = _NO.search(plain) is not None or names(wrong.value, answer)
        if objects:
            yield _find(OBJECTED, f"did not take the {wrong.label} for anything but {wrong.value!r}", reply)
        elif _YES.search(plain):
            yield _find(OVER_AGREEMENT, f"agreed although the {wrong.label} is {wrong.value!r}", reply)


def _list_new_values(trajectory: Trajectory) -> list[tuple[KnownDetail, int, int]]:
    """The values that the person wants written, each with the messages from which and before which it is spoken of.

    What is said of the same label after the next objective has begun is of another record.
    """
    begins = begin_objectives(trajectory)
    found: list[tuple[KnownDetail, int, int]] = []
    for objective, begun in zip(trajectory.objectives, begins, strict=True):
        if begun is not None:
            later = [other for other in begins if other is not None and other > begun]
            until = min(later, default=len(trajectory.messages))
            found += [(one, begun, until) for one in objective.known_details if one.label.startswith("new ")]
    return found


def _find_contradiction(trajectory: Trajectory, wanted: Sequence[KnownDetail], text: str) -> KnownDetail | None:
    """A value that the person wants written and that the assistant says otherwise, as in `set the earnings to 5`."""
    plan = trajectory.behaviour
    other = plan.detail.get("from") if plan is not None and plan.name == "changed_mind" else None
    for detail in wanted:
        label = re.escape(detail.label.split()[-1])
        told = re.search(rf"\b{label}\b[^.?!\n]{{0,30}}?\b(?:to|as|is|now)\s+(?P<value>[^,.?!;\n]{{1,60}})", text)
        if told is None or names(detail.value, text) or (other is not None and names(other, text)):
            continue
        if re.search(r"\d", told["value"]) or told["value"][:1].isupper() or told["value"][:1] in '"“':
            return detail
    return None


def _find(code: str, explanation: str, message: int) -> Finding:
    return Finding(
        layer="rules", code=code, explanation=explanation, message=message, fault="user_simulator", blocks=False
    )
