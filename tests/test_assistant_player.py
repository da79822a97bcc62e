"""The embedded assistant: from plain words to calls, and from results to plain words."""

import json

from players import SPECS, Chat, World

from turnwright.selfplay import assistant
from turnwright.selfplay.request import Request


def test_it_looks_an_id_up_and_reports_what_was_asked() -> None:
    chat = Chat()
    answer = chat.say("Could you tell me the earnings and the country of the player named Nick Price?")
    assert chat.world.calls == [
        ("search_players_by_name", {"player_name": "Nick Price"}),
        ("get_player", {"player_id": 1}),
    ]
    assert "1478557" in answer and "Zimbabwe" in answer
    assert "player_id" not in answer and "{" not in answer


def test_it_follows_a_chain_of_look_ups() -> None:
    answer = (chat := Chat()).say("What is the manufacturer of the club of the player whose name is Paul Azinger?")
    assert "Umbro" in answer
    assert chat.steps >= 3


def test_that_one_points_at_the_last_record() -> None:
    chat = Chat()
    chat.say("I'd like to know the country of the player named Greg Norman.")
    made = len(chat.world.calls)
    answer = chat.say("Thanks. Could you also tell me the earnings of it?")
    assert "1359653" in answer
    assert all(name != "search_players_by_name" for name, _ in chat.world.calls[made:])


def test_it_asks_for_what_only_the_user_knows() -> None:
    chat = Chat()
    question = chat.say("I need to change the earnings of the player named David Frost.")
    assert question.endswith("?") and "earnings" in question
    assert chat.world.calls == []
    answer = chat.say("The earnings should be 990000.")
    if answer.endswith("?"):
        answer = chat.say("Yes, please go ahead.")
    assert "990000" in answer
    assert chat.world.rows("SELECT earnings FROM player WHERE player_id = 4") == [(990000,)]


def test_it_asks_before_it_deletes_and_takes_no_for_an_answer() -> None:
    chat = Chat()
    question = chat.say("Please remove the player named David Frost.")
    assert question.endswith("?") and "David Frost" in question
    answer = chat.say("No, leave it.")
    assert not answer.endswith("?")
    assert len(chat.world.rows("SELECT * FROM player")) == 4
    chat = Chat()
    chat.say("Please remove the player named David Frost.")
    chat.say("Yes, please go ahead.")
    assert chat.world.rows("SELECT name FROM player WHERE player_id = 4") == []


def test_it_adds_a_record_for_another_one() -> None:
    chat = Chat()
    answer = chat.say(
        "Please add a new player with the name Ada Moss, the country Ireland and the earnings 5000, "
        "for the club named Chelsea."
    )
    if answer.endswith("?"):
        answer = chat.say("Yes, exactly.")
    assert chat.world.rows("SELECT name, country, earnings, club_id FROM player WHERE player_id > 4") == [
        ("Ada Moss", "Ireland", 5000, 5)
    ]
    assert "Ada Moss" in answer


def test_several_records_are_looked_up_at_once() -> None:
    chat = Chat()
    answer = chat.say(
        "What is the country of the player named Nick Price, of the player named Greg Norman "
        "and of the player named David Frost?"
    )
    assert len(chat.messages[2]["tool_calls"]) == 3
    assert all(country in answer for country in ("Zimbabwe", "Australia", "South Africa"))


def test_a_list_is_told_row_by_row() -> None:
    chat = Chat()
    answer = chat.say("Please show me the players of the club named Arsenal.")
    assert "Nick Price" in answer and "David Frost" in answer and "1030717" in answer
    assert "Greg Norman" not in answer


def test_a_correction_replaces_the_value() -> None:
    chat = Chat()
    chat.say("Please show me the players of one country, for the country Australia.")
    answer = chat.say("Sorry, I meant Zimbabwe as the country, not Australia.")
    assert chat.world.calls[-1] == ("list_players_by_country", {"country": "Zimbabwe"})
    assert "Nick Price" in answer and "Greg Norman" not in answer


