"""Dual control: the person acts at the device, the assistant guides, and both sides share one state."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

import prompts
from schemas.goals import KnownDetail
from schemas.replies import ActionArgument
from schemas.rows import DialogueRow, DialogueTaskRow
from tests.domain_world import HOME, RETAIL, RETAIL_DATABASE, DomainWorld, open_world
from turnwright.goals.domain_plans import draw_domain_plan
from turnwright.models.scripted import Line, ScriptedModels, calls, says
from turnwright.roles import user_operator
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.rollout.user_tools import MOST_ACTIONS, read_arguments
from turnwright.selfplay import user_operator as player
from turnwright.selfplay.request import Request
from turnwright.validation.replay import replay_calls
from turnwright.validation.rules import check_rules
from turnwright.validation.trajectory import Trajectory

NONE = {"action": "none", "arguments": []}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> DomainWorld:
    return open_world(tmp_path_factory.mktemp("home"), HOME)


@pytest.fixture(scope="module")
def task(world: DomainWorld) -> DialogueTaskRow:
    """Somebody whose cable is loose."""
    for number in range(400):
        slot = world.slot(number, difficulty="medium")
        draft = draw_domain_plan(slot, world.base.seed, world.tools, world.base, 0)
        if draft.calls[-1].tool.name == "plug_in_cable":
            return world.task(slot, draft)
    pytest.fail("no home has a loose cable")


def details(task: DialogueTaskRow) -> tuple[str, str, str]:
    """Phone number, serial number and customer number."""
    objective = orjson.loads(task.objectives)[0]
    known = {detail["label"]: detail["value"] for detail in objective["known_details"]}
    return (
        known["phone number"],
        known["router serial number"],
        objective["calls"][0]["result"]["customer_number"],
    )


def act(action: str, serial: str) -> dict[str, Any]:
    return {"action": action, "arguments": [{"name": "serial", "value": serial}]}


def speak(text: str, done: bool = False) -> dict[str, Any]:
    return {"user_message": text, "is_task_complete": done}


def play(
    world: DomainWorld,
    task: DialogueTaskRow,
    user: Sequence[Line],
    hands: Sequence[Line],
    assistant: Sequence[Line],
) -> tuple[DialogueRow, ScriptedModels]:
    models = ScriptedModels({"user_simulator": user, "user_operator": hands, "assistant": assistant})
    row = asyncio.run(simulate_dialogue(task, world.toolset, world.base, models, world.config))  # pyright: ignore
    return row, models


def play_well(world: DomainWorld, task: DialogueTaskRow) -> tuple[DialogueRow, ScriptedModels]:
    phone, serial, customer = details(task)
    return play(
        world,
        task,
        [
            speak(f"My internet is down, my number is {phone}."),
            speak("It was loose, I have plugged it in."),
            speak("Thank you!", True),
        ],
        [act("check_cable", serial), act("plug_in_cable", serial), NONE, NONE],
        [
            calls("find_customer", {"phone": phone}),
            calls("get_line", {"customer_number": customer}),
            says("Please check the cable and plug it in if it is loose."),
            calls("get_line", {"customer_number": customer}),
            says("Your router is connected again."),
            says("You are welcome."),
        ],
    )


def judge(world: DomainWorld, task: DialogueTaskRow, row: DialogueRow) -> Trajectory:
    return Trajectory(row, task, tuple(world.tools))


def test_both_sides_change_one_state(world: DomainWorld, task: DialogueTaskRow):
    row, _ = play_well(world, task)
    assert row.ending == "task_complete"
    assert row.final_digest == task.goal_digest and row.changes == task.goal_changes
    records = orjson.loads(row.calls)
    assert [(record["side"], record["tool"]) for record in records] == [
        ("assistant", "find_customer"),
        ("assistant", "get_line"),
        ("user", "check_cable"),
        ("user", "plug_in_cable"),
        ("assistant", "get_line"),
    ]
    assert orjson.loads(records[1]["result"])["connected"] is False
    assert orjson.loads(records[4]["result"])["connected"] is True


def test_the_assistant_neither_sees_nor_is_offered_the_users_side(world: DomainWorld, task: DialogueTaskRow):
    row, models = play_well(world, task)
    for request in models.requests:
        names = [tool["function"]["name"] for tool in request.tools]
        if request.role == "assistant":
            assert names == ["find_customer", "get_line", "reset_line", "update_firmware", "order_replacement"]
    text = row.messages
    assert "plug_in_cable" not in text and "line_cable" not in text
    assert row.turns == len(orjson.loads(row.messages)) - 1


def test_the_person_is_told_what_they_did_and_saw(world: DomainWorld, task: DialogueTaskRow):
    _, models = play_well(world, task)
    told = [request.messages[-1]["content"] or "" for request in models.requests if request.role == "user_simulator"]
    assert '"line_cable":"loose"' in told[1] and '"action":"plug_in_cable"' in told[1]
    assert "plug_in_cable" not in told[0] and "plug_in_cable" not in told[2]
    later = [request for request in models.requests if request.role == "user_simulator"][2]
    assert any("plug_in_cable" in (message["content"] or "") for message in later.messages)
    hands = [request.messages[-1]["content"] or "" for request in models.requests if request.role == "user_operator"]
    assert "check the cable" in hands[0] and "check_cable" in hands[1]


def test_a_replay_repeats_both_sides_and_the_rules_hold(world: DomainWorld, task: DialogueTaskRow):
    row, _ = play_well(world, task)
    trajectory = judge(world, task, row)
    assert replay_calls(trajectory, world.base).match == "match"
    assert [finding for finding in check_rules(trajectory) if finding.layer == "rules" and finding.blocks] == []
    records = orjson.loads(row.calls)
    records[2]["result"] = '{"line_cable":"plugged in"}'
    forged = row.model_copy(update={"calls": orjson.dumps(records).decode()})
    assert replay_calls(judge(world, task, forged), world.base).match == "mismatch"


def test_the_assistant_cannot_reach_the_device(world: DomainWorld, task: DialogueTaskRow):
    _, serial, _ = details(task)
    row, _ = play(
        world,
        task,
        [speak("My internet is down."), speak("Thanks!", True)],
        [NONE, NONE],
        [calls("plug_in_cable", {"serial": serial}), says("I cannot do that from here."), says("Bye.")],
    )
    (record,) = orjson.loads(row.calls)
    assert record["error"] == "unknown_tool"
    assert row.final_digest == task.start_digest
    codes = [finding.code for finding in check_rules(judge(world, task, row))]
    assert "unknown_tool" in codes


def test_what_the_person_gets_wrong_is_theirs(world: DomainWorld, task: DialogueTaskRow):
    row, _ = play(
        world,
        task,
        [speak("My internet is down."), speak("I tried."), speak("Thanks!", True)],
        [{"action": "plug_in_cable", "arguments": []}, NONE, NONE],
        [says("Please plug the cable in."), says("Let us leave it at that."), says("Bye.")],
    )
    (record,) = orjson.loads(row.calls)
    assert record["error"] == "invalid_arguments" and record["side"] == "user"
    faults = {finding.fault for finding in check_rules(judge(world, task, row)) if finding.code == "invalid_arguments"}
    assert faults == {"user_simulator"}


def test_actions_end_at_a_bound_at_a_repetition_and_at_what_does_not_exist(world: DomainWorld, task: DialogueTaskRow):
    _, serial, _ = details(task)

    def count(hands: list[dict[str, Any]]) -> int:
        row, _ = play(
            world,
            task,
            [speak("My internet is down."), speak("Thanks!", True)],
            [*hands, NONE],
            [says("Please have a look at the router."), says("Bye.")],
        )
        return len(orjson.loads(row.calls))

    assert count([act("read_lights", serial), act("read_lights", serial)]) == 1
    assert count([act("kick_router", serial)]) == 0
    assert count([act("find_customer", serial)]) == 0
    many = [act(name, serial) for name in ("read_lights", "check_cable", "plug_in_cable", "restart_router")]
    assert count([*many, act("press_wifi_button", serial)]) == MOST_ACTIONS == 4


def test_text_becomes_what_parameters_want(world: DomainWorld):
    tool = world.tools[0].model_copy(
        update={
            "spec": {
                "type": "function",
                "function": {
                    "name": "x",
                    "description": "x",
                    "parameters": {
                        "type": "object",
                        "properties": {"n": {"type": "integer"}, "b": {"type": "boolean"}, "l": {"type": "array"}},
                    },
                },
            }
        }
    )
    given = [
        ActionArgument(name="n", value="12"),
        ActionArgument(name="b", value="Yes"),
        ActionArgument(name="l", value="[" * 5000),
        ActionArgument(name="s", value="12"),
    ]
    assert read_arguments(tool, given) == {"n": 12, "b": True, "l": "[" * 5000, "s": "12"}


def test_the_embedded_player_does_what_it_is_asked_and_no_more(world: DomainWorld, task: DialogueTaskRow):
    tools = [tool for tool in world.tools if tool.side == "user"]
    system = user_operator.system_prompt(tools, [KnownDetail(label="router serial number", value="RX-1")])

    def decide(answer: str, *done: str) -> dict[str, Any]:
        steps = [{"action": name, "arguments": {}, "seen": {}} for name in done]
        user = prompts.render("user_operator", "user", answer=prompts.data_block("answer", answer), done=steps)
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        return player.reply(Request({"messages": messages}, 0, 0.0))

    asked = "Please look at the lights on the front of the router. Could you then restart the router?"
    assert decide(asked) == {"action": "read_lights", "arguments": [{"name": "serial", "value": "RX-1"}]}
    assert decide(asked, "read_lights")["action"] == "restart_router"
    assert decide(asked, "read_lights", "restart_router") == NONE
    assert decide("Can you run a speed test on a computer at home?")["action"] == "run_speed_test"
    assert decide("The router is connected again. Is there anything else?") == NONE
    assert decide("Could you tell me your phone number?") == NONE


def test_without_tools_of_the_users_side_nobody_is_asked(tmp_path: Path):
    shop = open_world(tmp_path, RETAIL, RETAIL_DATABASE)
    slot = shop.slot(1)
    task = shop.task(slot, draw_domain_plan(slot, shop.base.seed, shop.tools, shop.base, 0))
    row, models = play(
        shop, task, [speak("Hello, I need help."), speak("Thanks!", True)], [], [says("What is it?"), says("Bye.")]
    )
    assert row.ending == "task_complete"
    assert {request.role for request in models.requests} == {"user_simulator", "assistant"}
    system = orjson.loads(row.messages)[0]["content"]
    assert system.startswith(shop.base.policy) and task.reference_time in system
