"""Whether the head of a list says how long the list, or the result behind it, is."""

import re
from collections.abc import Iterator
from typing import cast

from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.tracing import Untraced

_BEFORE = re.compile(
    r"(?:\b(?:found|there (?:are|were)|these|here are(?: the| all)?|here they are,?|returned|total of|all|"
    r"listed|got|shows?)"
    r"\s+(?:the |all |only |just |exactly )?|^\W*)$"
)
_COUNTING = frozenset({"count", "total", "number", "num"})
_MOST_RECORDS = 200
_AFTER = re.compile(r"(?:\s+\w+){0,6}?\s*:")


def check_counts(prose: Prose, evidence: Evidence) -> Iterator[Untraced]:
    """`wrong_count`: `I found 5 entries:` before a list of 4, where no result of the current request has 5."""
    if ":" not in prose.folded or (not evidence.counts and prose.items < 2):
        return
    for claim in prose.claims:
        if claim.kind != "number" or claim.loose or claim.rank or claim.unit is not None:
            continue
        value = cast("float", claim.value)
        if value < 2:
            continue
        start = max(prose.line_start(claim.start), claim.start - 40)
        if not _BEFORE.search(prose.folded, start, claim.start):
            continue
        if not _AFTER.match(prose.folded, claim.end):
            continue
        counted = _list_counted(evidence)
        if prose.items >= 2:
            allowed = {*evidence.lengths, *counted, prose.items, prose.top_items}
        else:
            allowed = {*evidence.counts, *counted, *prose.enumerated}
        if value not in allowed:
            yield Untraced("wrong_count", claim, "neither the list nor a result of this request has so many entries")


def _list_counted(evidence: Evidence) -> set[int]:
    """What fields of the current request's results count by themselves."""
    return {
        cell
        for record in evidence.records.all[-_MOST_RECORDS:]
        if record.message >= evidence.request
        for label, cell in record.cells.items()
        if isinstance(cell, int) and not _COUNTING.isdisjoint(label.split())
    }
