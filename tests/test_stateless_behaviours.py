"""Stateless dialogues with a turn that withholds a value or is declined, and with a reactive user, end to end."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from stateless_world import LINKS, TOOLS, TOOLSET, OfficeModels, call, config, draft, errand, task

from schemas.content import canonical_json
from schemas.goals import BehaviourPlan, PlannedCall
from schemas.messages import CallRecord, Message
from schemas.rows import DialogueRow, DialogueTaskRow, VerdictRow
from schemas.stateless import Generation, Scenario
from turnwright.calibration.draft import copy_unchanged
from turnwright.calibration.kinds import plant
from turnwright.calibration.subject import CannotPlant, Subject
from turnwright.selfplay.request import read_blocks
from turnwright.stateless.dialogue import simulate_stateless
from turnwright.validation.verdict import validate_dialogue

TAXI = "order a taxi for tomorrow morning"


def plan(name: str, turn: int, **detail: Any) -> dict[str, Any]:
    made = BehaviourPlan(name=name, objective=turn, instruction="", detail=detail)
    return {"behaviour": name, "behaviour_plan": made.model_dump_json()}


def withholds(turn: int = 0) -> dict[str, Any]:
    return plan("missing_parameter", turn)


def out_of_scope(turn: int = 1) -> dict[str, Any]:
    return plan("out_of_scope", turn, request=TAXI)


def removed(turn: int = 1) -> dict[str, Any]:
    """get_customer is not offered."""
    kept = tuple(name for name in TOOLS if name != "get_customer")
    links = tuple(link for link in LINKS if link.target != "get_customer")
    scenario = Scenario(sampler="random", tools=kept, links=links, lengths=(4, 4, 4), hints=0)
    leading = [link.model_dump() for link in LINKS if link.target == "get_customer"]
    detail = {"tools": ["get_customer"], "request": "see who a customer is", "links": leading}
    return plan("removed_tool", turn, **detail) | {"scenario": canonical_json(scenario.model_dump(mode="json"))}


def simulate(row: DialogueTaskRow, models: OfficeModels | None = None, **stateless: Any) -> DialogueRow:
    work = simulate_stateless(row, TOOLSET, None, cast(Any, models or OfficeModels()), config(**stateless))
    return asyncio.run(work)


def judge(row: DialogueRow, of: DialogueTaskRow) -> VerdictRow:
    work = validate_dialogue(row, of, TOOLSET, None, cast(Any, OfficeModels()), config())
    return asyncio.run(work)


def read(row: DialogueRow) -> Generation:
    return Generation.model_validate_json(row.generation)


def talk(row: DialogueRow) -> list[Message]:
    return json.loads(row.messages)


def days(count: int, lengths: tuple[int, ...] = (3, 4, 3), **behaviour: Any) -> list[DialogueTaskRow]:
    return [
        task(lengths, slot=day, reference_time=f"2025-03-{day + 1:02d}T09:30:00", **behaviour) for day in range(count)
    ]


def errand_with(subject: str) -> list[PlannedCall]:
    """The errand under a subject that no description says."""
    last = call("c3", "send_message", employee_id=("c1", "employee_id"), subject=subject, total=("c2", "total"))
    return [*errand()[:2], last]


def scripted(**others: Callable[[dict[str, Any]], Any]) -> OfficeModels:
    """Models whose first turn is an errand, asked for without its subject."""
    scripts: dict[str, Callable[[dict[str, Any]], Any]] = {
        "planner": lambda _: draft(*errand_with("Lunch")).model_dump(),
        "back_translator": lambda _: draft(*errand_with("Lunch")).model_dump(),
        "requester": _say,
        "responder": lambda _: {"response": "Sure. What should the subject be?"},
    }
    return OfficeModels(scripts | others)


def _say(body: dict[str, Any]) -> Any:
    """The request without its subject, and the answer with whatever value was left out."""
    blocks = read_blocks(str(body["messages"][1]["content"]))
    if "question" in blocks:
        return {"request": f"Make it {blocks['detail']['value']}."}
    said = [one["value"] for part in blocks["asks_for"] for one in part["details"]]
    said += [one["value"] for one in blocks["mentions"]]
    return {"request": f"Could you send a note with the sum of it? It is about {', '.join(map(str, said))}."}


def rejected(row: DialogueRow, stage: str) -> set[str]:
    return {one.code for one in read(row).rejections if one.stage == stage}


@pytest.mark.parametrize(
    ("name", "behaviour"),
    [("missing_parameter", withholds()), ("out_of_scope", out_of_scope()), ("removed_tool", removed())],
)
@pytest.mark.parametrize("reactive", [False, True])
def test_each_behaviour_comes_about_and_is_valid_in_most_dialogues(
    name: str, behaviour: dict[str, Any], reactive: bool
) -> None:
    rows = days(5, **behaviour)
    made = [simulate(row, reactive_user=reactive) for row in rows]
    verdicts = [judge(dialogue, row) for dialogue, row in zip(made, rows, strict=True)]
    good = [
        dialogue.behaviour_occurred and verdict.judgment == "valid"
        for dialogue, verdict in zip(made, verdicts, strict=True)
    ]
    assert sum(good) >= 3, [(verdict.reasons, name) for verdict in verdicts if verdict.reasons]
    assert made[0] == simulate(rows[0], reactive_user=reactive)


@pytest.mark.parametrize("behaviour", [withholds(), out_of_scope(), removed()])
def test_defects_are_planted_in_dialogues_with_such_a_turn(behaviour: dict[str, Any]) -> None:
    """What a planter makes of the behaviour is what the dialogue's own turn made of it."""
    row = task((4, 4), **behaviour)
    dialogue = simulate(row)
    assert dialogue.behaviour_occurred
    subject = Subject(dialogue, row, TOOLSET, None)
    control = copy_unchanged(subject).row
    assert control.behaviour_occurred and talk(control) == talk(dialogue)
    lost = plant("lost_result", subject, 0).row
    assert lost.behaviour_occurred and judge(lost, row).judgment == "invalid"
    with pytest.raises(CannotPlant, match="simulated"):
        plant("forged_result", subject, 0)


