"""The embedded players play every behaviour: what the instruction says, and the assistant's answer to it."""

import json
import random
from typing import Any

from players import NOBODY, SPECS, Chat, User, World, make_goal

from turnwright.selfplay import assistant
from turnwright.selfplay.beliefs import split_beliefs
from turnwright.selfplay.house_rules import read_rules
from turnwright.selfplay.mistakes import draw_mistake
from turnwright.selfplay.offered_tools import read_tools
from turnwright.selfplay.request import Request

RULE = "- Never change the earnings of a player, whoever asks for it."
FIND = ("Ada wants to find out the earnings of the player whose name is Nick Price.", {"player name": "Nick Price"})
CHANGE = (
    "Ada would like to change the earnings of the player whose name is David Frost to 990000.",
    {"player name": "David Frost", "new player earnings": 990000},
)
EXACT = NOBODY | {"precision": "exact"}


def answer(*said: str, system: str = "You help with golf players.", without: str = "", rate: float = 0.0) -> str:
    """What the assistant says to the last message; earlier ones were answered with a greeting."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
    for text in said:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": "Hello."}]
    messages.pop()
    tools = [spec for spec in SPECS if spec["function"]["name"] not in without.split()]
    world = World()
    for _ in range(12):
        body = {"model": "selfplay", "messages": messages, "tools": tools}
        reply = assistant.reply(Request(json.loads(json.dumps(body)), 0, rate))
        messages.append({"role": "assistant", **reply})
        if not reply.get("tool_calls"):
            assert (world.rows("SELECT SUM(earnings) FROM player") == [(5327383,)]) or rate
            return str(reply["content"])
        for call in reply["tool_calls"]:
            result = world.call(call["function"]["name"], json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)})
    raise AssertionError("the assistant does not come to an end")


def test_a_vague_name_is_said_first_and_the_whole_one_when_asked() -> None:
    instruction = (
        "When you first bring up task 1, give the player name only as Price. Say that it is Nick Price only once the "
        "assistant asks which one you mean, or shows several."
    )
    user = User(make_goal(FIND, behaviour=instruction), EXACT)
    first, _ = user.hear()
    assert "Price" in first and "Nick" not in first
    second, _ = user.hear("There are 2 that fit: Nick Price and Bo Price. Which one do you mean?")
    assert "Nick Price" in second


def test_a_belief_is_voiced_and_a_correction_taken() -> None:
    instruction = (
        "When you first bring up task 1, say that as far as you know the earnings of Nick Price is 700, without asking "
        "whether that is so. If the assistant corrects it, accept that."
    )
    user = User(make_goal(FIND, CHANGE, behaviour=instruction), EXACT)
    first, _ = user.hear()
    assert "the earnings of Nick Price is 700." in first
    second, _ = user.hear("The earnings is actually 1478557, not 700.")
    assert "wrong" in second or "mistaken" in second or "off" in second


def test_a_refusal_is_accepted_at_once_or_after_one_more_try() -> None:
    refusal = "I'm sorry, I can't do that: the rules do not allow it."
    patient = "If the assistant says that it cannot do what task 1 asks for, accept that and go on."
    user = User(make_goal(CHANGE, FIND, behaviour=patient), EXACT)
    user.hear()
    assert "Nick Price" in user.hear(refusal)[0]
    stubborn = (
        "If the assistant says that it must not do what task 1 asks for, ask for it once more; if it stays with that, "
        "accept it and go on."
    )
    user = User(make_goal(CHANGE, FIND, behaviour=stubborn), EXACT)
    user.hear()
    assert "David Frost" in user.hear(refusal)[0]
    assert "Nick Price" in user.hear(refusal)[0]


def test_the_assistant_keeps_a_rule() -> None:
    system = f"You help.\n\nRules of this service:\n{RULE}"
    request = "Please change the earnings of the player named David Frost to 5."
    assert "change the earnings of a player" in answer(request, system=system)
    assert "can" in answer(request, system=system)
    assert "Should I" in answer(request) or "?" in answer(request) or "go ahead" in answer(request)


def test_a_rule_is_about_what_it_says() -> None:
    tools = {tool.name: tool for tool in read_tools(SPECS).tools}
    (rule,) = read_rules(RULE)
    assert [name for name, tool in tools.items() if rule.forbids(tool)] == ["update_player_earnings"]
    (rule,) = read_rules("- Never remove a player, whoever asks for it.")
    assert [name for name, tool in tools.items() if rule.forbids(tool)] == ["delete_player"]
    (rule,) = read_rules("- Never add a new player, whoever asks for it.")
    assert [name for name, tool in tools.items() if rule.forbids(tool)] == ["create_player"]
    assert read_rules("- Never guess or make up a value.\nNever change the town of a club.") == []


def test_the_assistant_says_what_it_has_no_tool_for() -> None:
    change = answer(
        "Please change the earnings of the player named David Frost to 5.", without="update_player_earnings"
    )
    assert "can't" in change or "no way" in change
    gone = "get_player list_players_of_club list_players_by_country"
    told = answer("What are the earnings of the player named Nick Price?", without=gone)
    assert "earnings" in told and ("can't" in told or "don't have" in told) and "1478557" not in told


def test_the_assistant_asks_where_several_fit() -> None:
    chat = Chat()
    chat.world.connection.execute("INSERT INTO player VALUES (9, 'Bo Price', 'Chad', 77, 1)")
    told = chat.say("Please change the earnings of the player named Price to 5.")
    assert "Nick Price" in told and "Bo Price" in told and told.endswith("?")
    assert chat.world.rows("SELECT earnings FROM player WHERE player_id IN (1, 9)") == [(1478557,), (77,)]
    chat.say("The player name is Bo Price.")
    chat.say("Yes, go ahead.")
    assert chat.world.rows("SELECT earnings FROM player WHERE player_id IN (1, 9)") == [(1478557,), (5,)]


def test_the_assistant_corrects_a_belief_and_leaves_a_true_one() -> None:
    told = answer("What are the earnings of the player named Nick Price? I think the earnings of Nick Price is 700.")
    assert "1478557" in told and "700" in told and ("not" in told or "actually" in told or "instead" in told)
    told = answer("What are the earnings of the player named Nick Price? I think the earnings are 1,478,557.")
    assert "not" not in told and "actually" not in told


def test_beliefs_are_no_part_of_a_request() -> None:
    text = "What is the age of Bo? As far as I know, the town of Bo is York. Thanks!"
    kept, beliefs = split_beliefs(text)
    assert kept == "What is the age of Bo? Thanks!"
    assert [(belief.label, belief.value) for belief in beliefs] == [("town of Bo", "York")]
    assert split_beliefs("I was told the town of Bo is York.") == ("I was told the town of Bo is York.", [])


def test_spoilt_results_are_retried_and_then_reported() -> None:
    for kind, word in (("http_500", "error"), ("partial", "incomplete"), ("stale", "old copy")):
        chat = Chat(World({"search_players_by_name": [kind] * 2}))
        told = chat.say("What is the country of the player named Nick Price?")
        assert len(chat.world.calls) == 2 and word in told, kind
        assert "Zimbabwe" in chat.say("Could you try again, please?")


def test_with_mistakes_it_pretends_invents_and_gives_in() -> None:
    assert all(draw_mistake(random.Random(seed), 1.0) for seed in range(5))
    taxi = "Could you order a taxi for tomorrow morning?"
    assert "done" in answer(taxi, rate=1.0) and "done" not in answer(taxi)
    false = "What are the earnings of the player named Nick Price? I think the earnings of Nick Price is 700."
    assert "that is right" in answer(false, rate=1.0)
