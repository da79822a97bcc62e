"""SQL analysis: what is refused, and what is known of a statement before it is ever run."""

import pytest

from schemas.databases import Column, Database, ForeignKey, Table
from schemas.tools import ParameterBinding
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_analysis import Analysis, analyse_sql


def column(
    name: str,
    kind: str = "string",
    *,
    key: bool = False,
    surrogate: bool = False,
    references: tuple[str, str] | None = None,
    writable: bool = True,
    declared: str = "TEXT",
) -> Column:
    return Column(
        name=name,
        type=declared,
        json_type=kind,
        nullable=not key,
        primary_key=key,
        surrogate=surrogate,
        references=references,
        writable=writable,
    )


CLUB = Table(
    name="club",
    view=False,
    columns=(
        column("Club_ID", "integer", key=True, surrogate=True),
        column("Name"),
        column("Home Town"),
        column("logo", declared="BLOB", writable=False),
    ),
    primary_key=("Club_ID",),
    foreign_keys=(),
    rows=3,
    sample=(),
)
PLAYER = Table(
    name="player",
    view=False,
    columns=(
        column("Player_ID", "integer", key=True, surrogate=True),
        column("Name"),
        column("Country"),
        column("Earnings", "number"),
        column("Club_ID", "integer", surrogate=True, references=("club", "Club_ID")),
        column("order", "integer"),
        column("straße"),
        column("2nd_name"),
        column("a/b"),
    ),
    primary_key=("Player_ID",),
    foreign_keys=(ForeignKey(columns=("Club_ID",), table="club", referred=("Club_ID",)),),
    rows=5,
    sample=(),
)
LOG = Table(
    name="log",
    view=False,
    columns=(column("word"), column("times", "integer")),
    primary_key=(),
    foreign_keys=(),
    rows=5,
    sample=(),
)
STARS = Table(name="stars", view=True, columns=(column("Name"),), primary_key=(), foreign_keys=(), rows=1, sample=())


def database(dialect: str = "sqlite") -> Database:
    return Database(name="soccer", dialect=dialect, tables=(CLUB, PLAYER, LOG, STARS))


def analyse(sql: str, dialect: str = "sqlite") -> Analysis:
    return analyse_sql(sql, database(dialect), 25)


def bindings(sql: str) -> list[tuple[str, str, str | None, str | None]]:
    return [(b.name, b.operator, b.table, b.column) for b in analyse(sql).bindings]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("", "empty"),
        ("SELEC Name FRM player", "syntax"),
        ("SELECT Name FROM player; DELETE FROM player WHERE Player_ID = :id", "statements"),
        ("DROP TABLE player", "statement_kind"),
        ("PRAGMA table_info(player)", "statement_kind"),
        ("ATTACH DATABASE 'x.db' AS y", "statement_kind"),
        ("VACUUM", "statement_kind"),
        ("REPLACE INTO club (Name) VALUES (:name)", "statement_kind"),
        ("INSERT OR REPLACE INTO club (Name) VALUES (:name)", "construct"),
        ("INSERT INTO club (Club_ID, Name) VALUES (:a, :b) ON CONFLICT DO UPDATE SET Name = :b", "construct"),
        ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", "recursion"),
        ("SELECT load_extension(:x) FROM player", "function"),
        ("SELECT readfile('/etc/passwd') FROM player", "function"),
        ("SELECT random() FROM player", "function"),
        ("SELECT CURRENT_TIMESTAMP FROM player", "function"),
        ("SELECT Name FROM player WHERE Country > date('now')", "clock"),
        ("SELECT Name FROM player WHERE Country > strftime('%Y', 'now')", "clock"),
        ("SELECT value FROM json_each(:x)", "function"),
        ("SELECT Name FROM plaier", "unknown_table"),
        ("SELECT sql FROM sqlite_master", "unknown_table"),
        ("SELECT Wage FROM player", "unknown_column"),
        ("SELECT p.Wage FROM player p", "unknown_column"),
        ("SELECT x.Name FROM player p", "unknown_table"),
        ('SELECT Name FROM player WHERE Country = "France"', "unknown_column"),
        ("SELECT Name FROM player JOIN club USING (Club_ID)", "ambiguous"),
        ("SELECT Name FROM player WHERE Country = ?", "parameter"),
        ("SELECT Name FROM player WHERE Country = @country", "parameter"),
        ("SELECT Name FROM player WHERE Country = :aB OR Country = :a_b", "parameter"),
        ("SELECT logo FROM club", "binary"),
        ("DELETE FROM player", "no_where"),
        ("UPDATE player SET Name = :name", "no_where"),
        ("UPDATE player SET Name = :name WHERE 1 = 1", "no_where"),
        ("UPDATE player SET Player_ID = :id WHERE Name = :name", "key_change"),
        ("UPDATE club SET logo = :logo WHERE Club_ID = :id", "not_writable"),
        ("UPDATE stars SET Name = :name WHERE Name = :old", "view"),
        ("DELETE FROM player WHERE Earnings < 5", "parameters"),
        ("INSERT INTO player (Name, Country) VALUES (:name)", "insert"),
        ("INSERT INTO club (Name) VALUES (:a), (:b)", "insert"),
        ("SELECT Name FROM player LIMIT :limit + 1", "limit"),
        ("SELECT Name FROM player WHERE Earnings > :n LIMIT :n", "parameters"),
        ("SELECT Name FROM player UNION SELECT Name, Club_ID FROM club", "set_operation"),
    ],
)
def test_bad_statements_are_refused_with_a_reason(sql: str, code: str) -> None:
    with pytest.raises(Rejection) as caught:
        analyse(sql)
    assert caught.value.code == code
    assert caught.value.reason.startswith(f"{code}: ")
    assert "\n" not in caught.value.reason