def test_the_value_is_asked_for_then_said_then_used() -> None:
    row = task((4, 4), **withholds())
    dialogue = simulate(row)
    (first, _), (own, *_) = read(dialogue).turns, read(dialogue).turns
    asked = own.clarification
    assert asked is not None
    messages = talk(dialogue)
    assert [message["content"] for message in messages[1:4]] == [first.request, asked.question, asked.answer]
    assert str(asked.value).casefold() not in first.request.casefold()
    used = next(one for one in first.calls if one.id == asked.call)
    assert used.arguments[asked.parameter] == asked.value
    assert not any(message.get("tool_calls") for message in messages[1:4])
    assert (dialogue.requests, dialogue.task_count) == (3, 2)
    assert judge(dialogue, row).judgment == "valid"


def test_who_writes_the_request_and_who_asks_are_not_shown_the_value() -> None:
    models = scripted()
    asked = read(simulate(task((3,), **withholds()), models)).turns[0].clarification
    assert asked is not None
    shown = json.dumps(asked.value)
    for role, messages in models.requests:
        text = str(messages[1]["content"])
        if role == "responder" or (role == "requester" and '"question"' not in text):
            assert shown not in text, role


def test_back_translation_sees_request_question_and_answer() -> None:
    models = scripted()
    turn = read(simulate(task((3,), **withholds()), models)).turns[0]
    assert turn.clarification is not None
    shown = [
        read_blocks(str(messages[1]["content"])) for role, messages in models.requests if role == "back_translator"
    ]
    assert shown[0]["talk"] == [
        {"by": "user", "said": turn.request},
        {"by": "assistant", "said": turn.clarification.question},
        {"by": "user", "said": turn.clarification.answer},
    ]


def test_a_request_that_says_the_value_is_rejected() -> None:
    everything = "Could you send a note on Lunch with the sum of it? It is for Priya, Leeds, W12."
    row = simulate(task((3,), **withholds()), scripted(requester=lambda _: {"request": everything}), attempts=1)
    assert row.ending == "generation_failed"
    assert "withheld_said" in rejected(row, "request")


