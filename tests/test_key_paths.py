"""SQL analysis: which row a column or a parameter is of, where a table is reached by more than one key."""

import pytest
from test_key_roles import CITY, CLUB, EMPLOYEES, PLAYER, TRANSFER, column, table

from schemas.databases import Database
from turnwright.tools.entity_types import EntityTypes
from turnwright.tools.key_roles import name_path
from turnwright.tools.output_schema import build_output_schema
from turnwright.tools.sql_analysis import Analysis, analyse_sql

ORDERS = table("orders", column("id"), column("customer_id", ("customer", "id")), column("store_id", ("store", "id")))
CUSTOMER = table("customer", column("id"), column("name"), column("city_id", ("city", "id")))
STORE = table("store", column("id"), column("name"), column("city_id", ("city", "id")))
TABLES = (CITY, CLUB, TRANSFER, PLAYER, EMPLOYEES, ORDERS, CUSTOMER, STORE)
BOTH = "FROM transfer t JOIN club f ON f.id = t.from_club_id LEFT JOIN club s ON t.to_club_id = s.id"


def analyse(sql: str, dialect: str = "sqlite") -> Analysis:
    return analyse_sql(sql, Database(name="world", dialect=dialect, tables=TABLES), 25)


def name(via: tuple[tuple[str, str], ...]) -> str:
    return name_path(via, Database(name="world", dialect="sqlite", tables=TABLES))


def outputs(sql: str, dialect: str = "sqlite") -> list[tuple[str, str]]:
    return [(field.name, name(field.via)) for field in analyse(sql, dialect).output_fields]


def parameters(sql: str) -> list[tuple[str, str]]:
    return [(binding.name, name(binding.via)) for binding in analyse(sql).bindings]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_two_keys_into_one_table(dialect: str) -> None:
    made = outputs(f"SELECT t.id, f.name, s.name {BOTH}", dialect)
    assert made == [("id", ""), ("from_club_name", "from club"), ("to_club_name", "to club")]


def test_parameters_are_of_the_row_that_their_key_leads_to() -> None:
    assert parameters(f"SELECT t.id {BOTH} WHERE f.name LIKE :seller AND s.name = :buyer") == [
        ("seller", "from club"),
        ("buyer", "to club"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT c.name FROM club c JOIN player p ON p.club_id = c.id",
        "SELECT c.name, t.name FROM club c JOIN city t ON t.id = c.city_id WHERE t.name = :town",
        "SELECT name FROM club WHERE city_id = (SELECT id FROM city WHERE name = :town)",
    ],
)
def test_only_keys_and_plain_keys_need_no_role(sql: str) -> None:
    analysis = analyse(sql)
    assert not any(item.via for item in (*analysis.output_fields, *analysis.bindings))


def test_the_plain_key_stays_plain_beside_another() -> None:
    sql = "SELECT c.name, l.name FROM player p JOIN club c ON c.id = p.club_id JOIN club l ON l.id = p.loan_club_id"
    assert outputs(sql) == [("name", ""), ("loan_club_name", "loan club")]


def test_a_table_that_points_at_itself() -> None:
    sql = (
        "SELECT e.first_name, m.first_name, b.first_name AS top FROM employees e JOIN employees m ON m.id = "
        "e.manager_id JOIN employees b ON b.id = m.manager_id WHERE m.first_name = :boss"
    )
    assert outputs(sql) == [
        ("first_name", ""),
        ("manager_first_name", "manager"),
        ("manager_manager_first_name", "manager's manager"),
    ]
    assert parameters(sql) == [("boss", "manager")]


def test_two_levels_of_joins() -> None:
    sql = f"SELECT x.name AS a, y.name AS b {BOTH} JOIN city x ON x.id = f.city_id JOIN city y ON y.id = s.city_id"
    assert outputs(sql) == [("from_club_city_name", "from club city"), ("to_club_city_name", "to club city")]


def test_two_rows_of_a_table_that_no_key_tells_apart_are_called_after_their_owners() -> None:
    sql = (
        "SELECT a.name AS one, b.name AS other FROM orders o JOIN customer c ON c.id = o.customer_id JOIN store s "
        "ON s.id = o.store_id JOIN city a ON a.id = c.city_id JOIN city b ON b.id = s.city_id"
    )
    assert outputs(sql) == [("customer_city_name", "customer's city"), ("store_city_name", "store city")]