def test_it_says_so_when_nothing_is_found() -> None:
    chat = Chat()
    answer = chat.say("What is the country of the player named Tiger Woods?")
    assert "Tiger Woods" in answer
    assert not any(country in answer for _, _, country, *_ in [(1, "", "Zimbabwe"), (2, "", "Australia")])


def test_a_transient_fault_is_tried_once_more() -> None:
    world = World(faults={"search_players_by_name": ["timeout"]})
    answer = Chat(world).say("Could you tell me the country of the player named Nick Price?")
    assert "Zimbabwe" in answer
    world = World(faults={"search_players_by_name": ["unavailable", "unavailable"]})
    chat = Chat(world)
    answer = chat.say("Could you tell me the country of the player named Nick Price?")
    assert "Zimbabwe" not in answer and "again" in answer
    assert "Zimbabwe" in chat.say("Could you try again, please?")


def test_it_declines_what_no_tool_does() -> None:
    for wish in (
        "book a table for four at a restaurant nearby",
        "check what the weather will be like at the weekend",
        "play some quiet music",
    ):
        chat = Chat()
        answer = chat.say(f"Great, thank you. By the way, could you also {wish}?")
        assert chat.world.calls == [], wish
        assert "I can" in answer or "can do" in answer


def test_thanks_are_answered_without_a_call() -> None:
    chat = Chat()
    chat.say("What is the country of the player named Nick Price?")
    made = len(chat.world.calls)
    answer = chat.say("Thank you, that's all I needed.")
    assert len(chat.world.calls) == made and "?" not in answer


def test_replies_depend_on_the_conversation_alone() -> None:
    first, second = Chat(seed=3), Chat(seed=3)
    for chat in (first, second):
        chat.say("Please give me the earnings of the player named Nick Price.")
    assert first.messages == second.messages
    assert Chat(seed=4).say("hello") is not None


def test_mistakes_come_at_their_rate_and_are_real() -> None:
    def outcomes(rate: float) -> tuple[int, int]:
        wrong_state = wrong_report = 0
        for number in range(30):
            chat = Chat(mistake_rate=rate, now=f"{number} o'clock")
            answer = chat.say("Please set the earnings of the player named David Frost to 77000.")
            if answer.endswith("?"):
                chat.say("Yes, please go ahead.")
            wrong_state += chat.world.rows("SELECT earnings FROM player WHERE player_id = 4") != [(77000,)]
            report = chat.say("Could you tell me the earnings of the player named Nick Price?")
            wrong_report += "1478557" not in report
        return wrong_state, wrong_report

    assert outcomes(0.0) == (0, 0)
    wrong_state, wrong_report = outcomes(1.0)
    assert wrong_state >= 8 and wrong_report >= 3
    assert wrong_state + wrong_report <= 30


def test_call_ids_are_unique_and_arguments_fit() -> None:
    chat = Chat()
    chat.say("What is the country of the player named Nick Price and of the player named Greg Norman?")
    chat.say("I'd like to know the manager of the club named Chelsea.")
    ids = [call["id"] for message in chat.messages for call in message.get("tool_calls", [])]
    assert len(set(ids)) == len(ids)


def test_without_tools_it_pretends_nothing() -> None:
    body = {"messages": [{"role": "user", "content": "Can you tell me the earnings of Nick Price?"}]}
    reply = assistant.reply(Request(body, 0, 0.0))
    assert "tool_calls" not in reply
    assert not any(character.isdigit() for character in reply["content"])


def test_text_that_is_no_json_in_a_result_is_survived() -> None:
    messages = [
        {"role": "user", "content": "What is the country of the player named Nick Price?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {
                        "name": "search_players_by_name",
                        "arguments": json.dumps({"player_name": "Nick Price"}),
                    },
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Internal error <html>"},
    ]
    reply = assistant.reply(Request({"messages": messages, "tools": SPECS}, 0, 0.0))
    assert reply.get("content") or reply.get("tool_calls")
