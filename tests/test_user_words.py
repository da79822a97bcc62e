"""What the user says besides a request: planted bad answers, wishes, reactions and farewells are found."""

import pytest
from stateless_world import TOOLS, call, errand, persona

from turnwright.roles.requester import ask_for_answer, ask_for_farewell, ask_for_request, ask_for_wish
from turnwright.selfplay.request import Request, read_blocks
from turnwright.selfplay.requester import reply
from turnwright.stateless.plans import Problem
from turnwright.stateless.user_words import check_answer, check_farewell, check_reaction, check_wish, check_withheld
from turnwright.stateless.withholding import Withheld

WITHHELD = Withheld("c1", "order_code", "order code", "", "W12")
HEARD = ["Could you show an order with its total?", "What is the order code?"]
TAXI = "order a taxi for tomorrow morning"
NOW = "2025-03-10T10:00:00"


def codes(problems: list[Problem]) -> set[str]:
    return {problem.code for problem in problems}


def test_a_request_that_says_the_value_all_the_same_is_found() -> None:
    assert codes(check_withheld("Show me the order w12.", WITHHELD)) == {"withheld_said"}
    assert check_withheld("Show me the order W123.", WITHHELD) == []
    four = Withheld("c1", "nights", "nights", "", 4)
    assert codes(check_withheld("Book it for four nights.", four)) == {"withheld_said"}


@pytest.mark.parametrize("text", ["It's W12.", "w12, sorry", "The order code is W12, thanks."])
def test_good_answers_break_no_rule(text: str) -> None:
    assert codes(check_answer(text, WITHHELD, TOOLS, HEARD)) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I do not know it.", "missing_literal"),
        ("It is W13.", "missing_literal"),
        ("It's W12, isn't it?", "asks_back"),
        ("It's W12, with 77 pieces.", "invented_value"),
        ("It's W12 for get_order.", "tool_name"),
        ("order_code is W12.", "identifier"),
        ("It's W12. How can I help you?", "speaks_as_assistant"),
        ("It's W12." + " Yes." * 200, "overlong_answer"),
    ],
)
def test_planted_bad_answers_are_found(text: str, code: str) -> None:
    assert code in codes(check_answer(text, WITHHELD, TOOLS, HEARD))


def test_a_wish_that_is_not_made_is_found() -> None:
    assert check_wish("Can you order me a taxi for the morning?", TAXI, TOOLS, []) == []
    assert codes(check_wish("Can you order me a pizza?", TAXI, TOOLS, [])) == {"wish_missing"}
    planned = [call("c1", "delete_message", message_id="M-1", reason="too early")]
    assert check_wish("Retract the note M-1: too early.", "take a note back", TOOLS, planned) == []
    assert codes(check_wish("Do it, M-1: too early.", "take a note back", TOOLS, planned)) == {"wish_missing"}


ANSWER = "The total is 99.5 and the status is shipped."


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("Good that it is shipped. Send a note with the subject Total.", True),
        ("99.5, then. Send a note with the subject Total.", True),
        ("Send a note with the subject Total.", False),
        ("Next, please send a note to that colleague, subject Total.", False),
    ],
)
def test_a_reaction_takes_up_what_the_plan_does_not_say_anyway(text: str, passes: bool) -> None:
    problems = check_reaction(text, ANSWER, errand()[2:], [], TOOLS)
    assert codes(problems) == (set() if passes else {"no_reaction"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Thanks, that's all.", set[str]()),
        ("Perfect, I appreciate that. Bye!", set[str]()),
        ("Thanks! Could you also show the order?", {"asks_more"}),
        ("Thanks, please go on.", {"asks_more"}),
        ("The order is big.", {"no_farewell"}),
        ("Thanks for the 812 orders.", {"invented_value"}),
        ("Thanks. " * 60, {"overlong_farewell"}),
        ("Thanks for get_order.", {"tool_name"}),
    ],
)
def test_farewells(text: str, found: set[str]) -> None:
    assert codes(check_farewell(text, TOOLS, HEARD)) == found


def test_a_value_that_is_left_out_is_not_shown_to_who_writes_the_request() -> None:
    """The requester gets the calls without the argument; the answer's prompt has it."""
    answer = ask_for_answer("Show an order.", "What is the order code?", "order code", "W12", persona())
    assert read_blocks(str(answer[1]["content"]))["detail"] == {"label": "order code", "value": "W12"}
    request = ask_for_request([call("c1", "get_order")], [], TOOLS, persona(), NOW, [])
    assert "W12" not in str(request[1]["content"])


def test_a_reactive_user_is_shown_the_last_answer_and_only_where_there_is_one() -> None:
    said = [("Show it.", "First."), ("And then?", ANSWER)]
    reactive = ask_for_request(errand()[2:], [], TOOLS, persona(), NOW, said, reactive=True)
    assert read_blocks(str(reactive[1]["content"]))["answer"] == ANSWER
    assert ask_for_request(errand()[2:], [], TOOLS, persona(), NOW, [], reactive=True) == ask_for_request(
        errand()[2:], [], TOOLS, persona(), NOW, []
    )


def play(messages: object, mistakes: float = 0.0) -> list[str]:
    return [reply(Request({"messages": messages, "seed": seed}, 0, mistakes))["request"] for seed in range(25)]


def test_the_player_answers_reacts_wishes_and_closes() -> None:
    answer = ask_for_answer("Show an order.", "What is the order code?", "order code", "W12", persona())
    texts = play(answer)
    assert [codes(check_answer(text, WITHHELD, TOOLS, HEARD)) for text in texts] == [set()] * len(texts)
    assert len(set(texts)) >= 3
    assert all(check_answer(text, WITHHELD, TOOLS, HEARD) for text in play(answer, 1.0))
    farewells = play(ask_for_farewell(persona(), [("Show it.", ANSWER)]))
    assert [codes(check_farewell(text, TOOLS, [ANSWER])) for text in farewells] == [set()] * len(farewells)
    assert len(set(farewells)) >= 3
    wishes = play(ask_for_wish(TAXI, persona(), NOW, [("Show it.", ANSWER)], reactive=True))
    assert not any(check_wish(text, TAXI, TOOLS, []) for text in wishes)
    assert not any(check_reaction(text, ANSWER, [], [TAXI], TOOLS) for text in wishes)