def test_an_alias_is_kept_where_it_says_which_row_it_is_of() -> None:
    made = outputs(f"SELECT f.name AS from_name, s.name AS club_name, s.club_budget AS buyer {BOTH} ORDER BY buyer")
    assert [name for name, _ in made] == ["from_name", "to_club_name", "to_club_budget"]
    assert outputs("SELECT t.id, f.name FROM transfer t JOIN club f ON f.id = t.from_club_id")[1][0] == "from_club_name"
    boss = "FROM employees e JOIN employees m ON m.id = e.manager_id"
    assert outputs(f"SELECT e.first_name, m.first_name AS managers_name {boss}")[1] == ("managers_name", "manager")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT t.id, (SELECT name FROM club WHERE id = t.from_club_id) AS n FROM transfer t",
        "WITH c AS (SELECT id, name FROM club) SELECT t.id, c.name AS n FROM transfer t JOIN c ON c.id = from_club_id",
        "SELECT d.id, d.n FROM (SELECT t.id, f.name AS n FROM transfer t, club f WHERE f.id = t.from_club_id) d",
        "SELECT t.id, ((f.name)) AS n FROM club f JOIN transfer t ON (t.id > 3 AND (f.id = t.from_club_id))",
    ],
)
def test_keys_are_followed_through_other_forms_of_a_join(sql: str) -> None:
    assert outputs(sql) == [("id", ""), ("from_club_name", "from club")]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT id FROM transfer WHERE to_club_id IN (SELECT id FROM club WHERE name = :n)", [("n", "to club")]),
        (
            "UPDATE transfer SET from_club_id = (SELECT id FROM club WHERE name = :n) WHERE id = :id",
            [("n", "from club"), ("id", "")],
        ),
        (
            "INSERT INTO transfer (from_club_id, to_club_id) VALUES ((SELECT id FROM club WHERE name = :a), "
            "(SELECT id FROM club WHERE name = :b))",
            [("a", "from club"), ("b", "to club")],
        ),
    ],
)
def test_a_query_that_gives_a_key_is_about_the_row_of_that_key(sql: str, expected: list[tuple[str, str]]) -> None:
    assert parameters(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT c.name FROM transfer t JOIN club c ON c.id = t.from_club_id OR c.id = t.to_club_id WHERE c.name = :n",
        f"SELECT t.id {BOTH} WHERE f.name = :n OR s.name = :n",
        f"SELECT f.name {BOTH} UNION SELECT s.name {BOTH}",
    ],
)
def test_what_can_be_either_row_is_of_no_certain_one(sql: str) -> None:
    analysis = analyse(sql)
    found = [item for item in (*analysis.output_fields, *analysis.bindings) if item.column == "name"]
    assert found and all(item.table == "club" and item.via == () for item in found)


@pytest.mark.parametrize(
    "joins",
    [
        "LEFT JOIN transfer t ON t.from_club_id = c.id",
        "JOIN transfer t ON t.from_club_id = c.id JOIN transfer u ON u.to_club_id = c.id",
        "JOIN transfer t ON t.from_club_id = c.id JOIN player p ON p.club_id = c.id",
    ],
)
def test_a_row_that_is_there_without_a_key_or_by_several_has_no_role(joins: str) -> None:
    assert outputs(f"SELECT c.name, COUNT(t.id) AS n FROM club c {joins} GROUP BY c.id, c.name") == [
        ("name", ""),
        ("n", ""),
    ]


def test_keys_that_lead_in_a_circle_end() -> None:
    sql = "SELECT a.first_name FROM employees a JOIN employees b ON a.manager_id = b.id AND b.manager_id = a.id"
    assert [field.table for field in analyse(sql).output_fields] == ["employees"]


def test_the_model_is_told_which_row_a_field_and_a_parameter_are_of() -> None:
    analysis = analyse(f"SELECT f.name, s.id AS buyer_id, s.name {BOTH}")
    world = Database(name="world", dialect="sqlite", tables=TABLES)
    schema = build_output_schema(analysis, world, EntityTypes(world, None), [])
    described = {field: part["description"] for field, part in schema["items"]["properties"].items()}
    assert described == {
        "from_club_name": "Name of the from club.",
        "to_club_id": "ID of the to club.",
        "to_club_name": "Name of the to club.",
    }
