"""The player of the simulated user: from its persona, its goal and what was said, the next message of the person.

It walks through the conversation from the start each time, taking the same decisions again (they depend on the system
message and the number of the turn alone), so that no state is kept between calls. It gives the goal out piece by piece,
tells what it is asked for and knows, and thanks only after the outcome of the last thing it wants has been reported.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import orjson

from turnwright.selfplay import user_language as say
from turnwright.selfplay.persona_voice import read_voice
from turnwright.selfplay.request import NotUnderstood, Request, read_blocks
from turnwright.selfplay.user_behaviour import Behaviour, read_behaviour
from turnwright.selfplay.user_deeds import read_deeds, say_deeds
from turnwright.selfplay.user_goal import UserGoal, Want, read_goal
from turnwright.selfplay.user_reading import asked_words, read_message, was_read_back
from turnwright.selfplay.user_requests import say_want
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
class WantPlan:
    """How one want is given out."""

    want: Want
    labels: tuple[str, ...]
    later_labels: tuple[str, ...]
    hidden: frozenset[int]
    check: bool
    announced: bool = False
    """The person says that there are details to come."""


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


def reply(request: Request) -> dict[str, Any]:
    """`{user_message, is_task_complete}`.

    Raises:
        NotUnderstood: the request holds no goal.
    """
    found = request.blocks.get("goal")
    if not isinstance(found, dict):
        raise NotUnderstood("the system message must hold a JSON block `goal`")
    goal_block = cast(dict[str, Any], found)
    goal = read_goal(goal_block)
    if not goal.wants:
        raise NotUnderstood("the goal has no tasks")
    persona: dict[str, Any] = request.blocks.get("persona") or {}
    system = str(request.messages[0].get("content") or "")
    said, heard, deeds = _read_conversation(request.messages)
    person = Person(request, goal, persona, read_behaviour(goal_block.get("behaviour"), goal), system)
    state = State()
    move: Move = person.decide(state, None)
    for text, done in zip(heard, deeds, strict=True):
        # What was done at the device is told before anything else; where the person stands stays the same.
        move = "tell" if done else person.decide(state, text)
    message = say_deeds(deeds[-1], person.chance(said)) if move == "tell" else person.word(move, state, said)
    return {"user_message": message, "is_task_complete": move == "end"}


def _read_conversation(messages: list[dict[str, Any]]) -> tuple[list[str], list[str], list[list[dict[str, Any]]]]:
    """What the person said, what the assistant answered, and what the person did because of each answer.

    A reply that was sent back for repair is left out.
    """
    said: list[str] = []
    deeds: list[list[dict[str, Any]]] = []
    heard: list[str] = []
    waiting = False
    bad = False
    for message in messages[2:] if len(messages) > 1 else []:
        content = str(message.get("content") or "")
        if message["role"] == "assistant":
            text = _read_own(content)
            bad = text is None
            if text is not None:
                said.append(text)
                waiting = True
        elif message["role"] == "user":
            if bad:
                bad = False
            elif waiting:
                blocks = read_blocks(content)
                heard.append(str(blocks.get("answer", content)))
                deeds.append(read_deeds(blocks.get("done")))
                waiting = False
    return said, heard, deeds


def _read_own(content: str) -> str | None:
    try:
        value = orjson.loads(content)
    except ValueError:
        return None
    fields = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    return str(fields["user_message"]) if "user_message" in fields else None


class Person:
    """The simulated user of one dialogue: its plan for giving out the goal, its decisions and its words."""

    def __init__(
        self, request: Request, goal: UserGoal, persona: dict[str, Any], behaviour: Behaviour, system: str
    ) -> None:
        self._request = request
        self._goal = goal
        self._persona = persona
        self._behaviour = behaviour
        self._system = system
        self._voice = read_voice(persona)
        self._register = self._voice.register
        rng = request.rng_for("user", system)
        self._slip = rng.random() < request.mistake_rate * 0.3
        self._plans = [self._plan(want, rng) for want in goal.wants]

    def _plan(self, want: Want, rng: random.Random) -> WantPlan:
        partial = {"vague": 0.6, "normal": 0.4, "exact": 0.15}.get(self._voice.precision, 0.4)
        labels, later = want.labels, ()
        hidden: set[int] = set()
        leave_out, split, check = rng.random() < partial, rng.random() < 0.6, rng.random() < self._voice.doubting
        special = want.task == self._behaviour.task and (
            self._behaviour.changed is not None
            or self._behaviour.together
            or self._behaviour.meant is not None
            or self._behaviour.claim is not None
        )
        if not special:
            if want.kind == "find" and len(labels) > 1 and (split or len(labels) > 2):
                labels, later = (
                    labels[:1] if len(labels) == 2 else labels[:2],
                    labels[1:] if len(labels) == 2 else labels[2:],
                )
            # A question about `a certain player` is rarer than a change without its value.
            if (
                leave_out
                and not self._behaviour.hidden & set(want.marks)
                and (want.kind != "find" or rng.random() < 0.5)
            ):
                hidden |= self._choose_hidden(want)
        if want.kind == "errand" and not special:
            hidden = set(self._hold_back(want, leave_out, rng))
        if want.kind == "add" and not special and len(want.parts) > 2:
            hidden |= {mark for part in want.parts[2:] for mark in _marks(part)}
        if want.task == self._behaviour.task:
            hidden |= self._behaviour.hidden & set(want.marks)
        # Only who is asked to change something must know that there is more to come: a look can be taken again.
        announced = bool(hidden) and (want.kind == "add" or (want.kind == "errand" and want.writes))
        return WantPlan(want, labels, later, frozenset(hidden), check and _can_check(want), announced)

    @staticmethod
    def _choose_hidden(want: Want) -> set[int]:
        """A value that can be said later: the new one of a change, the last pieces of an addition or of the clauses."""
        if want.kind == "find" and len(want.marks) == 1 and want.entity.startswith("the "):
            return set(want.marks)
        if want.kind == "change" and len(want.changes) == 1:
            return set(_marks(want.changes[0][1]))
        if want.kind == "add" and len(want.parts) > 1:
            return {mark for part in want.parts[1:] for mark in _marks(part)}
        if (
            want.kind == "other"
            and want.clauses
            and not re.search(r"\b(?:only|leaving|at least|at most|above|below)\b", want.clauses)
        ):
            return set(_marks(want.clauses)[-1:])
        return set()

    @staticmethod
    def _hold_back(want: Want, leave_out: bool, rng: random.Random) -> list[int]:
        """Pieces of an errand that come later: all but the first one or two, at times the only one."""
        marks = [_marks(part)[0] for part in want.parts]
        if len(marks) == 1:
            return marks if leave_out or rng.random() < 0.2 else []
        if len(marks) == 2:
            return marks[1:] if leave_out or rng.random() < 0.6 else []
        return marks[rng.choice((1, 2, 2)) :]

    # Decisions -----------------------------------------------------------------------------------------------------

    def decide(self, state: State, heard: str | None) -> Move:
        """The next move, and the state after it. `heard` is None before the first message."""
        if heard is None:
            return self._advance(state)
        kind = read_message(heard)
        if state.wish_open:
            state.wish_open = False
            return self._after_report(state, heard)
        plan = self._plans[state.index]
        if kind == "question":
            return self._answer(state, plan, heard)
        late = (
            self._behaviour.changed is not None
            and self._behaviour.task == plan.want.task
            and not self._behaviour.at_once
        )
        if late and not state.corrected and self._first_want(plan) and kind != "promise":
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
        if kind == "declined" and self._behaviour.refusable and self._behaviour.task == plan.want.task:
            if self._behaviour.insists and not state.restated:
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

    def _first_want(self, plan: WantPlan) -> bool:
        changed = self._behaviour.changed
        return changed is not None and changed.mark in plan.want.marks

    @property
    def _vague_mark(self) -> int:
        return self._behaviour.meant.mark if self._behaviour.meant is not None else -1

    def _is_vague(self, plan: WantPlan) -> bool:
        """Whether this is the want in which a name is first given in part only."""
        own = [
            one for one in self._plans if one.want.task == self._behaviour.task and self._vague_mark in one.want.marks
        ]
        return bool(own) and own[0] is plan

    def _believes(self, plan: WantPlan) -> bool:
        """Whether this is the want in which the person says what they believe."""
        own = [one for one in self._plans if one.want.task == self._behaviour.task]
        return self._behaviour.claim is not None and bool(own) and own[0] is plan

    def _supply(self, state: State, marks: set[int]) -> Move:
        state.supplied = sorted(marks)
        state.pending -= marks
        return "supply"

    def _answer(self, state: State, plan: WantPlan, heard: str) -> Move:
        state.questions += 1
        words = asked_words(heard)
        details = [self._goal.details[mark] for mark in sorted(state.pending)]
        asked = {detail.mark for detail in details if set(stems(detail.label)) & words}
        if self._behaviour.hidden & state.pending and not asked and len(state.pending) > 1:
            asked = state.pending - self._behaviour.hidden
        if asked or state.pending:
            chosen = asked or set(state.pending)
            if plan.announced and not self._behaviour.hidden & state.pending:
                chosen = set(state.pending)
            return self._supply(state, chosen)
        known = [detail for detail in self._goal.details if set(stems(detail.label)[-1:]) & words]
        # A question for the `phone` means the detail `phone number`.
        known = known or [detail for detail in self._goal.details if set(stems(detail.label)) & words]
        own = [detail for detail in known if detail.mark in plan.want.marks] or known
        if own and state.questions <= 4:
            state.supplied = [detail.mark for detail in own]
            return "supply"
        if state.questions > 3:
            state.satisfied = False
            return self._after_report(state, heard)
        return "ignorance"

    def _after_report(self, state: State, heard: str) -> Move:
        plan = self._plans[state.index]
        missing = bool(self._behaviour.hidden & state.pending)
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
        behaviour = self._behaviour
        if behaviour.wish and not state.wished and behaviour.task == plan.want.task:
            state.wished = state.wish_open = True
            return "wish"
        if plan.check and not state.checked and state.satisfied and not was_read_back(heard):
            state.checked = True
            return "check"
        return self._advance(state)

    def _advance(self, state: State) -> Move:
        state.index += 1
        if state.index >= len(self._plans) or (self._slip and state.index > 0):
            return "end"
        plan = self._plans[state.index]
        state.pending = set(plan.hidden)
        if self._is_vague(plan):
            state.pending.add(self._vague_mark)
        state.labels_left = plan.later_labels
        state.retried = state.restated = state.checked = False
        state.questions = 0
        return "ask"

    # Words ---------------------------------------------------------------------------------------------------------

    def chance(self, said: list[str]) -> random.Random:
        """Chance for the words of the next message."""
        return self._request.rng_for("words", self._system, len(said), self._request.body.get("seed"))

    def word(self, move: Move, state: State, said: list[str]) -> str:
        """The message for a move."""
        rng = self.chance(said)
        quoted = self._request.rng_for("quotes", self._system).random() < 0.3
        text = self._voice.colour(self._word(move, state, said, rng), rng)
        return self._goal.fill(text.replace("_", " "), quoted)

    def _word(self, move: Move, state: State, said: list[str], rng: random.Random) -> str:
        register = self._register
        if move == "end":
            return say.end(register, state.satisfied, rng)
        plan = self._plans[state.index]
        want = plan.want
        match move:
            case "ask":
                return self._word_request(plan, state, said, rng)
            case "supply":
                return say.say_details(self._pieces(state.supplied, want), rng)
            case "narrow":
                return say.say_narrowing(self._pieces(state.supplied, want), rng)
            case "yes":
                return self._vary(lambda: say.agree(register, rng), said)
            case "correct":
                return self._word_correction(rng)
            case "retry":
                return say.retry(rng)
            case "restate":
                return say.join(say.insist(rng), self._say(plan, None, want.labels, rng))
            case "more_labels":
                asked = say.say_more_labels(state.labels_now, want.entity, rng)
                return say.join(say.acknowledge(register, rng), asked)
            case "wish":
                return say.join(say.acknowledge(register, rng), say.say_wish(self._behaviour.wish, rng))
            case "check":
                return say.join(say.acknowledge(register, rng), say.say_check(want, rng))
            case "ignorance":
                return self._vary(lambda: say.admit_ignorance(rng), said)
            case _:
                return "Okay, I'll wait."

    @staticmethod
    def _vary(draw: Callable[[], str], said: list[str]) -> str:
        """A phrase that the person has not used before, where a few draws give one."""
        before = {text.casefold() for text in said}
        drawn = draw()
        for _ in range(6):
            if drawn.casefold() not in before:
                break
            drawn = draw()
        return drawn

    def _word_request(self, plan: WantPlan, state: State, said: list[str], rng: random.Random) -> str:
        register = self._register
        request = self._say(plan, plan.hidden, plan.labels, rng)
        if self._first_want(plan) and self._behaviour.at_once and plan.want.task == self._behaviour.task:
            request = say.join(request, self._word_correction(rng))
        if self._behaviour.claim is not None and self._believes(plan):
            request = say.join(request, say.say_belief(*self._behaviour.claim, rng))
        if plan.want.kind in ("add", "errand") and plan.announced and not self._behaviour.hidden & plan.hidden:
            request = say.join(request, say.announce_more(rng))
        if not said:
            background = (
                say.say_background(str(self._persona.get("occupation") or ""), rng)
                if rng.random() < self._voice.talkative
                else ""
            )
            greeting = say.greet(register, rng)
            if background and rng.random() < 0.4:
                return say.join(greeting, background, request)
            return say.join(greeting, request, background)
        before = self._plans[state.index - 1].want
        lead = say.acknowledge(register, rng)
        if self._behaviour.claim is not None and before.task == self._behaviour.task != plan.want.task:
            lead = say.stand_corrected(rng)
        if self._behaviour.refusable and before.task == self._behaviour.task and not state.satisfied:
            lead = say.accept_refusal(rng)
        if self._behaviour.wish and state.wished and before.task == self._behaviour.task:
            lead = say.accept_refusal(rng)
        bridge = say.bridge(register, rng) if rng.random() < 0.6 else ""
        return say.join(lead, bridge, request)

    def _say(self, plan: WantPlan, hidden: frozenset[int] | None, labels: tuple[str, ...], rng: random.Random) -> str:
        """A want in words; `hidden` is None where everything is said, corrected values included."""
        want = plan.want
        hidden_given = hidden is not None
        first = self._first_want(plan) and self._behaviour.task == want.task and hidden_given
        hidden = hidden or frozenset()
        parts = [part for part in want.parts if not set(_marks(part)) & hidden]
        text = say_want(want, labels=labels, hidden=hidden, parts=parts, register=self._register, rng=rng)
        if first and self._behaviour.changed is not None:
            text = text.replace(
                f"⟦{self._behaviour.changed.mark}⟧",
                f'"{self._behaviour.first}"' if " " in self._behaviour.first else self._behaviour.first,
                1,
            )
        if hidden_given and self._is_vague(plan):
            text = text.replace(f"⟦{self._vague_mark}⟧", self._behaviour.vague)
        return text

    def _word_correction(self, rng: random.Random) -> str:
        changed = self._behaviour.changed
        assert changed is not None
        first = f'"{self._behaviour.first}"' if " " in self._behaviour.first else self._behaviour.first
        return say.say_correction(changed.label, first, f"⟦{changed.mark}⟧", rng)

    def _pieces(self, marks: list[int], want: Want) -> list[tuple[str, str]]:
        """Label and mark of details, with the label that the want uses where it has one."""
        pieces: list[tuple[str, str]] = []
        for mark in marks:
            label = self._goal.details[mark].label
            for part in want.parts:
                if mark in _marks(part):
                    label = re.sub(r"^the ", "", part.split("⟦")[0].strip()) or label
            for name, value in want.changes:
                if mark in _marks(value):
                    label = name.removeprefix("the ")
            pieces.append((label, f"⟦{mark}⟧"))
        return pieces


def _marks(text: str) -> list[int]:
    return [int(mark) for mark in re.findall(r"⟦(\d+)⟧", text)]


def _can_check(want: Want) -> bool:
    """Whether a change can be looked at afterwards by what people call the record."""
    return want.kind == "change" or (
        want.kind != "errand" and any(re.match(r"the name ⟦", part) for part in want.parts)
    )
