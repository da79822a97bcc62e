"""What the simulated person does next: decided by its script and by what the assistant said so far."""

from dataclasses import dataclass, field
from typing import Literal

from turnwright.selfplay.user_reading import asked_words, read_message, was_read_back
from turnwright.selfplay.user_script import Script, WantPlan
from turnwright.selfplay.words import stems

Move = Literal[
    "ask",
    "supply",
    "narrow",
    "yes",
    "correct",
    "retry",
    "restate",
    "more_labels",
    "wish",
    "check",
    "ignorance",
    "wait",
    "tell",
    "end",
]


@dataclass
class State:
    """Where the person stands."""

    index: int = -1
    pending: set[int] = field(default_factory=set[int])
    """Values of the present want that were not said yet."""
    labels_left: tuple[str, ...] = ()
    labels_now: tuple[str, ...] = ()
    corrected: bool = False
    wished: bool = False
    wish_open: bool = False
    retried: bool = False
    restated: bool = False
    checked: bool = False
    questions: int = 0
    supplied: list[int] = field(default_factory=list[int])
    satisfied: bool = True


class Decisions:
    """Walks through a script, one message of the assistant after the other."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def decide(self, state: State, heard: str | None) -> Move:
        """The next move, and the state after it. `heard` is None before the first message."""
        if heard is None:
            return self._advance(state)
        kind = read_message(heard)
        if state.wish_open:
            state.wish_open = False
            return self._after_report(state, heard)
        plan = self._script.plans[state.index]
        if kind == "question":
            return self._answer(state, plan, heard)
        late = (
            self._script.behaviour.changed is not None
            and self._script.behaviour.task == plan.want.task
            and not self._script.behaviour.at_once
        )
        if late and not state.corrected and self._script.is_first(plan) and kind != "promise":
            state.corrected = True
            return "correct"
        if kind == "confirmation":
            if state.pending:
                return self._supply(state, set(state.pending))
            return "yes"
        if kind == "promise":
            return "wait"
        if kind == "failed":
            if not state.retried:
                state.retried = True
                return "retry"
            state.satisfied = False
            return self._after_report(state, heard)
        if kind == "declined" and self._script.behaviour.refusable and self._script.behaviour.task == plan.want.task:
            if self._script.behaviour.insists and not state.restated:
                state.restated = True
                return "restate"
            state.satisfied = False
            return self._advance(state)
        if kind in ("not_found", "declined"):
            if state.pending:
                return self._supply(state, set(state.pending))
            if not state.restated and not state.checked:
                state.restated = True
                return "restate"
            state.satisfied = False
        return self._after_report(state, heard)

    def _supply(self, state: State, marks: set[int]) -> Move:
        state.supplied = sorted(marks)
        state.pending -= marks
        return "supply"

    def _answer(self, state: State, plan: WantPlan, heard: str) -> Move:
        state.questions += 1
        words = asked_words(heard)
        details = [self._script.goal.details[mark] for mark in sorted(state.pending)]
        asked = {detail.mark for detail in details if set(stems(detail.label)) & words}
        if self._script.behaviour.hidden & state.pending and not asked and len(state.pending) > 1:
            asked = state.pending - self._script.behaviour.hidden
        if asked or state.pending:
            chosen = asked or set(state.pending)
            if plan.announced and not self._script.behaviour.hidden & state.pending:
                chosen = set(state.pending)
            return self._supply(state, chosen)
        known = [detail for detail in self._script.goal.details if set(stems(detail.label)[-1:]) & words]
        # A question for the `phone` means the detail `phone number`.
        known = known or [detail for detail in self._script.goal.details if set(stems(detail.label)) & words]
        own = [detail for detail in known if detail.mark in plan.want.marks] or known
        if own and state.questions <= 4:
            state.supplied = [detail.mark for detail in own]
            return "supply"
        if state.questions > 3:
            state.satisfied = False
            return self._after_report(state, heard)
        return "ignorance"

    def _after_report(self, state: State, heard: str) -> Move:
        plan = self._script.plans[state.index]
        missing = bool(self._script.behaviour.hidden & state.pending)
        if state.pending and (missing or not plan.want.writes):
            state.supplied = sorted(state.pending)
            state.pending.clear()
            return "supply" if plan.want.writes else "narrow"
        # Done without them: nobody says after the fact what was not asked for.
        state.pending.clear()
        told = set(stems(heard))
        state.labels_left = tuple(label for label in state.labels_left if not set(stems(label)) <= told)
        if state.labels_left:
            state.labels_now, state.labels_left = state.labels_left, ()
            return "more_labels"
        behaviour = self._script.behaviour
        if behaviour.wish and not state.wished and behaviour.task == plan.want.task:
            state.wished = state.wish_open = True
            return "wish"
        if plan.check and not state.checked and state.satisfied and not was_read_back(heard):
            state.checked = True
            return "check"
        return self._advance(state)

    def _advance(self, state: State) -> Move:
        state.index += 1
        if state.index >= len(self._script.plans) or (self._script.slips and state.index > 0):
            return "end"
        plan = self._script.plans[state.index]
        state.pending = set(plan.hidden)
        if self._script.is_vague(plan):
            state.pending.add(self._script.vague_mark)
        state.labels_left = plan.later_labels
        state.retried = state.restated = state.checked = False
        state.questions = 0
        return "ask"