@pytest.mark.parametrize(
    ("question", "code"),
    [("I took the usual one.", "asks_nothing"), ("Shall I run send_message with which subject?", "tool_name")],
)
def test_a_bad_question_is_rejected(question: str, code: str) -> None:
    row = simulate(task((3,), **withholds()), scripted(responder=lambda _: {"response": question}), attempts=1)
    assert row.ending == "generation_failed"
    assert code in rejected(row, "question")


def test_an_answer_without_the_value_is_rejected() -> None:
    def mute(body: dict[str, Any]) -> Any:
        blocks = read_blocks(str(body["messages"][1]["content"]))
        return {"request": "No idea."} if "question" in blocks else _say(body)

    models = scripted(requester=mute, responder=_ask_by_label)
    row = simulate(task((3,), **withholds()), models, attempts=1)
    assert (row.ending, rejected(row, "answer")) == ("generation_failed", {"missing_literal"})


def _ask_by_label(body: dict[str, Any]) -> Any:
    label = read_blocks(str(body["messages"][1]["content"]))["missing"]["label"]
    return {"response": f"What is the {label}?"}


def test_a_back_translation_that_does_not_recover_the_value_is_rejected() -> None:
    models = scripted(back_translator=lambda _: draft(*errand_with("Dinner")).model_dump(), responder=_ask_by_label)
    row = simulate(task((3,), **withholds()), models, attempts=6)
    lost = [one for one in read(row).rejections if one.stage == "back_translation"]
    assert lost and {one.code for one in lost} == {"lost_literal"}


def test_without_a_value_to_leave_out_the_turn_is_made_like_any_other() -> None:
    """Everything needed is given away: the last try goes without, and the behaviour did not occur."""
    models = scripted(
        planner=lambda _: draft(*_given_away()).model_dump(),
        back_translator=lambda _: draft(*_given_away()).model_dump(),
    )
    row = simulate(task((3,), **withholds()), models, attempts=2)
    assert (row.ending, row.behaviour_occurred) == ("task_complete", False)
    assert rejected(row, "plan") == {"nothing_to_withhold"}
    assert judge(row, task((3,), **withholds())).judgment == "valid"


def _given_away() -> list[PlannedCall]:
    """Every required literal stands in a description: the colleagues who have a name; an order with its total."""
    return [
        call("c1", "find_employees", employee_name="colleague", city="Leeds"),
        call("c2", "get_order", order_code="total"),
        call("c3", "send_message", employee_id=("c1", "employee_id"), subject="order", total=("c2", "total")),
    ]


@pytest.mark.parametrize("behaviour", [out_of_scope(), removed()])
def test_what_no_tool_does_is_declined_and_nothing_is_called(behaviour: dict[str, Any]) -> None:
    row = task((4, 4, 4), **behaviour)
    dialogue = simulate(row)
    generation = read(dialogue)
    turn = generation.turns[1]
    assert turn.refusal is not None and turn.calls == ()
    assert [one.refusal is None for one in generation.turns] == [True, False, True]
    messages = talk(dialogue)
    place = next(number for number, message in enumerate(messages) if message["content"] == turn.request)
    assert messages[place + 1]["content"] == turn.summary
    assert messages[place + 2]["role"] == "user"
    assert dialogue.behaviour_occurred
    verdict = judge(dialogue, row)
    assert verdict.judgment == "valid", verdict.reasons
    assert any("cannot do that" in bullet["bullet"] for bullet in json.loads(verdict.bullets))


def test_a_removed_tool_is_neither_offered_nor_shown_to_who_translates_back() -> None:
    models = OfficeModels()
    dialogue = simulate(task((4, 4, 4), **removed()), models)
    assert dialogue.removed_tools == ["get_customer"]
    assert [one.tool for one in read(dialogue).turns[1].planned] == ["get_customer"]
    for role, messages in models.requests:
        if role == "back_translator":
            assert '"get_customer"' not in str(messages[0]["content"])


def test_the_prompt_does_not_tell_which_turn_is_to_be_declined() -> None:
    models = OfficeModels()
    simulate(task((4, 4, 4), **out_of_scope()), models)
    systems = {str(messages[0]["content"]) for role, messages in models.requests if role == "back_translator"}
    assert len(systems) == 1


