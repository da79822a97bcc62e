"""The yield funnel: what became of every planned unit of work, stage by stage, with the reasons counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.closed import Closed
from schemas.vocabulary import STAGES

MOST_REASONS = 12
"""Reasons listed per stage and unit; the rest is counted together as `other`."""


class ReasonCount(Closed):
    """How often a unit was not accepted for one reason."""

    reason: str
    """The code before the colon of a ledger reason."""
    count: int
    example: str
    """One reason in full, of the first unit by id."""


class YieldRow(Closed):
    """The four outcomes of one kind of unit in one stage; they add up to `planned`."""

    stage: str
    unit: str
    planned: int
    accepted: int
    rejected: int
    failed: int
    not_attempted: int
    reasons: list[ReasonCount]

    @property
    def rate(self) -> float:
        """Accepted share of what was planned; zero where nothing was planned."""
        return self.accepted / self.planned if self.planned else 0.0


@dataclass
class _Funnel:
    outcomes: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    examples: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


def compute_yields(ledger: Iterable[Mapping[str, Any]]) -> list[YieldRow]:
    """The funnel of a ledger; rows need `stage`, `unit`, `unit_id`, `outcome`, `reasons` and `boundary`.

    A unit with several reasons counts once for each of them. A failed or not attempted unit without a reason counts
    under its boundary.
    """
    funnels: dict[tuple[str, str], _Funnel] = {}
    for row in ledger:
        funnel = funnels.setdefault((row["stage"], row["unit"]), _Funnel())
        funnel.outcomes[row["outcome"]] += 1
        if row["outcome"] == "accepted":
            continue
        reasons = row["reasons"] or [row["boundary"] or "unknown"]
        for code in sorted({read_code(reason) for reason in reasons}):
            funnel.reasons[code] += 1
            text = next(reason for reason in reasons if read_code(reason) == code)
            funnel.examples[code] = min(funnel.examples.get(code, (row["unit_id"], text)), (row["unit_id"], text))
    return [
        YieldRow(
            stage=stage,
            unit=unit,
            planned=sum(funnel.outcomes.values()),
            accepted=funnel.outcomes["accepted"],
            rejected=funnel.outcomes["rejected"],
            failed=funnel.outcomes["failed"],
            not_attempted=funnel.outcomes["not_attempted"],
            reasons=_list_reasons(funnel),
        )
        for (stage, unit), funnel in sorted(funnels.items(), key=lambda item: _place(*item[0]))
    ]


def read_code(reason: str) -> str:
    """The stable part of a reason `code: explanation`."""
    return reason.split(":", 1)[0].strip()


def _place(stage: str, unit: str) -> tuple[int, str, str]:
    return (STAGES.index(stage) if stage in STAGES else len(STAGES), stage, unit)


def _list_reasons(funnel: _Funnel) -> list[ReasonCount]:
    ranked = sorted(funnel.reasons.items(), key=lambda item: (-item[1], item[0]))
    listed = [
        ReasonCount(reason=code, count=count, example=funnel.examples[code][1]) for code, count in ranked[:MOST_REASONS]
    ]
    if rest := ranked[MOST_REASONS:]:
        listed.append(ReasonCount(reason="other", count=sum(count for _, count in rest), example=""))
    return listed
