"""The estimate before a run: what the config tells, corrected by what earlier runs with the same model took."""

from typing import Any

import pytest

from schemas.config import RunConfig
from turnwright.statistics.estimate import Estimate, estimate_run
from turnwright.statistics.expected_calls import expect_calls

PRICE = {"prompt": 1.0, "completion": 10.0}


def make_config(**changes: Any) -> RunConfig:
    content: dict[str, Any] = {
        "name": "club",
        "sources": [{"kind": "sql", "url": "sqlite:///club.sqlite"}],
        "model": {"base_url": "http://127.0.0.1:1/v1", "name": "m"},
        "dialogues": 100,
        "tasks_per_dialogue": {1: 0.5, 3: 0.5},
        "concurrency": 10,
    }
    return RunConfig.model_validate(content | changes)


def make_run(config: RunConfig, *, calls: int, seconds: float = 60.0, **changes: Any) -> dict[str, Any]:
    """The record of a finished run in which every role was called so often, with 1,000 tokens in and 50 out a call."""
    roles = ("question_writer", "sql_tool_writer", "task_writer", "user_simulator", "assistant", "judge")
    usage = {"calls": calls, "replayed": 0, "prompt_tokens": 1000 * calls, "completion_tokens": 50 * calls}
    record: dict[str, Any] = {
        "state": "completed",
        "config": config.model_dump(mode="json"),
        "endpoints": {role: {"kind": "endpoint", "name": "m"} for role in roles},
        "usage": {"roles": {role: dict(usage) for role in roles}},
        "timings": {"total": seconds},
        "ledger": {"simulate-dialogues": {"dialogue": {"planned": 100}}},
    }
    return record | changes


def find(estimate: Estimate, role: str) -> Any:
    return next(row for row in estimate.roles if row.role == role)


def test_calls_follow_from_the_config() -> None:
    one, two = estimate_run(make_config()), estimate_run(make_config(dialogues=200, judging={"votes": 3}))
    assert find(one, "judge").calls == 100
    assert find(two, "judge").calls == 600
    assert find(two, "assistant").calls == 2 * find(one, "assistant").calls
    assert find(two, "question_writer").calls == find(one, "question_writer").calls == 1
    longer = estimate_run(make_config(tasks_per_dialogue={3: 1.0}))
    assert find(longer, "user_simulator").calls > find(one, "user_simulator").calls
    assert one.earlier_runs == 0
    assert one.calls == sum(row.calls for row in one.roles)


def test_cost_comes_from_the_price_and_is_unknown_where_a_role_has_none() -> None:
    priced = make_config(model={"base_url": "http://127.0.0.1:1/v1", "name": "m", "price": PRICE})
    estimate = estimate_run(priced)
    judge = find(estimate, "judge")
    assert judge.cost_usd == pytest.approx((judge.prompt_tokens * 1.0 + judge.completion_tokens * 10.0) / 1e6)
    assert estimate.cost_usd == pytest.approx(sum(row.cost_usd for row in estimate.roles), abs=1e-4)
    assert estimate_run(make_config()).cost_usd is None
    assert estimate_run(make_config(model="selfplay")).cost_usd == 0.0


def test_earlier_runs_with_the_same_model_are_measured() -> None:
    config = make_config()
    estimate = estimate_run(config, [make_run(config, calls=600)])
    assistant = find(estimate, "assistant")
    assert estimate.earlier_runs == 1
    assert assistant.prompt_tokens == 1000 * assistant.calls
    assert assistant.calls == find(estimate, "user_simulator").calls == 600  # as many as there really were
    slower = estimate_run(config, [make_run(config, calls=600, seconds=600.0)])
    assert 20.0 < estimate.seconds < slower.seconds < 600.0


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoints": {"assistant": {"kind": "endpoint", "name": "another"}}},
        {"state": "failed"},
        {"usage": {}},
    ],
    ids=["another model", "failed", "nothing was asked"],
)
def test_other_runs_say_nothing(changes: dict[str, Any]) -> None:
    config = make_config()
    assert estimate_run(config, [make_run(config, calls=600, **changes)]) == estimate_run(config)


def test_a_rerun_from_the_journal_says_nothing_about_the_length_of_dialogues() -> None:
    config = make_config()
    record = make_run(config, calls=600)
    for usage in record["usage"]["roles"].values():
        usage["replayed"] = 500
    assert find(estimate_run(config, [record]), "assistant").calls == find(estimate_run(config), "assistant").calls


def test_each_paradigm_asks_the_roles_that_it_has() -> None:
    sources = [{"kind": "sql", "url": "sqlite:///none.sqlite"}]

    def expect(**changes: Any) -> dict[str, float]:
        return expect_calls(RunConfig.model_validate({"name": "x", "sources": sources, "dialogues": 90, **changes}))

    executed = expect()
    assert "tool_simulator" not in executed and "planner" not in executed
    simulated = expect(paradigms={"user_oriented": 1.0})
    assert simulated["tool_simulator"] > 90 and simulated["assistant"] == executed["assistant"]
    whole = expect(paradigms={"task_oriented": 1.0})
    assert "user_simulator" not in whole and whole["assistant"] < executed["assistant"]
    planned = expect(paradigms={"stateless": 1.0})
    assert "task_writer" not in planned and "assistant" not in planned
    assert planned["planner"] > planned["summariser"] > 90 and planned["judge"] == 270
    twins = expect(twins=True)
    assert twins["planner"] == pytest.approx(planned["planner"] / 3)
    assert twins["assistant"] == pytest.approx(executed["assistant"] / 3)
    assert expect(repair={"tries": 2})["assistant"] > executed["assistant"]
