"""Whether what the user says besides a request can stand: the answer to a question, a reaction, a wish, a farewell."""

import re
from collections.abc import Iterator, Mapping, Sequence

from schemas.goals import PlannedCall
from schemas.tools import Tool
from turnwright.rollout.behaviours import content_words
from turnwright.stateless.plans import Problem
from turnwright.stateless.prose_marks import NUMBER, QUESTION, list_unheard
from turnwright.stateless.request_checks import check_form, is_said, list_required
from turnwright.stateless.withholding import Withheld
from turnwright.tools.tool_text import first_sentence

LONGEST_ANSWER = 500
LONGEST_FAREWELL = 300
_ENDS = re.compile(
    r"\b(?:thank\w*|thx|cheers|bye|goodbye|appreciate\w*|grateful|that(?:'s| is| will be| was)? (?:all|it|everything)|"
    r"that's me|all (?:set|done|sorted)|done for (?:now|today)|nothing (?:else|more)|great help|take care|so long)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:please|can you|could you|would you|will you|i(?:'d| would) like|i need|i want|let me know|go ahead)\b",
    re.IGNORECASE,
)


def check_withheld(text: str, withheld: Withheld) -> list[Problem]:
    """`withheld_said`: the request says the value that it is to leave out."""
    if not is_said(withheld.value, text):
        return []
    return [Problem("withheld_said", f"the request says {withheld.label} = {withheld.value!r}"[:300])]


def check_wish(text: str, wish: str, tools: Mapping[str, Tool], planned: Sequence[PlannedCall]) -> list[Problem]:
    """`wish_missing`: the request asks for something else than what no tool can do.

    It shares half of the wish's words of four letters or more; one that says a value of the planned call, a single one.
    """
    wanted, shared = content_words(wish), content_words(wish) & content_words(text)
    values = [value for _, value in list_required([call for call in planned if call.tool in tools])]
    enough = 1 if any(is_said(value, text) for value in values) else (len(wanted) + 1) // 2
    return [] if len(shared) >= min(enough, len(wanted)) else [Problem("wish_missing", f"nobody asks to {wish}"[:300])]


def check_answer(text: str, withheld: Withheld, tools: Mapping[str, Tool], heard: Sequence[str]) -> list[Problem]:
    """Everything that forbids an answer to a question back; empty where it can be given.

    Args:
        text: what the user answers.
        withheld: the value that was asked for.
        tools: those that are offered, by name.
        heard: what was said before.
    """
    return [*_check_answer(text, withheld, heard), *check_form(text, tools, str(withheld.value))]


def check_reaction(
    text: str, answer: str, calls: Sequence[PlannedCall], wishes: Sequence[str], tools: Mapping[str, Tool]
) -> list[Problem]:
    """`no_reaction`: a later request takes up nothing of what the assistant said last.

    A word of four letters or more, or a number, that the answer has and that the request does not owe to its own plan.
    """
    own = [str(value) for _, value in list_required(calls)]
    own += [first_sentence(tools[call.tool].description) for call in calls if call.tool in tools]
    owed = {word for each in (*own, *wishes) for word in content_words(each)}
    if (content_words(text) & content_words(answer)) - owed - _EMPTY:
        return []
    numbers = [number for number in NUMBER.findall(answer) if not any(number in each for each in own)]
    if any(re.search(rf"(?<![\w.]){re.escape(number)}(?![\w])", text) for number in numbers):
        return []
    return [Problem("no_reaction", "the request takes up nothing of what the assistant said")]


def check_farewell(text: str, tools: Mapping[str, Tool], heard: Sequence[str]) -> list[Problem]:
    """Everything that forbids the user's last words: they thank or end, and ask for nothing more."""
    return [*_check_farewell(text, heard), *check_form(text, tools, " ".join(heard))]


_EMPTY = frozenset("that this with from have been your will there what which then also they them".split())
"""Words that take nothing up."""


def _check_answer(text: str, withheld: Withheld, heard: Sequence[str]) -> Iterator[Problem]:
    """`missing_literal`, `overlong_answer`, `asks_back`, `invented_value`."""
    if not is_said(withheld.value, text):
        yield Problem("missing_literal", f"the answer does not say {withheld.label} = {withheld.value!r}"[:300])
    if len(text) > LONGEST_ANSWER:
        yield Problem("overlong_answer", f"{len(text)} characters")
    if QUESTION.search(text) and not QUESTION.search(str(withheld.value)):
        yield Problem("asks_back", "the answer asks a question, which nobody would answer")
    yield from _check_numbers(text, (*heard, str(withheld.value)))


def _check_farewell(text: str, heard: Sequence[str]) -> Iterator[Problem]:
    """`overlong_farewell`, `asks_more`, `no_farewell`, `invented_value`."""
    if len(text) > LONGEST_FAREWELL:
        yield Problem("overlong_farewell", f"{len(text)} characters")
    if QUESTION.search(text) or _ASKS.search(text):
        yield Problem("asks_more", "the user still asks for something")
    if not _ENDS.search(text.replace("’", "'")):
        yield Problem("no_farewell", "the user neither thanks nor says that this is all")
    yield from _check_numbers(text, heard)


def _check_numbers(text: str, heard: Sequence[str]) -> Iterator[Problem]:
    """`invented_value`: a number that nobody has said."""
    for number in list_unheard(text, heard, in_parts=True):
        yield Problem("invented_value", f"{number} was never said"[:300])
        return
