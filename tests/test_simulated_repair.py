"""Repair where tools are simulated: the ledger and the simulator's conversation come back from the messages alone."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from playing import CONFIG, messages_of
from test_simulated_dialogue import CHANGE, GET, LOOK, PAID, SHIP, SHIPPED, TOOLSET, results_of, task_of, watch

from schemas.goals import BehaviourPlan
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import Line, ScriptedModels, calls, says
from turnwright.rollout.prefix import cut_prefix
from turnwright.rollout.repair import repair_dialogue

TASK = task_of([LOOK, CHANGE])
MISSING = calls("get_order", {"order_id": 7})
GONE = {"error": "There is no such order.", "result": None}
LIST, ORDERS = calls("list_orders"), {"error": None, "result": [{"order_id": 51, "status": "shipped", "total": 30.5}]}
SCRIPT: list[Any] = [GET, MISSING, says("It is paid."), SHIP, GET, LIST, says("It is shipped now.")]
ANSWERS: list[Any] = [
    PAID,
    GONE,
    SHIPPED,
    {"error": None, "result": {"order_id": 51, "status": "shipped", "total": 30.5}},
    ORDERS,
]


def repair(
    row: DialogueRow, message: int, assistant: Sequence[Line], simulator: Sequence[Line], task: DialogueTaskRow = TASK
) -> tuple[DialogueRow, ScriptedModels]:
    models = ScriptedModels({"assistant": assistant, "tool_simulator": simulator})
    played: Any = models
    made = repair_dialogue(row, task, TOOLSET, None, played, CONFIG, message=message, reason="x: y", attempt=1)
    return asyncio.run(made), models


@pytest.mark.parametrize(("message", "said", "answered"), [(1, 0, 0), (2, 0, 0), (4, 1, 1), (6, 2, 2), (8, 3, 2)])
def test_the_ledger_is_rebuilt_from_what_was_told(message: int, said: int, answered: int) -> None:
    whole, before = watch(SCRIPT, ANSWERS, task=TASK)
    row, after = repair(whole, message, SCRIPT[said:], ANSWERS[answered:])
    assert orjson.loads(row.facts) == orjson.loads(whole.facts) != []
    assert (results_of(row), row.final_digest, row.notices) == (results_of(whole), whole.final_digest, whole.notices)
    assert len(messages_of(row)) == len(messages_of(whole))
    # The simulator is asked the same as if nothing had been cut: the same conversation behind the same call.
    asked = [request.messages for request in before.requests_of("tool_simulator")]
    assert [request.messages for request in after.requests_of("tool_simulator")] == asked[answered:]


def test_a_read_that_was_answered_before_is_answered_as_it_was() -> None:
    whole, _ = watch([GET, says("It is open.")], [PAID], task=task_of([LOOK]))
    row, models = repair(whole, 4, [GET, says("It is paid.")], [], task_of([LOOK]))
    assert models.requests_of("tool_simulator") == []
    assert results_of(row) == [PAID["result"], PAID["result"]]


def test_before_a_result_that_was_spoilt_on_purpose_the_call_is_made_again() -> None:
    detail = {"tool": "get_order", "kind": "stale", "times": 1}
    plan = BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail)
    task = task_of([LOOK], behaviour=plan)
    whole, _ = watch([GET, says("It is paid.")], [PAID], task=task)
    assert cut_prefix(whole, 4).messages == cut_prefix(whole, 2).messages
    row, _ = repair(whole, 4, [GET, says("As of nine days ago it was paid.")], [PAID], task)
    assert row.repaired_at == 2
    assert results_of(row) == results_of(whole)
