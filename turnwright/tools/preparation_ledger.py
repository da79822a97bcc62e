"""The ledger of prepare-tools: what became of the question sets, tools and toolsets of a seed."""

from collections.abc import Sequence

from schemas.content import content_id
from schemas.rows import LedgerRow, SeedRow
from schemas.vocabulary import Boundary, Outcome


def record_prepared(
    seed_row: SeedRow,
    unit: str,
    unit_id: str,
    outcome: Outcome,
    reasons: Sequence[str] = (),
    boundary: Boundary | None = None,
) -> LedgerRow:
    """What became of one unit of a seed; `reasons` as `code: explanation`, `boundary` where it failed."""
    return LedgerRow(
        id=content_id("ledger", {"stage": "prepare-tools", "unit": unit, "unit_id": unit_id}),
        stage="prepare-tools",
        unit=unit,
        unit_id=unit_id,
        outcome=outcome,
        reasons=list(reasons),
        boundary=boundary,
        domain=seed_row.domain,
        difficulty="",
        behaviour="",
    )
