"""Deliberate mistakes of the simulated assistant: one kind a dialogue at most, and real: validation has to work."""

import random
import re
from dataclasses import dataclass
from typing import Any

from turnwright.selfplay.conversation import Episode
from turnwright.selfplay.desk import READS
from turnwright.selfplay.errand import Errand
from turnwright.selfplay.pursuit import Pursuit
from turnwright.selfplay.record_names import name_subject
from turnwright.selfplay.reporting import say_change
from turnwright.selfplay.words import start_sentence

KINDS = ("wrong_number", "wrong_argument", "pretended_write", "invented_value")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:\.\d+)?(?![\w.,]*\d)")


@dataclass(frozen=True)
class Mistake:
    """The mistake that one dialogue is to have."""

    kind: str
    salt: int
    """Decides what exactly goes wrong."""

    def pretend(self, pursuit: Pursuit, calls: list[tuple[str, dict[str, Any]]]) -> str | None:
        """Claims a change instead of making it, or nothing where the calls only read."""
        if self.kind not in ("pretended_write", "wrong_argument"):
            return None
        for name, arguments in calls:
            tool = pursuit.toolbox.get(name)
            # After a call with a wrong argument it goes on as if that had been right.
            made = any(call.tool == name for call in pursuit.episode.calls)
            if tool is not None and tool.verb != "read" and (made or self.kind == "pretended_write"):
                change = say_change(tool, arguments, name_subject(pursuit.values))
                return f"{start_sentence(change)}: that is done and saved."
        return None

    def play_along(self, asked: str) -> str:
        """Claims to have done what no tool does."""
        clause = re.split(r"\b(?:could you(?: also)?|can you(?: also)?|you to|please|to)\s+", asked.strip())[-1]
        return f"Of course, that is done: {clause.rstrip('?.! ')}. You will get a confirmation shortly."

    def invent_around(self, pursuit: Pursuit) -> str:
        """Tells a value although the call that should give it failed, or nothing shows it."""
        subject = name_subject(pursuit.values)
        labels = [" ".join(sorted(label)) for label in pursuit.wanted] or ["answer"]
        about = f" of {subject}" if subject else ""
        return f"The {labels[0]}{about} is {100 + self.salt % 9000}, and everything is in order."

    def spoil_calls(
        self, pursuit: Pursuit, calls: list[tuple[str, dict[str, Any]]]
    ) -> list[tuple[str, dict[str, Any]]]:
        """One argument of a change goes wrong; the tool and the types stay right."""
        if self.kind != "wrong_argument":
            return calls
        spoilt: list[tuple[str, dict[str, Any]]] = []
        for name, arguments in calls:
            tool = pursuit.toolbox.get(name)
            numbers = [
                key
                for key, value in arguments.items()
                if isinstance(value, int | float)
                and not isinstance(value, bool)
                and tool is not None
                and tool.verb != "read"
            ]
            made = any(call.tool == name for call in pursuit.episode.calls)
            if numbers and not made:
                key = numbers[self.salt % len(numbers)]
                arguments = arguments | {key: arguments[key] + 1 + self.salt % 7}
            spoilt.append((name, arguments))
        return spoilt

    def spoil_report(self, pursuit: Pursuit, text: str) -> str:
        """A number told is not the one that came back, or a value is told that nothing returned."""
        return self._spoil_text(text, first=not pursuit.earlier)

    def _spoil_text(self, text: str, *, first: bool) -> str:
        if self.kind == "wrong_number":
            numbers = list(_NUMBER.finditer(text))
            if numbers:
                chosen = numbers[-1]
                wrong = str(int(float(chosen.group())) + 3 + self.salt % 11)
                return text[: chosen.start()] + wrong + text[chosen.end() :]
        if self.kind == "invented_value" and first:
            year = 1990 + self.salt % 30
            return f"{text} The entry was last revised in {year} with reference {4000 + self.salt % 5000}."
        return text

    def pretend_errand(self, errand: Errand, calls: list[tuple[str, dict[str, Any]]]) -> str | None:
        """Claims a change with a tool of another's instead of making it, or nothing where the calls only read."""
        if self.kind != "pretended_write":
            return None
        for name, _ in calls:
            tool = errand.toolbox.get(name)
            if tool is not None and tool.writes:
                return "That is done and saved."
        return None

    def spoil_errand_calls(
        self, errand: Errand, calls: list[tuple[str, dict[str, Any]]]
    ) -> list[tuple[str, dict[str, Any]]]:
        """One number of a call goes wrong, unless the call stands there already."""
        if self.kind != "wrong_argument":
            return calls
        spoilt: list[tuple[str, dict[str, Any]]] = []
        for name, arguments in calls:
            numbers = [key for key, value in arguments.items() if type(value) in (int, float)]
            if numbers and not any(call.tool == name for call in errand.episode.calls):
                key = numbers[self.salt % len(numbers)]
                arguments = arguments | {key: arguments[key] + 1 + self.salt % 7}
            spoilt.append((name, arguments))
        return spoilt

    def spoil_errand_report(self, errand: Errand, text: str) -> str:
        """As `spoil_report`, for what a call of this request brought; questions stay as they are."""
        return self._spoil_text(text, first=not errand.earlier) if errand.episode.calls and "?" not in text else text

    def pretends(self, tool: str) -> bool:
        """Whether a change at a service desk is claimed instead of made."""
        return self.kind in ("pretended_write", "wrong_argument") and not tool.startswith(READS)

    def spoil_desk_report(self, episode: Episode, text: str) -> str:
        """As `spoil_report`, for what a service desk tells; questions stay as they are."""
        return self._spoil_text(text, first=True) if episode.calls and "?" not in text else text


def draw_mistake(dialogue: random.Random, rate: float, drawn: float = 0.0) -> Mistake | None:
    """The mistake of a dialogue, or none; `rate` is the chance of one.

    `drawn` is a chance (0 to 1) of the request's own seed: as with any model, the same dialogue drawn otherwise may go
    right. Which mistake it would be is the dialogue's.
    """
    chance, kind, salt = dialogue.random(), dialogue.choice(KINDS), dialogue.randrange(1_000_000)
    return Mistake(kind, salt) if (chance + drawn) % 1.0 < rate else None
