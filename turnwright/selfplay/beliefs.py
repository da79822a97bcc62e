"""What a user says in passing that they believe of a record: kept apart from the request, and held against the data."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from turnwright.selfplay.steps import Outcome
from turnwright.selfplay.wanted_labels import label_fits
from turnwright.selfplay.words import fold, say_name, say_value, start_sentence, stems

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_BELIEF = re.compile(
    r"\b(?:as far as I know|I (?:think|believe|thought|was told|heard|gather)|if I remember (?:right|correctly)|"
    r"I(?:'m| am) (?:pretty |fairly |quite )?sure),?\s+(?:that )?the (?P<label>.+?) (?:is|are|was|were) "
    r"(?P<value>.+?)[.!]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Belief:
    """One thing that the user takes for true."""

    label: str
    """What it is of, in the user's words."""
    value: str

    @property
    def words(self) -> frozenset[str]:
        """Stems of the label without whose it is: `earnings` of `earnings of Nick Price`."""
        return frozenset(stems(self.label.partition(" of ")[0]))


def split_beliefs(text: str) -> tuple[str, list[Belief]]:
    """A message without the sentences that only say what the user believes, and those beliefs.

    A message that holds nothing else is left as it is.
    """
    kept: list[str] = []
    beliefs: list[Belief] = []
    for sentence in _SENTENCE.split(text):
        found = _BELIEF.search(sentence)
        if found is None:
            kept.append(sentence)
        else:
            beliefs.append(Belief(found["label"], found["value"].strip(' "')))
    return (" ".join(kept), beliefs) if kept else (text, [])


def drop_beliefs(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation with the requests alone in the user's messages."""
    return [
        {**message, "content": split_beliefs(str(message.get("content") or ""))[0]}
        if message["role"] == "user"
        else message
        for message in messages
    ]


def find_false(beliefs: Sequence[Belief], outcomes: Sequence[Outcome]) -> list[tuple[Belief, str, Any]]:
    """The beliefs that a result contradicts, with the field that does and its value."""
    found: list[tuple[Belief, str, Any]] = []
    for belief in beliefs:
        for outcome in outcomes:
            rows = outcome.rows if len(outcome.rows) == 1 else []
            fields = [(name, value) for row in rows for name, value in row.items()] + list(outcome.beside)
            fitting = [
                (name, value)
                for name, value in fields
                if value is not None and label_fits(name, belief.words, outcome.nouns)
            ]
            wrong = [(name, value) for name, value in fitting if not _is_same(value, belief.value)]
            if fitting and len(wrong) == len(fitting):
                found.append((belief, *wrong[0]))
                break
    return found


def _is_same(value: Any, said: str) -> bool:
    return fold(say_value(value)).strip() == fold(said.replace(",", "")).strip() or fold(say_value(value)) == fold(said)


def correct(false: Sequence[tuple[Belief, str, Any]], rng: random.Random) -> str:
    """What is to be said of beliefs that do not hold; empty where all do."""
    told: list[str] = []
    for belief, name, value in false:
        label, right = say_name(name), say_value(value)
        told.append(
            rng.choice(
                [
                    f"One correction first: the {label} is not {belief.value} but {right}.",
                    f"The {label} is actually {right}, not {belief.value}.",
                    f"That differs from what you have: the records show the {label} as {right} instead of "
                    f"{belief.value}.",
                ]
            )
        )
    return " ".join(told)


def confirm(beliefs: Sequence[Belief]) -> str:
    """The mistake of going along with what the user believes."""
    return " ".join(start_sentence(f"yes, that is right: the {one.label} is {one.value}.") for one in beliefs)
