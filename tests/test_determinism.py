"""Clock and chance in SQL depend on the dialogue's seed and reference time, and on nothing else."""

from pathlib import Path
from typing import Any

import pytest

from tests.hand_tools import make_file, make_tool, open_file
from turnwright.environments.base import Environment, SqlBase

LOG = """
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, made TEXT DEFAULT CURRENT_TIMESTAMP, day TEXT DEFAULT (date('now', 'localtime')),
    token TEXT DEFAULT (lower(hex(randomblob(8)))), dice INTEGER DEFAULT (random()), text TEXT,
    month TEXT GENERATED ALWAYS AS (strftime('%Y-%m', made)) STORED
);
CREATE INDEX by_day ON entry (date(made));
CREATE TABLE trail (at TEXT);
CREATE VIEW recent AS SELECT text FROM entry WHERE made >= datetime('now', '-1 day');
CREATE TRIGGER follow AFTER INSERT ON entry BEGIN INSERT INTO trail VALUES (strftime('%H:%M', 'now')); END;
INSERT INTO entry (id, made, text) VALUES (1, '2020-01-01 00:00:00', 'old');
"""
TOOLS = [
    make_tool("write", "INSERT INTO entry (text) VALUES (:text)"),
    make_tool("read", "SELECT * FROM entry ORDER BY id"),
    make_tool("recent", "SELECT text FROM recent ORDER BY text"),
    make_tool(
        "clock", "SELECT CURRENT_DATE AS d, CURRENT_TIME AS t, julianday() AS j, date() AS e, unixepoch('now') AS u"
    ),
    make_tool("chance", "SELECT random() AS a, random() AS b"),
    make_tool("trail", "SELECT at FROM trail ORDER BY rowid"),
]


@pytest.fixture
def base(tmp_path: Path) -> SqlBase:
    return open_file(make_file(tmp_path, LOG), tmp_path)


def play(environment: Environment) -> list[Any]:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("chance", {}),
        ("write", {"text": "a"}),
        ("chance", {}),
        ("write", {"text": "b"}),
        ("read", {}),
        ("recent", {}),
        ("clock", {}),
        ("trail", {}),
    ]
    return [environment.call(name, arguments).value for name, arguments in calls]


def start(base: SqlBase, seed: str, time: str = "2031-05-06T07:08:09") -> Environment:
    return base.open(TOOLS, seed=seed, reference_time=time)


def test_the_same_seed_and_time_give_the_same_results(base: SqlBase) -> None:
    first, second, third = start(base, "s"), start(base, "s"), start(base, "t")
    results = play(first)
    assert results == play(second)
    assert first.state_digest() == second.state_digest()
    assert results[0] != play(third)[0]


def test_now_is_the_reference_time_in_statements_defaults_views_and_triggers(base: SqlBase) -> None:
    results = play(start(base, "s"))
    rows, recent, (clock,), trail = results[4], results[5], results[6], results[7]
    assert [row["made"] for row in rows[1:]] == ["2031-05-06 07:08:09"] * 2
    assert [row["day"] for row in rows[1:]] == ["2031-05-06"] * 2
    assert rows[1]["month"] == "2031-05"
    assert recent == [{"text": "a"}, {"text": "b"}]
    assert clock["d"] == clock["e"] == "2031-05-06"
    assert clock["t"] == "07:08:09"
    assert clock["j"] == pytest.approx(2462992.797, abs=0.001)
    assert trail[-1] == {"at": "07:08"}


def test_chance_differs_between_writes_and_survives_a_rebuild(base: SqlBase) -> None:
    environment = start(base, "s")
    rows = play(environment)[4]
    assert rows[1]["token"] != rows[2]["token"]
    assert rows[1]["dice"] != rows[2]["dice"]
    environment.close()
    assert environment.call("read", {}).value == rows


def test_a_zone_of_the_reference_time_is_turned_into_utc(base: SqlBase) -> None:
    environment = start(base, "s", "2031-05-06T01:00:00+02:00")
    assert environment.call("clock", {}).value[0]["t"] == "23:00:00"
    assert environment.call("clock", {}).value[0]["d"] == "2031-05-05"
