"""What validation finds inside one dialogue."""

from typing import Literal

from schemas.closed import Closed
from schemas.vocabulary import BulletClass


class Finding(Closed):
    """Something that a layer of validation saw."""

    layer: Literal["rules", "replay", "outcome", "ledger", "behaviour", "judge"]
    code: str
    """Stable name of the rule, as in `unpaired_result`."""
    explanation: str
    message: int | None
    """Index of the message that it points at."""
    fault: Literal["user_simulator", "assistant", "environment", "endpoint", "task"]
    blocks: bool
    """Whether the dialogue is invalid because of it."""


class BulletVerdict(Closed):
    """What the judge made of one rubric bullet."""

    bullet: str
    bullet_class: BulletClass
    met: bool
    evidence: str
