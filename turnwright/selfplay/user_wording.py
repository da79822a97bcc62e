"""The words of the simulated person for a move."""

import random
import re
from collections.abc import Callable
from typing import Any

from turnwright.selfplay import user_language as say
from turnwright.selfplay.request import Request
from turnwright.selfplay.user_goal import Want
from turnwright.selfplay.user_moves import Move, State
from turnwright.selfplay.user_requests import say_want
from turnwright.selfplay.user_script import Script, WantPlan, list_marks


class Words:
    """How the person of one dialogue speaks; the same request gives the same words."""

    def __init__(self, request: Request, script: Script, persona: dict[str, Any], system: str) -> None:
        self._request = request
        self._script = script
        self._occupation = str(persona.get("occupation") or "")
        self._system = system

    def chance(self, said: list[str]) -> random.Random:
        """Chance for the words of the next message."""
        return self._request.rng_for("words", self._system, len(said), self._request.body.get("seed"))

    def word(self, move: Move, state: State, said: list[str]) -> str:
        """The message for a move."""
        rng = self.chance(said)
        quoted = self._request.rng_for("quotes", self._system).random() < 0.3
        text = self._script.voice.colour(self._word(move, state, said, rng), rng)
        return self._script.goal.fill(text.replace("_", " "), quoted)

    def _word(self, move: Move, state: State, said: list[str], rng: random.Random) -> str:
        register = self._script.voice.register
        if move == "end":
            return say.end(register, state.satisfied, rng)
        plan = self._script.plans[state.index]
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
                return say.join(say.acknowledge(register, rng), say.say_wish(self._script.behaviour.wish, rng))
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
        register = self._script.voice.register
        request = self._say(plan, plan.hidden, plan.labels, rng)
        if (
            self._script.is_first(plan)
            and self._script.behaviour.at_once
            and plan.want.task == self._script.behaviour.task
        ):
            request = say.join(request, self._word_correction(rng))
        if self._script.behaviour.claim is not None and self._script.believes(plan):
            request = say.join(request, say.say_belief(*self._script.behaviour.claim, rng))
        if plan.want.kind in ("add", "errand") and plan.announced and not self._script.behaviour.hidden & plan.hidden:
            request = say.join(request, say.announce_more(rng))
        if not said:
            background = (
                say.say_background(self._occupation, rng) if rng.random() < self._script.voice.talkative else ""
            )
            greeting = say.greet(register, rng)
            if background and rng.random() < 0.4:
                return say.join(greeting, background, request)
            return say.join(greeting, request, background)
        before = self._script.plans[state.index - 1].want
        lead = say.acknowledge(register, rng)
        if self._script.behaviour.claim is not None and before.task == self._script.behaviour.task != plan.want.task:
            lead = say.stand_corrected(rng)
        if self._script.behaviour.refusable and before.task == self._script.behaviour.task and not state.satisfied:
            lead = say.accept_refusal(rng)
        if self._script.behaviour.wish and state.wished and before.task == self._script.behaviour.task:
            lead = say.accept_refusal(rng)
        bridge = say.bridge(register, rng) if rng.random() < 0.6 else ""
        return say.join(lead, bridge, request)

    def _say(self, plan: WantPlan, hidden: frozenset[int] | None, labels: tuple[str, ...], rng: random.Random) -> str:
        """A want in words; `hidden` is None where everything is said, corrected values included."""
        want = plan.want
        hidden_given = hidden is not None
        first = self._script.is_first(plan) and self._script.behaviour.task == want.task and hidden_given
        hidden = hidden or frozenset()
        parts = [part for part in want.parts if not set(list_marks(part)) & hidden]
        text = say_want(want, labels=labels, hidden=hidden, parts=parts, register=self._script.voice.register, rng=rng)
        if first and self._script.behaviour.changed is not None:
            text = text.replace(
                f"⟦{self._script.behaviour.changed.mark}⟧",
                f'"{self._script.behaviour.first}"'
                if " " in self._script.behaviour.first
                else self._script.behaviour.first,
                1,
            )
        if hidden_given and self._script.is_vague(plan):
            text = text.replace(f"⟦{self._script.vague_mark}⟧", self._script.behaviour.vague)
        return text

    def _word_correction(self, rng: random.Random) -> str:
        changed = self._script.behaviour.changed
        assert changed is not None
        first = (
            f'"{self._script.behaviour.first}"' if " " in self._script.behaviour.first else self._script.behaviour.first
        )
        return say.say_correction(changed.label, first, f"⟦{changed.mark}⟧", rng)

    def _pieces(self, marks: list[int], want: Want) -> list[tuple[str, str]]:
        """Label and mark of details, with the label that the want uses where it has one."""
        pieces: list[tuple[str, str]] = []
        for mark in marks:
            label = self._script.goal.details[mark].label
            for part in want.parts:
                if mark in list_marks(part):
                    label = re.sub(r"^the ", "", part.split("⟦")[0].strip()) or label
            for name, value in want.changes:
                if mark in list_marks(value):
                    label = name.removeprefix("the ")
            pieces.append((label, f"⟦{mark}⟧"))
        return pieces
