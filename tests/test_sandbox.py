"""Each way out of the SQLite sandbox, tried."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hand_tools import make_file, make_tool, open_file
from turnwright.environments.base import SqlBase

SHOP = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price REAL CHECK (price >= 0));
CREATE TABLE sale (id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL REFERENCES item(id), day TEXT);
CREATE TABLE audit (what TEXT);
CREATE VIEW cheap AS SELECT * FROM item WHERE price < 5;
CREATE VIRTUAL TABLE notes USING fts5(body);
CREATE TRIGGER log_item AFTER INSERT ON item BEGIN INSERT INTO audit VALUES ('new ' || NEW.name); END;
INSERT INTO item VALUES (1, 'tea', 3.5), (2, 'cup', 8.0), (3, 'pot', 20.0);
INSERT INTO sale VALUES (1, 1, '2024-05-01'), (2, 2, '2024-05-02');
INSERT INTO notes VALUES ('green tea is good');
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlBase]:
    folder = tmp_path_factory.mktemp("sandbox")
    base = open_file(make_file(folder, SHOP), folder, statement_seconds=0.5, written_rows=2)
    yield base
    base.close()


def kind(base: SqlBase, sql: str, *, writes: bool = False, **parameters: Any) -> str | None:
    error = base.run(sql, parameters, writes=writes).error
    return error.kind if error else None


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH 'file:/tmp/other.sqlite' AS other",
        "DETACH main",
        "PRAGMA journal_mode=WAL",
        "PRAGMA writable_schema=ON",
        "CREATE TABLE x (a)",
        "CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM sale; END",
        "CREATE TEMP VIEW x AS SELECT 1",
        "DROP TABLE item",
        "ALTER TABLE item ADD COLUMN x",
        "VACUUM INTO '/tmp/stolen.sqlite'",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
        "ANALYZE",
        "REINDEX",
        "EXPLAIN SELECT 1",
        "SELECT 1; DELETE FROM sale",
        "/* SELECT */ DROP TABLE item",
        "",
    ],
)
def test_statements_of_other_kinds_are_refused(base: SqlBase, sql: str, writes: bool) -> None:
    assert kind(base, sql, writes=writes) == "refused"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM sqlite_master",
        "SELECT * FROM pragma_table_info('item')",
        "SELECT count(*) FROM pragma_database_list",
        "SELECT * FROM sqlite_dbpage",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/x', 'y')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT zeroblob(1000)",
        "SELECT sqlite_version()",
        "SELECT last_insert_rowid()",
        "SELECT changes()",
        "SELECT * FROM sqlite_sequence",
    ],
)
def test_reads_out_of_bounds_fail(base: SqlBase, sql: str) -> None:
    assert kind(base, sql) in ("refused", "database")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO item VALUES (9, 'x', 1)",
        "INSERT INTO item VALUES (9, 'x', 1) RETURNING id",
        "UPDATE item SET price = 0 RETURNING price",
        "DELETE FROM sale",
        "WITH old AS (SELECT 1) DELETE FROM sale",
        "WITH old AS (SELECT 1) INSERT INTO item SELECT 9, 'x', 1",
        "REPLACE INTO item VALUES (1, 'x', 1)",
    ],
)
def test_read_tools_cannot_write(base: SqlBase, sql: str) -> None:
    assert kind(base, sql) == "refused"
    environment = base.open(
        [make_tool("sneak", sql).model_copy(update={"effect": "read", "returns": "rows"})],
        seed="s",
        reference_time="2025-01-01T00:00:00",
    )
    assert environment.call("sneak", {}).value["error"] == "refused"
    assert environment.changes() == []


def test_a_read_after_a_write_cannot_write_either(base: SqlBase) -> None:
    tools = [
        make_tool("sell", "INSERT INTO sale (item_id, day) VALUES (:item, '2024-06-01')"),
        make_tool("sneak", "DELETE FROM sale").model_copy(update={"effect": "read", "returns": "rows"}),
    ]
    environment = base.open(tools, seed="s", reference_time="2025-01-01T00:00:00")
    assert environment.call("sell", {"item": 1}).rows_changed == 1
    assert environment.call("sneak", {}).value["error"] == "refused"
    assert len(environment.changes()) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sqlite_master SET sql = 'x'",
        "INSERT INTO notes_data VALUES (1, x'00')",
        "DELETE FROM notes_content",
        "DELETE FROM sqlite_sequence",
    ],
)
def test_writes_stay_off_what_is_not_the_users(base: SqlBase, sql: str) -> None:
    assert kind(base, sql, writes=True) in ("refused", "database")


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
        "SELECT count(*) FROM item a, item b, item c, item d, item e, item f, item g, item h, item i, item j, item k,"
        " item l, item m, item n, item o, item p, item q, item r",
    ],
)
def test_endless_statements_are_stopped(base: SqlBase, sql: str) -> None:
    assert kind(base, sql) == "timeout"


def test_a_write_that_never_ends_leaves_nothing(base: SqlBase) -> None:
    sql = "INSERT INTO audit WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    assert kind(base, sql, writes=True) in ("timeout", "database")
    assert base.run("SELECT count(*) AS n FROM audit", {}).rows == ({"n": 3},)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT printf('%.*c', 100000000, 'x')",
        "SELECT length(randomblob(1000000000))",
        "SELECT printf('%2000000000d', 1)",
        "WITH RECURSIVE c(x) AS (SELECT 'xxxxxxxx' UNION ALL SELECT replace(x, 'x', 'xxxxxxxx') FROM c)"
        " SELECT length(x) FROM c",
        "WITH c(x) AS (SELECT printf('%01000d', 1)), d(x) AS (SELECT replace(x, '0', x) FROM c)"
        " SELECT replace(x, '0', x) FROM d",
    ],
)
def test_huge_values_are_not_made(base: SqlBase, sql: str) -> None:
    assert kind(base, sql) in ("too_large", "refused")


def test_lists_are_cut_at_the_row_limit(base: SqlBase) -> None:
    execution = base.run("SELECT a.id FROM item a, item b ORDER BY 1", {}, limit=4)
    assert len(execution.rows) == 4
    assert execution.truncated


def test_large_results_are_cut_or_refused(tmp_path: Path) -> None:
    base = open_file(make_file(tmp_path, SHOP), tmp_path, result_bytes=300)
    tools = [
        make_tool("many", "SELECT name, printf('%0100d', 1) AS filler FROM item ORDER BY id"),
        make_tool("one", "SELECT printf('%01000d', 1) AS filler", row=True),
    ]
    environment = base.open(tools, seed="s", reference_time="2025-01-01T00:00:00")
    many = environment.call("many", {})
    assert [row["name"] for row in many.value] == ["tea", "cup"]
    assert many.truncated
    assert environment.call("one", {}).value["error"] == "too_large"


def test_a_write_of_too_many_rows_is_undone(base: SqlBase) -> None:
    environment = base.open(
        [make_tool("raise", "UPDATE item SET price = price + 1")], seed="s", reference_time="2025-01-01T00:00:00"
    )
    result = environment.call("raise", {})
    assert result.value["error"] == "refused"
    assert "3 rows" in result.value["message"]
    assert environment.changes() == []


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**70, [1, [2]], {"a": 1}, "a\0b", "\ud800", ["x"] * 1000]
)
def test_values_that_cannot_be_bound_are_invalid_arguments(base: SqlBase, value: Any) -> None:
    environment = base.open(
        [make_tool("find", "SELECT * FROM item WHERE name = :name")], seed="s", reference_time="2025-01-01T00:00:00"
    )
    assert environment.call("find", {"name": value}).value["error"] == "invalid_arguments"


def test_what_is_allowed_runs(base: SqlBase) -> None:
    sql = """WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5)
    SELECT c.x, CASE WHEN i.price > 4 THEN CAST(i.price AS INTEGER) END AS p, upper(i.name) AS n,
    rank() OVER (ORDER BY i.price) AS r FROM c
    JOIN item i ON i.id = c.x JOIN cheap ON cheap.id <> i.id ORDER BY 1 LIMIT :n"""
    assert len(base.run(sql, {"n": 2}).rows) == 2
    assert base.run("SELECT body FROM notes WHERE notes MATCH 'tea'", {}).rows == ({"body": "green tea is good"},)
    assert kind(base, "INSERT INTO notes VALUES (:b)", writes=True, b="new") is None


def test_trigger_and_foreign_key_work_inside_the_bounds(base: SqlBase) -> None:
    tools = [
        make_tool("add", "INSERT INTO item (name, price) VALUES (:name, :price)"),
        make_tool("drop", "DELETE FROM item WHERE id = :id"),
        make_tool("sell", "INSERT INTO sale (item_id) VALUES (:id)"),
    ]
    environment = base.open(tools, seed="s", reference_time="2025-01-01T00:00:00")
    assert environment.call("add", {"name": "mug", "price": 4}).value == {"rows_changed": 1, "inserted": {"id": 4}}
    assert [change.table for change in environment.changes()] == ["audit", "item"]
    for name, arguments, words in [
        ("add", {"name": "mug", "price": 4}, "already"),
        ("add", {"name": "jug", "price": -4}, "not allowed"),
        ("add", {"name": None, "price": 4}, "must have a value"),
        ("drop", {"id": 1}, "still refer"),
        ("sell", {"id": 99}, "missing"),
    ]:
        result = environment.call(name, arguments)
        assert result.value["error"] == "database"
        assert words in result.value["message"]
    assert len(environment.changes()) == 2


def test_a_badly_declared_key_does_not_stop_writes(tmp_path: Path) -> None:
    script = """CREATE TABLE a (x TEXT); CREATE TABLE b (y TEXT REFERENCES a(x));
    CREATE TABLE c (z REFERENCES gone(id));
    INSERT INTO a VALUES ('1');"""
    base = open_file(make_file(tmp_path, script), tmp_path)
    assert kind(base, "INSERT INTO b VALUES ('1')", writes=True) is None
    assert kind(base, "INSERT INTO c VALUES ('1')", writes=True) is None
