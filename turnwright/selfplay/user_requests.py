"""How the simulated user asks for what it wants: many forms for each kind of want, by register."""

import random
import re
from collections.abc import Sequence

from turnwright.selfplay.user_goal import MARK, Want
from turnwright.selfplay.words import join_words

Register = str


def _reword_entity(entity: str, rng: random.Random) -> str:
    """`the NOUN whose name is X` in another of its forms, the same for the whole message."""
    form = rng.choice(("named", "called", "", "whose"))
    if form == "whose" or re.search(r"\b(?:ID|id|code|number|nr)\b", entity):
        return entity
    between = f" {form} " if form else " "
    return re.sub(r"(?<! and)\s+(?:whose (?:name|title) is|named|called)\s+(?=⟦)", between, entity)


def _ask_labels(labels: str, entity: str, several: bool, register: Register, rng: random.Random) -> str:
    verb = "are" if several else "is"
    frames = [
        f"Could you tell me {labels} of {entity}?",
        f"I'd like to know {labels} of {entity}.",
        f"What {verb} {labels} of {entity}?",
        f"Can you look up {labels} of {entity}?",
        f"I'm looking for {labels} of {entity}.",
        f"Please give me {labels} of {entity}.",
    ]
    if register == "casual":
        frames += [
            f"What's {labels} of {entity}?" if not several else f"Can I get {labels} of {entity}?",
            f"I need {labels} of {entity}, please.",
            f"Any chance you can tell me {labels} of {entity}?",
        ]
    if register == "formal":
        frames += [
            f"I would like to find out {labels} of {entity}.",
            f"Would you please look up {labels} of {entity}?",
            f"I kindly ask you to tell me {labels} of {entity}.",
        ]
    return rng.choice(frames)


_SHOWING = re.compile(r"^(?:see|list|show|view|get(?! an? |.*\b(?:again|back)\b)|look at)\s+(?P<rest>.+)$")
"""What can be shown; `get Wi-Fi back` and `get a refund` want something done."""
_FINDING = re.compile(r"^find out\s+(?P<rest>.+)$")


def ask_phrase(phrase: str, register: Register, rng: random.Random) -> str:
    """A request for what a verb phrase says, which can be used after `I want to`."""
    frames = [
        f"I'd like to {phrase}.",
        f"Could you help me {phrase}?",
        f"I want to {phrase}.",
        f"I need to {phrase}, please.",
        f"Can you help me to {phrase}?",
    ]
    if register == "casual":
        frames += [f"I'm trying to {phrase}.", f"Gotta {phrase}, can you help?"]
    if register == "formal":
        frames += [f"I would like to {phrase}.", f"I would be grateful if you could help me {phrase}."]
    if match := _SHOWING.match(phrase):
        rest = match.group("rest")
        frames += [
            f"Could you show me {rest}?",
            f"Please show me {rest}.",
            f"Can you list {rest} for me?" if "⟦" not in rest else f"Can I see {rest}?",
        ]
    if match := _FINDING.match(phrase):
        rest = match.group("rest")
        frames += [f"Can you tell me {rest}?", f"Please find out {rest}.", f"I'd like to know {rest}."]
    return rng.choice(frames)


def _ask_change(want: Want, entity: str, with_value: bool, register: Register, rng: random.Random) -> str:
    label, value = want.changes[0]
    more = "".join(f", and {other} to {new}" for other, new in want.changes[1:]) if with_value else ""
    if not with_value:
        return rng.choice(
            [
                f"I need to change {label} of {entity}.",
                f"Could you update {label} of {entity} for me?",
                f"I'd like to update {label} of {entity}.",
                f"Please change {label} of {entity}, it is out of date.",
            ]
        )
    frames = [
        f"Please change {label} of {entity} to {value}{more}.",
        f"Could you set {label} of {entity} to {value}{more}?",
        f"I'd like to change {label} of {entity} to {value}{more}.",
        f"I need to update {label} of {entity} to {value}{more}.",
    ]
    if register == "formal":
        frames += [
            f"I would like to update {label} of {entity} to {value}{more}.",
            f"Would you please change {label} of {entity} to {value}{more}?",
        ]
    return rng.choice(frames)


