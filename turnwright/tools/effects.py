"""Whether a tool that is known by its specification reads or writes, by the verbs that it is described with."""

import re

from schemas.vocabulary import Effect
from turnwright.tools.naming import READ_VERBS, WRITE_VERBS, split_words

_READ = frozenset(
    {
        *READ_VERBS,
        *"analyse analyze browse calc compute convert describe detect determine diff display echo estimate evaluate"
        " explain extract fetch forecast generate give identify is has inspect locate lookup measure monitor obtain"
        " parse peek predict print provide query read recommend request retrieve return review scan see solve sort"
        " summarise suggest tail test track translate validate verify view what which".split(),
    }
)
_WRITE = frozenset(
    {
        *(verb for group in WRITE_VERBS.values() for verb in group),
        *"accept activate allocate append apply approve archive attach authenticate authorize buy clear close comment"
        " confirm connect contact copy deactivate decline deny deploy disable disconnect dispatch download edit enable"
        " execute extend fill flip follow hold import install invite join like lock log login logout make mention merge"
        " modify mount notify open order pause pay place play post press publish purchase purge put refund reject"
        " release rent reopen repeat replace reply report reschedule reserve reset resolve restart restore resume"
        " retweet return_item revoke run save send share ship sign start stop store submit subscribe swap switch tag"
        " terminate toggle top touch trade transmit turn unfollow unlock unsubscribe upload upgrade withdraw write"
        " adjust charge change".split(),
    }
)
_FIRST = 6
"""Words at the beginning of a description among which its verb stands."""
_LEADS = re.compile(
    r"^(?:tool description|description|this (?:tool|function|method|api|endpoint))\b[:\s]*", re.IGNORECASE
)


def tell_effect(name: str, description: str, *, unknown: Effect = "write") -> Effect:
    """`read` or `write`: by the first word of the name, unless its last word says otherwise; then by the description.

    Args:
        name: of the tool.
        description: of the tool; empty where nobody has it.
        unknown: of what no known verb describes. For a tool that will be called, writing is the safer mistake, because
            a read that is taken for a write is only made less often, while a write that is taken for a read is
            repeated. For counts of foreign dialogues it is the worse one: names without a verb (`future_value`) are
            mostly look-ups and sums.
    """
    words = split_words(name)
    first = _vote(words[0]) if words else None
    last = _vote(words[-1]) if words else None
    if first is not None and last in (None, first):
        return first
    for word in _leading_words(description):
        if (said := _vote(word)) is not None:
            return said
    votes: list[Effect | None] = [first, last, *(_vote(word) for word in words)]
    for vote in votes:
        if vote is not None:
            return vote
    return unknown


def _leading_words(description: str) -> list[str]:
    text = _LEADS.sub("", " ".join(description.split()))
    return split_words(text)[:_FIRST]


def _vote(word: str) -> Effect | None:
    for form in (
        word,
        word.removesuffix("s"),
        word.removesuffix("es"),
        f"{word[:-3]}y" if word.endswith("ies") else word,
    ):
        if form in _READ:
            return "read"
        if form in _WRITE:
            return "write"
    return None
