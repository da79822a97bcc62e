"""A persona is heard in length, care and register; what is wanted and every value stay as they are."""

import random
import re

import pytest
from players import NOBODY, User, make_goal, play

from turnwright.selfplay.persona_voice import read_voice
from turnwright.selfplay.spoken_values import read_values

GOAL = make_goal(
    (
        "Ada Byron wants to find out the country and the earnings of the player whose name is Nick Price.",
        {"player name": "Nick Price"},
    ),
    (
        "After that, they would like to change the earnings of the player whose name is David Frost to 990000.",
        {"player name": "David Frost", "new player earnings": 990000},
    ),
)
PERSONAS = [
    NOBODY
    | {
        "patience": patience,
        "precision": precision,
        "language_register": register,
        "conscientiousness": score,
        "extraversion": 6 - score,
        "agreeableness": score,
        "neuroticism": 6 - score,
        "openness": 3,
    }
    for patience in ("low", "high")
    for precision in ("vague", "exact")
    for register in ("casual", "neutral", "formal")
    for score in (1, 5)
]


def openings(**traits: object) -> list[str]:
    return [User(GOAL, NOBODY | traits, seed=seed).hear()[0] for seed in range(60)]


def words(texts: list[str]) -> float:
    return sum(len(text.split()) for text in texts) / len(texts)


def test_the_impatient_are_brief_and_the_outgoing_are_not() -> None:
    assert words(openings(patience="low")) < words(openings(extraversion=3)) < words(openings(extraversion=5))


def test_the_careless_misspell_and_the_careful_never_do() -> None:
    voice, rng = read_voice({"conscientiousness": 1, "language_register": "casual"}), random.Random(1)
    text = "I really need this, thanks."
    assert sum("realy" in said or "thnaks" in said for said in (voice.colour(text, rng) for _ in range(200))) > 60
    careful = read_voice({"conscientiousness": 5})
    assert {careful.colour(text, rng) for _ in range(200)} == {text}


def test_the_formal_write_in_full_and_the_casual_do_not_mind_capitals() -> None:
    rng = random.Random(2)
    assert (
        read_voice({"language_register": "formal", "conscientiousness": 5}).colour(
            "What's new? I'd like to know, and don't hurry.", rng
        )
        == "What is new? I would like to know, and do not hurry."
    )
    casual = read_voice({"language_register": "casual", "conscientiousness": 5})
    assert any(casual.colour("Please look.", rng).startswith("please") for _ in range(40))


def test_the_curt_leave_the_greeting_out_but_never_say_nothing() -> None:
    curt = read_voice({"patience": "low", "agreeableness": 1, "conscientiousness": 5})
    rng = random.Random(3)
    assert curt.colour("Good morning, please look it up.", rng) == "please look it up."
    assert curt.colour("Hello, ", rng) == "Hello, "


@pytest.mark.parametrize("scores", [{"conscientiousness": "high"}, {"extraversion": 99}, {"patience": None}, {}])
def test_a_persona_of_another_form_is_as_usual(scores: dict[str, object]) -> None:
    voice = read_voice(scores)
    assert (voice.conscientiousness, voice.extraversion, voice.patience) == (3, 3, "normal")


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: f"{persona['language_register'][:3]}")
def test_facts_are_the_same_whoever_asks(persona: dict[str, object]) -> None:
    for seed in range(3):
        chat = play(GOAL, seed=seed, persona=persona)
        said = "\n".join(chat.said("user"))
        assert "Nick Price" in said and "David Frost" in said and "990000" in said
        assert not [number for number in re.findall(r"\d+", said) if number != "990000"]
        named = {value.text for value in read_values(said) if value.label}
        assert named <= {"Nick Price", "David Frost", "990000"}
        assert chat.world.rows("SELECT earnings FROM player WHERE player_id = 4") == [(990000,)]
        assert chat.world.rows("SELECT COUNT(*), SUM(earnings) FROM player WHERE player_id < 4") == [(3, 4296666)]
