"""Purposes of goals over specifications, in one form that a reader can take apart.

    PHRASE[, with the LABEL VALUE[, the LABEL VALUE and the LABEL VALUE]][, using the LABEL from before]

Several goals at once are the same call for different things: `…, and again with the LABEL VALUE`. PHRASE is what the
tool does, in the words of its description; text that does not stand out by itself is in quotes.
"""

import re
from collections.abc import Sequence
from typing import Any

from turnwright.goals.drafts import Detail
from turnwright.goals.spec_calls import Link, SpecCall
from turnwright.goals.words import join_words, say_value

_PLAIN = re.compile(r"[-+]?\d[\d.,:/ -]*|\d{4}-\d\d-\d\d.*|\S+@\S+\.\S+|https?://\S+|yes|no")
_NAMED = re.compile(r"[A-ZÀ-ÖØ-ÞŠŽŁĐŚİ][\w'’-]*(?: [A-ZÀ-ÖØ-ÞŠŽŁĐŚİ][\w'’-]*){0,3}")
_CODED = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9][\w-]*")


def say_purpose(calls: Sequence[SpecCall], links: Sequence[Link], phrase: str) -> str:
    """The purpose of one objective: its goals, what the person names for them and for their look-ups, and the links.

    `phrase` is what the goals do, see `phrase_tool`.
    """
    goals = [call for call in calls if not call.lookup]
    if len(goals) > 1:
        told = [_say_details(goal.details) for goal in goals]
        return f"{phrase}, with {', and again with '.join(told)}"
    text = phrase
    details = unique_details([*goals[0].details, *(detail for call in calls if call.lookup for detail in call.details)])
    if details:
        text += f", with {_say_details(details)}"
    if links:
        text += f", using {join_words([f'the {name_link(link)} from before' for link in links])}"
    return text


def name_link(link: Link) -> str:
    """What the person calls the field: `booking ID`, `tweet ID of the first result`."""
    field = link.feeder.field
    return f"{field.label} of the first result" if field.is_listed else field.label


def unique_details(details: Sequence[Detail]) -> list[Detail]:
    """Each label once."""
    return list({detail.label: detail for detail in reversed(details)}.values())[::-1]


def _say_details(details: Sequence[Detail]) -> str:
    return join_words([f"the {detail.label} {quote_value(detail.value)}" for detail in details])


def quote_value(value: Any) -> str:
    """A value as it stands in a sentence, in quotes where it would run into the words around it."""
    text = say_value(value)
    if isinstance(value, bool | int | float) or _PLAIN.fullmatch(text) or _NAMED.fullmatch(text):
        return text
    return text if _CODED.fullmatch(text) else f'"{text}"'
