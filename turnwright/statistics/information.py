"""Which turns of a dialogue carry something: a call, a result, or words that were not said before."""

import re
from collections.abc import Sequence
from typing import Any

from schemas.closed import Closed

_TOKEN = re.compile(r"\d[\d.,:/-]*|[^\W\d_]+(?:['’][^\W\d_]+)*")

_FILLER = frozenset(
    """
    a about above actually after again all alright already also always am an and another any anyone anything
    appreciate appreciated are aren't as ask assist assistance at away awesome back be because been before being
    below best better bit bless both but by bye call can can't cannot care check checking cheers come confirm
    confirmed could couldn't day definitely did didn't do does doesn't doing don't done double each either else
    enough even ever every everything exactly excellent excuse far fantastic feel few fine for free from further
    get getting give gives glad go goes going gone good goodbye got grateful great had happy has hasn't have
    haven't having he hear hello help helped helpful helping her here here's hers hey hi him his hm hmm hold
    hope how i i'd i'll i'm i've if in indeed information into is isn't it it'll it's its just keep kind know
    let let's like little ll look looking looks lot lots lovely made make makes making many may maybe me mean
    means might mind mine minute moment more most much must my need needed needs never next nice no nope not
    nothing now of off oh ok okay on once one only or other our ours out over ok pardon perfect perfectly please
    pleasure probably problem pull put question questions quick quickly quite rather re ready really regards
    regarding right same say second see seems seen shall she should shouldn't so some something soon sorry
    sounds still such super sure surely take takes talk tell than thank thanks that that's the their them then
    there there's these they they're thing things think this those though through time to today together too
    tremendously try two ty understand understood until up update upon us ve very wait want wanted wants was
    wasn't way we we'll we're we've welcome well were weren't what what's whatever when where whether which
    while who whose why will wish with within won't wonderful would wouldn't yeah yep yes yet you you'd you'll
    you're you've your yours
    """.split()
)
"""Function words and words of courtesy. They never count as information, whoever says them first."""


class Information(Closed):
    """How much of the dialogues says nothing; over accepted dialogues, or all where there are no verdicts."""

    turns: int
    empty_turns: int
    """Turns with neither a call or result nor a word or value that was not said before."""
    empty_share: float
    """`empty_turns` of `turns`; the closing thanks count as empty."""
    empty_share_before_closing: float
    """The same without the empty turns at the end of each dialogue."""


def find_empty_turns(messages: Sequence[dict[str, Any]]) -> list[int]:
    """Indices of the turns that carry neither new information nor a call.

    A turn is empty when it holds no tool call and no tool result, and each of its words and values is either filler
    or was said before by the user or the assistant in this dialogue. Numbers are compared by value, so 1,200 says
    nothing new after 1200. What a tool returned has not been *said*: an assistant that reports it informs the user.
    The words of the filler list are English; in another language only repetition makes a turn empty.
    """
    said: set[str] = set()
    empty: list[int] = []
    for index, message in enumerate(messages):
        if message["role"] not in ("user", "assistant"):
            continue
        content = message.get("content")
        fresh = _read_words(content) - said if isinstance(content, str) else set[str]()
        said |= fresh
        if not fresh and not message.get("tool_calls"):
            empty.append(index)
    return empty


def _read_words(text: str) -> set[str]:
    words: set[str] = set()
    for token in _TOKEN.findall(text):
        if token[0].isdigit():
            words.add(_normalise_number(token))
        elif (word := token.casefold().replace("’", "'")) not in _FILLER and len(word) > 1:
            words.add(word)
    return words


def _normalise_number(token: str) -> str:
    plain = token.rstrip(".,:/-")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    if re.fullmatch(r"\d+\.\d+", plain):
        plain = plain.rstrip("0").rstrip(".")
    return plain
