"""What a question asks for: the labels in `the age and the home town of …`, and the fields that they mean."""

import re
from collections.abc import Sequence

from turnwright.selfplay.words import all_stems, split_name, stem

_ASKING = re.compile(
    r"\b(?:find out|know|learn|tell me(?: again)?|what(?:['’]s| is| are| was| were| about)|give me|look(?:ing)? up|"
    r"check(?: that)?|need|get|"
    r"looking for|remind me of|looking at|and)\s+(?P<labels>(?:the|its|their|his|her)\s+[^.?!\n]{2,160}?)"
    r"(?=\s+(?:of|for)\s+(?:the|that|this|it|those|these|an?)\b|\s+there\b|\s+(?:is|are)\b|[?!]|\.(?:\s|$)|\n|$|"
    r",? please)",
    re.IGNORECASE,
)
_PART = re.compile(r",\s*(?:and\s+)?|\band\b", re.IGNORECASE)
_ARTICLES = frozenset({"the", "it", "their", "his", "her", "whose", "is", "its", "of", "all", "now", "on", "at", "s"})
_KINDS = frozenset(stem(word) for word in ("year", "date", "day", "time"))
"""Words that only say the kind of value: the `year founded` is in `founded`, the `date signed` in `signed_on`."""

_QUALITIES = frozenset(
    stem(word) for word in ("date", "number", "code", "time", "year", "count", "amount", "status", "type", "detail")
)
"""Words that tell one field of a thing from another, even where tools are named for them."""


DIRECTIONS = frozenset({"from", "to"})
"""Words that tell the two sides of a thing apart: a transfer's `from club` is not its `to club`, nor just a `club`."""


def read_wanted(texts: Sequence[str]) -> tuple[frozenset[str], ...]:
    """The labels asked for in the first message, each as a set of stems; empty where a question has another form."""
    found: list[frozenset[str]] = []
    for text in texts[:1]:
        for match in _ASKING.finditer(text):
            labels = match.group("labels")
            follows = text[match.end() : match.end() + 4].strip().lower()
            if match.group().lower().startswith("and") and not follows.startswith(("of", "ther", "?", "for", ",")):
                continue
            if re.search(r"\"|\d{2}|\d\D\d|\b(?:whose|with|by)\b|\b(?:in|at)\s+[A-Z]", labels):
                continue
            for part in _PART.split(labels):
                words = frozenset(word for word in all_stems(part) if word not in _ARTICLES)
                if 0 < len(words) <= 6:
                    found.append(words)
    return tuple(dict.fromkeys(found))


def label_fits(name: str, label: frozenset[str], nouns: frozenset[str]) -> bool:
    """Whether a field can be what a label means; words for the thing itself may be missing on either side.

    Args:
        name: of the field, in any style.
        label: stems of the label.
        nouns: stems of what the request is about (`name` of a player is `player_name`).
    """
    own = frozenset(stem(word) for word in split_name(name)) - _ARTICLES
    nouns = nouns - _QUALITIES
    return bool(own & label) and own <= label | nouns and label <= own | nouns | _KINDS


def rate_fit(name: str, label: frozenset[str]) -> float:
    """How much of a label and of a field's name is the same, from 0 to 1."""
    own = frozenset(stem(word) for word in split_name(name)) - _ARTICLES
    if own & DIRECTIONS != label & DIRECTIONS:
        return 0.0
    shared = (own & label) - _KINDS
    return len(shared) / len(own | label - _KINDS) if shared else 0.0
