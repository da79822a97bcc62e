"""Messages that say something and end, and those that do not."""

import pytest
from playing import ASK, BYE, DONE, LOOK_UP, TOOLS, make_task, play

from schemas.findings import Finding
from turnwright.models.scripted import says
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.wholeness import check_wholeness

SAID = "Nina Petrov has earned 1,200,000."


def truncated(answer: str, *more: str) -> list[Finding]:
    """The findings about an answer; `more` are further answers of the same dialogue, each to the same question."""
    answers = [part for text in (answer, *more) for part in (LOOK_UP, says(text))]
    row = play([ASK, *(f"Once more, please ({n})?" for n in range(len(more))), DONE], [*answers, BYE])
    found = check_wholeness(Trajectory(row, make_task(), TOOLS))
    return [finding for finding in found if finding.code == "truncated_message"]


@pytest.mark.parametrize(
    "answer",
    [
        f"{SAID} Is th",
        "Her earni",
        "Nina Petrov is in the records (player 1, earnings 1,200,000",
        "Here they are:\n- Nina Petrov (home town Leeds)\n- Omar Haddad (home to",
        f"{SAID} Her home town in the records is now Leeds",
    ],
)
def test_what_breaks_off_is_found(answer: str) -> None:
    (finding,) = truncated(answer)
    assert (finding.blocks, finding.fault, finding.message) == (True, "assistant", 4)


@pytest.mark.parametrize(
    "answer",
    [
        SAID,
        f"{SAID} Have fun",
        "1,200,000",
        "Her town is Leeds",
        "Here they are:\n- Nina Petrov\n- Omar Haddad (home town York)",
        "Nina Petrov :)",
        "You find it at www.example.com/nina",
        "Sie hat 1.200.000 verdient, und zwar seit gestern",
    ],
)
def test_what_only_lacks_a_full_stop_is_whole(answer: str) -> None:
    assert truncated(answer) == []


def test_one_answer_without_an_end_among_answers_with_one_is_found() -> None:
    bare = "Her earnings are what the records of the club give for the season"
    assert truncated(bare) == []
    (finding,) = truncated(bare, "She plays for Leeds.", "She has earned 1,200,000.")
    assert finding.message == 4
    assert truncated(bare, "She plays for Leeds", "She has earned 1,200,000.") == []
