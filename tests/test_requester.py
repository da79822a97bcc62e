"""The requester: what it is shown, and that its checks find planted bad requests."""

import math

import pytest
from stateless_world import NOW, TOOLS, call, errand, persona

from turnwright.roles.requester import ask_for_request
from turnwright.selfplay.request import Request, read_blocks
from turnwright.selfplay.requester import reply
from turnwright.stateless.request_checks import check_request, list_required, measure_order

HIDDEN, EXPLICIT = errand()[:2], errand()[2:]
GOOD = (
    "Could you send a note with the subject Total and the sum of the order in it? It goes to Priya in Leeds, for W12."
)


def codes(text: str, *, first: bool = True) -> set[str]:
    return {problem.code for problem in check_request(text, EXPLICIT, HIDDEN, TOOLS, first=first, now=NOW)}


def test_a_good_request_breaks_no_rule() -> None:
    assert codes(GOOD) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Could you send a note with the subject Total? It goes to Priya in Leeds.", "missing_literal"),
        (
            "Please find the employee Priya in Leeds, then send her a note with the subject Total for W12.",
            "hidden_named",
        ),
        ("Please send a note with the subject Total to Priya in Leeds. Get the order W12 for that.", "hidden_named"),
        ("Priya is in Leeds and the code is W12. Could you send a note with the subject Total?", "hidden_first"),
        ("Please call send_message with the subject Total for Priya in Leeds and W12.", "tool_name"),
        ("Please send a note with the subject Total, with employee_id of Priya in Leeds, for W12.", "identifier"),
        ("Please send a note with the subject Total to $c1.employee of Priya in Leeds for W12.", "reference_syntax"),
        ("I sent a note with the subject Total to Priya in Leeds for W12.", "tense"),
        ("Send a note, subject Total, to Priya in Leeds for W12. It will be sent on 2024-01-05.", "tense"),
        ("Send a note, subject Total, to Priya in Leeds for W12, for next week, 2024-01-05.", "tense"),
        ("Send a note, subject Total, to Priya in Leeds for W12. I had asked, it was on 2025-12-01.", "tense"),
        ("How can I help you with the subject Total for Priya in Leeds and W12?", "speaks_as_assistant"),
        ("   ", "empty_request"),
        (GOOD + " please" * 400, "overlong_request"),
    ],
)
def test_planted_faults_are_found(text: str, code: str) -> None:
    assert code in codes(text)


def test_a_next_thing_to_do_is_no_time_to_come() -> None:
    assert "tense" not in codes(f"Next, about the note of 2024-01-05: {GOOD}")


def test_order_counts_on_the_first_turn_alone() -> None:
    swapped = "Priya is in Leeds and the code is W12. Could you send a note with the subject Total?"
    assert codes(swapped, first=False) == set()


def test_the_order_is_kendalls_tau_and_undefined_where_one_side_is_silent() -> None:
    assert measure_order("goal then detail", ["goal"], ["detail"]) < 0
    assert measure_order("detail then goal", ["goal"], ["detail"]) > 0
    assert math.isnan(measure_order("goal", ["goal"], []))
    silent = [call("c2", "send_message", employee_id=("c1", "employee_id"), subject=("c1", "city"))]
    found = check_request("Send it on to Priya, Leeds.", silent, errand()[:1], TOOLS, first=True, now=NOW)
    assert "undefined_order" in {problem.code for problem in found}


def test_values_are_looked_for_by_value_and_yes_and_no_are_not_required() -> None:
    asked = [call("c1", "get_customer", customer_id="in_transit", year=1200)]
    assert check_request("Anything in transit with 1,200, please?", asked, [], TOOLS, first=True, now=NOW) == []
    assert list_required([call("c1", "get_order", order_code=True, other=["a", {"b": 2}], none="")]) == [
        ("other", "a"),
        ("other", 2),
    ]


def test_an_explicit_call_may_be_asked_for_in_words_that_a_hidden_one_shares() -> None:
    hidden = [call("c1", "create_order", order_code="W12")]
    asked = [call("c2", "add_order_note", order_id=("c1", "order_id"), note="gift")]
    tools = TOOLS | {"create_order": TOOLS["get_order"], "add_order_note": TOOLS["get_order"]}
    found = check_request("Please add the note gift to it, W12.", asked, hidden, tools, first=True, now=NOW)
    assert found == []


def test_it_is_shown_no_tool_and_of_hidden_calls_the_details_alone() -> None:
    system, user = ask_for_request(EXPLICIT, HIDDEN, TOOLS, persona(), NOW, [("Hello", "Hi")])
    said = f"{system['content']}{user['content']}"
    assert not any(name in said for name in TOOLS)
    assert not any(TOOLS[one.tool].description in said for one in HIDDEN)
    blocks = read_blocks(str(user["content"]))
    assert blocks["mentions"] == [
        {"label": "employee name", "value": "Priya"},
        {"label": "employee city", "value": "Leeds"},
        {"label": "order code", "value": "W12"},
    ]
    assert [wish["takes"] for wish in blocks["asks_for"]] == [
        [{"label": "employee", "from": "this request"}, {"label": "message total", "from": "this request"}]
    ]


def test_the_player_writes_requests_that_pass_and_spoils_some_at_the_mistake_rate() -> None:
    messages = ask_for_request(EXPLICIT, HIDDEN, TOOLS, persona(), NOW, [])
    careful = [reply(Request({"messages": messages, "seed": seed}, 0, 0.0))["request"] for seed in range(20)]
    assert all(codes(text) == set() for text in careful)
    assert len(set(careful)) > 5
    careless = [reply(Request({"messages": messages, "seed": seed}, 0, 1.0))["request"] for seed in range(20)]
    assert all(codes(text) & {"missing_literal", "hidden_first"} for text in careless)


@pytest.mark.parametrize(
    "addition",
    [
        " The note has the ID 12345.",
        " It is for order Q77.",
        " She works with Andre Alves.",
        " It has to be there at 11:30.",
        " That was on the 4th.",
    ],
)
def test_what_nobody_said_is_found(addition: str) -> None:
    assert codes(GOOD + addition) == {"invented_value"}


@pytest.mark.parametrize(
    "addition",
    [
        " I need it on Monday, the 10th.",
        " Send it as a PDF.",
        " As I said: It matters.",
        " It is March.",
        " Priya's note.",
    ],
)
def test_what_everybody_knows_is_no_invention(addition: str) -> None:
    assert codes(GOOD + addition) == set()
