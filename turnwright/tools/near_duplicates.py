"""Tools that do the same as another one under another name (UO, expansion: no near-duplicates)."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.tools import Tool
from turnwright.tools.naming import singular, split_words
from turnwright.tools.text_vectors import Vectoriser, compare_vectors
from turnwright.tools.tool_text import compose_text, list_own_descriptions

_SAME_VERBS = (
    frozenset("get fetch retrieve obtain read show view display lookup query return".split()),
    frozenset("search find locate list browse".split()),
    frozenset("create add make insert register new".split()),
    frozenset("update edit modify change set adjust".split()),
    frozenset("delete remove erase drop".split()),
    frozenset("calculate compute calc determine estimate".split()),
    frozenset("cancel revoke withdraw".split()),
    frozenset("send post submit".split()),
    frozenset("book reserve".split()),
)
_WEAK = frozenset(
    "info information data detail value result all list item api tool the a an of for by in to and".split()
)
"""Words of a name that do not make another tool of it."""


@dataclass(frozen=True)
class Twin:
    """A tool that is too close to an earlier one."""

    other: int
    """Position of the earlier tool."""
    similarity: float
    """Cosine of the two texts."""


def find_twins(tools: Sequence[Tool], threshold: float, vectoriser: Vectoriser) -> dict[int, Twin]:
    """For each position that is a near-duplicate of an earlier tool, which is none itself, the earlier one.

    Two tools are twins where the cosine of what they say (name, own description, parameters) reaches the threshold,
    unless their names show that they differ: another kind of verb (`lock` is no `unlock`), or on each side a word that
    the other one never uses (`core_memory_add`, `archival_memory_add`).
    """
    own = list_own_descriptions(tools)
    texts = [compose_text(tool, text) for tool, text in zip(tools, own, strict=True)]
    if len(texts) < 2:
        return {}
    similar = compare_vectors(vectoriser(texts))
    words = [frozenset(singular(word) for word in split_words(text)) for text in texts]
    twins: dict[int, Twin] = {}
    for later in range(1, len(tools)):
        closest: Twin | None = None
        for earlier in range(later):
            weight = float(similar[later, earlier])
            if earlier in twins or weight < threshold or (closest is not None and weight <= closest.similarity):
                continue
            if not _differ(tools[earlier].name, tools[later].name, words[earlier], words[later]):
                closest = Twin(earlier, weight)
        if closest is not None:
            twins[later] = closest
    return twins


def _differ(one: str, other: str, words_of_one: frozenset[str], words_of_other: frozenset[str]) -> bool:
    """Whether the names of two tools show that they do different things."""
    first, second = split_words(one), split_words(other)
    if not first or not second:
        return False
    verbs, nouns_of_one = _verb(first)
    other_verbs, nouns_of_other = _verb(second)
    if verbs is not None and other_verbs is not None and verbs != other_verbs:
        return True
    only_one = nouns_of_one - words_of_other
    only_other = nouns_of_other - words_of_one
    return bool(only_one) and bool(only_other)


def _verb(words: list[str]) -> tuple[int | str | None, frozenset[str]]:
    """The kind of the first verb of a name, and its other words that say something."""
    for word in words:
        for number, group in enumerate(_SAME_VERBS):
            if word in group:
                rest = frozenset(singular(other) for other in words if other != word) - _WEAK
                return number, rest
    return words[0] if len(words) > 1 else None, frozenset(singular(word) for word in words) - _WEAK
