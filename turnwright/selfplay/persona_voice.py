"""How a persona sounds: length, care, register. Everything here works on texts in which values stand as marks.

So no rule can change a fact: a mark is neither a word that can be misspelt nor one that is expanded.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnwright.selfplay import user_language as say

_EXPANSIONS = {
    "I'd": "I would",
    "I'm": "I am",
    "I'll": "I will",
    "I've": "I have",
    "it's": "it is",
    "that's": "that is",
    "what's": "what is",
    "doesn't": "does not",
    "don't": "do not",
    "can't": "cannot",
}
_SHORT_WORDS = re.compile(rf"\b(?:{'|'.join(re.escape(word) for word in _EXPANSIONS)})\b", re.IGNORECASE)
_PLEASANTRIES = re.compile(r"^(?:Hello|Hi|Hey|Good (?:day|morning|afternoon|evening))[\w ]{0,12}[,!.]\s+")


@dataclass(frozen=True)
class Voice:
    """What of a persona is heard. Scores are the Big Five, 1 to 5; 3 where a persona does not say."""

    register: str
    precision: str
    patience: str
    conscientiousness: int
    extraversion: int
    agreeableness: int
    neuroticism: int

    @property
    def talkative(self) -> float:
        """Chance that the first message says more than the request."""
        if self.patience == "low":
            return 0.15
        return 0.8 if self.extraversion >= 4 else 0.3 if self.extraversion <= 2 else 0.55

    @property
    def doubting(self) -> float:
        """Chance that a change is to be looked at again."""
        return 0.8 if self.neuroticism >= 4 else 0.4 if self.neuroticism <= 2 else 0.6

    @property
    def careless(self) -> float:
        """Chance of a misspelt word in a message where there is one to misspell."""
        usual = 0.15 if self.register == "casual" else 0.06
        return 0.0 if self.conscientiousness >= 5 else usual * (4 if self.conscientiousness <= 2 else 1)

    def colour(self, text: str, rng: random.Random) -> str:
        """The message in this person's voice."""
        if rng.random() < self.careless:
            text = say.add_typos(text, rng)
        if self.register == "formal":
            text = _SHORT_WORDS.sub(_expand, text)
        if self.register == "casual" and rng.random() < 0.25 and text[:2] != "I ":
            text = re.sub(r"^[A-Z](?=[a-z])", lambda match: match.group().lower(), text)
        if self.patience == "low" and self.agreeableness <= 2:
            text = _cut_greeting(text)
        return text


def read_voice(persona: Mapping[str, Any]) -> Voice:
    """The voice of a persona block; what it leaves out, or says otherwise than as a number, is as usual."""

    def score(name: str) -> int:
        value = persona.get(name)
        return value if isinstance(value, int) and 1 <= value <= 5 else 3

    return Voice(
        register=str(persona.get("language_register") or "neutral"),
        precision=str(persona.get("precision") or "normal"),
        patience=str(persona.get("patience") or "normal"),
        conscientiousness=score("conscientiousness"),
        extraversion=score("extraversion"),
        agreeableness=score("agreeableness"),
        neuroticism=score("neuroticism"),
    )


def _expand(match: re.Match[str]) -> str:
    word = match.group()
    long = next(text for short, text in _EXPANSIONS.items() if short.casefold() == word.casefold())
    return long[0].upper() + long[1:] if word[0].isupper() else long


def _cut_greeting(text: str) -> str:
    """Straight to the point, where something follows the greeting."""
    found = _PLEASANTRIES.match(text)
    return text if found is None or len(text) == found.end() else text[found.end() :]