def test_a_reason_says_what_there_is() -> None:
    with pytest.raises(Rejection, match="Player_ID, Name, Country"):
        analyse("SELECT Wage FROM player")
    with pytest.raises(Rejection, match="club, player"):
        analyse("SELECT Name FROM plaier")
    with pytest.raises(Rejection, match="single quotes"):
        analyse('SELECT Name FROM player WHERE Country = "France"')


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT Name FROM player WHERE country = :c", [("c", "=", "player", "Country")]),
        ("SELECT Name FROM player WHERE :low < Earnings", [("low", ">", "player", "Earnings")]),
        (
            "SELECT p.Name FROM player p JOIN club c ON c.Club_ID = p.Club_ID WHERE c.`home town` LIKE :t || '%'",
            [("t", "like", "club", "Home Town")],
        ),
        (
            "SELECT Name FROM player WHERE Earnings BETWEEN :low AND :high",
            [("low", ">=", "player", "Earnings"), ("high", "<=", "player", "Earnings")],
        ),
        ("SELECT Name FROM player WHERE Club_ID IN (:ids)", [("ids", "in", "player", "Club_ID")]),
        ("SELECT Name FROM player WHERE LOWER(Name) = LOWER(:name)", [("name", "=", "player", "Name")]),
        ("SELECT Name FROM player WHERE CAST(Earnings AS REAL) >= :x", [("x", ">=", "player", "Earnings")]),
        (
            "SELECT Name FROM player WHERE Club_ID = (SELECT Club_ID FROM club WHERE Name = :club)",
            [("club", "=", "club", "Name")],
        ),
        (
            "SELECT n FROM (SELECT Name AS n, Country AS c FROM player) AS x WHERE x.c = :c",
            [("c", "=", "player", "Country")],
        ),
        (
            "WITH rich(who, home) AS (SELECT Name, Country FROM player) SELECT who FROM rich WHERE home = :c",
            [("c", "=", "player", "Country")],
        ),
        (
            "SELECT Country, COUNT(*) AS n FROM player GROUP BY Country HAVING COUNT(*) >= :least",
            [("least", ">=", None, None)],
        ),
        (
            "SELECT Country FROM player GROUP BY Country HAVING AVG(Earnings) > :least",
            [("least", ">", "player", "Earnings")],
        ),
        (
            "SELECT Name FROM player ORDER BY Earnings LIMIT :limit OFFSET :skip",
            [("limit", "limit", None, None), ("skip", "offset", None, None)],
        ),
        (
            "INSERT INTO player (Name, Club_ID) VALUES (:name, :club_id)",
            [("name", "values", "player", "Name"), ("club_id", "values", "player", "Club_ID")],
        ),
        (
            "INSERT INTO log (word, times) SELECT :word, COUNT(*) FROM player WHERE Country = :c",
            [("word", "values", "log", "word"), ("c", "=", "player", "Country")],
        ),
        (
            "UPDATE player SET Country = COALESCE(:c, Country) WHERE Player_ID = :id",
            [("c", "set", "player", "Country"), ("id", "=", "player", "Player_ID")],
        ),
        (
            "UPDATE player SET Earnings = Earnings + :more WHERE Player_ID = :id",
            [("more", "expression", None, None), ("id", "=", "player", "Player_ID")],
        ),
        ("DELETE FROM player WHERE Player_ID = :playerId", [("player_id", "=", "player", "Player_ID")]),
        ("SELECT Name FROM player WHERE `straße` = :straße", [("strasse", "=", "player", "straße")]),
    ],
)
def test_parameters_are_followed_to_their_columns(
    sql: str, expected: list[tuple[str, str, str | None, str | None]]
) -> None:
    assert bindings(sql) == expected


