"""The dataflow graph: what can feed what, and what only looks like it."""

from collections.abc import Sequence

import numpy as np

from schemas.tools import OutputField, ParameterBinding, SqlTool, Tool
from tests.spec_world import seed_of, spec, tool
from turnwright.tools.dataflow import DataflowGraph, build_graph, list_edge_rows
from turnwright.tools.text_vectors import vectorise_text


def edges(graph: DataflowGraph) -> set[tuple[str, str, str, str]]:
    return {(graph.tools[edge.source], edge.field, graph.tools[edge.target], edge.parameter) for edge in graph.edges}


def graph_of(*tools: Tool) -> DataflowGraph:
    return build_graph(tools, vectorise_text)


def test_an_id_feeds_the_parameter_of_its_name() -> None:
    graph = graph_of(
        tool("search_books", {"title": "string"}, {"book_id": "string", "shelf": "string"}),
        tool("get_copies", {"book_id": "string"}, {"free_copies": "integer"}),
    )
    assert edges(graph) == {("search_books", "book_id", "get_copies", "book_id")}
    assert graph.edges[0].required
    assert graph.chainability == 1.0


def test_a_bare_id_belongs_to_what_its_tool_is_about() -> None:
    graph = graph_of(
        tool("list_tweets", {"word": "string"}, {"id": "integer"}),
        tool("retweet", {"tweet_id": "integer"}, {"done": "boolean"}),
        tool("list_users", {"word": "string"}, {"id": "integer"}),
    )
    assert edges(graph) == {("list_tweets", "id", "retweet", "tweet_id")}


def test_types_must_fit() -> None:
    graph = graph_of(
        tool("search_books", {"title": "string"}, {"book_id": "string"}),
        tool("get_copies", {"book_id": "integer"}, {"free_copies": "integer"}),
    )
    assert not graph.edges
    assert graph.chainability == 0.0


def test_what_a_tool_was_given_is_nothing_new() -> None:
    graph = graph_of(
        tool("get_book", {"book_id": "string"}, {"book_id": "string", "author": "string"}),
        tool("get_copies", {"book_id": "string"}, {"free_copies": "integer"}),
    )
    assert not graph.edges


def test_generic_names_and_truth_values_feed_nothing() -> None:
    graph = graph_of(
        tool("check_book", {"isbn": "string"}, {"status": "string", "message": "string", "available": "boolean"}),
        tool("set_status", {"status": "string", "available": "boolean"}, {"done": "boolean"}),
        tool("send_letter", {"message": "string"}, {"done": "boolean"}),
    )
    assert not graph.edges


def test_the_thing_that_an_id_is_of_decides() -> None:
    graph = graph_of(
        tool("add_booking_note", {"note_text": "string"}, {"booking_note_id": "string"}),
        tool("cancel_booking", {"booking_id": "string"}),
        tool("get_card", {"name": "string"}, {"credit_card_id": "string"}),
        tool("charge_card", {"card_id": "string"}),
    )
    assert edges(graph) == {("get_card", "credit_card_id", "charge_card", "card_id")}


def test_a_description_may_tell_what_is_asked_for() -> None:
    graph = graph_of(
        tool("get_zipcode", {"city": "string"}, {"zipcode": "string"}),
        tool("estimate_distance", {"start": ("string", "The zipcode of the first city.")}, {"kilometres": "number"}),
    )
    assert edges(graph) == {("get_zipcode", "zipcode", "estimate_distance", "start")}


def test_items_of_a_list_can_be_asked_for() -> None:
    several = tool("list_keys", {}, {"count": "integer"})
    keys = {"type": "object", "properties": {"keys": {"type": "array", "items": {"type": "string"}}}}
    graph = graph_of(several.model_copy(update={"output_schema": keys}), tool("remove_key", {"key": "string"}))
    assert edges(graph) == {("list_keys", "keys", "remove_key", "key")}


def make_sql_tool(name: str, parameter: str | None, field: str | None) -> SqlTool:
    """Over one table: finds rows by a column, gives one."""
    parameters = {parameter: "integer"} if parameter else {}
    return SqlTool(
        name=name,
        spec=spec(name, f"{name} of the club.", parameters, list(parameters)),
        output_schema={"type": "array"},
        effect="read",
        sql="SELECT 1",
        returns="rows",
        bindings=(ParameterBinding(name=parameter, table="loan", column="member", operator="="),) if parameter else (),
        outputs=(OutputField(name=field, table="member", column="id"),) if field else (),
        verb="select",
        target=None,
    )


def test_sql_tools_are_joined_by_their_keys_whatever_their_names_say() -> None:
    find, loans = make_sql_tool("find_people", None, "number"), make_sql_tool("list_loans", "who", None)
    assert not build_graph([find, loans], vectorise_text).edges

    def follow(table: str, column: str) -> tuple[str, str]:
        return ("member", "id") if (table, column) == ("loan", "member") else (table, column)

    def refuse(texts: Sequence[str]) -> object:
        raise AssertionError(f"keys need no vectors of {texts}")

    (edge,) = build_graph([find, loans], refuse, follow=follow).edges
    assert (edge.source, edge.target, edge.field, edge.parameter, edge.weight) == (0, 1, "number", "who", 1.0)


def test_an_embedding_may_stand_in_for_the_vectoriser() -> None:
    def embed(texts: Sequence[str]) -> object:
        return np.ones((len(texts), 2)) / np.sqrt(2)

    tools = [
        tool("find_airport", {"city": "string"}, {"airport_code": "string"}),
        tool("book", {"departure_code": "string"}),
    ]
    assert not build_graph(tools, vectorise_text).edges
    assert build_graph(tools, embed).edges


def test_rows_name_their_tools_and_the_same_tools_give_the_same_rows() -> None:
    tools = [tool("search_books", {"title": "string"}, {"book_id": "string"}), tool("get_book", {"book_id": "string"})]
    rows = [list_edge_rows(seed_of(), build_graph(tools, vectorise_text), ["tool_a", "tool_b"]) for _ in range(2)]
    assert rows[0] == rows[1]
    (row,) = rows[0]
    assert (row.source, row.field, row.target, row.parameter) == ("search_books", "book_id", "get_book", "book_id")
    assert (row.source_id, row.target_id) == ("tool_a", "tool_b")


def test_texts_without_letters_and_no_tools_at_all_are_no_trouble() -> None:
    assert vectorise_text(["", "!!", "…"]).shape[0] == 3
    assert not graph_of().edges
    assert graph_of(tool("x1", {"_": "string"}, {"_": "string"}), tool("x2", {"_": "string"})).edges == ()
