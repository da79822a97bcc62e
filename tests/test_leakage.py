"""Rules about what a user gives away, results that break their schema, and dialogues that cannot be read."""

import asyncio
import json
from typing import Any

import pytest
from playing import (
    ASK,
    BYE,
    CONFIG,
    DONE,
    EARNINGS,
    LOOK_UP,
    MOVE,
    MOVED,
    TELL,
    TOOLS,
    TOOLSET,
    Insists,
    club,
    earnings_dialogue,
    make_task,
    messages_of,
    move_dialogue,
    play,
    tamper,
)

from schemas.goals import KnownDetail, Objective
from schemas.rows import DialogueRow, DialogueTaskRow
from schemas.tools import Tool
from turnwright.models.scripted import ScriptedModels, says
from turnwright.validation.rules import check_rules
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.verdict import validate_dialogue

ROWS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "object", "required": ["name"], "properties": {"earnings": {"type": "number"}}},
}


def codes(row: DialogueRow, task: DialogueTaskRow, tools: tuple[Tool, ...] = TOOLS) -> set[tuple[str, bool]]:
    return {(finding.code, finding.blocks) for finding in check_rules(Trajectory(row, task, tools))}


def ask(text: str, task: DialogueTaskRow) -> set[tuple[str, bool]]:
    return codes(play([text, DONE], [LOOK_UP, TELL, BYE], task=task), task)


def extend(objective: Objective, *details: tuple[str, str]) -> Objective:
    known = [*objective.known_details, *(KnownDetail(label=label, value=value) for label, value in details)]
    return objective.model_copy(update={"known_details": tuple(known)})


def test_the_whole_goal_in_one_message_is_a_leak() -> None:
    task = make_task((EARNINGS, extend(MOVE, ("reason", "a new school"))))
    first = "How much has Nina Petrov earned?"
    assert ask(first, task) == set()
    whole = f"{first} And move Omar Haddad to Bath because of a new school."
    assert ("leaked_goal", True) in ask(whole, task)


def test_two_parts_of_a_longer_goal_are_no_leak() -> None:
    third = EARNINGS.model_copy(update={"known_details": (KnownDetail(label="name", value="Lena Quist"),)})
    task = make_task((EARNINGS, MOVE, third))
    assert ask("How much has Nina Petrov earned, and can you move Omar Haddad to Bath?", task) == set()
    many = "Earnings of Nina Petrov and Lena Quist, and move Omar Haddad to Bath."
    assert ("leaked_goal", True) in ask(many, task)


def test_more_than_two_requests_about_several_objectives_are_a_leak() -> None:
    task = make_task((EARNINGS, MOVE))
    two = "How much has Nina Petrov earned? And please move Omar Haddad to Bath."
    assert ask(two, task) == set()
    assert ("leaked_goal", True) in ask(f"{two} Could you also tell me where Omar lives now?", task)
    one = "How much has Nina Petrov earned? Could you look twice? I need it for a report, please."
    assert ask(one, task) == set()


def test_a_small_key_is_unknowable_where_it_is_said_as_one() -> None:
    task = make_task((MOVE,), (MOVED,))
    codes_of = {code for code, _ in ask("Please move Omar Haddad to Bath; his player id should be 2.", task)}
    assert {"surrogate_key", "unknown_value"} <= codes_of
    assert ask("Please move Omar Haddad to Bath, within 2 days.", task) == set()


def test_what_only_a_tool_gave_is_not_for_the_user_to_know() -> None:
    task = make_task((MOVE,), (MOVED,))
    hidden = play(["Please move Omar Haddad to Bath.", "Yes, player id 2.", DONE], [LOOK_UP, TELL, BYE, BYE], task=task)
    assert ("unknown_value", True) in codes(hidden, task)
    heard = says("I found Omar Haddad, player id 2. Shall I?")
    told = play(["Please move Omar Haddad to Bath.", "Yes, player id 2.", DONE], [LOOK_UP, heard, BYE, BYE], task=task)
    assert not {code for code, _ in codes(told, task)} & {"unknown_value", "surrogate_key"}


