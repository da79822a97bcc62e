"""Dialogues whose tools a model answers: the loop, whole queries, faults, what stands in the row, the verdict."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from playing import CONFIG, DONE, as_turn, judgement, make_task, messages_of
from simulated_worlds import NOW, NUMBER, TEXT, WHEN, WHOLE, several, spec, thing

from schemas.content import canonical_json
from schemas.goals import ArgumentSource, Beginning, BehaviourPlan, KnownDetail, Objective, PlannedCall
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow
from turnwright.models.errors import MalformedReply
from turnwright.models.scripted import Line, ScriptedModels, calls, calls_all, says
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.validation.verdict import validate_dialogue

ORDER = thing(order_id=WHOLE, status=TEXT, total=NUMBER)
TOOLS = (
    spec("get_order", "read", ORDER, order_id=WHOLE),
    spec("list_orders", "read", several(ORDER)),
    spec(
        "update_order_status", "write", thing(order_id=WHOLE, status=TEXT, updated_at=WHEN), order_id=WHOLE, status=TEXT
    ),
    spec("create_order", "write", thing(order_id=WHOLE, status=TEXT, created_at=WHEN, message=TEXT), article=TEXT),
    spec("delete_order", "write", thing(success={"type": "boolean"}), order_id=WHOLE),
)
TOOLSET = ToolsetRow(
    id="toolset_1",
    seed_id="seed_1",
    domain="shop",
    tool_ids=[tool.name for tool in TOOLS],
    tools=canonical_json([tool.model_dump(mode="json") for tool in TOOLS]),
)
LOOK = Objective(
    description="What is the status of order 51?",
    relation="first",
    known_details=(KnownDetail(label="order", value=51),),
    rubric=("The assistant tells the status of the order 51.",),
    calls=(
        PlannedCall(
            id="c1",
            tool="get_order",
            arguments={"order_id": 51},
            sources={"order_id": ArgumentSource(kind="user")},
            result=None,
        ),
    ),
    facts=(),
)
CHANGE = Objective(
    description="Set order 51 to shipped, please.",
    relation="independent",
    known_details=(KnownDetail(label="status", value="shipped"),),
    rubric=("The order 51 is set to shipped.",),
    calls=(
        PlannedCall(
            id="c2",
            tool="update_order_status",
            arguments={"order_id": 51, "status": "shipped"},
            sources={"order_id": ArgumentSource(kind="user"), "status": ArgumentSource(kind="user")},
            result=None,
        ),
    ),
    facts=(),
)
GET, SHIP = calls("get_order", {"order_id": 51}), calls("update_order_status", {"order_id": 51, "status": "shipped"})
PAID = {"error": None, "result": {"order_id": 51, "status": "paid", "total": 30.5}}
SHIPPED = {"error": None, "result": {"order_id": 51, "status": "shipped", "updated_at": NOW}}


def task_of(
    objectives: Sequence[Objective], paradigm: str = "task_oriented", behaviour: BehaviourPlan | None = None
) -> DialogueTaskRow:
    return make_task(objectives, behaviour=behaviour).model_copy(update={"paradigm": paradigm, "domain": "shop"})


def watch(
    assistant: Sequence[Line],
    simulator: Sequence[Line],
    *,
    task: DialogueTaskRow | None = None,
    user: Sequence[str] = (),
) -> tuple[DialogueRow, ScriptedModels]:
    models = ScriptedModels(
        {"assistant": assistant, "tool_simulator": simulator, "user_simulator": [as_turn(line) for line in user]}
    )
    played: Any = models
    row = asyncio.run(simulate_dialogue(task or task_of([LOOK]), TOOLSET, None, played, CONFIG))
    return row, models


def results_of(row: DialogueRow) -> list[Any]:
    return [orjson.loads(message["content"]) for message in messages_of(row) if message["role"] == "tool"]


def notices_of(row: DialogueRow) -> list[str]:
    return [f"{notice['code']}: {notice['resolution']}" for notice in orjson.loads(row.notices)]


def verdict_of(row: DialogueRow, task: DialogueTaskRow, bullets: int = 1) -> Any:
    models: Any = ScriptedModels({"judge": [judgement(*[(n + 1, "Critical", True) for n in range(bullets)])]})
    return asyncio.run(validate_dialogue(row, task, TOOLSET, None, models, CONFIG))


def test_whole_queries_follow_each_other_without_a_user_simulator() -> None:
    task = task_of([LOOK, CHANGE])
    row, models = watch([GET, says("It is paid."), SHIP, says("It is shipped now.")], [PAID, SHIPPED], task=task)
    assert [message["role"][0] for message in messages_of(row)] == list("suatauata")
    assert [m["content"] for m in messages_of(row) if m["role"] == "user"] == [LOOK.description, CHANGE.description]
    assert (row.ending, row.requests, row.steps, row.task_count) == ("task_complete", 2, 2, 2)
    assert models.requests_of("user_simulator") == []
    verdict = verdict_of(row, task, 2)
    assert (verdict.judgment, verdict.replay, verdict.outcome) == ("valid", "unavailable", "match"), verdict.reasons


def test_a_person_may_talk_to_simulated_tools() -> None:
    task = task_of([LOOK], "user_oriented")
    row, _ = watch(
        [GET, says("It is paid."), says("Bye!")], [PAID], task=task, user=["How is my order 51 doing?", DONE]
    )
    assert row.ending == "task_complete"
    assert row.requests == 2
    assert verdict_of(row, task).judgment == "valid"


def test_what_models_said_for_the_tools_is_counted() -> None:
    row, _ = watch([GET, says("It is paid.")], [PAID])
    assert row.model_calls == ["scripted-assistant-0", "scripted-tool_simulator-0", "scripted-assistant-1"]
    assert row.prompt_tokens == 30


def test_the_simulator_s_requests_only_grow_and_begin_with_what_all_dialogues_share() -> None:
    _, models = watch([GET, SHIP, says("Done.")], [PAID, SHIPPED])
    first, second = [request.messages for request in models.requests_of("tool_simulator")]
    assert second[: len(first)] == first
    assert second[0]["role"] == "system"
    assert NOW not in (second[0]["content"] or "")
    assert [
        request.fields["result"]["anyOf"][0]["properties"].keys() for request in models.requests_of("tool_simulator")
    ]
    assert '"field":"status"' in (second[-1]["content"] or "")


def test_the_same_read_is_answered_without_a_model() -> None:
    row, models = watch([GET, GET, says("It is paid.")], [PAID])
    assert models.left("tool_simulator") == 0
    assert results_of(row)[0] == results_of(row)[1]


def test_a_contradiction_is_asked_about_once_and_then_put_right() -> None:
    told = {"error": None, "result": [{"order_id": 51, "status": "lost", "total": 30.5}]}
    script = [GET, calls("list_orders"), says("It is paid.")]
    row, models = watch(script, [PAID, told, told])
    assert results_of(row)[1][0]["status"] == "paid"
    assert notices_of(row) == ["contradicts_earlier: corrected"]
    assert "paid" in (models.requests_of("tool_simulator")[-1].messages[-1]["content"] or "")
    mended = {"error": None, "result": [{"order_id": 51, "status": "paid", "total": 30.5}]}
    row, _ = watch(script, [PAID, told, mended])
    assert notices_of(row) == ["contradicts_earlier: asked_again"]


def test_what_was_told_in_a_given_conversation_stays_true() -> None:
    asked = {"id": "g1", "type": "function", "function": {"name": "get_order", "arguments": '{"order_id": 51}'}}
    odd = {"id": "g2", "type": "function", "function": {"name": "get_order", "arguments": '{"order_id": 52}'}}
    given = (
        {"role": "user", "content": "How is order 51?"},
        {"role": "assistant", "content": None, "tool_calls": [asked, odd]},
        {"role": "tool", "tool_call_id": "g1", "content": '{"order_id": 51, "status": "paid", "total": 30.5}'},
        {"role": "tool", "tool_call_id": "g2", "content": "no JSON at all"},
        {"role": "assistant", "content": "It is paid."},
    )
    beginning = Beginning(seed_id="seed_9", origin="chats.jsonl:1", messages=given)
    task = task_of([LOOK]).model_copy(update={"beginning": orjson.dumps(beginning.model_dump()).decode()})
    told = {"error": None, "result": [{"order_id": 51, "status": "lost", "total": 30.5}]}
    row, models = watch([GET, calls("list_orders"), says("It is paid.")], [told, told], task=task)
    assert row.ending == "task_complete", row.detail
    again, listed = results_of(row.model_copy(update={"messages": orjson.dumps(messages_of(row)[5:]).decode()}))
    assert again == {"order_id": 51, "status": "paid", "total": 30.5}, "a read that was answered before is not asked"
    assert listed[0]["status"] == "paid"
    assert notices_of(row) == ["contradicts_earlier: corrected"]
    assert models.left("tool_simulator") == 0


def test_a_reply_that_was_sent_back_is_not_in_the_conversation_afterwards() -> None:
    broken = {"error": None, "result": {"order_id": "many"}}
    _, models = watch([GET, SHIP, says("Done.")], [broken, PAID, SHIPPED])
    last = models.requests_of("tool_simulator")[-1].messages
    assert not any("many" in (message["content"] or "") for message in last)


@pytest.mark.parametrize(
    "bad",
    [
        {"error": None, "result": {"order_id": "many"}},
        {"error": None, "result": None},
        "no JSON at all",
        {"error": None, "result": {"order_id": 51, "status": "x" * 20_000, "total": 1}},
        '{"error": null, "result": ' + "[" * 300 + "]" * 300 + "}",
    ],
)
def test_what_fits_no_schema_twice_is_an_error_of_the_tool(bad: Any) -> None:
    row, _ = watch([GET, says("The service gave no answer, sorry.")], [bad, bad])
    assert results_of(row) == [{"error": "unavailable", "message": "The service gave no valid answer."}]
    assert row.ending == "task_complete"
    assert set(notices_of(row)) == {"invalid_result: recorded"}
    findings = orjson.loads(verdict_of(row, task_of([LOOK])).findings)
    assert [(f["layer"], f["code"]) for f in findings if f["layer"] == "ledger"] == [("ledger", "no_result")]


def test_a_malformed_reply_gets_a_second_chance() -> None:
    row, _ = watch([GET, says("It is paid.")], [MalformedReply("no", problem="no"), PAID])
    assert results_of(row)[0]["status"] == "paid"


def test_a_result_without_its_frame_is_read() -> None:
    row, _ = watch([GET, says("It is paid.")], [PAID["result"]])
    assert results_of(row)[0]["status"] == "paid"


def test_code_makes_identifiers_and_times() -> None:
    made = {"order_id": 51, "status": "open", "created_at": "2024-05-03T09:00:00", "message": "Order 51 was made."}
    row, _ = watch(
        [GET, calls("create_order", {"article": "lamp"}), says("Done.")], [PAID, {"error": None, "result": made}]
    )
    created = results_of(row)[1]
    assert created["order_id"] != 51
    assert str(created["order_id"]) in created["message"]
    assert created["created_at"] == NOW


def test_what_was_deleted_stays_away() -> None:
    gone, back = {"error": None, "result": {"success": True}}, {**PAID}
    row, _ = watch([GET, calls("delete_order", {"order_id": 51}), GET, says("It is gone.")], [PAID, gone, back, back])
    assert results_of(row)[2]["error"] == "not_found"
    listed = {"error": None, "result": [PAID["result"], {"order_id": 52, "status": "open", "total": 2.0}]}
    row, _ = watch(
        [GET, calls("delete_order", {"order_id": 51}), calls("list_orders"), says("Gone.")],
        [PAID, gone, listed, listed],
    )
    assert [order["order_id"] for order in results_of(row)[2]] == [52]


def test_a_written_value_comes_back() -> None:
    row, _ = watch([GET, SHIP, GET, says("It is shipped.")], [PAID, SHIPPED, PAID, PAID])
    assert results_of(row)[2]["status"] == "shipped"
    assert notices_of(row) == ["lost_write: corrected"]
    facts = {(fact["field"], fact["value"]) for fact in orjson.loads(row.facts)}
    assert ("status", "shipped") in facts


def test_a_fault_is_made_by_code_and_the_simulator_not_asked() -> None:
    detail = {"tool": "get_order", "kind": "timeout", "times": 1}
    task = task_of([LOOK], behaviour=BehaviourPlan(name="tool_fault", objective=0, instruction="", detail=detail))
    row, models = watch([GET, GET, says("It is paid.")], [PAID], task=task)
    assert results_of(row)[0]["error"] == "timeout"
    assert len(models.requests_of("tool_simulator")) == 1
    assert row.behaviour_occurred


def test_bad_arguments_never_reach_the_simulator() -> None:
    row, models = watch([calls("get_order", {"order_id": "x"}), calls("nobody", {}), says("Sorry.")], [])
    assert [result["error"] for result in results_of(row)] == ["invalid_arguments", "unknown_tool"]
    assert models.requests_of("tool_simulator") == []


def test_a_refusal_in_words_is_an_error() -> None:
    row, _ = watch([SHIP, says("That cannot be done.")], [{"error": "A paid order cannot be shipped.", "result": None}])
    assert results_of(row) == [{"error": "refused", "message": "A paid order cannot be shipped."}]
    assert orjson.loads(row.calls)[0]["rows_changed"] == 0


def test_a_known_thing_is_not_refused_as_unknown() -> None:
    lost = {"error": "Order 51 was not found.", "result": None}
    row, _ = watch(
        [calls("list_orders"), GET, says("It is paid.")], [{"error": None, "result": [PAID["result"]]}, lost, lost]
    )
    assert results_of(row)[1] == PAID["result"]


def test_the_present_is_what_the_user_says_it_is() -> None:
    objective = LOOK.model_copy(update={"description": "Today is 12 March 2021. What is the status of order 51?"})
    _, models = watch([GET, says("It is paid.")], [PAID], task=task_of([objective]))
    assert "2021-03-12T10:00:00" in (models.requests_of("tool_simulator")[0].messages[-1]["content"] or "")


def test_parallel_calls_are_answered_in_order_and_see_each_other() -> None:
    both = calls_all(("get_order", {"order_id": 51}), ("update_order_status", {"order_id": 51, "status": "shipped"}))
    row, models = watch([both, says("Done.")], [PAID, SHIPPED])
    assert [result["status"] for result in results_of(row)] == ["paid", "shipped"]
    assert '"paid"' in (models.requests_of("tool_simulator")[1].messages[-1]["content"] or "")


def test_the_final_state_is_that_of_the_writes() -> None:
    task = task_of([LOOK])
    read, _ = watch([GET, says("It is paid.")], [PAID], task=task)
    wrote, _ = watch([SHIP, says("Done.")], [SHIPPED], task=task)
    assert read.final_digest == task.start_digest != wrote.final_digest
    assert (read.changes, wrote.changes) == ("[]", "[]")
    assert read == watch([GET, says("It is paid.")], [PAID], task=task)[0]


def test_writes_that_nobody_asked_for_and_writes_left_out_are_found() -> None:
    task = task_of([CHANGE])
    row, _ = watch([GET, says("It is paid.")], [PAID], task=task)
    verdict = verdict_of(row, task)
    assert (verdict.outcome, verdict.judgment) == ("mismatch", "invalid")
    assert any("missing_change" in reason for reason in verdict.reasons)
    row, _ = watch([SHIP, says("Shipped.")], [SHIPPED], task=task_of([LOOK]))
    assert any("unplanned_change" in reason for reason in verdict_of(row, task_of([LOOK])).reasons)


def test_contradictions_that_stayed_are_found_in_the_finished_dialogue() -> None:
    row, _ = watch(
        [GET, calls("list_orders"), says("It is paid.")], [PAID, {"error": None, "result": [PAID["result"]]}]
    )
    spoilt = row.model_copy(
        update={
            "calls": row.calls.replace(
                '[{\\"order_id\\":51,\\"status\\":\\"paid\\"', '[{\\"order_id\\":51,\\"status\\":\\"lost\\"'
            )
        }
    )
    assert spoilt.calls != row.calls
    verdict = verdict_of(spoilt, task_of([LOOK]))
    assert any(reason.startswith("ledger.contradicts_earlier") for reason in verdict.reasons)
    assert not any(reason.startswith("ledger.") for reason in verdict_of(row, task_of([LOOK])).reasons)


def test_an_answer_without_any_look_up_is_no_match() -> None:
    row, _ = watch([says("It is paid.")], [])
    assert any("missing_call" in reason for reason in verdict_of(row, task_of([LOOK])).reasons)


def test_executed_dialogues_hold_neither_facts_nor_notices() -> None:
    from playing import earnings_dialogue

    row = earnings_dialogue()
    assert (row.facts, row.notices) == ("[]", "[]")
