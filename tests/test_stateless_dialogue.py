"""A whole stateless dialogue: turns, faults, hints, rescue, ablations, and the verdict on it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from stateless_world import TOOLS, TOOLSET, OfficeModels, call, config, draft, errand, made, task

from schemas.goals import BehaviourPlan
from schemas.messages import CallRecord, Message
from schemas.rows import DialogueRow, DialogueTaskRow
from schemas.stateless import ErrorHint, Generation
from turnwright.rollout.conversation import Conversation
from turnwright.rollout.simulated_calls import SimulatedCalls
from turnwright.stateless.dialogue import simulate_stateless
from turnwright.stateless.execution import ExecutionFailed, Progress, pick_values, resolve_arguments, run_plan
from turnwright.statistics.stateless import compute_generation_yields
from turnwright.validation.verdict import validate_dialogue


def simulate(row: DialogueTaskRow, models: OfficeModels | None = None, trial: int = 0, **stateless: Any) -> DialogueRow:
    work = simulate_stateless(row, TOOLSET, None, cast(Any, models or OfficeModels()), config(**stateless), trial)
    return asyncio.run(work)


def read_generation(row: DialogueRow) -> Generation:
    return Generation.model_validate_json(row.generation)


def read_calls(row: DialogueRow) -> list[CallRecord]:
    return [CallRecord.model_validate(record) for record in json.loads(row.calls)]


def faulty(kind: str, times: int = 1, tool: str = "find_employees") -> dict[str, Any]:
    plan = BehaviourPlan(
        name="tool_fault", objective=0, instruction="", detail={"tool": tool, "kind": kind, "times": times}
    )
    return {"behaviour": "tool_fault", "behaviour_plan": plan.model_dump_json()}


def script(*turns: list[Any]) -> Callable[[dict[str, Any]], Any]:
    """A planner or back-translator that gives these calls, by the number of calls made before."""
    by_first = {turn[0].id: draft(*turn).model_dump() for turn in turns}

    def answer(body: dict[str, Any]) -> Any:
        text = str(body["messages"][1]["content"])
        return next(plan for first, plan in by_first.items() if f'"{first}"' in text.split('name="next_id"')[1])

    return answer


def scripted(**others: Callable[[dict[str, Any]], Any]) -> OfficeModels:
    """Models whose plans are the errand, asked for and recovered as planned."""
    scripts: dict[str, Callable[[dict[str, Any]], Any]] = {
        "planner": script(errand()),
        "back_translator": script(errand()),
        "requester": _ask,
    }
    return OfficeModels(scripts | others)


def _ask(_: dict[str, Any]) -> Any:
    return {"request": "Could you send a note with the subject Total and the sum in it? To Priya in Leeds, for W12."}


def test_a_dialogue_has_its_turns_and_every_call_is_what_was_planned() -> None:
    row = simulate(task((4, 4, 3)))
    generation = read_generation(row)
    assert (row.ending, row.requests, row.task_count, generation.wanted) == ("task_complete", 3, 3, 3)
    planned = [one for turn in generation.turns for one in turn.calls]
    assert [(one.id, one.tool) for one in planned] == [
        (f"c{number}", record.tool) for number, record in enumerate(read_calls(row), start=1)
    ]
    messages = cast("list[Message]", json.loads(row.messages))
    assert [message["content"] for message in messages if message["role"] == "user"] == [
        turn.request for turn in generation.turns
    ]
    results = {message.get("tool_call_id"): message for message in messages if message["role"] == "tool"}
    assert len(results) == len(planned)
    for turn in generation.turns[1:]:
        earlier = {one.id for before in generation.turns[: generation.turns.index(turn)] for one in before.calls}
        assert any(source.call in earlier for one in turn.calls for source in one.sources.values())


def test_the_same_task_gives_the_same_row_and_another_trial_another() -> None:
    assert simulate(task()) == simulate(task())
    assert simulate(task(), trial=1).messages != simulate(task()).messages


def test_valid_dialogues_are_judged_valid_by_three_votes() -> None:
    models = OfficeModels()
    rows = [task((3, 4), reference_time=f"2025-03-{day:02d}T09:30:00") for day in range(1, 9)]
    verdicts: list[str] = []
    for row in rows:
        dialogue = simulate(row, models)
        verdict = asyncio.run(validate_dialogue(dialogue, row, TOOLSET, None, cast(Any, models), config()))
        verdicts.append(verdict.judgment)
        assert len(verdict.votes) == 3
        assert verdict.outcome == "match", verdict.reasons
    assert verdicts.count("valid") >= 7


def test_one_vote_against_is_enough() -> None:
    row = task((3,))
    dialogue = simulate(row)
    votes = iter(["valid", "invalid", "valid"])

    def judge(body: dict[str, Any]) -> Any:
        rubric = json.loads(str(body["messages"][1]["content"]).split('name="rubric">\n')[1].split("\n</data>")[0])
        met = next(votes) == "valid"
        bullets = [
            {"bullet": line["number"], "bullet_class": "Critical", "evidence": "seen", "met": met} for line in rubric
        ]
        return {"bullets": bullets, "reasoning": "", "judgment": "valid" if met else "invalid"}

    models = OfficeModels({"judge": judge})
    verdict = asyncio.run(validate_dialogue(dialogue, row, TOOLSET, None, cast(Any, models), config()))
    assert (verdict.votes, verdict.judgment) == (["valid", "invalid", "valid"], "invalid")


def test_a_turn_that_fails_leaves_the_turns_before_it() -> None:
    """Rescue: the second turn can never be planned, so the dialogue ends with the first."""
    row = simulate(task((3, 3)), OfficeModels({"planner": _fail_later}), attempts=2, candidates=2)
    generation = read_generation(row)
    assert (row.ending, row.requests, generation.wanted, len(generation.turns)) == ("task_complete", 1, 2, 1)
    lost = [rejection for rejection in generation.rejections if rejection.turn == 1]
    assert {(one.stage, one.attempt, one.draw, one.code) for one in lost} == {
        ("plan", attempt, draw, code)
        for attempt in range(2)
        for draw in range(2)
        for code in ("too_few_calls", "no_reference", "no_earlier_link")
    }


def _fail_later(body: dict[str, Any]) -> Any:
    return None if '"c1"' in str(body["messages"][1]["content"]).split('name="next_id"')[1] else {"calls": []}


def test_without_a_complete_turn_the_row_says_why() -> None:
    row = simulate(task((3,)), OfficeModels({"requester": lambda _: {"request": "Please help."}}))
    assert row.ending == "generation_failed"
    assert "request.missing_literal" in row.detail
    assert (row.requests, row.task_count, json.loads(row.calls)) == (0, 0, [])


def test_a_call_that_fails_by_itself_leaves_no_trace() -> None:
    def simulator(body: dict[str, Any]) -> Any:
        last = str(body["messages"][-1]["content"])
        return {"error": "The mailbox is closed.", "result": None} if '"send_message"' in last else None

    row = simulate(task((3,)), scripted(tool_simulator=simulator))
    assert row.ending == "generation_failed"
    assert "failed_call" in row.detail
    assert json.loads(row.facts) == []


@pytest.mark.parametrize("kind", ["timeout", "http_500", "malformed", "partial", "stale"])
def test_faults_are_made_by_code_and_met_by_a_retry(kind: str) -> None:
    row = simulate(task((3,), **faulty(kind, 2)), scripted())
    records = read_calls(row)
    assert [(record.tool, record.fault, record.error) for record in records[:3]] == [
        ("find_employees", True, kind),
        ("find_employees", True, kind),
        ("find_employees", False, None),
    ]
    assert records[0].arguments == records[2].arguments
    assert row.behaviour_occurred
    verdict = asyncio.run(
        validate_dialogue(row, task((3,), **faulty(kind, 2)), TOOLSET, None, cast(Any, OfficeModels()), config())
    )
    assert verdict.judgment == "valid", verdict.reasons


@pytest.mark.parametrize("kind", ["timeout", "partial"])
def test_a_rescue_behind_a_fault_keeps_what_was_true(kind: str) -> None:
    """The summaries of the second turn fail, so its calls are undone and the world is built again from the first."""

    def summariser(body: dict[str, Any]) -> Any:
        return None if body["messages"][1]["content"].count("Priya") else {"summary": "What?"}

    row = simulate(task((3, 4), **faulty(kind)), scripted_then_free(summariser))
    assert (row.ending, row.requests) == ("task_complete", 1)
    known = {fact["call"] for fact in json.loads(row.facts)}
    assert known and max(known) <= 3


def scripted_then_free(summariser: Callable[[dict[str, Any]], Any]) -> OfficeModels:
    """The errand in the first turn, the players after it."""
    models = scripted(summariser=summariser)
    for role in ("planner", "back_translator", "requester"):
        first = models.scripts[role]
        models.scripts[role] = _only_first(role, first)
    return models


def _only_first(role: str, first: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def answer(body: dict[str, Any]) -> Any:
        text = str(body["messages"][1]["content"])
        begins = '"earlier">\n[]' in text if role == "requester" else '"c1"' in text.split('name="next_id"')[1]
        return first(body) if begins else None

    return answer


def test_parallel_calls_share_a_message_where_none_needs_the_other() -> None:
    row = simulate(task((3,), behaviour="parallel_calls"), scripted())
    sizes = [len(message.get("tool_calls", [])) for message in json.loads(row.messages) if message.get("tool_calls")]
    assert sizes == [2, 1]


def test_wrong_calls_stand_before_right_ones_and_never_run() -> None:
    row = simulate(task((3,), hints=2), scripted())
    (turn,) = read_generation(row).turns
    records = read_calls(row)
    hinted = [record for record in records if record.hint]
    assert len(hinted) == len(turn.hints) > 0
    assert [(one.tool, json.loads(one.arguments)) for one in hinted] == [
        (one.tool, one.arguments) for one in turn.hints
    ]
    assert all(record.fault and record.rows_changed == 0 for record in hinted)
    verdict = asyncio.run(
        validate_dialogue(row, task((3,), hints=2), TOOLSET, None, cast(Any, OfficeModels()), config())
    )
    assert verdict.judgment == "valid", verdict.reasons


def test_ablations() -> None:
    bare = OfficeModels()
    row = simulate(task(), bare, back_translation=False, implicit_calls=False)
    assert bare.asked["back_translator"] == 0
    assert not any(one.lookup for turn in read_generation(row).turns for one in turn.calls)
    whole = OfficeModels()
    simulate(task(), whole)
    assert whole.asked["back_translator"] > 0


def test_the_recovered_plan_is_the_truth() -> None:
    other = [*errand(), call("c4", "get_customer", customer_id=("c2", "customer_id"))]
    row = simulate(task((3,)), scripted(back_translator=script(other)))
    (turn,) = read_generation(row).turns
    assert [one.tool for one in turn.calls] == [one.tool for one in other]
    assert [one.tool for one in turn.planned] == [one.tool for one in errand()]
    assert [record.tool for record in read_calls(row)] == [one.tool for one in other]


def test_several_candidates_are_drawn_and_every_rejection_has_its_reason() -> None:
    models = OfficeModels(mistake_rate=0.4)
    rows = [simulate(task((4, 4), slot=number, seed=number), models, candidates=3) for number in range(6)]
    lines = {line.unit: line for line in compute_generation_yields([row.model_dump() for row in rows])}
    assert list(lines) == ["plan", "request", "back_translation", "execution", "summary"]
    assert lines["plan"].rejected > 0 and lines["plan"].reasons
    assert all(line.accepted + line.rejected == line.planned for line in lines.values())
    for row in rows:
        for rejection in read_generation(row).rejections:
            assert rejection.code and rejection.explanation and rejection.draw < 3


def test_values_are_picked_from_any_shape_of_result() -> None:
    assert pick_values({"id": 1}, "id") == [1]
    assert pick_values([{"id": 1}, {"id": 2}], "id") == [1, 2]
    assert pick_values({"items": [{"id": 1}], "page": {"id": 3}}, "id") == [1, 3]
    assert pick_values({"id": None}, "id") == []
    deep: Any = {"id": 1}
    for _ in range(50):
        deep = {"inner": deep}
    assert pick_values(deep, "id") == []


def test_a_reference_without_a_value_is_a_reason() -> None:
    found = {"c1": made(errand()[0], []), "c2": made(errand()[1], {"total": 9.5})}
    with pytest.raises(ExecutionFailed, match=r"no_value: .*returned no employee_id"):
        resolve_arguments(errand()[2], TOOLS["send_message"], found)
    found["c1"] = made(errand()[0], [{"employee_id": "E1"}, {"employee_id": "E2"}])
    assert resolve_arguments(errand()[2], TOOLS["send_message"], found) == {
        "employee_id": "E1",
        "subject": "Total",
        "total": 9.5,
    }


def test_hints_do_not_count_as_ignored_errors() -> None:
    hint = ErrorHint(
        before="c1", tool="get_order", arguments={"order_code": "Priya"}, hint="Not that.", kind="look_alike"
    )
    models = OfficeModels()
    runner = SimulatedCalls(list(TOOLS.values()), task(), cast(Any, models), config(), 0)
    start = Progress(Conversation.start("").add_user("Please."))
    done = asyncio.run(run_plan(start, errand(), TOOLS, runner, [hint]))
    assert [record.hint for record in done.records] == [True, False, False, False]
    assert models.asked["tool_simulator"] == 3


def test_a_dialogue_never_goes_beyond_the_limit_of_turns() -> None:
    limited = config().model_copy(update={"limits": config().limits.model_copy(update={"turns": 9})})
    row = asyncio.run(simulate_stateless(task((3, 3, 3)), TOOLSET, None, cast(Any, OfficeModels()), limited))
    assert row.turns <= 9
    assert "turn_limit" in {rejection.code for rejection in read_generation(row).rejections}


def test_malformed_replies_are_reasons() -> None:
    from turnwright.models.errors import MalformedReply

    class Broken(OfficeModels):
        async def structured(self, role: Any, messages: Any, **how: Any) -> Any:
            if role == "summariser":
                raise MalformedReply("no JSON", problem="no JSON", text="", replies=())
            return await super().structured(role, messages, **how)

    row = simulate(task((3,)), Broken())
    assert row.ending == "generation_failed"
    assert {one.code for one in read_generation(row).rejections if one.stage == "summary"} == {"malformed_reply"}
