"""What a request asks for and no offered tool deals with: then that has to be said, and not something else told."""

import re
from collections.abc import Iterable, Sequence

from turnwright.selfplay.conversation import Call
from turnwright.selfplay.offered_tools import OfferedTool, Toolbox
from turnwright.selfplay.spoken_values import SpokenValue
from turnwright.selfplay.steps import Outcome
from turnwright.selfplay.tool_choice import ASKS_FOR_FIGURES
from turnwright.selfplay.words import split_name, stem, stems

GENERIC = frozenset(stem(word) for word in "name year date day time number code amount count total".split())
"""Words that tell nothing of what a field is about."""
_VAGUE = GENERIC | frozenset(
    stem(word) for word in "detail result entry record information value data status share highest lowest".split()
)
_LISTED = re.compile(r"\b(?:see|show me|list|view)\s+(?:all )?the\s+(?P<phrase>[^,.?!\"]+)", re.IGNORECASE)
_END = re.compile(r"\b(?:whose|with|named|called|that|who|in|by|from|for)\b", re.IGNORECASE)


def name_unlisted(text: str, outcomes: Sequence[Outcome], calls: Iterable[Call], toolbox: Toolbox) -> list[str]:
    """Of `see the dates of the treatments of the dog …` what no call of the request had to do with, in its words."""
    match = _LISTED.search(text)
    if match is None or any(outcome.call.error is not None for outcome in outcomes):
        return []
    names = [name for outcome in outcomes for row in outcome.rows[:1] for name in row]
    known = {stem(word) for name in names for word in split_name(name)}
    for call in calls:
        tool = toolbox.get(call.tool)
        known |= tool.words if tool is not None else set()
    parts = re.split(r"\bof\b", _END.split(match["phrase"])[0])
    for part in parts:
        telling = frozenset(stems(part)) - _VAGUE
        if telling and not telling & known:
            return [re.sub(r"^(?:the|a|an|all)\s+", "", part.strip(), flags=re.IGNORECASE)]
    return []


def is_beyond(toolbox: Toolbox, calls: Iterable[Call], values: Sequence[SpokenValue]) -> bool:
    """Whether what is named was looked for nowhere: no call was made that deals with such things."""
    nouns = frozenset(word for value in values if value.role != "new" for word in value.noun) - _VAGUE
    made = [tool for call in calls if (tool := toolbox.get(call.tool)) is not None]
    return not made or bool(nouns and not any(nouns & _about(tool) for tool in made))


def misses_the_point(text: str, words: frozenset[str], outcomes: Sequence[Outcome]) -> bool:
    """Whether all that came back is not what was asked for: counts where nobody counts, or nothing, of other things."""
    return bool(outcomes) and all(_is_count(text, outcome) or _is_elsewhere(words, outcome) for outcome in outcomes)


def _is_count(text: str, outcome: Outcome) -> bool:
    return outcome.tool.aggregates and not ASKS_FOR_FIGURES.search(text)


def _is_elsewhere(words: frozenset[str], outcome: Outcome) -> bool:
    wanted = frozenset(word for label in outcome.wanted for word in label) - _VAGUE
    empty = not outcome.rows and outcome.call.error is None and isinstance(outcome.call.result, list)
    return empty and bool(wanted) and not wanted & outcome.tool.words and not outcome.tool.head & words


def _about(tool: OfferedTool) -> frozenset[str]:
    return tool.name_words | frozenset(word for parameter in tool.parameters for word in parameter.words)
