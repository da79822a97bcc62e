"""An id of the results told as another field, and one field of a record told as another."""

import json
from typing import Any

import pytest

from schemas.findings import Finding
from schemas.messages import Message
from schemas.tools import SpecTool, Tool
from turnwright.validation.grounding.check import ground_dialogue


def make_tool(name: str, effect: str, fields: dict[str, str], *, many: bool = False) -> Tool:
    record = {
        "type": "object",
        "properties": {key: {"type": "integer", "description": text} for key, text in fields.items()},
    }
    function = {"name": name, "description": name.replace("_", " "), "parameters": {"type": "object"}}
    return SpecTool(
        name=name,
        spec={"type": "function", "function": function},
        output_schema={"type": "array", "items": record} if many else record,
        effect=effect,  # pyright: ignore
    )


PLAYER = {
    "player_id": "ID of the player.",
    "name": "Name of the player.",
    "shirt_number": "Shirt number of the player.",
    "players": "How many there are.",
    "club_name": "Name of the club.",
    "goals": "Goals.",
    "hgt": "Body height of the player in centimetres.",
}
TOOLS = (
    make_tool("search_players", "read", {"player_id": "ID of the player.", "name": "Name."}, many=True),
    make_tool("get_player", "read", PLAYER),
    make_tool("add_player", "write", {"player_id": "ID of the new player."}),
)
FOUND = [{"player_id": 17, "name": "Elise Fontaine", "club_id": 41, "position": "midfielder", "town": "Route 66 Park"}]
SEARCH: tuple[str, dict[str, Any], Any] = ("search_players", {"name": "Elise Fontaine"}, FOUND)
ASK = "What is the shirt number of Elise Fontaine?"


