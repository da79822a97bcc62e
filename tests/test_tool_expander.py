"""The tool expander: what it is shown, and how the embedded player fills gaps."""

import asyncio
from typing import Any

from schemas.replies import SpecDraft, SpecDrafts
from tests.spec_world import PlayedModels, config, tool
from turnwright.models.scripted import ScriptedModels
from turnwright.roles.tool_expander import ToolExpansion
from turnwright.selfplay.request import read_blocks
from turnwright.tools.spec_drafts import build_tool

SERVICE = {"name": "library", "description": ""}


def expand(models: Any, *tools: Any, wanted: int = 10) -> list[SpecDraft]:
    return asyncio.run(ToolExpansion(models, "seed_1").expand_tools(SERVICE, tools, {}, wanted))[0]


def test_none_is_an_answer() -> None:
    models = ScriptedModels({"tool_expander": [SpecDrafts(tools=[])]})
    assert expand(models, tool("get_book")) == []
    blocks = read_blocks(models.requests[0].messages[1]["content"] or "")
    assert set(blocks) == {"service", "tools", "types", "wanted"}


def test_the_player_finds_what_is_asked_for_and_cannot_be_found() -> None:
    drafts = expand(PlayedModels(), tool("get_branch_hours", {"branch_id": "string"}))
    assert [draft.name for draft in drafts] == ["search_branches"]
    assert build_tool(drafts[0], config()).effect == "read"


def test_the_player_lets_what_was_made_be_looked_at_and_undone() -> None:
    made = tool("create_reservation", {"title": "string"}, effect="write", description="Make a reservation of a book.")
    drafts = expand(PlayedModels(), made)
    assert [draft.name for draft in drafts] == ["get_reservation", "cancel_reservation"]


def test_the_player_adds_nothing_to_what_is_whole_and_never_much() -> None:
    whole = [tool("search_books", {"title": "string"}), tool("get_book", {"book_id": "string"})]
    assert expand(PlayedModels(), *whole) == []
    many = [tool(f"get_{letter}ox_size", {f"{letter}ox_id": "string"}) for letter in "abcdefghkl"]
    assert 1 <= len(expand(PlayedModels(), *many)) <= 4
    assert len(expand(PlayedModels(), *many, wanted=1)) == 1
