"""The embedded user: gives the goal out bit by bit, tells only what it knows, and ends after the last outcome."""

import json
import re

import pytest
from players import NOBODY, User, World, draw_persona, make_goal, play

from turnwright.selfplay import user_simulator
from turnwright.selfplay.request import NotUnderstood, Request
from turnwright.selfplay.user_goal import read_goal
from turnwright.selfplay.user_reading import read_message

FIND = (
    "Ada Byron is a florist. Ada Byron wants to find out the country and the earnings of the player whose name is Nick "
    "Price.",
    {"player name": "Nick Price"},
)
CHANGE = (
    "After that, they would like to change the earnings of the player whose name is David Frost to 990000.",
    {"player name": "David Frost", "new player earnings": 990000},
)
ADD = (
    "Separately, Ada wants to add a new player with the name Ada Moss, the country Ireland and the earnings 5000, for "
    "the club whose name is Chelsea.",
    {"player name": "Ada Moss", "player country": "Ireland", "player earnings": 5000, "club name": "Chelsea"},
)


def test_a_goal_is_taken_apart() -> None:
    goal = read_goal(make_goal(FIND, CHANGE, ADD))
    assert [want.kind for want in goal.wants] == ["find", "change", "add"]
    find, change, add = goal.wants
    assert find.labels == ("the country", "the earnings")
    assert goal.fill(find.entity) == "the player whose name is Nick Price"
    assert goal.fill(change.changes[0][1]) == "990000"
    assert [goal.fill(part) for part in add.parts] == ["the name Ada Moss", "the country Ireland", "the earnings 5000"]


def test_values_with_full_stops_stay_whole() -> None:
    text = "They want to find out the email of the owner whose name is St. John D. Smith."
    goal = read_goal(make_goal((text, {"owner name": "St. John D. Smith"})))
    assert goal.fill(goal.wants[0].entity) == 'the owner whose name is "St. John D. Smith"'


def test_whole_dialogues_reach_their_goal() -> None:
    turns: list[int] = []
    for seed in range(12):
        chat = play(make_goal(FIND, CHANGE, ADD), seed=seed, persona=draw_persona(seed))
        told = "\n".join(chat.said("assistant"))
        assert "Zimbabwe" in told and "1478557" in told, seed
        assert chat.world.rows("SELECT earnings FROM player WHERE player_id = 4") == [(990000,)], seed
        added = chat.world.rows("SELECT name, country, earnings, club_id FROM player WHERE player_id > 4")
        assert added == [("Ada Moss", "Ireland", 5000, 5)], seed
        turns.append(len(chat.messages) - 1)
    assert sum(turns) / len(turns) >= 15


def test_the_first_message_does_not_give_everything_away_and_never_repeats() -> None:
    openings = [User(make_goal(FIND, CHANGE, ADD), draw_persona(seed), seed=seed).hear() for seed in range(60)]
    assert not any(done for _, done in openings)
    assert not any("Frost" in text or "990000" in text or "Moss" in text for text, _ in openings)
    # One goal, sixty people: nearly all begin differently.
    assert len({text for text, _ in openings}) >= 57


def test_it_speaks_like_a_person() -> None:
    for seed in range(10):
        for text in play(make_goal(FIND, CHANGE, ADD), seed=seed, persona=draw_persona(seed)).said("user"):
            assert "_" not in text and "{" not in text and "⟦" not in text
            assert not re.search(r"\b(?:search|get|list|update|create) \w+ by\b", text)
            assert not re.search(r"  |\bid\b", text)


def test_it_ends_only_after_the_outcome_and_without_a_question() -> None:
    user = User(make_goal(CHANGE), NOBODY | {"precision": "exact"})
    text, done = user.hear()
    answers = ["Before I do that: I would set the earnings to 990000 for David Frost. Shall I go ahead?"]
    if "990000" not in text:
        answers.insert(0, "What is the earnings?")
    for answer in answers:
        text, done = user.hear(answer)
        assert not done
    text, done = user.hear("Done, I've set the earnings to 990000. The record now shows the earnings as 990000.")
    assert done and "?" not in text


