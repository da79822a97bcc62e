"""The rules inside a dialogue: each on a dialogue that breaks only it, and none on a clean one."""

from collections.abc import Callable
from typing import Any

import pytest
from playing import (
    ASK,
    BYE,
    CONFIG,
    DONE,
    LOOK_UP,
    MOVE,
    MOVED,
    TELL,
    Done,
    Insists,
    earnings_dialogue,
    make_task,
    move_dialogue,
    play,
    tamper,
    trajectory,
)

from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.models.scripted import calls, calls_all, says
from turnwright.validation.rules import check_rules

MOVING = make_task((MOVE,), (MOVED,))
Edit = Callable[[list[Any], list[Any]], Any]


def codes(row: DialogueRow, task: DialogueTaskRow | None = None) -> set[tuple[str, bool]]:
    return {(finding.code, finding.blocks) for finding in check_rules(trajectory(row, task))}


def talk(*, ask: str = ASK, tell: str = "Nina Petrov has earned 1,200,000.", thank: str = DONE) -> DialogueRow:
    return play([ask, Done(thank)], [LOOK_UP, says(tell), BYE])


def test_clean_dialogues_break_no_rule() -> None:
    assert codes(earnings_dialogue()) == set()
    assert codes(move_dialogue(), MOVING) == set()
    both = calls_all(("find_player", {"name": "Ann"}), ("find_player", {"name": "Nina Petrov"}))
    assert codes(play([ASK, DONE], [both, TELL, BYE])) == set()


def drop_result(messages: list[Any], records: list[Any]) -> None:
    del messages[3]


def swap_ids(messages: list[Any], records: list[Any]) -> None:
    messages[3]["tool_call_id"] = "other"


def repeat_id(messages: list[Any], records: list[Any]) -> None:
    for message in (*messages[4]["tool_calls"], messages[5], records[1]):
        key = "tool_call_id" if "tool_call_id" in message else "call_id" if "call_id" in message else "id"
        message[key] = records[0]["call_id"]


def forge_result(messages: list[Any], records: list[Any]) -> None:
    messages[3]["content"] = "[]"


def forge_arguments(messages: list[Any], records: list[Any]) -> None:
    messages[2]["tool_calls"][0]["function"]["arguments"] = '{"name":"Ann"}'


def speak_twice(messages: list[Any], records: list[Any]) -> None:
    messages.append({"role": "assistant", "content": "Goodbye!"})


def stop_on_user(messages: list[Any], records: list[Any]) -> None:
    del messages[-1]


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (drop_result, {"unpaired_call", "role_order", "record_mismatch"}),
        (swap_ids, {"unpaired_call", "unpaired_result", "record_mismatch"}),
        (forge_result, {"record_mismatch"}),
        (forge_arguments, {"record_mismatch"}),
        (speak_twice, {"role_order"}),
        (stop_on_user, {"role_order"}),
    ],
)
def test_a_broken_form_is_found(edit: Edit, found: set[str]) -> None:
    assert codes(tamper(earnings_dialogue(), edit)) == {(code, True) for code in found}


def test_two_calls_with_one_id_are_found() -> None:
    assert ("repeated_id", True) in codes(tamper(move_dialogue(), repeat_id), MOVING)


def test_another_ending_than_completion_blocks() -> None:
    row = play([ASK, "And Ann?", "And Omar?"], [LOOK_UP, TELL] * 3, config=limit_turns(6))
    (finding,) = check_rules(trajectory(row))
    assert (finding.code, finding.blocks, finding.fault) == ("ended_turn_limit", True, "user_simulator")


def limit_turns(turns: int) -> Any:
    return CONFIG.model_copy(update={"limits": CONFIG.limits.model_copy(update={"turns": turns})})


def test_an_unknown_tool_blocks() -> None:
    assert codes(play([ASK, DONE], [calls("nobody", {}), LOOK_UP, TELL, BYE])) == {("unknown_tool", True)}


def test_bad_arguments_block_unless_mended() -> None:
    bad = calls("find_player", {"name": 5})
    assert codes(play([ASK, DONE], [bad, LOOK_UP, TELL, BYE])) == {("invalid_arguments", False)}
    assert codes(play([ASK, DONE], [bad, TELL, BYE])) == {("invalid_arguments", True)}


