"""Behaviours among the accepted dialogues: what was asked for, whether it happened, what share of the data has it."""

from collections.abc import Sequence

from schemas.closed import Closed
from turnwright.statistics.intervals import wilson_interval
from turnwright.statistics.mix import Share

GROUPS: dict[str, tuple[str, ...]] = {
    "relevance": ("out_of_scope", "removed_tool"),
    "refusal": ("out_of_scope", "removed_tool", "forbidden_action"),
    "clarification": ("missing_parameter", "ambiguous_reference"),
}
"""Kinds that answer the same question about the data. Relevance: no tool fits, and the assistant has to say so."""


class BehaviourFigures(Closed):
    """One behaviour, or a group of them."""

    name: str
    members: list[str]
    """The behaviours that a group counts together; empty for a single one."""
    asked: int
    """Simulated dialogues for which it was planned."""
    accepted: int
    """Valid ones of these."""
    occurred: int
    """Valid ones of these in which code saw it."""
    share: float
    """`occurred` of all accepted dialogues: what a trainer gets of it."""
    ci_low: float
    ci_high: float
    """Wilson's interval of the share, 95 %."""


def count_behaviours(shares: Sequence[Share]) -> list[BehaviourFigures]:
    """Each behaviour of the mix, then the groups of which one was asked for; dialogues without one are left out."""
    accepted = sum(share.accepted for share in shares)
    single = [share for share in shares if share.name != "none"]
    figures = [_add_up(share.name, [share], [], accepted) for share in single]
    for name, members in GROUPS.items():
        own = [share for share in single if share.name in members]
        if any(share.simulated for share in own):
            figures.append(_add_up(name, own, [share.name for share in own], accepted))
    return figures


def _add_up(name: str, shares: Sequence[Share], members: list[str], accepted: int) -> BehaviourFigures:
    occurred = sum(share.occurred or 0 for share in shares)
    low, high = wilson_interval(occurred, accepted)
    return BehaviourFigures(
        name=name,
        members=members,
        asked=sum(share.simulated for share in shares),
        accepted=sum(share.accepted for share in shares),
        occurred=occurred,
        share=round(occurred / accepted, 6) if accepted else 0.0,
        ci_low=low,
        ci_high=high,
    )
