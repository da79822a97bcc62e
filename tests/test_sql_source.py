"""What is found out about a database, that it is never changed, and what is said when it cannot be used."""

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from schemas.databases import Column, Database
from schemas.sources import SqlSource
from tests.hand_tools import collect_file, make_file
from turnwright.sources.errors import SourceError
from turnwright.sources.sql import check_source, collect_seed
from turnwright.storage.store import Store

ODD = """
CREATE TABLE "order" (
    "Order Nr" INTEGER, "2nd/address" TEXT, größe TEXT, photo BLOB, anything, mixed INTEGER, paid BOOLEAN,
    total REAL, net REAL GENERATED ALWAYS AS (total / 2) STORED, "select" TEXT, placed TEXT, mail TEXT,
    PRIMARY KEY ("Order Nr")
);
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER REFERENCES person, code TEXT UNIQUE, born INTEGER);
CREATE TABLE membership (person_id INT, club TEXT, season INT, level TEXT, PRIMARY KEY (person_id, club),
    FOREIGN KEY (person_id) REFERENCES person);
CREATE TABLE fee (person_id INT, club TEXT, amount NUMERIC(8, 2), FOREIGN KEY (person_id, club) REFERENCES membership);
CREATE TABLE session (token TEXT PRIMARY KEY, account_id TEXT, note TEXT);
CREATE TABLE lost (id INTEGER PRIMARY KEY, other INTEGER REFERENCES nowhere(id), half TEXT REFERENCES person(name));
CREATE TABLE empty (id INTEGER PRIMARY KEY, word TEXT);
CREATE VIRTUAL TABLE notes USING fts5(body);
CREATE VIEW grown AS SELECT id, name, code FROM person WHERE born < 2000;
CREATE VIEW broken AS SELECT absent FROM person;
"""


def fill_odd(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(ODD)
    for number in range(1, 13):
        connection.execute(
            'INSERT INTO "order" ("Order Nr", "2nd/address", größe, photo, anything, mixed, paid, total, "select",'
            " placed, mail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                f"Street {number}",
                "SML"[number % 3],
                b"\xff\x00",
                number,
                "n/a" if number == 3 else number,
                number % 2,
                10.0,
                "s",
                f"2024-05-{number:02d}",
                f"p{number}@x.org",
            ),
        )
        connection.execute(
            "INSERT INTO person VALUES (?, CAST(? AS TEXT), ?, ?, ?)",
            (number, b"Jos\xe9" if number == 1 else b"Ann", 1, f"W{number}", 1990 + number),
        )
        connection.execute(
            "INSERT INTO membership VALUES (?, 'Riders', 2020, ?)", (number, "gold" if number % 2 else "basic")
        )
        connection.execute("INSERT INTO fee VALUES (?, 'Riders', 25)", (number,))
        connection.execute(
            "INSERT INTO session VALUES (?, ?, 'x')", (hashlib.md5(str(number).encode()).hexdigest(), str(900 + number))
        )
    connection.execute("INSERT INTO notes VALUES ('hello')")
    connection.commit()
    connection.close()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Database:
    folder = tmp_path_factory.mktemp("odd")
    fill_odd(folder / "odd shop.sqlite")
    return collect_file(folder / "odd shop.sqlite", Store(folder / "store"))[1]


def column(database: Database, table: str, name: str) -> Column:
    found = database.table(table)
    assert found is not None
    result = found.column(name)
    assert result is not None
    return result


def test_tables_views_and_nothing_internal(odd: Database) -> None:
    names = [table.name for table in odd.tables]
    assert names == ["empty", "fee", "grown", "lost", "membership", "notes", "order", "person", "session"]
    assert [table.name for table in odd.tables if table.view] == ["grown"]
    assert odd.name == "odd_shop"


def test_types_are_those_of_the_values(odd: Database) -> None:
    types = {c.name: c.json_type for c in odd.table("order").columns}  # pyright: ignore
    assert types["Order Nr"] == "integer"
    assert types["mixed"] == "string"
    assert types["anything"] == "integer"
    assert types["total"] == types["net"] == "number"
    assert column(odd, "fee", "amount").json_type == "number"
    assert column(odd, "empty", "word").json_type == "string"


def test_what_cannot_be_written_is_marked(odd: Database) -> None:
    assert [c.name for c in odd.table("order").columns if not c.writable] == ["photo", "net"]  # pyright: ignore


def test_references_implicit_composite_and_to_itself(odd: Database) -> None:
    assert column(odd, "person", "boss").references == ("person", "id")
    assert column(odd, "membership", "person_id").references == ("person", "id")
    (key,) = odd.table("fee").foreign_keys  # pyright: ignore
    assert (key.columns, key.table, key.referred) == (("person_id", "club"), "membership", ("person_id", "club"))
    assert column(odd, "lost", "other").references is None
    assert column(odd, "lost", "half").references == ("person", "name")


@pytest.mark.parametrize(
    ("table", "name", "surrogate"),
    [
        ("person", "id", True),
        ("person", "boss", True),
        ("person", "code", False),
        ("person", "born", False),
        ("membership", "person_id", True),
        ("membership", "season", False),
        ("fee", "person_id", True),
        ("fee", "club", False),
        ("session", "token", True),
        ("session", "account_id", True),
        ("order", "Order Nr", False),
        ("grown", "id", True),
        ("grown", "code", False),
    ],
)
def test_surrogates_are_what_a_person_does_not_know(odd: Database, table: str, name: str, surrogate: bool) -> None:
    assert column(odd, table, name).surrogate is surrogate


