"""The yield funnel: the four outcomes add up, and each loss is counted under its reason."""

from typing import Any

from turnwright.statistics.costs import compute_costs
from turnwright.statistics.yields import compute_yields


def unit(
    stage: str, name: str, number: int, outcome: str, *reasons: str, boundary: str | None = None
) -> dict[str, Any]:
    return {
        "stage": stage,
        "unit": name,
        "unit_id": f"u{number}",
        "outcome": outcome,
        "reasons": list(reasons),
        "boundary": boundary,
    }


LEDGER = [
    unit("validate-dialogues", "verdict", 1, "accepted"),
    unit("prepare-tools", "tool", 1, "accepted"),
    unit("prepare-tools", "tool", 3, "rejected", "no_rows: nothing came back", "duplicate: of u1"),
    unit("prepare-tools", "tool", 2, "rejected", "no_rows: the table is empty", "no_rows: again"),
    unit("prepare-tools", "tool", 4, "failed", boundary="endpoint"),
    unit("prepare-tools", "tool", 5, "not_attempted", "budget_spent: tokens", boundary="budget"),
]


def test_outcomes_add_up_to_what_was_planned() -> None:
    tools, verdicts = compute_yields(LEDGER)
    assert (tools.stage, verdicts.stage) == ("prepare-tools", "validate-dialogues")
    assert (tools.accepted, tools.rejected, tools.failed, tools.not_attempted) == (1, 2, 1, 1)
    assert tools.planned == 5
    assert tools.rate == 0.2


def test_a_unit_counts_once_for_each_of_its_reasons() -> None:
    tools, _ = compute_yields(LEDGER)
    assert [(reason.reason, reason.count) for reason in tools.reasons] == [
        ("no_rows", 2),
        ("budget_spent", 1),
        ("duplicate", 1),
        ("endpoint", 1),
    ]
    assert tools.reasons[0].example == "no_rows: the table is empty"


def test_the_funnel_does_not_depend_on_the_order_of_the_ledger() -> None:
    assert compute_yields(LEDGER) == compute_yields(list(reversed(LEDGER)))


def test_many_reasons_are_counted_together() -> None:
    (row,) = compute_yields([unit("prepare-tools", "tool", n, "rejected", f"reason_{n:02}: x") for n in range(20)])
    assert row.reasons[-1].reason == "other"
    assert sum(reason.count for reason in row.reasons) == 20


USAGE = {
    "requests": 120,
    "roles": {
        "judge": {"calls": 20, "replayed": 5, "prompt_tokens": 4000, "completion_tokens": 400, "cost_usd": 0.5},
        "assistant": {"calls": 80, "replayed": 0, "prompt_tokens": 16000, "completion_tokens": 1600, "cost_usd": 1.5},
    },
}


def test_costs_are_per_simulated_and_per_accepted_dialogue() -> None:
    run = {"usage": USAGE, "timings": {"simulate-dialogues": 16.0, "validate-dialogues": 2.0, "total": 20.0}}
    costs = compute_costs(run, simulated=40, accepted=10)
    assert costs.seconds_per_sample == 0.4
    assert costs.tokens_per_second == 100.0
    assert (costs.calls, costs.cost_usd, costs.cost_per_accepted_usd) == (100, 2.0, 0.2)
    assert (costs.calls_per_accepted, costs.tokens_per_accepted, costs.seconds_per_accepted) == (10.0, 2200.0, 2.0)
    assert [role.role for role in costs.roles] == ["assistant", "judge"]


def test_a_role_without_a_price_makes_the_cost_unknown() -> None:
    usage = {"roles": USAGE["roles"] | {"task_writer": {"calls": 1, "cost_usd": None}}}  # type: ignore[operator]
    costs = compute_costs({"usage": usage, "timings": {}}, simulated=1, accepted=1)
    assert costs.cost_usd is None
    assert costs.cost_per_accepted_usd is None


def test_nothing_accepted_divides_by_nothing() -> None:
    costs = compute_costs({}, simulated=0, accepted=0)
    assert (costs.seconds_per_sample, costs.tokens_per_second, costs.calls_per_accepted) == (None, None, None)
