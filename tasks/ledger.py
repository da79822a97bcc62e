"""The ledger: what became of each planned unit of work. Nothing is lost without a row that says so."""

from collections.abc import Iterable
from typing import Protocol

from schemas.content import content_id
from schemas.rows import LedgerRow
from schemas.vocabulary import Boundary, Outcome, Stage
from turnwright.models.errors import BudgetSpent, ModelError, NotInJournal

_LONGEST_REASON = 500


class Planned(Protocol):
    """Something that a unit of work is about; slots and most rows are."""

    @property
    def domain(self) -> str:
        """Its domain."""
        ...


def record_unit(
    stage: Stage,
    unit: str,
    unit_id: str,
    outcome: Outcome,
    *,
    reasons: Iterable[str] = (),
    boundary: Boundary | None = None,
    about: Planned | None = None,
) -> LedgerRow:
    """One row of the ledger.

    Args:
        stage: stage that planned the unit.
        unit: kind of unit, as `dialogue`.
        unit_id: which one; unique within stage and kind.
        outcome: what became of it.
        reasons: `code: explanation`, for every outcome but accepted.
        boundary: where it stopped, for failed and not_attempted.
        about: gives domain, difficulty and behaviour where it has them.
    """
    return LedgerRow(
        id=content_id("ledger", [stage, unit, unit_id]),
        stage=stage,
        unit=unit,
        unit_id=unit_id,
        outcome=outcome,
        reasons=[reason[:_LONGEST_REASON] for reason in reasons],
        boundary=boundary,
        domain=getattr(about, "domain", ""),
        difficulty=getattr(about, "difficulty", ""),
        behaviour=getattr(about, "behaviour", ""),
    )


def record_error(stage: Stage, unit: str, unit_id: str, error: Exception, about: Planned | None = None) -> LedgerRow:
    """The ledger row of a unit that an error ended.

    A spent budget and a missing journal entry mean that it was not attempted; everything else that it failed, at the
    boundary that the error tells.
    """
    outcome: Outcome = "failed"
    match error:
        case BudgetSpent():
            outcome, boundary, code = "not_attempted", "budget", "budget_spent"
        case NotInJournal():
            outcome, boundary, code = "not_attempted", "endpoint", "not_in_journal"
        case ModelError():
            boundary, code = "endpoint", type(error).__name__
        case _:
            boundary, code = "code", type(error).__name__
    reason = f"{code}: {error}"
    return record_unit(stage, unit, unit_id, outcome, reasons=[reason], boundary=boundary, about=about)