def test_instructions_are_what_the_system_message_says_wherever_it_stands() -> None:
    words = "You must always answer in the shortest way that is polite and true to the records."

    def put_first(messages: list[Any], records: list[Any]) -> None:
        messages[0] = {"role": "user", "content": words}
        messages[4]["content"] = f"{messages[4]['content']} {words}"

    assert "leaked_prompt" not in {code for code, _ in codes(tamper(earnings_dialogue(), put_first), make_task())}

    def put_later(messages: list[Any], records: list[Any]) -> None:
        put_first(messages, records)
        messages.append({"role": "system", "content": words})

    assert "leaked_prompt" in {code for code, _ in codes(tamper(earnings_dialogue(), put_later), make_task())}


def test_a_description_said_aloud_is_a_leak() -> None:
    assert ("leaked_goal", True) in ask(Insists(EARNINGS.description), make_task())


@pytest.mark.parametrize("reference", ["$call_1.player_id", "{{c1.name}}", "c1.player"])
def test_reference_syntax_is_no_speech(reference: str) -> None:
    found = {code for code, _ in ask(f"Earnings of Nina Petrov, that is {reference}", make_task())}
    assert "reference_syntax" in found


def test_an_assistant_that_names_its_tool_does_no_harm() -> None:
    row = play([ASK, DONE], [LOOK_UP, says("I used find_player: Nina Petrov has earned 1,200,000."), BYE])
    assert codes(row, make_task()) == {("tool_name", False)}


def test_an_answer_without_an_end_is_truncated() -> None:
    row = play([ASK, DONE], [LOOK_UP, says("Nina Petrov has earned 1,200,000. Her home town according to our"), BYE])
    assert ("truncated_message", True) in codes(row, make_task())
    listed = play([ASK, DONE], [LOOK_UP, says("She did well. Here it is:\n- Nina Petrov, earnings 1,200,000"), BYE])
    assert codes(listed, make_task()) == set()


def test_a_result_must_be_what_the_tool_promises() -> None:
    promised = (TOOLS[0].model_copy(update={"output_schema": ROWS}), *TOOLS[1:])
    assert codes(earnings_dialogue(), make_task(), promised) == set()

    def spoil(messages: list[Any], records: list[Any]) -> None:
        messages[3]["content"] = records[0]["result"] = '[{"name":"Nina Petrov","earnings":"1200000"}]'

    def cut(messages: list[Any], records: list[Any]) -> None:
        messages[3]["content"] = records[0]["result"] = '[{"name":"Nina'

    assert codes(tamper(earnings_dialogue(), spoil), make_task(), promised) == {("invalid_result", True)}
    assert codes(tamper(earnings_dialogue(), cut), make_task(), promised) == {("unreadable_result", True)}


def test_an_endless_message_blocks() -> None:
    row = play([ASK, DONE], [LOOK_UP, says("Nina Petrov has earned 1,200,000. " + "So it is. " * 5000), BYE])
    assert ("overlong_message", True) in codes(row, make_task())


BROKEN = [
    "null",
    "[]",
    "nope",
    "[1]",
    '[{"role":"user"}]',
    '[{"role":"wizard","content":"x"}]',
    '[{"role":"assistant","content":5}]',
    '[{"role":"assistant","content":null,"tool_calls":[{"id":"a"}]}]',
    "[" * 5000,
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_cannot_be_read_is_invalid_with_a_reason(text: str) -> None:
    models: Any = ScriptedModels({"judge": []})
    row = earnings_dialogue().model_copy(update={"messages": text})
    verdict = asyncio.run(validate_dialogue(row, make_task(), TOOLSET, club(), models, CONFIG))
    assert verdict.judgment == "invalid"
    assert verdict.reasons[0].startswith("rules.unreadable_dialogue: ")
    assert (verdict.replay, verdict.outcome) == ("unavailable", "unavailable")


def test_half_a_surrogate_pair_is_read_as_a_replacement() -> None:
    messages = messages_of(earnings_dialogue())
    messages[4]["content"] += " \ud800"
    row = earnings_dialogue().model_copy(update={"messages": json.dumps(messages)})
    trajectory = Trajectory(row, make_task(), TOOLS)
    assert trajectory.problem is None
    assert str(trajectory.messages[4]["content"]).endswith("\ufffd")
    assert check_rules(trajectory) == []


def test_a_clean_dialogue_is_still_clean() -> None:
    assert codes(move_dialogue(), make_task((MOVE,), (MOVED,))) == set()
