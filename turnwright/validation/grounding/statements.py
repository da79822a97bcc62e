"""What the sentences of a message say: fields that are named, the value that each is said to have, and of whom."""

import bisect
import re
from collections.abc import Container, Sequence
from functools import cached_property
from operator import attrgetter
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


def find_phrases(prose: Prose, sizes: dict[str, set[int]], table: Container[str]) -> list[Mention]:
    """The longest phrases of `table` in a message, none inside another; `sizes` has their lengths by first word."""
    found: list[Mention] = []
    words, taken = prose.words, 0
    for first in [position for position, word in enumerate(words) if word in sizes]:
        if first < taken:
            continue
        for size in sorted(sizes[words[first]], reverse=True):
            stop = first + size
            key = " ".join(words[first:stop])
            if stop <= len(words) and key in table:
                found.append(Mention(prose.places[first][0], prose.places[stop - 1][1], key))
                taken = stop
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


class Naming:
    """The texts of records that a message has. Read when somebody asks, and before the records change again."""

    def __init__(self, prose: Prose, records: Records) -> None:
        self._prose = prose
        self._records = records

    @cached_property
    def mentions(self) -> list[Mention]:
        """Where it has them."""
        return find_phrases(self._prose, self._records.name_sizes, self._records.by_name)

    @cached_property
    def joined(self) -> list[Mention]:
        """The same with names in a row that one record has in several fields as one."""
        return join_names(self.mentions, self._records, self._prose)

    def find_subject(self, start: int, end: int) -> Mention | None:
        """What is named last from behind one place up to another."""
        last = bisect.bisect_right(self.joined, end, key=attrgetter("start")) - 1
        return self.joined[last] if last >= 0 and self.joined[last].start > start else None


def read_statements(prose: Prose, labels: Sequence[Mention], naming: Naming) -> list[Statement]:
    """What the sentences say of the fields that `labels` stand for: where a message names fields."""
    if not labels:
        return []
    inside = {place for m in naming.mentions if " " in m.key for place in range(m.start, m.end)}
    names = {m.start: m for m in naming.mentions}
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
            subject = naming.find_subject(of.start(), of.end())
            if subject is not None:
                position = subject.end
                if folded[position : position + 1] in ('"', "'"):
                    position += 1
        link = _LINK.match(folded, position)
        end = link.end() if link else position
        if end == position:
            continue
        between = folded[position:end]
        linked = bool(link) and bool(between.strip(" \"'("))
        claim, told = claims.get(end), names.get(end)
        if (claim is None and told is None and not linked) or "\n" in between or _HEADING.match(folded, end):
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
    found, *others = (records.by_name.get(key, ()) for key in keys)
    if len(found) > MOST_NAMED:
        return []
    for numbers in others:
        holding = set(numbers[:MOST_NAMED])
        found = [number for number in found if number in holding]
    return list(found)


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
