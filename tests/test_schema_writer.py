"""The schema writer: one conversation per group of tools, and how the embedded player describes results."""

import asyncio
from typing import Any

from schemas.replies import FieldDraft, OutputDraft
from tests.spec_world import PlayedModels, tool
from turnwright.models.scripted import ScriptedModels
from turnwright.roles.schema_writer import SchemaConversation
from turnwright.selfplay.request import read_blocks
from turnwright.tools.spec_outputs import build_output

SERVICE = {"name": "library", "description": ""}
ONE = OutputDraft(kind="object", fields=[FieldDraft(name="title", type="string", description="Its title.")])


def describe(asked: Any, models: Any = None, types: dict[str, str] | None = None) -> OutputDraft:
    player: Any = models or PlayedModels()
    conversation = SchemaConversation(player, SERVICE, [asked], "seed_1")
    return asyncio.run(conversation.write_output(asked, types or {}))[0]


def test_messages_are_only_added_and_known_results_are_shown() -> None:
    tools = [tool("get_book", {}, {"title": "string"}), tool("search_books"), tool("list_loans")]
    models = ScriptedModels({"schema_writer": [ONE, ONE, ONE]})
    conversation = SchemaConversation(models, SERVICE, tools, "seed_1")  # pyright: ignore[reportArgumentType]

    async def talk() -> None:
        await conversation.write_output(tools[1], {"book_id": "string"})
        await conversation.mend_output(["search_books.book_id is integer; write string"])
        await conversation.write_output(tools[2], {})

    asyncio.run(talk())
    sent = [list(request.messages) for request in models.requests]
    assert sent[1][: len(sent[0])] == sent[0]
    assert sent[2][: len(sent[1])] == sent[1]
    first = read_blocks(sent[0][1]["content"] or "")
    assert first["tools"][0]["returns"][0]["name"] == "title"
    assert first["tool"] == ["search_books"]
    assert set(read_blocks(sent[1][-1]["content"] or "")) == {"problems"}
    assert set(read_blocks(sent[2][-1]["content"] or "")) == {"types", "tool"}


def test_the_player_gives_lists_with_ids_for_searches() -> None:
    draft = describe(tool("search_books", {"title": "string"}))
    assert draft.kind == "array"
    assert draft.fields[0].name == "book_id"
    assert all(field.description for field in draft.fields)


def test_the_player_gives_figures_and_what_is_true_afterwards() -> None:
    fields = {field.name: field.type for field in describe(tool("get_stock_price", {"company": "string"})).fields}
    assert fields["stock_price"] == "number"
    written = describe(tool("delete_loan", {"loan_id": "integer"}, effect="write"))
    kinds = {field.name: field.type for field in written.fields}
    assert kinds["loan_id"] == "integer"
    assert kinds["loan_status"] == "string"


def test_the_player_keeps_settled_types() -> None:
    draft = describe(tool("search_books", {"title": "string"}), types={"book_id": "integer"})
    assert draft.fields[0].type == "integer"


def test_a_mistaken_player_obeys_when_it_is_told() -> None:
    asked = tool("search_books", {"title": "string"})
    conversation = SchemaConversation(PlayedModels(1.0), SERVICE, [asked], "seed_1")  # pyright: ignore[reportArgumentType]

    async def talk() -> tuple[OutputDraft, OutputDraft]:
        wrong, _ = await conversation.write_output(asked, {"book_id": "integer"})
        told = "search_books.book_id is string, but get_book.book_id is integer; write integer"
        right, _ = await conversation.mend_output([told])
        return wrong, right

    wrong, right = asyncio.run(talk())
    assert wrong.fields[0].type == "string"
    assert right.fields[0].type == "integer"
    assert build_output(right, asked, 25)["type"] == "array"
