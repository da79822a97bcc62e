"""State persists through a dialogue and never reaches another dialogue or the source."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.hand_tools import make_file, make_tool, open_file
from turnwright.environments import sqlite as sqlite_environment
from turnwright.environments.base import Environment, Fault, SqlBase
from turnwright.environments.threads import run_blocking

BANK = """
CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT, balance INTEGER);
CREATE TABLE loose (word TEXT, number INTEGER);
CREATE TABLE pair (a TEXT, b TEXT COLLATE NOCASE, n INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO account VALUES (1, 'Zoë', 100), (2, 'Bo', 50);
INSERT INTO loose VALUES ('x', 1), ('x', 1), ('y', 2);
INSERT INTO pair VALUES ('k', 'v', 1);
"""
TOOLS = [
    make_tool("pay", "UPDATE account SET balance = balance + :amount WHERE id = :id"),
    make_tool("show", "SELECT id, owner, balance FROM account WHERE id = :id", row=True),
    make_tool("all", "SELECT * FROM account ORDER BY id LIMIT :limit", limit={"type": "integer", "default": 1}),
    make_tool("some", "SELECT id FROM account WHERE id IN (:ids) ORDER BY id", listed=["ids"]),
    make_tool("open", "INSERT INTO account (owner, balance) VALUES (:owner, :balance)"),
    make_tool("close", "DELETE FROM account WHERE id = :id"),
    make_tool("say", "INSERT INTO loose VALUES (:word, :number)"),
    make_tool("unsay", "DELETE FROM loose WHERE word = :word"),
    make_tool("rename", "UPDATE pair SET b = :b WHERE a = 'k'"),
]


@pytest.fixture
def base(tmp_path: Path) -> SqlBase:
    return open_file(make_file(tmp_path, BANK), tmp_path)


def start(base: SqlBase, seed: str = "s", **settings: Any) -> Environment:
    return base.open(TOOLS, seed=seed, reference_time="2025-01-01T00:00:00", **settings)


def test_concurrent_dialogues_write_the_same_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So few copies may rest that most dialogues are rebuilt from their log between two calls.
    monkeypatch.setattr(sqlite_environment, "MOST_COPIES", 5)
    path = make_file(tmp_path, BANK)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    base = open_file(path, tmp_path)

    async def talk(number: int) -> None:
        environment = start(base, str(number))
        for step in range(1, 5):
            result = await run_blocking(environment.call, "pay", {"id": 1, "amount": number})
            assert result.rows_changed == 1
            await asyncio.sleep(0)
            seen = await run_blocking(environment.call, "show", {"id": 1})
            assert seen.value["balance"] == 100 + step * number
        (change,) = await run_blocking(environment.changes)
        assert change.before == {"id": 1, "owner": "Zoë", "balance": 100}
        assert change.after == {"id": 1, "owner": "Zoë", "balance": 100 + 4 * number}

    async def talk_all() -> None:
        await asyncio.gather(*(talk(number) for number in range(1, 41)))

    asyncio.run(talk_all())
    assert start(base).call("show", {"id": 1}).value["balance"] == 100
    base.close()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert sorted(file.name for file in tmp_path.iterdir()) == ["shop.sqlite", "store"]


def test_trials_are_undone(base: SqlBase) -> None:
    assert base.run("DELETE FROM account WHERE id = :id", {"id": 1}, writes=True).rows_changed == 1
    assert base.run("SELECT count(*) AS n FROM account", {}).rows == ({"n": 2},)


def test_digest_is_the_bases_until_a_row_differs_and_again_when_none_does(base: SqlBase) -> None:
    environment = start(base)
    assert environment.state_digest() == base.digest
    environment.call("show", {"id": 1})
    environment.call("pay", {"id": 99, "amount": 5})
    assert environment.state_digest() == base.digest
    environment.call("pay", {"id": 1, "amount": 5})
    assert environment.state_digest() != base.digest
    environment.call("pay", {"id": 1, "amount": -5})
    assert environment.state_digest() == base.digest
    assert environment.changes() == []


def test_equal_states_have_equal_digests_whatever_the_order(base: SqlBase) -> None:
    first, second, other = start(base, "a"), start(base, "b"), start(base, "c")
    steps: list[tuple[str, dict[str, Any]]] = [
        ("pay", {"id": 1, "amount": 5}),
        ("say", {"word": "new", "number": 1}),
        ("say", {"word": "newer", "number": 2}),
        ("close", {"id": 2}),
    ]
    for name, arguments in steps:
        first.call(name, arguments)
        other.call(name, arguments)
    for name, arguments in reversed(steps):
        second.call(name, arguments)
    other.call("say", {"word": "x", "number": 1})
    assert first.state_digest() == second.state_digest() != other.state_digest()


def test_rows_without_a_key_are_counted(base: SqlBase) -> None:
    environment = start(base)
    environment.call("unsay", {"word": "x"})
    assert [change.before for change in environment.changes()] == [{"word": "x", "number": 1}] * 2
    environment.call("say", {"word": "x", "number": 1})
    assert len(environment.changes()) == 1


def test_a_change_of_case_is_a_change(base: SqlBase) -> None:
    environment = start(base)
    environment.call("rename", {"b": "V"})
    assert [(change.before or {}).get("b") for change in environment.changes()] != []


def test_a_closed_environment_is_its_log(base: SqlBase) -> None:
    environment = start(base)
    environment.call("pay", {"id": 1, "amount": 1})
    digest = environment.state_digest()
    environment.close()
    assert environment.call("show", {"id": 1}).value["balance"] == 101
    assert environment.state_digest() == digest


def test_results_have_the_shapes_of_the_contract(base: SqlBase) -> None:
    environment = start(base)
    assert environment.call("show", {"id": 1}).text == '{"id":1,"owner":"Zoë","balance":100}'
    assert environment.call("all", {}).value == [{"id": 1, "owner": "Zoë", "balance": 100}]
    assert environment.call("all", {"limit": 2}).value[1]["owner"] == "Bo"
    assert environment.call("some", {"ids": [2, 1, 9]}).value == [{"id": 1}, {"id": 2}]
    assert environment.call("some", {"ids": []}).value["error"] == "invalid_arguments"
    assert environment.call("show", {"id": 7}).value["error"] == "not_found"
    assert environment.call("show", {}).value["error"] == "invalid_arguments"
    assert environment.call("show", {"id": 1, "x": 1}).value["error"] == "invalid_arguments"
    assert environment.call("fly", {}).value["error"] == "unknown_tool"
    assert environment.call("open", {"owner": "Al", "balance": True}).value == {
        "rows_changed": 1,
        "inserted": {"id": 3},
    }


@pytest.mark.parametrize("kind", ["timeout", "unavailable", "rate_limit"])
def test_a_fault_strikes_the_first_calls_of_its_tool_and_changes_nothing(base: SqlBase, kind: Any) -> None:
    environment = start(base, fault=Fault("pay", kind, 2))
    outcomes: list[Any] = []
    for name in ("show", "pay", "pay", "pay"):
        arguments = {"id": 1} if name == "show" else {"id": 1, "amount": 1}
        outcomes.append(environment.call(name, arguments).error)
    assert [error.kind if error else None for error in outcomes] == [None, kind, kind, None]
    assert environment.call("show", {"id": 1}).value["balance"] == 101