def test_null_checks_and_coalesce_make_a_parameter_optional() -> None:
    analysis = analyse(
        "SELECT Name FROM player WHERE (:c IS NULL OR Country = :c) AND Earnings >= COALESCE(:low, Earnings)"
    )
    assert {usage.name for usage in analysis.usages if usage.optional} == {"c", "low"}
    assert ParameterBinding(name="c", table="player", column="Country", operator="=") in analysis.bindings


def test_outputs_carry_their_origin() -> None:
    analysis = analyse(
        "WITH big AS (SELECT Club_ID AS c, COUNT(*) AS n FROM player GROUP BY Club_ID)"
        " SELECT club.Name, big.n, (SELECT MAX(Name) FROM player) AS best FROM club JOIN big ON big.c = club.Club_ID"
    )
    assert [(field.name, field.table, field.column) for field in analysis.output_fields] == [
        ("name", "club", "Name"),
        ("n", None, None),
        ("best", None, None),
    ]


def test_result_names_are_snake_case_and_different() -> None:
    analysis = analyse(
        'SELECT p.Name, c.Name, c."Home Town", p."straße", p."2nd_name", p."a/b", COUNT(*), SUM(p.Earnings),'
        " AVG(p.Earnings) + 1"
        " FROM player p JOIN club c ON c.Club_ID = p.Club_ID GROUP BY 1, 2, 3, 4, 5, 6"
    )
    assert [field.name for field in analysis.output_fields] == [
        "name",
        "club_name",
        "home_town",
        "strasse",
        "column_2nd_name",
        "a_b",
        "count",
        "total_earnings",
        "earnings_value",
    ]


def test_stars_are_expanded_without_binary_columns() -> None:
    assert [field.column for field in analyse("SELECT * FROM club").output_fields] == ["Club_ID", "Name", "Home Town"]
    both = analyse("SELECT c.*, p.Name FROM player p JOIN club c ON c.Club_ID = p.Club_ID")
    assert [field.name for field in both.output_fields] == ["club_id", "name", "home_town", "player_name"]


def test_renamed_aliases_stay_bound_in_order_by() -> None:
    sql = analyse("SELECT Country, AVG(Earnings) AS AvgEarn FROM player GROUP BY Country ORDER BY AvgEarn DESC").sql
    assert "AS avg_earn" in sql
    assert "ORDER BY avg_earn DESC" in sql


@pytest.mark.parametrize(
    ("sql", "tail"),
    [
        ("SELECT Name FROM player", "ORDER BY Player_ID LIMIT 25"),
        ("SELECT Name FROM player ORDER BY Name LIMIT 7", "ORDER BY Name, Player_ID LIMIT 7"),
        ("SELECT Name FROM player LIMIT 900", "ORDER BY Player_ID LIMIT 25"),
        ("SELECT Name FROM player LIMIT :limit", "ORDER BY Player_ID LIMIT :limit"),
        ("SELECT word FROM log", "ORDER BY 1 LIMIT 25"),
        ("SELECT DISTINCT Country FROM player", "ORDER BY 1 LIMIT 25"),
        ("SELECT Country, COUNT(*) AS n FROM player GROUP BY Country ORDER BY n", "ORDER BY n, 1, 2 LIMIT 25"),
        (
            "SELECT p.Name FROM player p JOIN club c ON c.Club_ID = p.Club_ID ORDER BY p.Earnings DESC",
            "ORDER BY p.Earnings DESC, p.Player_ID, c.Club_ID LIMIT 25",
        ),
        ("SELECT Name FROM player UNION SELECT Name FROM club", "ORDER BY 1 LIMIT 25"),
    ],
)
def test_rows_have_one_order_and_a_limit(sql: str, tail: str) -> None:
    assert analyse(sql).sql.endswith(tail)


def test_a_limit_inside_is_made_stable_too() -> None:
    sql = analyse("SELECT Name FROM player WHERE Club_ID = (SELECT Club_ID FROM club ORDER BY Name LIMIT 1)").sql
    assert "(SELECT Club_ID FROM club ORDER BY Name, Club_ID LIMIT 1)" in sql