def _ask_addition(want: Want, parts: Sequence[str], owners: str, register: Register, rng: random.Random) -> str:
    told = f" with {join_words(list(parts))}" if parts else ""
    target = f", for {owners}" if owners else ""
    frames = [
        f"Please add {want.noun}{told}{target}.",
        f"I'd like to add {want.noun}{told}{target}.",
        f"Could you add {want.noun}{told}{target}?",
        f"I need to add {want.noun}{told}{target}.",
    ]
    if register == "formal":
        frames += [
            f"I would like to register {want.noun}{told}{target}.",
            f"Would you please add {want.noun}{told}{target}?",
        ]
    return rng.choice(frames)


def _ask_removal(entity: str, register: Register, rng: random.Random) -> str:
    frames = [
        f"Please remove {entity}.",
        f"Could you delete {entity}?",
        f"I'd like to remove {entity}.",
        f"I need to delete {entity}, please.",
    ]
    if register == "formal":
        frames.append(f"Would you please remove {entity}?")
    return rng.choice(frames)


def hide_marks(text: str, hidden: frozenset[int]) -> str:
    """The text without the clauses of hidden values: `the player whose name is ⟦0⟧` becomes `a player`."""
    for mark in sorted(hidden & {int(mark) for mark in MARK.findall(text)}):
        token = re.escape(f"⟦{mark}⟧")
        text = re.sub(rf"\s+and whose [^⟦⟧,]*? is {token}", "", text)
        text = re.sub(rf"\s+whose [^⟦⟧,]*? is {token}(?: and(?= whose))?", "", text)
        text = re.sub(rf"\s+(?:named|called|with (?:the|a) [^⟦⟧,]*?) {token}", "", text)
        text = re.sub(rf"(?:, for|, with|, leaving out) (?:the|an?) [^⟦⟧,]*?{token}(?: and (?=the ))", ", for ", text)
        text = re.sub(rf",? (?:for|and|with|to|leaving out) (?:the |an? )?[^⟦⟧,]*?{token}", "", text)
        text = re.sub(rf",? only the first {token}", "", text)
        text = re.sub(rf"\s*{token}", "", text)
    return re.sub(r",? for the account(?: of)?$", "", text.strip(" ,"))


def say_want(
    want: Want,
    *,
    labels: Sequence[str],
    hidden: frozenset[int],
    parts: Sequence[str],
    register: Register,
    rng: random.Random,
) -> str:
    """A request for one want.

    Args:
        want: what is wanted.
        labels: for find, those asked for now.
        hidden: values that are not said yet.
        parts: for add, the pieces said now.
        register: how the person talks.
        rng: chooses the wording.
    """
    entity = _reword_entity(hide_marks(want.entity, hidden), rng)
    if hidden and MARK.search(want.entity) and not MARK.search(entity) and entity.startswith("the "):
        entity = "a certain " + entity.removeprefix("the ")
    if want.kind == "find":
        return _ask_labels(join_words(list(labels)), entity, len(labels) > 1, register, rng)
    if want.kind == "change":
        value = want.changes[0][1]
        with_value = not any(f"⟦{mark}⟧" == value for mark in hidden)
        return _ask_change(want, entity, with_value, register, rng)
    if want.kind == "add":
        return _ask_addition(want, parts, _reword_entity(hide_marks(want.owners, hidden), rng), register, rng)
    if want.kind == "remove":
        return _ask_removal(entity, register, rng)
    if want.kind == "errand":
        return ask_phrase(_join_errand(want, parts, hidden, rng), register, rng)
    return ask_phrase(_reword_entity(hide_marks(want.phrase, hidden), rng), register, rng)


def _join_errand(want: Want, parts: Sequence[str], hidden: frozenset[int], rng: random.Random) -> str:
    """The errand with the parts that are said now, and with what it points at."""
    told = [part for part in parts if not {int(mark) for mark in MARK.findall(part)} & hidden]
    pointed = re.sub(
        r"from before\b", rng.choice(("from before", "you found", "you just found", "that came up")), want.clauses
    )
    return f"{want.noun}{f', with {join_words(told)}' if told else ''}{pointed}"
