"""Which of the offered tools a request means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from turnwright.selfplay.argument_filling import fill_arguments
from turnwright.selfplay.offered_tools import OfferedTool, Toolbox, VerbClass
from turnwright.selfplay.spoken_values import SpokenValue, read_values
from turnwright.selfplay.words import split_name, stems

_ASKING = (
    r"(?:^|[.!?,;:—-]\s*|\b(?:to|please|could you|can you|would you|you|and|then|also|help me|me|want|just|have|get|"
    r"now|i'll|let's)\s+)"
)
_DELETE = r"(?:delete|remove|cancel|drop|erase|get rid of|take (?:out|off)|strike)"
_UPDATE = (
    r"(?:change|update|set|correct|rename|adjust|increase|decrease|raise|lower|move|edit|modify|mark|fix|switch|"
    r"transfer|"
    r"reassign|amend)"
)
_CREATE = (
    r"(?:add|create|register|insert|enter|record|book|enrol+|schedule|log|sign up|put in|make a new|set up|assign)"
)
_WRITING: tuple[tuple[VerbClass, str], ...] = (("delete", _DELETE), ("create", _CREATE), ("update", _UPDATE))
_CLASSES: tuple[tuple[VerbClass, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"{_ASKING}(?:{verbs})\b", re.IGNORECASE | re.MULTILINE)) for kind, verbs in _WRITING
)
_LOOSE: tuple[tuple[VerbClass, re.Pattern[str]], ...] = (
    ("delete", re.compile(r"\b(?:deleted|removed|cancelled|taken (?:out|off)|gone)\b", re.IGNORECASE)),
    ("create", re.compile(r"\b(?:added|registered|entered|new entry for|put on record)\b", re.IGNORECASE)),
    (
        "update",
        re.compile(
            r"\b(?:changed|updated|corrected|set|should (?:now )?be|needs? to be|adjusted) (?:to\b)?", re.IGNORECASE
        ),
    ),
)
_READING = re.compile(
    r"\b(?:find out|look(?:ing)? up|tell me|show me|what(?:'s| is| are| was|\b)|which|who|how (?:many|much|old|long|"
    r"big)|list|check|"
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
    found: list[tuple[int, VerbClass]]
    for text in texts:
        found = [(match.start(), kind) for kind, pattern in _CLASSES if (match := pattern.search(text))]
        reading = _READING.search(text)
        if found and (reading is None or min(found)[0] <= reading.start() or len(texts) > 1):
            return min(found)[1]
        if found and reading is not None:
            # `Can you tell me … and add …`: what is asked first counts; `I want to see that changed` is still a change.
            return "read"
        if reading is None:
            found = [(match.start(), kind) for kind, pattern in _LOOSE if (match := pattern.search(text))]
            if found:
                return min(found)[1]
        if reading is not None or REQUESTING.search(text):
            return "read"
    return "read"


REQUESTING = re.compile(
    r"\?|\b(?:please|could you|can you|can i|would you|i(?:'d| would) (?:also )?(?:like|be)|i need (?!this|it)|"
    r"i want to (?!be sure|get it)|looking for|"
    r"gotta|trying to|tell me|show me|kindly|help me)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")


def drop_small_talk(text: str) -> str:
    """The sentences of a message that ask for something or name a value; the whole message where none does."""
    kept = [
        part
        for part in _SENTENCES.split(text)
        if REQUESTING.search(part) or any(value.label for value in read_values(part))
    ]
    return " ".join(kept) or text


def request_stems(texts: Sequence[str], values: Sequence[SpokenValue]) -> frozenset[str]:
    """The telling stems of a request, without those of the values named in it.

    The first message counts; answers to questions only where it says next to nothing.
    """
    named = {word for value in values for word in stems(value.text)}
    inside: dict[str, int] = {}
    for value in values:
        for word in stems(value.text):
            inside[word] = inside.get(word, 0) + 1
    found: frozenset[str] = frozenset()
    for text in texts:
        said: dict[str, int] = {}
        for word in stems(text):
            said[word] = said.get(word, 0) + 1
        found |= frozenset(word for word, count in said.items() if word not in named or count > inside.get(word, 0))
        if len(found) >= 2:
            break
    return found


def rank_tools(
    toolbox: Toolbox,
    verb: VerbClass,
    words: frozenset[str],
    values: Sequence[SpokenValue],
    texts: Sequence[str],
    wanted: Sequence[frozenset[str]] = (),
) -> list[Ranked]:
    """The tools of the right kind, best first; ties go to the order in which they are offered."""
    ranked: list[Ranked] = []
    kinds = {verb}
    if verb == "update" and not any(tool.verb == "update" for tool in toolbox.tools):
        kinds.add("create")
    labels = frozenset(word for label in wanted for word in label)
    nouns = frozenset(word for value in values for word in value.noun) | labels
    nothing: frozenset[str] = frozenset()
    listed = read_listed(toolbox, texts[0] if texts else "") if verb == "read" and not wanted else nothing
    target = frozenset(word for value in values for word in value.owned)
    target = target if any(tool.head and tool.head <= target for tool in toolbox.tools) else nothing
    aggregate = bool(ASKS_FOR_FIGURES.search(" ".join(texts[:1])))
    usable = [value for value in values if not value.negated]
    for tool in toolbox.tools:
        if tool.verb not in kinds:
            continue
        telling = words - labels if wanted else words
        shared = sum(toolbox.weight(word) * (1.5 if word in tool.name_words else 1.0) for word in telling & tool.words)
        extra = sum(toolbox.weight(word) for word in tool.name_words - words)
        extra += 0.35 * sum(toolbox.weight(word) for word in tool.words - tool.name_words - words)
        filling = fill_arguments(tool, usable, texts)
        score = shared - 0.45 * extra + 1.1 * filling.strength
        score += weigh_direction(tool, texts[0]) if texts else 0.0
        for parameter in filling.missing(tool):
            if not parameter.counts_rows:
                score -= 0.5 if parameter.identifies else 1.6
        score -= (1.5 if verb == "read" else 0.3) * sum(
            1 for value in usable if value not in filling.used.values() and not _counts(tool, value)
        )
        if verb == "read":
            score += (2.5 if aggregate else -2.0) if tool.aggregates else 0.0
            if wanted and tool.head and not tool.aggregates:
                score += 1.2 if tool.head <= (target or nouns | words) else -1.2
                score += 0.6 if tool.name.startswith(("search", "get", "find")) else 0.0
            if listed and tool.head:
                score += 3.5 if tool.head <= listed else -3.5
        for parameter in tool.parameters:
            shared += 0.3 * len(parameter.words & words)
        ranked.append(Ranked(tool, score, shared))
    return sorted(ranked, key=lambda item: -item.score)


def weigh_direction(tool: OfferedTool, text: str) -> float:
    """1 where a tool takes the side of a thing that a text names (`from_club_id`: the from club), -1 for the other."""
    said = f" {' '.join(split_name(text))} "
    for name in (tool.name, *(parameter.name for parameter in tool.required)):
        words = split_name(name)
        for word, thing in pairwise(words):
            if word in _OPPOSITE and thing not in ("from", "to"):
                one = re.search(rf" {word} {thing}s? ", said) is not None
                other = re.search(rf" {_OPPOSITE[word]} {thing}s? ", said) is not None
                if one != other:
                    return 1.0 if one else -1.0
    return 0.0


_OPPOSITE = {"from": "to", "to": "from"}
_LISTED = re.compile(r"\b(?:see|show me|list|find|view)\s+(?P<phrase>[^,.?!]+)", re.IGNORECASE)


def read_listed(toolbox: Toolbox, text: str) -> frozenset[str]:
    """What a request wants listed, where some tool gives such things: `invoice` in `the dates of the invoices of …`."""
    match = _LISTED.search(text)
    if match is None:
        return frozenset()
    phrase = re.split(r"\b(?:whose|with|named|called|that|who|in|by|from|for)\b|\"", match.group("phrase"))[0]
    for part in re.split(r"\bof\b", phrase):
        words = frozenset(stems(part))
        heads = [tool.head for tool in toolbox.tools if tool.verb == "read" and tool.head and tool.head <= words]
        if heads:
            return max(heads, key=len)
    return frozenset()


ASKS_FOR_FIGURES = re.compile(
    r"\b(?:how many|number of|count|average|mean|total|sum|share|percentage|ratio|proportion|for each|per|"
    r"statistics)\b",
    re.IGNORECASE,
)


def _counts(tool: OfferedTool, value: SpokenValue) -> bool:
    """Whether a number only says how many rows of this tool are wanted."""
    return value.kind == "number" and "first" in value.before[:2] and any(item.counts_rows for item in tool.parameters)
