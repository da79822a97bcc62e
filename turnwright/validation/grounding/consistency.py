"""What the assistant said before: the same thing must not be told in two ways."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.tracing import Untraced

_FRAME = re.compile(r"\bthe ([a-z][\w ]{2,40}?) (?:of|for) ([^,.;:()\n?]{2,60}?) (?:is|was|are) (?:now )?(?=[\d$€£¥-])")
_FOR = re.compile(r"\bfor ([^,.;:()\n?]{2,60}?), the ([a-z][\w ]{2,40}?) (?:is|was|are) (?:now )?(?=[\d$€£¥-])")


@dataclass
class Said:
    """Numbers and dates that the assistant told of a thing by its name."""

    known: dict[tuple[str, str], tuple[Claim, int]] = field(default_factory=dict[tuple[str, str], tuple[Claim, int]])

    def check(self, prose: Prose, evidence: Evidence) -> Iterator[Untraced]:
        """`contradiction`: another value than in an earlier message, and nothing was written or read anew since."""
        if prose.asks or "the" not in prose.vocabulary:
            return
        claims = {claim.start: claim for claim in prose.claims if claim.kind in ("number", "date")}
        if not claims:
            return
        found = [((m[1], m[2]), m.end()) for m in _FRAME.finditer(prose.folded)]
        found += [((m[2], m[1]), m.end()) for m in _FOR.finditer(prose.folded)]
        for key, position in found:
            claim = claims.get(position)
            if claim is None:
                continue
            before = self.known.get(key)
            if before is not None and before[1] == evidence.message:
                continue  # two records of one name in one message
            if before is not None and before[0].value != claim.value and not _is_read_since(claim, before[1], evidence):
                why = f"message {before[1]} gives {before[0].text!r} for the same"
                yield Untraced("contradiction", claim, why)
            self.known[key] = (claim, evidence.message)

    def forget(self, labels: Iterable[str]) -> None:
        """A write may have changed these."""
        words = {word for label in labels for word in label.split()}
        self.known = {key: value for key, value in self.known.items() if words.isdisjoint(key[0].split())}


def _is_read_since(claim: Claim, message: int, evidence: Evidence) -> bool:
    """Whether a value came with a result after a message; a rounded number or a day counts wherever it came from."""
    if claim.kind == "date":
        return claim.value in evidence.days
    value = cast("float", claim.value)
    if claim.loose:
        return evidence.has_number(value, claim.half, True)
    return evidence.numbers.get(value, -1) > message
