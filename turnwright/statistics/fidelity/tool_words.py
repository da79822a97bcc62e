"""What the name of a tool says about a person's words: whether they ask for it."""

import re
from functools import lru_cache

from turnwright.statistics.fidelity.values import split_name

_WORD = re.compile(r"[^\W\d_]+")

_VERBS: dict[str, frozenset[str]] = {
    "read": frozenset(
        """get search find list show look lookup view check read fetch retrieve query count display describe see tell
        give what which who whose when where how know browse calculate compute compare estimate sum average""".split()
    ),
    "create": frozenset(
        """create add insert new book make schedule register open place post save record start launch order buy
        reserve enter sign put log upload write set""".split()
    ),
    "send": frozenset("send email mail message text notify forward share reply call tweet post submit".split()),
    "change": frozenset(
        """update change modify edit set move rename adjust switch correct replace raise lower increase decrease
        assign transfer swap fix reschedule mark reset upgrade exchange turn enable disable""".split()
    ),
    "remove": frozenset("delete remove cancel drop close clear erase unregister return refund undo stop end".split()),
}
"""Verbs by what they do. One that stands in two classes belongs to both."""

_LINKING = frozenset(
    """a all an and api at by details detail data entry for from function in info information into item items of on
    or per record records result results the to tool user using via with""".split()
)


@lru_cache(maxsize=100_000)
def fold_word(word: str) -> str:
    """A word without its plural."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def read_words(text: str) -> set[str]:
    """The words of a text, folded."""
    return {fold_word(word) for word in _WORD.findall(text.casefold())}


@lru_cache(maxsize=100_000)
def read_tool_words(tool: str) -> tuple[frozenset[str], frozenset[str]]:
    """The verbs of a tool's kind, and the things that its name speaks of; all folded."""
    words = split_name(tool)
    # Only the first verb says what the tool does: the `order` of get_order is a thing.
    verb = next((word for word in words[:2] if any(word in known for known in _VERBS.values())), None)
    verbs = frozenset[str]().union(*(known for known in _VERBS.values() if verb in known)) if verb else _VERBS["read"]
    objects = [word for word in words if word != verb and word not in _LINKING and len(word) > 1]
    return frozenset(fold_word(word) for word in verbs), frozenset(fold_word(word) for word in objects)


def is_asked_for(tool: str, words: set[str]) -> bool:
    """Whether a person's words name what a tool does: a verb of its kind, and at least half of the things in its name.

    `Cancel order W12` asks for cancel_order, but not for get_order; `Show me order W12` does the reverse.
    """
    verbs, objects = read_tool_words(tool)
    if not verbs & words:
        return False
    return not objects or 2 * len(objects & words) >= len(objects)
