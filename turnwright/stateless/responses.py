"""Whether what the assistant says without calling anything can stand: a question back, a refusal, a goodbye.

Beyond TC, whose assistant only sums up. No rule asks a model.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from schemas.goals import PlannedCall
from schemas.tools import Tool
from turnwright.stateless.plans import Problem
from turnwright.stateless.prose_marks import QUESTION, list_unheard, shows_machinery
from turnwright.stateless.request_checks import is_said
from turnwright.stateless.withholding import Withheld
from turnwright.statistics.fidelity.tool_words import read_words
from turnwright.validation.refusals import claims, declines, offers

LONGEST_RESPONSE = 800
LONGEST_GOODBYE = 300
_IDENTIFIER = re.compile(r"(?<![\w@./-])[^\W\d]\w*_\w+")
_MOST_QUESTIONS = 2


def check_question(text: str, withheld: Withheld, tools: Mapping[str, Tool], heard: Sequence[str]) -> list[Problem]:
    """Everything that forbids a question back; empty where it can be asked.

    Args:
        text: what the assistant asks.
        withheld: the value that it has to ask for, without saying it.
        tools: those that are offered, by name.
        heard: what was said before, the request included.
    """
    return [*_check_question(text, withheld), *_check_form(text, tools, heard)]


def check_decline(text: str, tools: Mapping[str, Tool], heard: Sequence[str]) -> list[Problem]:
    """Everything that forbids a refusal: it declines, claims nothing, says what can be done instead, asks nothing."""
    return [*_check_decline(text), *_check_form(text, tools, heard)]


def check_goodbye(text: str, tools: Mapping[str, Tool], heard: Sequence[str]) -> list[Problem]:
    """Everything that forbids the assistant's last word: it is short and asks nothing."""
    return [*_check_goodbye(text), *_check_form(text, tools, heard)]


def check_declined(recovered: Sequence[PlannedCall]) -> list[Problem]:
    """`can_be_met`: the request that is to be declined was translated back into calls of offered tools."""
    if not recovered:
        return []
    return [Problem("can_be_met", f"{', '.join(call.tool for call in recovered)} would do it"[:300])]


def _check_question(text: str, withheld: Withheld) -> Iterator[Problem]:
    """`asks_nothing`, `too_many_questions`, `gives_value`, `asks_otherwise`, `claims_deed`, `declines`."""
    asked = len(QUESTION.findall(text))
    if not asked:
        yield Problem("asks_nothing", "the assistant asks no question")
    elif asked > _MOST_QUESTIONS:
        yield Problem("too_many_questions", f"{asked} questions; one thing is missing")
    if is_said(withheld.value, text):
        yield Problem("gives_value", f"the question says {withheld.value!r}, which only the user knows"[:300])
    wanted = read_words(f"{withheld.label} {withheld.parameter.replace('_', ' ')}") | {
        word for word in read_words(withheld.about) if len(word) > 3
    }
    if text and wanted and not wanted & read_words(text):
        yield Problem("asks_otherwise", f"the question is not about the {withheld.label}")
    if said := claims(text):
        yield Problem("claims_deed", f"nothing was done, and it says {said!r}"[:300])
    if declines(text) and not asked:
        yield Problem("declines", "the assistant declines instead of asking")


def _check_decline(text: str) -> Iterator[Problem]:
    """`not_declined`, `claims_deed`, `offers_nothing`, `asks_back`."""
    if not declines(text):
        yield Problem("not_declined", "the assistant never says that it cannot do this")
    if said := claims(text):
        yield Problem("claims_deed", f"nothing was done, and it says {said!r}"[:300])
    if not offers(text):
        yield Problem("offers_nothing", "the assistant does not say what it can do instead")
    if QUESTION.search(text):
        yield Problem("asks_back", "the refusal asks a question, which nobody would answer")


def _check_goodbye(text: str) -> Iterator[Problem]:
    """`overlong_response`, `asks_back`."""
    if len(text) > LONGEST_GOODBYE:
        yield Problem("overlong_response", f"{len(text)} characters for a goodbye")
    if QUESTION.search(text):
        yield Problem("asks_back", "the goodbye asks a question, which nobody would answer")


def _check_form(text: str, tools: Mapping[str, Tool], heard: Sequence[str]) -> Iterator[Problem]:
    """`empty_response`, `overlong_response`, `tool_name`, `identifier`, `shows_machinery`, `invented_value`."""
    if not text.strip():
        yield Problem("empty_response", "nothing is said")
    if len(text) > LONGEST_RESPONSE:
        yield Problem("overlong_response", f"{len(text)} characters")
    named = [name for name in tools if "_" in name and name in text]
    if named:
        yield Problem("tool_name", f"it names {named[0]}")
    elif strange := [word for word in _IDENTIFIER.findall(text) if not any(word in known for known in heard)]:
        yield Problem("identifier", f"nobody says {strange[0]!r}"[:300])
    if shows_machinery(text):
        yield Problem("shows_machinery", "it shows JSON or a reference")
    if (number := next(list_unheard(text, heard, in_parts=False), None)) is not None:
        yield Problem("invented_value", f"{number} was never said"[:300])
