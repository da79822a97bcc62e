"""What a finding weighs in a dialogue made elsewhere, of which less is known than of our own."""

import re
from dataclasses import dataclass
from typing import Final

from schemas.findings import Finding
from turnwright.validation.grounding.plain_text import compose
from turnwright.validation.trajectory import Trajectory

_REMARKS: Final = frozenset(
    {
        "behind_the_scenes",
        "json",
        "leaked_prompt",
        "overlong_message",
        "reference_syntax",
        "repeated_message",
        "role_swap",
        "tool_name",
        "untraced_unit",
    }
)
"""Codes that never block here: whether a prompt was secret, or a user was a person, nobody has said; and what unit a
figure is in, few specifications say."""
_FROM_PROMPT: Final = frozenset({"invented_argument", "untraced_date", "untraced_time"})
"""Codes about what a system prompt may have given: the day, the account, a token. Where it is not known they remark."""
_OF_DEEDS: Final = frozenset({"claimed_deed", "denied_deed", "ignored_error"})
"""Codes of grounding that need no result to be right. All others only remark on an answer to a request without any
result: it speaks of the world, or of what was said before."""
_ABBREVIATION: Final = re.compile(r"[A-Z]{1,4}s?")
"""`AI`, `HTML`, `BTC`: terms that everybody knows."""
_DAY_OR_HOURS: Final = re.compile(
    r"\b\d{1,2}/\d{1,2}\b(?!/\d)|\b\d{1,2}(?::\d\d)?\s?(?:am|pm)?\s?(?:-|–|to|and|until)\s?\d{1,2}(?::\d\d)?\s?(?:am|pm)\b|"
    r"\bfrom \d{1,2}(?::\d\d)? to \d{1,2}(?::\d\d)?",
    re.IGNORECASE,
)
"""Days without a year and spans of hours: `9/15`, `from 12 to 1 pm`. How they are written a result does not tell."""
_NEAR: Final = 16
"""Characters before and after a number in which such a form is looked for."""


@dataclass(frozen=True)
class Context:
    """What a finding's weight depends on."""

    messages: int = 0
    prompted: bool = False
    """The system prompt is known."""
    twice: frozenset[int] = frozenset()
    """Messages with two calls of one id."""
    texts: tuple[str, ...] = ()
    """Contents, with composed letters, as the spans of findings count."""
    informed: frozenset[int] = frozenset()
    """Messages with a result before them in the same request."""

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Context":
        """The context of a readable dialogue."""
        messages = trajectory.messages
        calls = [[call["id"] for call in message.get("tool_calls", [])] for message in messages]
        informed: set[int] = set()
        answered = False
        for index, message in enumerate(messages):
            answered = (answered or message["role"] == "tool") and message["role"] != "user"
            if answered:
                informed.add(index)
        return cls(
            messages=len(messages),
            texts=tuple(compose(message["content"] or "") for message in messages),
            prompted=messages[0]["role"] == "system",
            twice=frozenset(index for index, ids in enumerate(calls) if len(set(ids)) < len(ids)),
            informed=frozenset(informed),
        )

    def excuses(self, finding: Finding) -> bool:
        """Whether a finding says nothing: nobody repeats a prompt that is not there."""
        return finding.code == "leaked_prompt" and finding.fault == "assistant" and not self.prompted

    def soften(self, finding: Finding) -> Finding:
        """A finding as it counts here."""
        return finding.model_copy(update={"blocks": False}) if finding.blocks and self._is_remark(finding) else finding

    def _is_remark(self, finding: Finding) -> bool:
        if finding.code == "unpaired_call":  # a last message of calls is what a model is to learn to write
            return finding.message == self.messages - 1
        if finding.code == "repeated_id":  # results that were given before cannot be mixed up with later ones
            return finding.message not in self.twice
        if finding.code in _FROM_PROMPT:
            return not self.prompted or (finding.code != "invented_argument" and finding.message not in self.informed)
        if finding.code in _REMARKS or self._is_loose(finding):
            return True
        return finding.layer == "grounding" and finding.code not in _OF_DEEDS and finding.message not in self.informed

    def _is_loose(self, finding: Finding) -> bool:
        """Whether a finding is about part of a day or of a span of hours, or an abbreviation."""
        if finding.message is None or finding.start is None or finding.end is None:
            return False
        text = self.texts[finding.message]
        claim = text[finding.start : finding.end]
        if finding.code == "untraced_name":
            return _ABBREVIATION.fullmatch(claim) is not None
        if finding.code != "untraced_number":
            return False
        near = text[max(0, finding.start - _NEAR) : finding.end + _NEAR]
        return any(claim.strip() in match[0] for match in _DAY_OR_HOURS.finditer(near))
