"""Dialogues that start from a state that the config gives: another file, statements, another or a patched database."""

import sqlite3
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import RunConfig
from schemas.rows import SeedRow
from schemas.sources import DomainSource, SqlSource
from turnwright.environments.base import open_base
from turnwright.sources.collection import check_source, collect_seeds
from turnwright.sources.domain import SUFFIX
from turnwright.sources.errors import SourceError
from turnwright.sources.initial_state import merge_state
from turnwright.storage.store import Store

TABLES = """
CREATE TABLE town (town_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE shop (shop_id INTEGER PRIMARY KEY, town_id INTEGER NOT NULL REFERENCES town (town_id), sold INTEGER);
"""
ROWS = "INSERT INTO town VALUES (1, 'Leeds'), (2, 'York'); INSERT INTO shop VALUES (1, 1, 10), (2, 2, 20);"
HOME = "turnwright.domains.home_network:HomeNetwork"


def make_database(path: Path, *scripts: str) -> str:
    connection = sqlite3.connect(path)
    for script in scripts:
        connection.executescript(script)
    connection.close()
    return str(path)


def sql_source(folder: Path, state: Any) -> SqlSource:
    path = folder / "shops.sqlite"
    if not path.exists():
        make_database(path, TABLES, ROWS)
    return SqlSource.model_validate({"kind": "sql", "url": f"sqlite:///{path}", "initial_state": state})


def collect(folder: Path, source: Any) -> SeedRow:
    (seed,) = collect_seeds(source, 0, 7, Store(folder / "store"))
    return seed


def read_shops(folder: Path, source: SqlSource) -> list[dict[str, Any]]:
    config = RunConfig.model_validate({"name": "x", "sources": [source.model_dump()]})
    base: Any = open_base(collect(folder, source), source, Store(folder / "store"), config)
    try:
        return list(base.run("SELECT shop_id, sold FROM shop ORDER BY shop_id", {}).rows)
    finally:
        base.close()


def test_statements_run_on_a_copy_and_make_another_base(tmp_path: Path):
    plain = sql_source(tmp_path, None)
    before = (tmp_path / "shops.sqlite").read_bytes()
    changed = sql_source(
        tmp_path, ["UPDATE shop SET sold = sold + 5 WHERE shop_id = 1", "DELETE FROM shop WHERE shop_id = 2"]
    )
    assert read_shops(tmp_path, plain) == [{"shop_id": 1, "sold": 10}, {"shop_id": 2, "sold": 20}]
    assert read_shops(tmp_path, changed) == [{"shop_id": 1, "sold": 15}]
    assert collect(tmp_path, plain).base_digest != collect(tmp_path, changed).base_digest
    assert collect(tmp_path, changed) == collect(tmp_path, changed)
    assert (tmp_path / "shops.sqlite").read_bytes() == before


def test_another_file_with_the_same_tables_is_the_state(tmp_path: Path):
    other = make_database(tmp_path / "later.sqlite", TABLES, ROWS, "UPDATE shop SET sold = 99")
    assert [row["sold"] for row in read_shops(tmp_path, sql_source(tmp_path, other))] == [99, 99]


def test_a_file_with_other_tables_is_refused_with_the_difference(tmp_path: Path):
    other = make_database(tmp_path / "other.sqlite", TABLES.replace("sold INTEGER", "sold TEXT"), ROWS)
    with pytest.raises(SourceError, match="table shop is defined in another way"):
        collect(tmp_path, sql_source(tmp_path, other))
    other = make_database(tmp_path / "less.sqlite", "CREATE TABLE town (town_id INTEGER)")
    with pytest.raises(SourceError, match="there is no table shop"):
        check_source(sql_source(tmp_path, other))
    with pytest.raises(SourceError, match="no such file"):
        collect(tmp_path, sql_source(tmp_path, str(tmp_path / "none.sqlite")))


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE 'stolen.sqlite' AS s",
        "DROP TABLE shop",
        "CREATE TABLE x (a)",
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_master SET sql = ''",
        "COMMIT",
        "UPDATE shop SET town_id = 77",
        "UPDATE nowhere SET a = 1",
        "DELETE FROM shop; DELETE FROM town",
        "VACUUM INTO 'stolen.sqlite'",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) UPDATE shop SET sold = (SELECT sum(i) FROM n)",
        "\0",
    ],
)
def test_a_statement_that_may_not_run_or_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=r"initial_state"):
        collect(tmp_path, sql_source(tmp_path, ["UPDATE shop SET sold = 1", statement]))
    assert not (tmp_path / "stolen.sqlite").exists()


def read_domain(folder: Path, **given: Any) -> dict[str, Any]:
    source = DomainSource.model_validate({"kind": "domain", "module": HOME, **given})
    seed = collect(folder, source)
    return orjson.loads(Store(folder / "store").path(seed.base_digest, SUFFIX).read_bytes())


def test_a_patch_is_laid_over_a_domains_own_database(tmp_path: Path):
    plain = read_domain(tmp_path)
    patched = read_domain(tmp_path, initial_state={"customers": {"C-1040": {"booked_speed": 1000}}})
    assert plain["customers"]["C-1040"]["booked_speed"] == 100
    assert patched["customers"]["C-1040"].pop("booked_speed") == 1000
    del plain["customers"]["C-1040"]["booked_speed"]
    assert patched == plain


def test_a_file_takes_the_place_of_a_domains_database(tmp_path: Path):
    tables = read_domain(tmp_path)
    tables["customers"]["C-1040"]["name"] = "Ada Moss"
    file = tmp_path / "state.json"
    file.write_bytes(orjson.dumps(tables))
    assert read_domain(tmp_path, initial_state=str(file))["customers"]["C-1040"]["name"] == "Ada Moss"
    assert (
        read_domain(tmp_path, path=str(file), initial_state={"customers": {"C-1040": {"name": "Bo"}}})["customers"][
            "C-1040"
        ]["name"]
        == "Bo"
    )


def test_a_state_that_the_domain_refuses_is_said(tmp_path: Path):
    with pytest.raises(SourceError, match="router that does not exist"):
        read_domain(tmp_path, initial_state={"customers": {"C-1040": {"router_serial": "RX-0"}}})


def test_a_merge_patch_merges_replaces_and_takes_away():
    before = {"a": {"b": 1, "c": [1, 2]}, "d": 4}
    assert merge_state(before, {"a": {"b": None, "c": [3]}, "e": {"f": None, "g": 1}}) == {
        "a": {"c": [3]},
        "d": 4,
        "e": {"g": 1},
    }
    assert before == {"a": {"b": 1, "c": [1, 2]}, "d": 4}
