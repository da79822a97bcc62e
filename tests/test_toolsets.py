"""Toolsets: connected, bounded, with the lookups they need, and the same every time."""

from typing import Any, Literal

from schemas.content import canonical_json
from schemas.databases import Column, Database, Table
from schemas.rows import SeedRow
from schemas.settings import ToolSettings
from schemas.tools import OutputField, ParameterBinding, SqlTool
from turnwright.tools.toolsets import build_toolsets, consumed_keys, produced_keys


def key(name: str, references: tuple[str, str] | None = None, primary: bool = False) -> Column:
    return Column(
        name=name,
        type="INTEGER",
        json_type="integer",
        nullable=False,
        primary_key=primary,
        surrogate=True,
        references=references,
    )


def text(name: str) -> Column:
    return Column(name=name, type="TEXT", json_type="string", nullable=True, primary_key=False, surrogate=False)


def table(name: str, *columns: Column) -> Table:
    return Table(
        name=name, view=False, columns=columns, primary_key=(columns[0].name,), foreign_keys=(), rows=9, sample=()
    )


DATABASE = Database(
    name="lending",
    dialect="sqlite",
    tables=(
        table("member", key("member_id", primary=True), text("name")),
        table("book", key("book_id", primary=True), text("title")),
        table(
            "loan", key("loan_id", primary=True), key("who", ("member", "member_id")), key("what", ("book", "book_id"))
        ),
        table("weather", key("weather_id", primary=True), text("sky")),
    ),
)
SEED = SeedRow(
    id="seed_1",
    kind="sql",
    domain="lending",
    source=0,
    locator="lending",
    base_digest="b",
    dialect="sqlite",
    content=canonical_json(DATABASE.model_dump()),
)


def make(
    name: str,
    takes: list[tuple[str, str, str]],
    gives: list[tuple[str, str]],
    verb: Literal["select", "insert", "update", "delete"] = "select",
) -> tuple[str, SqlTool]:
    parameters: dict[str, Any] = {
        "type": "object",
        "properties": {parameter: {"type": "integer"} for parameter, _, _ in takes},
        "required": [parameter for parameter, _, _ in takes],
    }
    tool = SqlTool(
        name=name,
        spec={"type": "function", "function": {"name": name, "description": name, "parameters": parameters}},
        output_schema={},
        effect="read" if verb == "select" else "write",
        sql="SELECT 1",
        returns="rows" if verb == "select" else "change",
        bindings=tuple(ParameterBinding(name=p, table=t, column=c, operator="=") for p, t, c in takes),
        outputs=tuple(OutputField(name=c, table=t, column=c) for t, c in gives),
        verb=verb,
        target=None if verb == "select" else takes[0][1],
    )
    return f"tool_{name}", tool


SEARCH_MEMBERS = make("search_members", [("name", "member", "name")], [("member", "member_id"), ("member", "name")])
SEARCH_BOOKS = make("search_books", [("title", "book", "title")], [("book", "book_id"), ("book", "title")])
GET_MEMBER = make("get_member", [("member_id", "member", "member_id")], [("member", "name")])
LIST_LOANS = make("list_loans", [("member_id", "loan", "who")], [("loan", "loan_id"), ("loan", "what")])
GET_BOOK = make("get_book", [("book_id", "book", "book_id")], [("book", "title")])
LEND = make("create_loan", [("who", "loan", "who"), ("what", "loan", "what")], [], "insert")
END_LOAN = make("delete_loan", [("loan_id", "loan", "loan_id")], [], "delete")
SKY = make("list_weather", [("sky", "weather", "sky")], [("weather", "weather_id"), ("weather", "sky")])
GET_SKY = make("get_weather", [("weather_id", "weather", "weather_id")], [("weather", "sky")])
ALL = [SEARCH_MEMBERS, SEARCH_BOOKS, GET_MEMBER, LIST_LOANS, GET_BOOK, LEND, END_LOAN, SKY, GET_SKY]


def sets(tools: list[tuple[str, SqlTool]], size: int) -> list[list[str]]:
    settings = ToolSettings(per_toolset=size)
    return [row.tool_ids for row in build_toolsets(SEED, DATABASE, tools, settings)]


def test_references_count_as_the_key_they_point_at() -> None:
    assert consumed_keys(LEND[1], DATABASE) == {("member", "member_id"), ("book", "book_id")}
    assert produced_keys(LIST_LOANS[1], DATABASE) == {("loan", "loan_id"), ("book", "book_id")}
    assert consumed_keys(SEARCH_MEMBERS[1], DATABASE) == frozenset()


def test_few_tools_make_one_set_in_their_order() -> None:
    assert sets(ALL, 16) == [[identifier for identifier, _ in ALL]]
    assert sets([], 16) == []


def test_many_tools_make_overlapping_sets_that_hold_them_all() -> None:
    made = sets(ALL, 4)
    assert len(made) > 1
    assert all(2 <= len(identifiers) <= 4 for identifiers in made)
    assert {identifier for identifiers in made for identifier in identifiers} == {identifier for identifier, _ in ALL}
    assert len({tuple(identifiers) for identifiers in made}) == len(made)


def test_every_id_can_be_found_inside_its_set() -> None:
    for identifiers in sets(ALL, 4):
        if "tool_create_loan" in identifiers:
            assert {"tool_search_members", "tool_search_books"} <= set(identifiers)
        if "tool_get_weather" in identifiers:
            assert "tool_list_weather" in identifiers


def test_tools_that_share_nothing_are_kept_apart() -> None:
    first = sets(ALL, 7)[0]
    assert "tool_search_members" in first
    assert "tool_list_weather" not in first


def test_the_same_tools_give_the_same_rows() -> None:
    settings = ToolSettings(per_toolset=4)
    assert build_toolsets(SEED, DATABASE, ALL, settings) == build_toolsets(SEED, DATABASE, ALL, settings)