@pytest.mark.parametrize(
    ("sql", "returns"),
    [
        ("SELECT Name FROM player WHERE Player_ID = :id", "row"),
        ("SELECT p.Name, c.Name FROM player p JOIN club c ON c.Club_ID = p.Club_ID WHERE p.Player_ID = :id", "row"),
        ("SELECT c.Name, p.Name FROM club c JOIN player p ON c.Club_ID = p.Club_ID WHERE c.Club_ID = :id", "rows"),
        ("SELECT Name FROM player WHERE Player_ID = :id OR Name = :name", "rows"),
        ("SELECT Name FROM player WHERE Player_ID > :id", "rows"),
        ("SELECT COUNT(*) AS n FROM player WHERE Country = :c", "row"),
        ("SELECT Country, COUNT(*) AS n FROM player GROUP BY Country", "rows"),
        ("SELECT Name FROM player ORDER BY Earnings DESC LIMIT 1", "row"),
        ("DELETE FROM player WHERE Player_ID = :id", "change"),
    ],
)
def test_what_a_tool_returns(sql: str, returns: str) -> None:
    assert analyse(sql).returns == returns


SAME = [
    "SELECT p.Name, p.Earnings FROM player AS p WHERE p.Country = :c AND p.Earnings > :e",
    "select  NAME,earnings from PLAYER where :low < earnings and country=:land  -- comment",
    'SELECT "Earnings" AS money, "Name" AS who FROM "player" AS zzz WHERE (Earnings > :x) AND (:y = Country) LIMIT 25',
]


def test_the_digest_sees_through_spelling() -> None:
    assert len({analyse(sql).statement_digest for sql in SAME}) == 1


@pytest.mark.parametrize(
    "other",
    [
        "SELECT Name, Earnings FROM player WHERE Country = :c AND Earnings >= :e",
        "SELECT Name, Earnings FROM player WHERE Country = :c OR Earnings > :e",
        "SELECT Name, Country FROM player WHERE Country = :c AND Earnings > :e",
        "SELECT Name, Earnings FROM player WHERE Country = :c AND Earnings > :e ORDER BY Name",
        "SELECT Name, Earnings FROM player WHERE Country = 'USA' AND Earnings > :e",
        "SELECT Name, Earnings FROM player WHERE Country = :c AND Earnings > :e LIMIT 5",
    ],
)
def test_the_digest_tells_different_statements_apart(other: str) -> None:
    assert analyse(other).statement_digest != analyse(SAME[0]).statement_digest


def test_the_digest_keeps_apart_who_is_who() -> None:
    one = "SELECT Name FROM player WHERE Country = :a AND Name = :a"
    two = "SELECT Name FROM player WHERE Country = :a AND Name = :b"
    assert analyse(one).statement_digest != analyse(two).statement_digest
    forth = "SELECT a.Name FROM player a JOIN player b ON a.Club_ID = b.Club_ID WHERE b.Player_ID = :x"
    back = "SELECT q.Name FROM player q JOIN player r ON r.Club_ID = q.Club_ID WHERE r.Player_ID = :y"
    other = "SELECT b.Name FROM player a JOIN player b ON a.Club_ID = b.Club_ID WHERE b.Player_ID = :x"
    assert analyse(forth).statement_digest == analyse(back).statement_digest != analyse(other).statement_digest


def test_a_plain_like_is_a_search_with_wildcards() -> None:
    bare = analyse("SELECT Name FROM player WHERE Name LIKE :name")
    wild = analyse("SELECT Name FROM player WHERE Name LIKE '%' || :name || '%'")
    quoted = analyse("SELECT Name FROM player WHERE Name LIKE '%:name%'")
    assert bare.sql == wild.sql == quoted.sql
    assert "ESCAPE '!'" in bare.sql
    prefix = analyse("SELECT Name FROM player WHERE Name LIKE :name || '%'")
    assert prefix.sql != bare.sql


def test_postgres_ignores_case_and_quotes_what_it_must() -> None:
    sql = analyse("SELECT Name FROM player WHERE name LIKE :name", "postgres").sql
    assert '"Name" ILIKE ' in sql
    assert ":name" in sql


def test_an_insert_numbers_its_row_itself() -> None:
    key = "(SELECT COALESCE(MAX(Club_ID), 0) + 1 FROM club)"
    asked = analyse("INSERT INTO club (Club_ID, Name) VALUES (:club_id, :name)")
    left_out = analyse("INSERT INTO club (Name) VALUES (:name)")
    assert key in asked.sql
    assert asked.statement_digest == left_out.statement_digest
    assert [binding.name for binding in asked.bindings] == ["name"]


def test_hints_of_a_writer_that_do_no_harm_are_dropped() -> None:
    assert "RETURNING" not in analyse("INSERT INTO club (Name) VALUES (:name) RETURNING Club_ID").sql
    assert analyse("SELECT main.player.Name FROM main.player;").sql.startswith(
        "SELECT player.Name AS name FROM player "
    )
