"""The behaviour that a simulated user is told to show: the instruction of the goal, taken apart."""

import re
from dataclasses import dataclass
from typing import Any

from turnwright.selfplay.user_goal import Detail, UserGoal

_MISSING = re.compile(
    r"bring up task (\d+), leave out the (?P<label>.+?)\. Say that it is (?P<value>.+?) only once", re.DOTALL
)
_CHANGED = re.compile(
    r"bring up task (\d+), give (?P<first>.+?) as the (?P<label>.+?)\. (?P<when>Once|Correct)\b", re.DOTALL
)
_MEANT = re.compile(r"(?:you meant?|meant) (?P<final>.+?)\.?\s*$", re.DOTALL)
_WISH = re.compile(r"task (\d+)\b.*?\bask (?:the assistant )?(?:once )?to (?P<wish>.+?)\.(?:\s|$)", re.DOTALL)
_VAGUE = re.compile(
    r"bring up task (\d+), give the (?P<label>.+?) only as (?P<vague>.+?)\. Say that it is (?P<value>.+?) only once",
    re.DOTALL,
)
_BELIEVED = re.compile(
    r"bring up task (\d+), say that as far as you know the (?P<label>.+?) is (?P<claimed>.+?), without asking",
    re.DOTALL,
)
_REFUSED = re.compile(
    r"says that it (?:cannot|must not) do what task (\d+) asks for, (?P<answer>accept|ask for it once more)"
)
_FORBIDDEN = re.compile(r"Ask for task (\d+) as it is described\. (?P<answer>.+)", re.DOTALL)
_TOGETHER = re.compile(r"everything in task (\d+) in one go")


@dataclass
class Behaviour:
    """What the instruction of the goal asks for."""

    task: int = -1
    hidden: frozenset[int] = frozenset()
    """Marks of values to be left out until asked for."""
    first: str = ""
    """Value said first and then corrected."""
    changed: Detail | None = None
    at_once: bool = False
    """The correction stands in the same message."""
    wish: str = ""
    together: bool = False
    vague: str = ""
    """Part of a name, said instead of the whole of `meant` until the assistant asks."""
    meant: Detail | None = None
    claim: tuple[str, str] | None = None
    """Label and value of what is believed and does not hold."""
    refusable: bool = False
    """The task may be refused; then it is let go."""
    insists: bool = False
    """But not before it was asked for once more."""


def read_behaviour(instruction: Any, goal: UserGoal) -> Behaviour:
    """The instruction of the goal, taken apart; one of another form changes nothing."""
    if not isinstance(instruction, str):
        return Behaviour()
    if match := _MISSING.search(instruction):
        task = int(match.group(1)) - 1
        detail = _find_detail(goal, task, match.group("value"), match.group("label"))
        return Behaviour(task, hidden=frozenset([detail.mark])) if detail else Behaviour()
    if (match := _CHANGED.search(instruction)) and (meant := _MEANT.search(instruction)):
        task = int(match.group(1)) - 1
        detail = _find_detail(goal, task, meant.group("final"), match.group("label"))
        at_once = match.group("when") == "Correct"
        return Behaviour(task, first=match.group("first"), changed=detail, at_once=at_once) if detail else Behaviour()
    if match := _VAGUE.search(instruction):
        task = int(match.group(1)) - 1
        detail = _find_detail(goal, task, match.group("value"), match.group("label"))
        return Behaviour(task, vague=match.group("vague"), meant=detail) if detail else Behaviour()
    if match := _BELIEVED.search(instruction):
        return Behaviour(int(match.group(1)) - 1, claim=(match.group("label"), match.group("claimed")))
    if match := _REFUSED.search(instruction):
        return Behaviour(int(match.group(1)) - 1, refusable=True, insists=match.group("answer") != "accept")
    if match := _FORBIDDEN.search(instruction):
        insists = "accept it and go on" not in match.group("answer")
        return Behaviour(int(match.group(1)) - 1, refusable=True, insists=insists)
    if match := _WISH.search(instruction):
        return Behaviour(int(match.group(1)) - 1, wish=match.group("wish"))
    if match := _TOGETHER.search(instruction):
        return Behaviour(int(match.group(1)) - 1, together=True)
    return Behaviour()


def _find_detail(goal: UserGoal, task: int, value: str, label: str) -> Detail | None:
    marks = {mark for want in goal.wants if want.task == task for mark in want.marks}
    found = [detail for detail in goal.details if detail.text == value.strip().strip('"')]
    own = [detail for detail in found if detail.mark in marks]
    same = [detail for detail in own if detail.label == label]
    return (same or own or found or [None])[0]