def test_it_supplies_what_it_knows_and_invents_nothing() -> None:
    user = User(make_goal(FIND))
    user.hear()
    text, _ = user.hear("Could you tell me the player name?")
    assert "Nick Price" in text
    text, done = user.hear("Which bank account should I use?")
    assert not done
    assert not re.search(r"\d", text)


def test_failure_is_retried_once_then_left() -> None:
    user = User(make_goal(FIND))
    user.hear()
    failed = "I'm sorry, I could not look up the player: the system did not answer in time."
    text, done = user.hear(failed)
    assert (not done and "again" in text) or "once more" in text or "another try" in text
    for _ in range(4):
        text, done = user.hear(failed)
        if done:
            break
    assert done


def test_a_left_out_detail_comes_only_when_asked_for() -> None:
    instruction = (
        "When you first bring up task 1, leave out the new player earnings. "
        "Say that it is 990000 only once the assistant asks for it."
    )
    user = User(make_goal(CHANGE, behaviour=instruction))
    text, _ = user.hear()
    assert "990000" not in text and "David Frost" in text
    text, _ = user.hear("What is the earnings?")
    assert "990000" in text


def test_a_changed_mind_says_both_values() -> None:
    instruction = (
        "When you first bring up task 1, give 880000 as the new player earnings. "
        "Correct yourself in the same message, before anything can be changed: you mean 990000."
    )
    for seed in range(5):
        chat = play(make_goal(CHANGE, behaviour=instruction), seed=seed)
        first = chat.said("user")[0]
        assert first.index("880000") < first.index("990000")
        assert chat.world.rows("SELECT earnings FROM player WHERE player_id = 4") == [(990000,)]


def test_a_wish_beside_the_goal_is_made_once() -> None:
    instruction = (
        "While task 1 is being dealt with, also ask the assistant once to order a taxi for tomorrow morning. "
        "When it says that it cannot, accept that and go on."
    )
    chat = play(make_goal(FIND, CHANGE, behaviour=instruction))
    assert sum("order a taxi for tomorrow morning" in text for text in chat.said("user")) == 1
    assert chat.world.rows("SELECT earnings FROM player WHERE player_id = 4") == [(990000,)]


def test_a_reply_sent_back_for_repair_is_written_again() -> None:
    user = User(make_goal(FIND))
    good, _ = user.hear()
    broken = [
        *user.messages[:2],
        {"role": "assistant", "content": '{"user_message": "Hel'},
        {"role": "user", "content": "That reply cannot be used: it is not JSON. Reply again with the JSON value only."},
    ]
    reply = user_simulator.reply(Request({"messages": broken}, 0, 0.0))
    assert reply["user_message"] == good
    user.hear("The country for Nick Price is Zimbabwe and the earnings is 1478557.")


def test_prose_of_another_form_is_still_a_goal() -> None:
    goal = make_goal(("Ada is curious about golf in general and hopes for a pleasant talk.", {}))
    text, done = User(goal).hear()
    assert text and not done


def test_a_request_without_a_goal_is_not_understood() -> None:
    body = {"messages": [{"role": "system", "content": "You are a person."}, {"role": "user", "content": "Hello!"}]}
    with pytest.raises(NotUnderstood, match="goal"):
        user_simulator.reply(Request(body, 0, 0.0))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The country is Zimbabwe. Is there anything else?", "report"),
        ("So I will remove David Frost. Shall I go ahead?", "confirmation"),
        ("Which player name should I use?", "question"),
        ("I couldn't find any record for Tiger Woods.", "not_found"),
        ("That did not work, because the system is not available right now.", "failed"),
        ("I'm sorry, that is something I can't do here. I can look up the player.", "declined"),
        ("One moment, let me check.", "promise"),
    ],
)
def test_messages_are_taken_for_what_they_are(text: str, kind: str) -> None:
    assert read_message(text) == kind


def test_faults_do_not_keep_a_dialogue_from_its_goal() -> None:
    world = World(faults={"update_player_earnings": ["timeout"], "get_player": ["rate_limit"]})
    chat = play(make_goal(FIND, CHANGE), world)
    assert world.rows("SELECT earnings FROM player WHERE player_id = 4") == [(990000,)]
    assert "1478557" in "\n".join(chat.said("assistant"))
    assert json.dumps(chat.messages)
