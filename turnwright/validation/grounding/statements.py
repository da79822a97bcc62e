"""What the sentences of a message say: fields that are named, the value that each is said to have, and of whom."""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.records import Records

_LINK = re.compile(
    r"(?:\s*\*{0,2}\s*(?::|=|-(?=\s)|\()|\s+(?:is|was|are|were|as|to|at|in|on|stands at|comes to|will be|has "
    r"been set to|"
    r"is set to|was set to|is listed as|shows|reads)\b)?(?:\s+(?:now|currently|still|listed as|recorded as|set to|"
    r"indeed|exactly|actually|given as|equal to|only|just|both|about|around|approximately|roughly|nearly)\b)*[\s\"'(:]*"
)
_OF = re.compile(r"\s+(?:of|for)\s+(?:the\s+)?(?:\w+\s+){0,2}?[\"']?")
_MODIFIED = re.compile(
    r"\b(?:average|mean|total|sum|minimum|maximum|min|max|highest|lowest|latest|first|last|next|number of|count "
    r"of|median|"
    r"combined|overall|previous|old|former|original|other|different|another|lower|higher|any|no|per|not|with)\s+(?:of\s+)?(?:the\s+)?$"
)
_PAST = re.compile(
    r"\b(?:was|were|from|previous\w*|old|before|former\w*|used to|instead of|rather than|not|or|between|above|"
    r"below|under|"
    r"over|least|most|than|until|up to|original\w*)\b"
)
_HEDGED = re.compile(
    r"\b(?:if|would|could|should|shall|will|whether|example|e\.g|such as|suppose|do you|did you|going to|ready "
    r"to|want\w*|"
    r"like me to|asked|mentioned|requested|instead of)\b"
)
_HEADING = re.compile(r"[a-z][\w ]{0,40}:\s")
"""What stands where a value should, and is the head of what follows: `for the price: price: 5`."""
_AROUND = 300
"""Characters before a label that say how it is meant."""
MOST_NAMED = 400
"""A text that more records hold than this says too little about which one is meant."""


class Mention(NamedTuple):
    """Words of a message that stand for a field or a record."""

    start: int
    end: int
    key: str
    parts: tuple[str, ...] = ()
    """Keys of the fields that a name is made of, as first and last name; empty where one field has it whole."""


def find_phrases(
    words: Sequence[tuple[int, int, str]], sizes: dict[str, set[int]], table: Container[str]
) -> list[Mention]:
    """The longest phrases of `table` in a text, none inside another; `sizes` has their lengths by first word."""
    found: list[Mention] = []
    taken = 0
    for position, (start, _, first) in enumerate(words):
        known = sizes.get(first) if position >= taken else None
        for size in sorted(known, reverse=True) if known else ():
            phrase = words[position : position + size]
            key = first if size == 1 else " ".join([word for _, _, word in phrase])
            if len(phrase) == size and key in table:
                found.append(Mention(start, phrase[-1][1], key))
                taken = position + size
                break
    return found


class Statement(NamedTuple):
    """A field, what it is said to be, and of whom."""

    label: Mention
    claim: Claim | None
    told: Mention | None
    """A known text that stands where the value is told."""
    position: int
    """Where the value begins."""
    linked: bool
    """A verb or a mark stands between the two, and not only a space."""
    subject: Mention | None = None


def read_statements(
    prose: Prose, labels: Sequence[Mention], mentions: Sequence[Mention], joined: Sequence[Mention]
) -> list[Statement]:
    """What the sentences say of the fields that `labels` stand for.

    Args:
        prose: the message.
        labels: where it names fields.
        mentions: where it has texts of records.
        joined: the same as `join_names` gives them.
    """
    if not labels:
        return []
    inside = {place for m in mentions if " " in m.key for place in range(m.start, m.end)}
    names = {m.start: m for m in mentions}
    subjects = {m.start: m for m in joined}
    claims = {
        claim.start: claim for claim in prose.claims if claim.kind in ("number", "date", "time", "code", "address")
    }
    folded = prose.folded
    statements: list[Statement] = []
    for label in labels:
        if label.start in inside and " " not in label.key:
            continue  # `patient` in `Random J. Patient` is part of a name
        position, subject = label.end, None
        of = _OF.match(folded, position)
        if of is not None:
            subject = next((subjects[start] for start in range(of.end(), of.start(), -1) if start in subjects), None)
            if subject is not None:
                position = subject.end
                if folded[position : position + 1] in ('"', "'"):
                    position += 1
        link = _LINK.match(folded, position)
        end = link.end() if link else position
        if end == position or "\n" in folded[position:end] or _HEADING.match(folded, end):
            continue
        linked = bool(link) and bool(folded[position:end].strip(" \"'("))
        claim, told = claims.get(end), names.get(end)
        if claim is None and told is None and not linked:
            continue
        if not _MODIFIED.search(folded, max(0, label.start - 40), label.start):
            statements.append(Statement(label, claim, told, end, linked, subject))
    return statements


def join_names(mentions: Sequence[Mention], records: Records, prose: Prose) -> list[Mention]:
    """The mentions, with those in a row that one record has in several fields as one: `Ada` `Bell` is `Ada Bell`."""
    joined: list[Mention] = []
    for mention in mentions:
        before = joined[-1] if joined else None
        if before is not None and before.end + 1 == mention.start and prose.folded[before.end] == " ":
            parts = (*(before.parts or (before.key,)), mention.key)
            if len(set(parts)) == len(parts) and list_holding(parts, records):
                joined[-1] = Mention(before.start, mention.end, " ".join(parts), parts)
                continue
        joined.append(mention)
    return joined


def list_holding(keys: Sequence[str], records: Records) -> list[int]:
    """Numbers of the records that have all of these texts; none where a text stands in too many."""
    first, *rest = (records.by_name.get(key, ()) for key in keys)
    if len(first) > MOST_NAMED:
        return []
    return [number for number in first if all(number in numbers[:MOST_NAMED] for numbers in rest)]


def is_supposed(statement: Statement, prose: Prose) -> bool:
    """Whether a statement asks, plans or supposes: then it tells nothing."""
    _, stop = prose.span_at(statement.position)
    if prose.asks and stop == len(prose.plain):
        return True
    return _HEDGED.search(read_before(statement, prose)[1]) is not None


def is_past(statement: Statement, prose: Prose) -> bool:
    """Whether a statement denies, compares, or tells what was before."""
    return _PAST.search(read_segment(statement, prose)) is not None


def read_before(statement: Statement, prose: Prose) -> tuple[int, str]:
    """The words of the sentence up to the value, and where they begin; of a long one those around the label."""
    start = max(prose.span_at(statement.position)[0], statement.label.start - _AROUND)
    return start, prose.folded[start : statement.position]


def read_segment(statement: Statement, prose: Prose) -> str:
    """The words around a label that belong to it: from the last comma to the label, and from there to the value."""
    start, before = read_before(statement, prose)
    label = statement.label.start - start
    begin = max(before.rfind(mark, 0, label) for mark in ",(;:") + 1
    return before[begin:label] + " " + before[statement.label.end - start :]
