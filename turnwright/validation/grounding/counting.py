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
_AFTER = re.compile(r"(?:\s+\w+){0,6}?\s*:")


def check_counts(prose: Prose, evidence: Evidence) -> Iterator[Untraced]:
    """`wrong_count`: `I found 5 entries:` before a list of 4, where no result of the current request has 5."""
    if prose.items < 2 and not evidence.counts:
        return
    counted = {
        cell
        for number in range(max(0, len(evidence.records.all) - 200), len(evidence.records.all))
        for label, cell in evidence.records.all[number].cells.items()
        if isinstance(cell, int)
        and evidence.records.all[number].message >= evidence.request
        and not {"count", "total", "number", "num"}.isdisjoint(label.split())
    }
    for claim in prose.claims:
        if claim.kind != "number" or claim.loose or claim.rank or claim.unit is not None:
            continue
        value = cast("float", claim.value)
        start = max(prose.line_start(claim.start), claim.start - 40)
        if value < 2 or not _BEFORE.search(prose.folded, start, claim.start):
            continue
        if not _AFTER.match(prose.folded, claim.end) or (prose.items < 2 and not evidence.counts):
            continue
        if prose.items >= 2:
            allowed = {*evidence.lengths, *counted, prose.items, prose.top_items}
        else:
            allowed = {*evidence.counts, *counted, *prose.enumerated}
        if value not in allowed:
            yield Untraced("wrong_count", claim, "neither the list nor a result of this request has so many entries")
