"""When a thank-you that is not marked as the end is one all the same."""

import pytest
from playing import ASK, BYE, LOOK_UP, TELL, play

from turnwright.models.scripted import says
from turnwright.rollout.closing import is_farewell


@pytest.mark.parametrize(
    "text",
    [
        "Thank you!",
        "Thanks so much, that's all I needed.",
        "Great, thank you very much for your help. Have a nice day!",
        "Perfect, cheers. Bye!",
    ],
)
def test_a_message_of_nothing_but_thanks_is_a_farewell(text: str) -> None:
    assert is_farewell(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Great.",
        "Thanks! And where does Ann live?",
        "Thanks. Now book Omar for Friday.",
        "Thanks for the 25 items.",
        "Yes, please go ahead.",
        "Thank you. Please remove it.",
    ],
)
def test_what_asks_or_tells_something_is_none(text: str) -> None:
    assert not is_farewell(text)


def test_an_unmarked_thank_you_ends_what_is_settled() -> None:
    row = play([ASK, "Thank you!"], [LOOK_UP, TELL, BYE])
    assert (row.ending, row.requests, row.early_completions) == ("task_complete", 2, [])


def test_an_unmarked_thank_you_does_not_end_what_is_open() -> None:
    later = says("I will look.")
    row = play([ASK, "Thank you!", "So what is it?", "Thanks!"], [later, BYE, LOOK_UP, TELL, BYE])
    assert (row.ending, row.requests) == ("task_complete", 4)


def test_the_second_thank_you_in_a_row_ends_it_anyway() -> None:
    row = play([ASK, "Thank you!", "Thanks again, bye."], [says("I cannot say."), BYE, BYE])
    assert (row.ending, row.requests) == ("task_complete", 3)