@pytest.mark.parametrize(("behaviour", "wish"), [(out_of_scope(), "taxi"), (removed(), "customer is")])
def test_a_refusal_turn_for_which_something_can_be_called_fails(behaviour: dict[str, Any], wish: str) -> None:
    """The translator finds a call for the wish: the turn does not stand, and the dialogue ends with the one before."""

    def translate(body: dict[str, Any]) -> Any:
        request = read_blocks(str(body["messages"][1]["content"]))["request"]
        return draft(call("c9", "get_order", order_code="W12")).model_dump() if wish in request else None

    dialogue = simulate(task((4, 4, 4), **behaviour), OfficeModels({"back_translator": translate}))
    assert len(read(dialogue).turns) == 1
    assert "can_be_met" in rejected(dialogue, "back_translation")
    assert not dialogue.behaviour_occurred


def test_an_answer_that_pretends_is_no_refusal() -> None:
    models = OfficeModels({"responder": lambda _: {"response": "I've ordered the taxi for you."}})
    dialogue = simulate(task((4, 4, 4), **out_of_scope()), models)
    assert len(read(dialogue).turns) == 1
    assert {"not_declined", "claims_deed"} <= rejected(dialogue, "decline")


def test_a_dialogue_of_a_refusal_alone_is_none() -> None:
    """The second turn can never be planned, and the first is declined."""
    dialogue = simulate(task((4, 4), **out_of_scope(0)), OfficeModels({"planner": lambda _: {"calls": []}}))
    assert dialogue.ending == "generation_failed"
    assert "but the one that is declined" in dialogue.detail


def changed(row: DialogueRow, edit: Callable[[list[dict[str, Any]], list[dict[str, Any]]], None]) -> DialogueRow:
    """The dialogue with other messages and calls."""
    messages, calls = json.loads(row.messages), json.loads(row.calls)
    edit(messages, calls)
    return row.model_copy(update={"messages": json.dumps(messages), "calls": json.dumps(calls)})


def _insert_call(messages: list[dict[str, Any]], calls: list[dict[str, Any]], place: int, tool: str, text: str) -> None:
    """A call with its result before the message at `place`."""
    written = {"id": "extra", "type": "function", "function": {"name": tool, "arguments": text}}
    messages[place:place] = [
        {"role": "assistant", "content": None, "tool_calls": [written]},
        {"role": "tool", "content": "{}", "tool_call_id": "extra"},
    ]
    for record in calls:
        record["message"] += 2 if record["message"] >= place else 0
    record = CallRecord(
        message=place, call_id="extra", tool=tool, arguments=text, result="{}", effect=TOOLS[tool].effect
    )
    calls.append(record.model_dump(mode="json"))
    calls.sort(key=lambda one: one["message"])


def reasons(verdict: VerdictRow) -> set[str]:
    return {reason.split(":")[0] for reason in verdict.reasons}


def test_validation_finds_a_guess_of_the_value() -> None:
    """The assistant calls the tool at once, before it asks."""
    row = task((4, 4), **withholds())
    dialogue = simulate(row)
    asked = read(dialogue).turns[0].clarification
    assert asked is not None
    tool = next(one.tool for one in read(dialogue).turns[0].calls if one.id == asked.call)

    def guess(messages: list[dict[str, Any]], calls: list[dict[str, Any]]) -> None:
        _insert_call(messages, calls, 2, tool, json.dumps({asked.parameter: "a guess"}))

    assert "behaviour.guessed_parameter" in reasons(judge(changed(dialogue, guess), row))


def test_validation_finds_a_guess_in_the_place_of_the_question() -> None:
    row = task((4,), **withholds())
    dialogue = simulate(row)

    def drop(messages: list[dict[str, Any]], calls: list[dict[str, Any]]) -> None:
        del messages[2:4]
        for record in calls:
            record["message"] -= 2

    verdict = judge(changed(dialogue, drop), row)
    assert "behaviour.guessed_parameter" in reasons(verdict)


@pytest.mark.parametrize("behaviour", [out_of_scope(), removed()])
def test_validation_finds_a_call_in_a_turn_that_is_to_be_declined(behaviour: dict[str, Any]) -> None:
    row = task((4, 4, 4), **behaviour)
    dialogue = simulate(row)
    request = read(dialogue).turns[1].request

    def act(messages: list[dict[str, Any]], calls: list[dict[str, Any]]) -> None:
        place = next(number for number, message in enumerate(messages) if message["content"] == request)
        _insert_call(messages, calls, place + 1, "get_order", '{"order_code": "W12"}')

    assert "behaviour.acted_on_refused" in reasons(judge(changed(dialogue, act), row))