def test_closed_sets_repeat_and_are_no_names(odd: Database) -> None:
    assert column(odd, "membership", "level").values == ("basic", "gold")
    assert column(odd, "order", "paid").values == (0, 1)
    assert column(odd, "order", "größe").values == ("L", "M", "S")
    assert column(odd, "person", "name").values == ()
    assert column(odd, "membership", "person_id").values == ()


def test_formats(odd: Database) -> None:
    assert column(odd, "order", "placed").format == "date"
    assert column(odd, "order", "mail").format == "email"
    assert column(odd, "order", "select").format is None


def test_samples_are_few_decoded_and_drawn_by_the_seed(tmp_path: Path) -> None:
    fill_odd(tmp_path / "o.sqlite")
    store = Store(tmp_path / "store")
    database = collect_file(tmp_path / "o.sqlite", store, sample_rows=12)[1]
    assert {row["name"] for row in database.table("person").sample} == {"Jos\ufffd", "Ann"}  # pyright: ignore
    assert {row["photo"] for row in database.table("order").sample} == {"<binary, 2 bytes>"}  # pyright: ignore
    source = SqlSource(kind="sql", url=f"sqlite:///{tmp_path}/o.sqlite", sample_rows=2)
    rows = [collect_seed(source, 0, seed, store) for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]
    assert rows[0].base_digest == rows[2].base_digest
    assert all(len(table.sample) <= 2 for table in Database.model_validate_json(rows[0].content).tables)


def test_only_the_tables_that_the_config_names(tmp_path: Path) -> None:
    fill_odd(tmp_path / "o.sqlite")
    _, database, _ = collect_file(tmp_path / "o.sqlite", Store(tmp_path / "store"), tables=["Person", "grown"])
    assert [table.name for table in database.tables] == ["grown", "person"]
    with pytest.raises(SourceError, match="no readable table gone"):
        collect_file(tmp_path / "o.sqlite", Store(tmp_path / "store"), tables=["person", "gone"])


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(folder.iterdir())
    }


def test_a_file_in_wal_mode_is_read_with_its_log_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    writer = sqlite3.connect(folder / "live.sqlite")
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT)")
    writer.executemany("INSERT INTO t (word) VALUES (?)", [("a",), ("b",)])
    writer.commit()
    before = snapshot(folder)
    assert "live.sqlite-wal" in before
    store = Store(tmp_path / "store")
    row, database, source = collect_file(folder / "live.sqlite", store)
    assert database.table("t").rows == 2  # pyright: ignore
    assert check_source(source).tables == 1
    assert snapshot(folder) == before
    writer.close()
    assert not (folder / "live.sqlite-wal").exists()
    assert Database.model_validate_json(collect_seed(source, 0, 7, store).content) == database
    assert sorted(file.name for file in folder.iterdir()) == ["live.sqlite"]
    stored = sqlite3.connect(f"file:{store.path(row.base_digest, '.sqlite')}?mode=ro&immutable=1", uri=True)
    assert stored.execute("SELECT count(*) FROM t").fetchone() == (2,)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("id,name\n1,x\n" * 100), "not an SQLite database"),
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: make_file(path.parent, "CREATE TABLE t (a)", path.name), "empty"),
        (lambda path: make_file(path.parent, "CREATE VIEW v AS SELECT 1 WHERE 0", path.name), "empty"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000), "damaged"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, make: Any, words: str) -> None:
    path = tmp_path / "it.sqlite"
    make(path)
    existed = path.exists()
    with pytest.raises(SourceError) as caught:
        collect_seed(SqlSource(kind="sql", url=f"sqlite:///{path}"), 3, 7, Store(tmp_path / "store"))
    assert words in caught.value.message
    assert caught.value.message.startswith("source 3 (sqlite:///")
    assert caught.value.hint
    assert path.exists() == existed


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://u:hunter2@h/d", "cannot run on mysql"),
        ("nonsense hunter2", "not a database URL"),
        ("sqlite://", "needs a file"),
        ("postgresql://u:hunter2@127.0.0.1:1/d?connect_timeout=2", "cannot be reached"),
    ],
)
def test_urls_that_cannot_be_used_and_the_password_is_never_said(tmp_path: Path, url: str, words: str) -> None:
    for look in (lambda s: collect_seed(s, 1, 7, Store(tmp_path)), lambda s: check_source(s, 1)):  # pyright: ignore
        with pytest.raises(SourceError) as caught:
            look(SqlSource(kind="sql", url=url))
        assert words in caught.value.message
        assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.__context__ or ''}"


def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = SqlSource(kind="sql", url_env="CLUB_DB")
    monkeypatch.delenv("CLUB_DB", raising=False)
    with pytest.raises(SourceError, match="CLUB_DB is not set"):
        check_source(source)
    make_file(tmp_path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)", "club.sqlite")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLUB_DB", "sqlite:///club.sqlite")
    assert check_source(source).tables == 1


def test_every_database_of_the_collection(data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path)
    files = sorted((data / "spider").glob("*.sqlite"))
    digests = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert len(files) >= 40
    for position, file in enumerate(files):
        row = collect_seed(SqlSource(kind="sql", url=f"sqlite:///{file}"), position, 7, store)
        database = Database.model_validate_json(row.content)
        assert any(table.rows for table in database.tables)
        assert store.path(row.base_digest, ".sqlite").exists()
        for table in database.tables:
            assert len(table.sample) == min(3, table.rows)
            assert all(set(row) == {c.name for c in table.columns} for row in table.sample)
    assert {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files} == digests


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("TURNWRIGHT_TEST_DATA")
    if not folder:
        pytest.skip("TURNWRIGHT_TEST_DATA is not set")
    return Path(folder)