def dialogue(*steps: Any) -> list[Message]:
    """A conversation: texts of the user and the assistant in turn, triples are calls with their results."""
    messages: list[Any] = [{"role": "system", "content": "You help. Office 23 is closed."}]
    user = True
    for number, step in enumerate(steps):
        if isinstance(step, str):
            messages.append({"role": "user" if user else "assistant", "content": step})
            user = not user
            continue
        name, arguments, result = step
        call = {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": json.dumps(result)})
    return messages


def ground(*steps: Any) -> list[Finding]:
    return [finding for finding in ground_dialogue(dialogue(*steps), TOOLS) if finding.blocks]


def codes(*steps: Any) -> list[str]:
    return [finding.code for finding in ground(*steps)]


@pytest.mark.parametrize(
    "prose",
    [
        "The shirt number of Elise Fontaine is 17.",
        "The shirt number is 17.",
        "Elise Fontaine wears shirt number 17.",
        "- Name: Elise Fontaine\n- Shirt number: 17",
        "Her goals are 17.",
        "The body height is 17.",
    ],
)
def test_an_id_is_no_other_field(prose: str) -> None:
    assert codes(ASK, SEARCH, prose) == ["wrong_field"]


def test_an_id_is_no_name() -> None:
    clubs: tuple[str, dict[str, Any], Any] = ("search_players", {}, [{"club_id": 41, "manager": "Ada Bell"}])
    assert codes("Which club is it?", clubs, "The club name is 41.") == ["wrong_field"]
    assert codes("Which club is it?", clubs, "The club is 41.") == []


def test_the_finding_says_what_the_number_is_and_where_it_stands() -> None:
    prose = "The shirt number of Elise Fontaine is 17."
    (finding,) = ground(ASK, SEARCH, prose)
    assert "player id" in finding.explanation and "shirt number" in finding.explanation
    assert finding.message == 4 and finding.fault == "assistant"
    assert finding.start is not None and prose[finding.start : finding.end] == "17"


@pytest.mark.parametrize(
    "prose",
    [
        "The player id of Elise Fontaine is 17.",
        "Her id is 17, and the shirt number is not recorded.",
        "The shirt number is not shown for player 17.",
        "The club is 41.",
        "Would the shirt number be 17?",
        "If the shirt number is 17, she plays in the first team.",
        "The shirt number is not 17.",
        "She is the midfielder with the id 17.",
        "Elise Fontaine plays in position 17 of the list.",
        "The shirt number is 66.",
        "The goals are 23.",
    ],
)
def test_what_is_no_such_claim_is_left_alone(prose: str) -> None:
    assert "wrong_field" not in codes(ASK, SEARCH, prose)


def test_a_text_that_begins_with_the_number_of_an_id_is_a_text() -> None:
    found = [{"player_id": 8, "name": "Elise Fontaine", "model": "8 yy"}, {"player_id": 9, "name": "X", "model": "08"}]
    cars: tuple[str, dict[str, Any], Any] = ("search_players", {}, found)
    assert codes("Which cars are there?", cars, "The shirt number is 8 yy. The shirt number of the other is 08.") == []
    assert codes("Which cars are there?", cars, "The shirt number is 9.") == ["wrong_field"]


def test_a_number_that_somebody_gave_may_be_told() -> None:
    asked = "Give Elise Fontaine the shirt number 17, please."
    assert codes(asked, SEARCH, "The shirt number is 17.") == []
    tried = ("add_player", {"name": "Elise Fontaine", "shirt_number": 17}, {"error": "refused", "message": "No."})
    asked = "Add Elise Fontaine again."
    assert "wrong_field" not in codes(asked, SEARCH, tried, "The shirt number is 17, but that was refused.")


def test_a_number_that_another_result_has_may_be_told() -> None:
    details = ("get_player", {"player_id": 17}, {"player_id": 17, "name": "Elise Fontaine", "shirt_number": 17})
    assert codes(ASK, SEARCH, details, "The shirt number of Elise Fontaine is 17.") == []


def test_a_count_may_be_as_large_as_an_id() -> None:
    rows = [{"player_id": number, "name": name} for number, name in ((2, "Ada Bell"), (9, "Cy Dunn"))]
    assert codes("How many are there?", ("search_players", {}, rows), "The players are 2.") == []


def test_arithmetic_may_come_to_an_id() -> None:
    rows = [{"player_id": 17, "name": "Ada Bell", "wins": 8}, {"player_id": 4, "name": "Cy Dunn", "wins": 9}]
    assert codes("How many wins?", ("search_players", {}, rows), "Together, the goals are 17 in total.") == []


@pytest.mark.parametrize("key", [2**70, 10**400, -17, "17", "017", 1e300, None, True, "x" * 500, "¹⁷", ""])
def test_odd_ids_break_nothing(key: Any) -> None:
    found = [{"player_id": key, "name": "Elise Fontaine"}]
    assert isinstance(codes(ASK, ("search_players", {"name": "Elise"}, found), "The shirt number is 17."), list)


def test_a_huge_number_in_another_field_breaks_nothing() -> None:
    found = [{"player_id": 17, "name": "Elise Fontaine", "goals": 10**400, "shirt_number": 9}]
    assert codes(ASK, ("search_players", {}, found), "The shirt number is 3.5.") == ["untraced_number"]


DETAILS = {"player_id": 17, "name": "Elise Fontaine", "shirt_number": 9, "goals": 25, "signed_on": "2024-05-06"}
GET: tuple[str, dict[str, Any], Any] = ("get_player", {"player_id": 17}, DETAILS)


@pytest.mark.parametrize("prose", ["The shirt number is 25.", "The goals are 9 and the shirt number is 25."])
def test_one_field_of_a_record_is_not_another(prose: str) -> None:
    findings = ground(ASK, SEARCH, GET, prose)
    assert {finding.code for finding in findings} == {"wrong_value"}
    assert "goals" in " ".join(finding.explanation for finding in findings)


def test_two_fields_that_share_a_word_are_still_two() -> None:
    game: tuple[str, dict[str, Any], Any] = (
        "search_players",
        {},
        [{"match": "Cup", "home_goals": 3, "away_goals": 1, "total_fee": 40, "fee": 30}],
    )
    ask = ("How did it end?", game)
    assert codes(*ask, "The home goals are 1 and the away goals are 1.") == ["wrong_value"]
    assert codes(*ask, "The home goals are 3 and the away goals are 1.") == []
    assert codes(*ask, "The fee is 40.") == []


def test_a_time_beside_a_message_is_not_what_the_message_says() -> None:
    chat: tuple[str, dict[str, Any], Any] = (
        "search_players",
        {},
        [{"message": "I am running late.", "timestamp": "14:05:00"}],
    )
    assert codes("Did she write?", chat, "She sent a message at 2:05pm.") == []


@pytest.mark.parametrize(
    "prose",
    ["The shirt number is 9 and the goals are 25.", "The goals shirt number is 25.", "The shirt number is 2 plus 7."],
)
def test_a_field_told_as_itself_or_by_two_names_is_right(prose: str) -> None:
    assert "wrong_value" not in codes(ASK, SEARCH, GET, prose)


def test_what_another_record_calls_otherwise_may_be_meant() -> None:
    fares: tuple[str, dict[str, Any], Any] = ("search_players", {}, [{"economy": 25}])
    assert codes(ASK, SEARCH, GET, fares, "The shirt number is 25.") == []
