"""The summariser: one or two sentences from the results, without a question or anything from behind the scenes."""

import pytest
from stateless_world import TOOLS, call, made

from turnwright.roles.summariser import ask_for_summary
from turnwright.selfplay.request import Request, read_blocks
from turnwright.selfplay.summariser import reply
from turnwright.stateless.summaries import check_summary, count_told

ORDER = made(
    call("c1", "get_order", order_code="W12"),
    {"order_id": 4, "order_code": "W12", "total": 99.5, "customer_id": "C3"},
    order_code="W12",
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_summary"),
        ("The total is 99.5. It is paid. It went out.", "too_many_sentences"),
        ("The total is 99.5. Shall I send it?", "asks_back"),
        ("I used get_order and the total is 99.5.", "tool_name"),
        ('The result is {"total": 99.5}.', "shows_machinery"),
        ("The total is $c1.total.", "shows_machinery"),
        ("word " * 400, "overlong_summary"),
    ],
)
def test_planted_faults_are_found(text: str, code: str) -> None:
    assert code in {problem.code for problem in check_summary(text, TOOLS)}


def test_a_plain_answer_passes_and_decimals_end_no_sentence() -> None:
    assert check_summary("The total of W12 is 99.5. It belongs to the customer C3.", TOOLS) == []


def test_of_two_summaries_the_one_that_tells_true_figures_is_better() -> None:
    true, wrong, silent = "The total is 99.5.", "The total is 98.5.", "The order is there."
    assert count_told(true, [ORDER]) > count_told(silent, [ORDER]) > count_told(wrong, [ORDER])


def test_the_player_tells_the_last_result() -> None:
    messages = ask_for_summary("What is the total of W12?", [ORDER])
    assert read_blocks(str(messages[1]["content"]))["done"][0]["does"] == "Show an order with its total"
    told = reply(Request({"messages": messages, "seed": 0}, 0, 0.0))["summary"]
    assert "C3" in told and "W12" in told
    assert check_summary(told, TOOLS) == []
    asked = reply(Request({"messages": messages, "seed": 0}, 0, 1.0))["summary"]
    assert "asks_back" in {problem.code for problem in check_summary(asked, TOOLS)}


@pytest.mark.parametrize("value", [[], [{}], {}, None, "text", [1, 2], {"text": "Really?"}, [{"a": True}]])
def test_the_player_says_something_of_any_result(value: object) -> None:
    messages = ask_for_summary("Well?", [made(call("c1", "get_order", order_code="W12"), value)])
    assert check_summary(reply(Request({"messages": messages, "seed": 0}, 0, 0.0))["summary"], TOOLS) == []
