"""What a simulated person has planned before the first word: how each want is given out.

The plan depends on the persona, the goal and the system message alone, so each call comes to the same one.
"""

import random
import re
from dataclasses import dataclass

from turnwright.selfplay.persona_voice import Voice
from turnwright.selfplay.user_behaviour import Behaviour
from turnwright.selfplay.user_goal import UserGoal, Want


@dataclass
class WantPlan:
    """How one want is given out."""

    want: Want
    labels: tuple[str, ...]
    later_labels: tuple[str, ...]
    hidden: frozenset[int]
    check: bool
    announced: bool = False
    """The person says that there are details to come."""


@dataclass(frozen=True)
class Script:
    """The goal with the plan for giving it out."""

    goal: UserGoal
    behaviour: Behaviour
    voice: Voice
    plans: tuple[WantPlan, ...]
    slips: bool
    """The person leaves early, after the first want: the mistake of this player."""

    def is_first(self, plan: WantPlan) -> bool:
        """Whether this want holds the value that the person will change."""
        changed = self.behaviour.changed
        return changed is not None and changed.mark in plan.want.marks

    @property
    def vague_mark(self) -> int:
        """The value that is first given in part only; -1 where there is none."""
        return self.behaviour.meant.mark if self.behaviour.meant is not None else -1

    def is_vague(self, plan: WantPlan) -> bool:
        """Whether this is the want in which a name is first given in part only."""
        own = [one for one in self.plans if one.want.task == self.behaviour.task and self.vague_mark in one.want.marks]
        return bool(own) and own[0] is plan

    def believes(self, plan: WantPlan) -> bool:
        """Whether this is the want in which the person says what they believe."""
        own = [one for one in self.plans if one.want.task == self.behaviour.task]
        return self.behaviour.claim is not None and bool(own) and own[0] is plan


def write_script(
    goal: UserGoal, behaviour: Behaviour, voice: Voice, *, mistake_rate: float, rng: random.Random
) -> Script:
    """Draws how the wants of a goal are given out."""
    slips = rng.random() < mistake_rate * 0.3
    plans = tuple(_plan_want(want, behaviour, voice, rng) for want in goal.wants)
    return Script(goal, behaviour, voice, plans, slips)


def _plan_want(want: Want, behaviour: Behaviour, voice: Voice, rng: random.Random) -> WantPlan:
    partial = {"vague": 0.6, "normal": 0.4, "exact": 0.15}.get(voice.precision, 0.4)
    labels, later = want.labels, ()
    hidden: set[int] = set()
    leave_out, split, check = rng.random() < partial, rng.random() < 0.6, rng.random() < voice.doubting
    special = want.task == behaviour.task and (
        behaviour.changed is not None
        or behaviour.together
        or behaviour.meant is not None
        or behaviour.claim is not None
    )
    if not special:
        if want.kind == "find" and len(labels) > 1 and (split or len(labels) > 2):
            labels, later = (
                labels[:1] if len(labels) == 2 else labels[:2],
                labels[1:] if len(labels) == 2 else labels[2:],
            )
        # A question about `a certain player` is rarer than a change without its value.
        if leave_out and not behaviour.hidden & set(want.marks) and (want.kind != "find" or rng.random() < 0.5):
            hidden |= _choose_hidden(want)
    if want.kind == "errand" and not special:
        hidden = set(_hold_back(want, leave_out, rng))
    if want.kind == "add" and not special and len(want.parts) > 2:
        hidden |= {mark for part in want.parts[2:] for mark in list_marks(part)}
    if want.task == behaviour.task:
        hidden |= behaviour.hidden & set(want.marks)
    # Only who is asked to change something must know that there is more to come: a look can be taken again.
    announced = bool(hidden) and (want.kind == "add" or (want.kind == "errand" and want.writes))
    return WantPlan(want, labels, later, frozenset(hidden), check and _can_check(want), announced)


def _choose_hidden(want: Want) -> set[int]:
    """A value that can be said later: the new one of a change, the last pieces of an addition or of the clauses."""
    if want.kind == "find" and len(want.marks) == 1 and want.entity.startswith("the "):
        return set(want.marks)
    if want.kind == "change" and len(want.changes) == 1:
        return set(list_marks(want.changes[0][1]))
    if want.kind == "add" and len(want.parts) > 1:
        return {mark for part in want.parts[1:] for mark in list_marks(part)}
    if (
        want.kind == "other"
        and want.clauses
        and not re.search(r"\b(?:only|leaving|at least|at most|above|below)\b", want.clauses)
    ):
        return set(list_marks(want.clauses)[-1:])
    return set()


def _hold_back(want: Want, leave_out: bool, rng: random.Random) -> list[int]:
    """Pieces of an errand that come later: all but the first one or two, at times the only one."""
    marks = [list_marks(part)[0] for part in want.parts]
    if len(marks) == 1:
        return marks if leave_out or rng.random() < 0.2 else []
    if len(marks) == 2:
        return marks[1:] if leave_out or rng.random() < 0.6 else []
    return marks[rng.choice((1, 2, 2)) :]


def list_marks(text: str) -> list[int]:
    """The numbers of the details that a text has places for, in order."""
    return [int(mark) for mark in re.findall(r"⟦(\d+)⟧", text)]


def _can_check(want: Want) -> bool:
    """Whether a change can be looked at afterwards by what people call the record."""
    return want.kind == "change" or (
        want.kind != "errand" and any(re.match(r"the name ⟦", part) for part in want.parts)
    )
