"""What validation finds inside one dialogue."""

from typing import Literal

from schemas.closed import Closed
from schemas.vocabulary import BulletClass, Match

Fault = Literal["user_simulator", "assistant", "environment", "endpoint", "task"]
"""Whose fault something is; `environment` is the tool simulator where tools are simulated."""


class Finding(Closed):
    """Something that a layer of validation saw."""

    layer: Literal["rules", "grounding", "replay", "outcome", "ledger", "behaviour", "judge", "table"]
    code: str
    """Stable name of the rule, as in `unpaired_result`."""
    explanation: str
    message: int | None
    """Index of the message that it points at."""
    fault: Fault
    blocks: bool
    """Whether the dialogue is invalid because of it."""
    start: int | None = None
    """First character of the words that it is about, in the message's content; none where it is about the whole."""
    end: int | None = None
    """One past their last character."""


class BulletVerdict(Closed):
    """What the judge made of one rubric bullet."""

    bullet: str
    bullet_class: BulletClass
    met: bool
    evidence: str
    votes: int = 1
    """Votes that have an entry for it; 0 where code decided it and the judge was not asked."""
    met_votes: int | None = None
    """Of these, the votes that say that it is met."""
    code: Match = "unavailable"
    """What code says of the same: `match` where it is about facts that all were told, `mismatch` where one was not.
    Code's own findings block by themselves; this only shows where judge and code differ."""