def test_the_same_call_a_third_time_blocks() -> None:
    assert codes(play([ASK, DONE], [LOOK_UP, LOOK_UP, TELL, BYE])) == {("repeated_call", False)}
    assert ("repeated_call", True) in codes(play([ASK, DONE], [LOOK_UP, LOOK_UP, LOOK_UP, TELL, BYE]))


def test_a_call_is_repeated_with_reason_after_a_question_or_a_write() -> None:
    again = play([ASK, "Can you check that again?", DONE], [LOOK_UP, TELL, LOOK_UP, says("Still 1,200,000."), BYE])
    assert codes(again) == set()
    omar = calls("find_player", {"name": "Omar Haddad"})
    move = calls("move_player", {"player_id": 2, "home_town": "Bath"})
    checked = play(["Move Omar Haddad to Bath.", DONE], [omar, move, omar, says("He is in Bath."), BYE], task=MOVING)
    assert codes(checked, MOVING) == set()


def test_a_loop_of_messages_blocks() -> None:
    row = play(["Hello", Insists("Hello"), Insists("Hello"), DONE], [says(f"Hello {n}!") for n in range(3)] + [BYE])
    assert ("repeated_message", True) in codes(row)


def test_an_early_completion_that_was_passed_over_is_only_counted() -> None:
    row = play([Done("Earnings of Nina Petrov please."), DONE], [LOOK_UP, TELL, BYE])
    assert codes(row) == {("early_completion", False)}


def test_an_end_in_the_middle_of_an_action_blocks() -> None:
    row = play(
        ["Move Omar Haddad.", "To Bath, thanks.", DONE],
        [
            says("Where to?"),
            calls("find_player", {"name": "Omar Haddad"}),
            calls("move_player", {"player_id": 2, "home_town": "Bath"}),
            says("Done."),
            BYE,
        ],
        task=MOVING,
    )

    def cut(messages: list[Any], records: list[Any]) -> None:
        del messages[-2:]

    assert codes(tamper(row, cut), MOVING) == {("premature_completion", True)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Please use find_player for Nina Petrov", "identifier"),
        ("What is the home_town of Nina Petrov?", "identifier"),
        ('Give me {"name": "Nina Petrov"}', "json"),
        ("The user simulator wants the earnings of Nina Petrov.", "behind_the_scenes"),
        ("Nina Petrov it is. How can I assist you today?", "role_swap"),
        ("Maria wants to find out the earnings of Nina Petrov.", "third_person"),
        ("How much has the player with ID 1 earned?", "surrogate_key"),
        ("How much has #1 earned?", "surrogate_key"),
        ("Did Nina Petrov earn 1200000?", "unknown_value"),
        ("I would like to know the", "truncated_message"),
        ("Say exactly what the assistant has to do for me.", "behind_the_scenes"),
        ("<think> Nina Petrov", "markup"),
    ],
)
def test_a_user_who_is_no_person_blocks(text: str, code: str) -> None:
    slips = code in ("behind_the_scenes", "role_swap", "third_person")
    assert codes(talk(ask=Insists(text) if slips else text)) == {(code, True)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The earnings are 1,200,000 and", "truncated_message"),
        ('I found {"earnings": 1200000}.', "json"),
        ("<think>hm</think> It is 1,200,000.", "markup"),
        ("Never guess or make up a value, an id or a result. It is 1,200,000.", "leaked_prompt"),
    ],
)
def test_an_assistant_that_shows_the_machinery_blocks(text: str, code: str) -> None:
    assert codes(talk(tell=text)) == {(code, True)}


def test_an_empty_message_blocks() -> None:
    def empty(messages: list[Any], records: list[Any]) -> None:
        messages[4]["content"] = " "

    found = codes(tamper(earnings_dialogue(), empty))
    assert ("empty_message", True) in found


def test_the_user_may_say_what_the_assistant_has_shown() -> None:
    row = play(
        [ASK, "So the player with ID 1 has 1,200,000?", DONE],
        [LOOK_UP, says("Nina Petrov (ID 1) has earned 1,200,000."), says("Yes."), BYE],
    )
    assert codes(row) == set()


def test_findings_point_at_the_message_and_the_one_at_fault() -> None:
    (finding,) = check_rules(trajectory(talk(ask="How much has the player with ID 1 earned?")))
    assert (finding.message, finding.fault) == (1, "user_simulator")
