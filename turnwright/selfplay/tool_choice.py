"""Which of the offered tools a request means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from turnwright.selfplay.argument_filling import fill_arguments
from turnwright.selfplay.offered_tools import OfferedTool, Toolbox, VerbClass
from turnwright.selfplay.spoken_values import SpokenValue
from turnwright.selfplay.words import STOP, stem, stems

_ASKING = r"(?:^|[.!?,;:—-]\s*|\b(?:to|please|could you|can you|would you|you|and|then|also|help me|me|want|just|have|get|now|i'll|let's)\s+)"
_DELETE = r"(?:delete|remove|cancel|drop|erase|get rid of|take (?:out|off)|strike)"
_UPDATE = (
    r"(?:change|update|set|correct|rename|adjust|increase|decrease|raise|lower|move|edit|modify|mark|fix|switch|transfer|"
    r"reassign|amend)"
)
_CREATE = r"(?:add|create|register|insert|enter|record|book|enrol+|schedule|log|sign up|put in|make a new|set up|assign)"
_CLASSES: tuple[tuple[VerbClass, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"{_ASKING}(?:{verbs})\b", re.IGNORECASE | re.MULTILINE))  # pyright: ignore[reportArgumentType]
    for kind, verbs in (("delete", _DELETE), ("create", _CREATE), ("update", _UPDATE))
)
_LOOSE: tuple[tuple[VerbClass, re.Pattern[str]], ...] = (
    ("delete", re.compile(r"\b(?:deleted|removed|cancelled|taken (?:out|off)|gone)\b", re.IGNORECASE)),
    ("create", re.compile(r"\b(?:added|registered|entered|new entry for|put on record)\b", re.IGNORECASE)),
    ("update", re.compile(r"\b(?:changed|updated|corrected|set|should (?:now )?be|needs? to be|adjusted) (?:to\b)?", re.IGNORECASE)),
)
_READING = re.compile(
    r"\b(?:find out|look(?:ing)? up|tell me|show me|what(?:'s| is| are| was|\b)|which|who|how (?:many|much|old|long|big)|list|check|"
    r"see|know|give me|count|double-check|verify|went through|looking for)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Ranked:
    """A tool and how well it fits a request."""

    tool: OfferedTool
    score: float
    shared: float
    """Weight of the words that the request and the tool share."""


def read_verb(texts: Sequence[str]) -> VerbClass:
    """What a request wants done, from the first message that says it."""
    for text in texts:
        found = [(match.start(), kind) for kind, pattern in _CLASSES if (match := pattern.search(text))]
        reading = _READING.search(text)
        if found and (reading is None or min(found)[0] <= reading.start() or len(texts) > 1):
            return min(found)[1]
        if found and reading is not None:
            # `Can you tell me … and add …`: what is asked first counts; `I want to see that changed` is still a change.
            return "read"
        if reading is None:
            loose = [(match.start(), kind) for kind, pattern in _LOOSE if (match := pattern.search(text))]
            if loose:
                return min(loose)[1]
        else:
            return "read"
    return "read"


def request_stems(texts: Sequence[str], values: Sequence[SpokenValue]) -> frozenset[str]:
    """The telling stems of a request, without those of the values named in it."""
    named = {word for value in values for word in stems(value.text)}
    said: dict[str, int] = {}
    for text in texts:
        for word in stems(text):
            said[word] = said.get(word, 0) + 1
    inside: dict[str, int] = {}
    for value in values:
        for word in stems(value.text):
            inside[word] = inside.get(word, 0) + 1
    return frozenset(word for word, count in said.items() if word not in named or count > inside.get(word, 0))


def rank_tools(
    toolbox: Toolbox,
    verb: VerbClass,
    words: frozenset[str],
    values: Sequence[SpokenValue],
    texts: Sequence[str],
) -> list[Ranked]:
    """The tools of the right kind, best first; ties go to the order in which they are offered."""
    ranked: list[Ranked] = []
    kinds = {verb} if verb != "create" else {"create"}
    if verb == "update" and not any(tool.verb == "update" for tool in toolbox.tools):
        kinds.add("create")
    counting = bool(re.search(r"\bhow many\b|\bnumber of\b|\bcount\b", texts[0], re.IGNORECASE)) if texts else False
    for tool in toolbox.tools:
        if tool.verb not in kinds:
            continue
        shared = sum(toolbox.weight(word) * (1.5 if word in tool.name_words else 1.0) for word in words & tool.words)
        extra = sum(toolbox.weight(word) for word in tool.name_words - words)
        extra += 0.35 * sum(toolbox.weight(word) for word in tool.words - tool.name_words - words)
        filling = fill_arguments(tool, values, texts)
        score = shared - 0.45 * extra + 1.1 * filling.strength
        for parameter in filling.missing(tool):
            if parameter.counts_rows:
                continue
            score -= 0.5 if parameter.identifies else 1.6
        unused = sum(1 for value in values if value not in filling.used.values() and not value.negated)
        score -= 0.5 * unused
        for parameter in tool.parameters:
            known = parameter.words - {stem(word) for word in STOP}
            shared += 0.3 * len(known & words)
        if counting and tool.name.startswith("count"):
            score += 1.0
        ranked.append(Ranked(tool, score, shared))
    return sorted(ranked, key=lambda item: -item.score)
