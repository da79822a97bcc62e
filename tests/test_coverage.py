"""Which shapes a domain lacks, which tools are of no use beside the others, and what questions are about."""

import random
from collections.abc import Iterator

import pytest
from library_world import LibraryWorld, open_library

from schemas.replies import SqlToolDraft
from turnwright.roles.question_writer import sort_out
from turnwright.tools.coverage import PLAIN_TOOLS, list_missing
from turnwright.tools.drafts import Judged, judge_draft
from turnwright.tools.entity_types import EntityTypes
from turnwright.tools.shapes import Shape, list_shapes
from turnwright.tools.tool_wording import drop_statement
from turnwright.tools.topics import list_topics

SHAPES = {
    "search",
    "get",
    "list",
    "top",
    "figures",
    "share",
    "create",
    "update",
    "delete",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibraryWorld]:
    opened = open_library(tmp_path_factory.mktemp("library"))
    yield opened
    opened.base.close()


def judge(world: LibraryWorld, sql: str, beside: list[Judged] | None = None) -> Judged:
    draft = SqlToolDraft(name="get_thing", description="Gives what a test asks for.", sql=sql)
    return judge_draft(
        draft,
        world.database,
        world.base,
        EntityTypes(world.database, world.base),
        world.config.tools,
        random.Random(1),
        accepted={judged.statement_digest or "": f"get_{n}" for n, judged in enumerate(beside or [])},
        beside=[judged.tool for judged in beside or [] if judged.tool],
    )


def test_every_shape_is_asked_for_and_the_lookups_come_first(world: LibraryWorld) -> None:
    shapes = list_shapes(world.database)
    assert {shape.kind for shape in shapes} == SHAPES
    assert [shape.table for shape in shapes if shape.kind == "search"] == [shape.table for shape in shapes[:3]]
    assert "reservation" not in {shape.table for shape in shapes if shape.kind == "search"}
    assert {shape.kind for shape in shapes[:16]} == SHAPES


@pytest.mark.parametrize(
    ("shape", "table", "sql"),
    [
        (
            "search",
            "book",
            "SELECT book_id, title FROM book WHERE title LIKE '%' || :title || '%'",
        ),
        ("get", "book", "SELECT title, pages FROM book WHERE book_id = :book_id"),
        ("top", "book", "SELECT title, price FROM book ORDER BY price DESC LIMIT :limit"),
        (
            "list",
            "loan",
            "SELECT loan.loan_id, loan.days FROM loan JOIN member ON member.member_id = loan.member_id"
            " WHERE member.name LIKE '%' || :member_name || '%'",
        ),
        (
            "figures",
            "member",
            "SELECT branch.branch_name, COUNT(*) AS n FROM member JOIN branch ON branch.branch_id = member.branch_id"
            " GROUP BY branch.branch_name",
        ),
        (
            "share",
            "member",
            "SELECT CAST(SUM(CASE WHEN level = :level THEN 1 ELSE 0 END) AS REAL) / NULLIF(COUNT(*), 0) AS share"
            " FROM member",
        ),
        ("update", "member", "UPDATE member SET email = :email WHERE member_id = :member_id"),
        ("delete", "loan", "DELETE FROM loan WHERE loan_id = :loan_id"),
    ],
)
def test_a_tool_takes_its_own_shape_off_the_list(world: LibraryWorld, shape: str, table: str, sql: str) -> None:
    judged = judge(world, sql)
    assert judged.tool is not None, judged.reasons
    before, after = list_missing(world.database, []), list_missing(world.database, [judged.tool])
    assert [(gone.kind, gone.table) for gone in before if gone not in after] == [(shape, table)]


def test_names_are_quoted_where_the_dialect_needs_it(world: LibraryWorld) -> None:
    table = world.database.tables[0].model_copy(update={"name": "order"})
    database = world.database.model_copy(update={"tables": (table,)})
    assert any('"order"' in shape.hint for shape in list_shapes(database))
    assert all(isinstance(shape, Shape) for shape in list_shapes(database))


def test_a_database_of_one_bare_table_still_has_shapes(world: LibraryWorld) -> None:
    table = world.database.tables[0]
    bare = table.model_copy(update={"columns": table.columns[-1:], "primary_key": (), "foreign_keys": ()})
    assert list_shapes(world.database.model_copy(update={"tables": (bare,)}))


def test_few_tools_may_always_give_the_same_answer(world: LibraryWorld) -> None:
    accepted: list[Judged] = []
    for sql in (
        "SELECT COUNT(*) AS n FROM member",
        "SELECT AVG(pages) AS n FROM book",
        "SELECT SUM(fee) AS n FROM loan",
    ):
        accepted.append(judge(world, sql, accepted))
    assert len([judged for judged in accepted if judged.tool]) == PLAIN_TOOLS
    refused = judge(world, "SELECT MAX(price) AS n FROM book", accepted)
    assert refused.reasons[0].startswith("no_parameter: ")
    assert judge(world, "SELECT author, COUNT(*) AS n FROM book GROUP BY author", accepted).tool
    assert judge(world, "SELECT MAX(price) AS n FROM book WHERE author = :author", accepted).tool


@pytest.mark.parametrize("figure", ["MAX(name)", "AVG(email)", "SUM(member_id)"])
def test_figures_of_names_and_ids_say_nothing(world: LibraryWorld, figure: str) -> None:
    judged = judge(world, f"SELECT {figure} AS figure FROM member WHERE level = :level")
    assert judged.reasons[0].startswith("senseless_figure: ")


def test_the_latest_date_is_a_sensible_figure(world: LibraryWorld) -> None:
    assert judge(world, "SELECT MAX(lent_on) AS last_loan FROM loan WHERE member_id = :member_id").tool


def test_topics_name_real_things_of_every_kind_and_hang_on_the_seed(world: LibraryWorld) -> None:
    topics = list_topics(world.database, 24, random.Random("7"))
    text = " ".join(topics)
    assert [
        kind for kind in ("ask to change", "ask to add", "the highest", "how many", "ask to find") if kind not in text
    ] == []
    titles = [row["title"] for table in world.database.tables for row in table.sample if "title" in row]
    assert any(title in " ".join(topics) for title in titles)
    assert len(set(topics)) == len(topics)
    assert topics == list_topics(world.database, 24, random.Random("7"))
    assert not any("_" in topic for topic in topics)


def test_questions_about_tables_and_columns_are_no_persons(world: LibraryWorld) -> None:
    good = ["How much does Harbour Light cost?", "Please move Nina to the North Gate branch."]
    bad = [
        "How many rows are there in the 'loan' table?",
        "What is the branch_name of the branch in Oslo?",
        "Which database holds the members?",
    ]
    kept, faults = sort_out([bad[0], good[0], *bad[1:], good[1]], world.database)
    assert kept == good
    assert len(faults) == 3


def test_a_restaurant_may_speak_of_its_tables(world: LibraryWorld) -> None:
    table = world.database.tables[0].model_copy(update={"name": "table_booking"})
    database = world.database.model_copy(update={"tables": (table,)})
    assert sort_out(["Is a table for two free tonight?"], database)[0]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("List the cities, ORDER BY population DESC LIMIT :limit; return name.", "List the cities"),
        ("Set the budget of one club where club_id = :club_id.", "Set the budget of one club"),
        (
            "Find out where a member lives. Returns the home town.",
            "Find out where a member lives. Returns the home town.",
        ),
        ("SELECT name FROM member", ""),
    ],
)
def test_a_description_keeps_no_sql(written: str, kept: str) -> None:
    assert drop_statement(written) == kept
