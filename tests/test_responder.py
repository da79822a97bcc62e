"""The responder: what it is shown, and that the checks find planted bad questions, refusals and goodbyes."""

from typing import Any

import pytest
from stateless_world import TOOLS, call

from turnwright.roles.responder import ask_for_decline, ask_for_goodbye, ask_for_question
from turnwright.selfplay.request import Request
from turnwright.selfplay.responder import reply
from turnwright.stateless.plans import Problem
from turnwright.stateless.responses import check_decline, check_declined, check_goodbye, check_question
from turnwright.stateless.withholding import Withheld

WITHHELD = Withheld("c3", "subject", "message subject", "What the note is about.", "Total")
COUNTED = Withheld("c1", "nights", "booking nights", "", 4)
HEARD = ["Could you send a note to Priya, for W12 and 3 copies?"]


def codes(problems: list[Problem]) -> set[str]:
    return {problem.code for problem in problems}


@pytest.mark.parametrize(
    "text",
    [
        "What should the subject of the note be?",
        "Happy to send that to Priya. Which subject would you like?",
        "Sure. What is the message subject for the 3 copies?",
        "¿What is the message subject？",
    ],
)
def test_good_questions_break_no_rule(text: str) -> None:
    assert codes(check_question(text, WITHHELD, TOOLS, HEARD)) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Please give me the subject.", "asks_nothing"),
        ("Which subject? Which colleague? And which order?", "too_many_questions"),
        ("Should the subject be Total?", "gives_value"),
        ("Which city is the colleague in?", "asks_otherwise"),
        ("What is the subject for send_message?", "tool_name"),
        ("What is the message_subject?", "identifier"),
        ('What is the subject? {"subject": null}', "shows_machinery"),
        ("What is the subject, for the 17 copies?", "invented_value"),
        ("I have sent the note already. What was the subject?", "claims_deed"),
        ("", "empty_response"),
        ("What is the subject?" + " Please." * 200, "overlong_response"),
    ],
)
def test_planted_bad_questions_are_found(text: str, code: str) -> None:
    assert code in codes(check_question(text, WITHHELD, TOOLS, HEARD))


@pytest.mark.parametrize("text", ["Is it 4 nights?", "Shall I take four nights?", "How many nights, 4.0?"])
def test_a_question_gives_a_value_away_in_any_form(text: str) -> None:
    assert "gives_value" in codes(check_question(text, COUNTED, TOOLS, []))


@pytest.mark.parametrize(
    "text",
    [
        "I'm afraid I can't order a taxi. What I can do is show you an order with its total.",
        "Sorry, taking a note back is not something I can do here. I can send a new one instead.",
    ],
)
def test_good_refusals_break_no_rule(text: str) -> None:
    assert codes(check_decline(text, TOOLS, HEARD)) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sure! I can also show you an order.", "not_declined"),
        ("I've ordered the taxi. I can also show you an order.", "claims_deed"),
        ("I can't do that. I'll order one for you tomorrow.", "claims_deed"),
        ("I can't do that.", "offers_nothing"),
        ("I can't do that. Shall I show the order instead?", "asks_back"),
        ("I can't do that, but I can use get_order instead.", "tool_name"),
        ("I can't do that. Instead, call 555 0199.", "invented_value"),
    ],
)
def test_planted_bad_refusals_are_found(text: str, code: str) -> None:
    assert code in codes(check_decline(text, TOOLS, HEARD))


def test_a_request_that_a_tool_can_meet_is_not_declined() -> None:
    assert codes(check_declined([call("c1", "get_order", order_code="W12")])) == {"can_be_met"}
    assert check_declined([]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("You're welcome, you're all set!", set[str]()),
        ("Anything else?", {"asks_back"}),
        ("Bye! The total was 99.", {"invented_value"}),
        ("Bye! " * 80, {"overlong_response"}),
    ],
)
def test_a_goodbye_is_short_and_asks_nothing(text: str, found: set[str]) -> None:
    assert codes(check_goodbye(text, TOOLS, HEARD)) == found


def test_hostile_text_is_judged_and_never_raises() -> None:
    for text in ("\x00?" * 300, "(" * 5_000, "9" * 4_000, "\u202e subject?", "1e999?"):
        assert isinstance(check_question(text, WITHHELD, TOOLS, HEARD), list)
        assert isinstance(check_decline(text, TOOLS, HEARD), list)


def test_its_prompts_hold_no_value_and_no_name_of_a_tool() -> None:
    asked = ask_for_question("Send a note to Priya.", [("Hello", "Hi")], WITHHELD.label, WITHHELD.about)
    declined = ask_for_decline("Order a taxi.", [], list(TOOLS.values()))
    said = "".join(str(message["content"]) for message in (*asked, *declined))
    assert '"Total"' not in said
    assert not any(name in said for name in TOOLS)
    assert "Show an order with its total" in said


def play(messages: Any, mistakes: float, seeds: int = 25) -> list[str]:
    return [reply(Request({"messages": messages, "seed": seed}, 0, mistakes))["response"] for seed in range(seeds)]


def test_the_player_passes_varies_and_errs_at_the_mistake_rate() -> None:
    def check_asked(text: str) -> list[Problem]:
        return check_question(text, WITHHELD, TOOLS, HEARD)

    def check_declining(text: str) -> list[Problem]:
        return check_decline(text, TOOLS, HEARD)

    def check_parting(text: str) -> list[Problem]:
        return check_goodbye(text, TOOLS, HEARD)

    question = ask_for_question("Send a note.", [], WITHHELD.label, WITHHELD.about)
    refusal = ask_for_decline("Order a taxi.", [], list(TOOLS.values()))
    goodbye = ask_for_goodbye("Thanks!", [])
    for messages, check, least in (
        (question, check_asked, 5),
        (refusal, check_declining, 10),
        (goodbye, check_parting, 3),
    ):
        careful = play(messages, 0.0)
        assert [codes(check(text)) for text in careful] == [set()] * len(careful)
        assert len(set(careful)) >= least
        assert all(check(text) for text in play(messages, 1.0))
