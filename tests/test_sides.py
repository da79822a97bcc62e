"""The embedded endpoint keeps the two sides of a thing apart: a transfer's from club and its to club."""

from pathlib import Path
from typing import Any

import pytest
from football_world import open_football

from turnwright.roles.question_writer import view_database
from turnwright.selfplay.argument_filling import fill_arguments
from turnwright.selfplay.database_view import read_view
from turnwright.selfplay.offered_tools import OfferedTool, read_tools
from turnwright.selfplay.spoken_values import read_values
from turnwright.selfplay.tool_choice import weigh_direction
from turnwright.selfplay.tool_drafting import list_drafts
from turnwright.selfplay.wanted_labels import label_fits, rate_fit, read_wanted


def offer(name: str, *parameters: str) -> OfferedTool:
    properties: dict[str, Any] = {each: {"type": "string", "description": "A text."} for each in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    function = {"name": name, "description": "List transfers.", "parameters": schema}
    return read_tools([{"type": "function", "function": function}]).tools[0]


def test_a_club_name_is_no_answer_to_a_question_about_the_from_club() -> None:
    (label,) = read_wanted(["I would like to know the from club name of the transfer of the player Tove Silva."])
    assert label_fits("from_club_name", label, frozenset()) and rate_fit("from_club_name", label) == 1.0
    for other in ("club_name", "to_club_name", "name"):
        assert not label_fits(other, label, frozenset()) and rate_fit(other, label) == 0.0


def test_a_possessive_label_is_read() -> None:
    (label,) = read_wanted(["What is the captain's name of the player Nina Petrov?"])
    assert label_fits("captain_name", label, frozenset())


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("Show me the transfers of the from club whose name is Aston Rovers.", 1.0),
        ("Show me the transfers of the to club whose name is Aston Rovers.", -1.0),
        ("Show me the transfers from the from club X to the to club Y.", 0.0),
        ("Show me the transfers of Aston Rovers.", 0.0),
    ],
)
def test_tools_of_the_side_that_is_named_come_first(text: str, weight: float) -> None:
    assert weigh_direction(offer("list_transfers_of_from_club", "from_club_id"), text) == weight


def test_a_value_of_one_side_fills_no_parameter_of_the_other() -> None:
    text = "Show me the transfers of the to club whose name is Aston Rovers."
    values = list(read_values(text))
    right = fill_arguments(offer("list_transfers", "to_club_name"), values, [text])
    assert right.arguments == {"to_club_name": "Aston Rovers"}
    assert not fill_arguments(offer("list_transfers", "from_club_name"), values, [text]).arguments


def test_results_and_drafts_are_named_by_roles(tmp_path: Path) -> None:
    world = open_football(tmp_path)
    world.base.close()
    drafts = {draft.name: draft for draft in list_drafts(read_view(view_database(world.database)))}
    assert "the from club with a given name" in drafts["list_transfers_by_from_club_name"].description
    assert "one captain, given the captain's key" in drafts["list_players_of_captain"].description
    assert "AS captain_name" in drafts["get_player"].sql and "AS club_name" in drafts["get_player"].sql