@pytest.mark.parametrize(
    ("behaviour", "answer", "found"),
    [
        (
            out_of_scope(),
            "I've ordered it and sent it to you.",
            {"behaviour.claimed_out_of_scope", "behaviour.not_declined"},
        ),
        (out_of_scope(), "Let us see about something else.", {"behaviour.not_declined"}),
        # Who only looks something up can pretend no deed.
        (removed(), "I've sent it to you.", {"behaviour.not_declined"}),
        (removed(), "Let us see about something else.", {"behaviour.not_declined"}),
    ],
)
def test_validation_finds_an_answer_that_pretends_or_evades(
    behaviour: dict[str, Any], answer: str, found: set[str]
) -> None:
    row = task((4, 4, 4), **behaviour)
    dialogue = simulate(row)
    summary = read(dialogue).turns[1].summary

    def pretend(messages: list[dict[str, Any]], _: list[dict[str, Any]]) -> None:
        next(message for message in messages if message["content"] == summary)["content"] = answer

    assert found <= reasons(judge(changed(dialogue, pretend), row))


def test_a_reactive_user_takes_up_the_answers_and_closes_the_dialogue() -> None:
    row = task((4, 4, 4))
    dialogue = simulate(row, reactive_user=True)
    generation = read(dialogue)
    assert generation.closing is not None
    messages = talk(dialogue)
    assert [message["content"] for message in messages[-2:]] == [
        generation.closing.farewell,
        generation.closing.goodbye,
    ]
    assert dialogue.requests == len(generation.turns) + 1
    assert judge(dialogue, row).judgment == "valid"


def test_a_request_that_takes_nothing_up_is_rejected() -> None:
    def forget(body: dict[str, Any]) -> Any:
        """Says what is wanted as if nobody had said a word."""
        blocks = read_blocks(str(body["messages"][1]["content"]))
        return {"request": "Go on, do it."} if "answer" in blocks else None

    dialogue = simulate(task((4, 4)), OfficeModels({"requester": forget}), reactive_user=True)
    assert len(read(dialogue).turns) == 1
    assert "no_reaction" in rejected(dialogue, "request")


def test_without_a_farewell_the_dialogue_ends_with_its_last_turn() -> None:
    def go_on(body: dict[str, Any]) -> Any:
        blocks = read_blocks(str(body["messages"][1]["content"]))
        return None if "asks_for" in blocks else {"request": "And what about the rest?"}

    row = task((4, 4))
    dialogue = simulate(row, OfficeModels({"requester": go_on}), reactive_user=True)
    assert (dialogue.ending, read(dialogue).closing) == ("task_complete", None)
    assert talk(dialogue)[-1]["content"] == read(dialogue).turns[-1].summary
    assert {"asks_more", "no_farewell"} <= rejected(dialogue, "farewell")


def test_a_farewell_does_not_go_beyond_the_limit_of_turns() -> None:
    plain = simulate(task((3,)))
    limits = config().limits.model_copy(update={"turns": plain.turns + 1})
    limited = config(reactive_user=True).model_copy(update={"limits": limits})
    dialogue = asyncio.run(simulate_stateless(task((3,)), TOOLSET, None, cast(Any, OfficeModels()), limited))
    assert dialogue.turns <= plain.turns + 1
    assert read(dialogue).closing is None


def test_twins_go_without_a_reactive_user() -> None:
    arm = task((4, 4), arm="stateless")
    models, plain = OfficeModels(), OfficeModels()
    assert simulate(arm, models, reactive_user=True) == simulate(arm, plain)
    assert models.asked == plain.asked
    assert models.asked["responder"] == 0


def test_what_is_not_used_leaves_no_trace_in_the_row() -> None:
    generation = json.loads(simulate(task()).generation)
    assert "closing" not in generation
    assert not {"clarification", "refusal"} & {key for turn in generation["turns"] for key in turn}
