"""From a draft to a verified tool on a real database with ugly names, or to the reason why not."""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from schemas.config import RunConfig
from schemas.databases import Database
from schemas.replies import SqlToolDraft
from schemas.settings import ToolSettings
from schemas.sources import SqlSource
from schemas.tools import SqlTool
from turnwright.environments.base import SqlBase, open_base
from turnwright.environments.binding import bind_arguments
from turnwright.sources.sql import collect_seed
from turnwright.storage.store import Store
from turnwright.tools.argument_drawing import draw_bindings
from turnwright.tools.drafts import Judged, judge_draft
from turnwright.tools.entity_types import EntityTypes

SCHEMA = """
CREATE TABLE "Länder" ("Land Nr" INTEGER PRIMARY KEY, "Name" TEXT NOT NULL UNIQUE, "größe/km²" REAL, "select" TEXT);
CREATE TABLE shop (shop_id REAL PRIMARY KEY, name TEXT, status TEXT, "2nd" TEXT, rank INT);
CREATE TABLE sale (
    sale_id INTEGER PRIMARY KEY, shop_id TEXT REFERENCES shop(shop_id), item TEXT NOT NULL, amount, sold_on TEXT,
    note TEXT
);
CREATE TABLE pair (a INTEGER, b INTEGER, PRIMARY KEY (a, b), FOREIGN KEY (a) REFERENCES "Länder"("Land Nr"),
    FOREIGN KEY (b) REFERENCES sale(sale_id));
CREATE TABLE hollow (id INTEGER PRIMARY KEY, word TEXT, zero INT);
CREATE TABLE empty_one (id INTEGER PRIMARY KEY, word TEXT);
"""


@dataclass(frozen=True)
class Workshop:
    """A base with ugly names, and drafts tried on it."""

    database: Database
    base: SqlBase
    settings: ToolSettings

    def judge(self, sql: str, name: str = "get_thing", accepted: dict[str, str] | None = None) -> Judged:
        draft = SqlToolDraft(name=name, description="Gives what a test asks for", sql=sql)
        types = EntityTypes(self.database, self.base)
        rng = random.Random("7:test")
        return judge_draft(draft, self.database, self.base, types, self.settings, rng, accepted=accepted or {})

    def tool(self, sql: str, name: str = "get_thing") -> SqlTool:
        judged = self.judge(sql, name)
        assert judged.tool is not None, judged.reasons
        return judged.tool

    def run(self, tool: SqlTool, **arguments: Any) -> Any:
        bound = bind_arguments(tool, arguments)
        result = self.base.run(bound.sql, bound.parameters, writes=tool.effect == "write", limit=25)
        assert result.error is None, result.error
        return result.rows_changed if tool.effect == "write" else [dict(row) for row in result.rows]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder = tmp_path_factory.mktemp("workshop")
    file = folder / "ugly.sqlite"
    fill(file)
    config = RunConfig(name="ugly", sources=[SqlSource(kind="sql", url=f"sqlite:///{file}")])
    store = Store(folder / "store")
    seed = collect_seed(config.sources[0], 0, 7, store)
    base = open_base(seed, config.sources[0], store, config)
    yield Workshop(Database.model_validate_json(seed.content), base, config.tools)
    base.close()


def fill(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(SCHEMA)
    lands = [(1, "Österreich", 83871.0, "a"), (2, "Côte d'Ivoire", 322463.0, "b"), (3, "100% Land_x", 5.0, None)]
    connection.executemany('INSERT INTO "Länder" VALUES (?, ?, ?, ?)', lands)
    shops = [(i, f"Shop {chr(65 + i)}lpha", ["open", "closed"][i % 2], None, i) for i in range(30)]
    connection.executemany("INSERT INTO shop VALUES (?, ?, ?, ?, ?)", shops)
    sales = [
        (i, str(i % 30), ["pen", "ink"][i % 2], "many" if i == 3 else i, f"2024-01-{i % 28 + 1:02d}", None)
        for i in range(1, 61)
    ]
    connection.executemany("INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?)", sales)
    connection.execute("INSERT INTO pair VALUES (1, 1)")
    connection.executemany("INSERT INTO hollow VALUES (?, NULL, 0)", [(1,), (2,)])
    connection.commit()
    connection.close()


def test_ugly_names_work_in_every_kind_of_statement(workshop: Workshop) -> None:
    search = workshop.tool(
        "SELECT `land nr`, name, \"größe/km²\", [select] FROM länder WHERE name LIKE '%' || :name || '%'"
    )
    assert workshop.run(search, name="österreich"[1:]) == [
        {"land_nr": 1, "name": "Österreich", "groesse_km2": 83871.0, "select": "a"}
    ]
    change = workshop.tool('UPDATE "Länder" SET "größe/km²" = :größe WHERE "Land Nr" = :nr')
    assert list(change.parameters["properties"]) == ["groesse", "nr"]
    assert workshop.run(change, groesse=1.5, nr=2) == 1
    add = workshop.judge('INSERT INTO "Länder" (Name, "select") VALUES (:name, :select)')
    assert add.result == {"rows_changed": 1, "inserted": {"Land Nr": 4}}
    remove = workshop.tool('DELETE FROM "Länder" WHERE "Land Nr" = :nr AND "select" IS NULL')
    assert workshop.run(remove, nr=3) == 1
    digit = workshop.tool('UPDATE shop SET "2nd" = :2nd WHERE shop_id = :id'.replace(":2nd", ":second"))
    assert workshop.run(digit, second="x", id=1) == 1


def test_text_is_found_as_it_is_and_never_as_a_pattern(workshop: Workshop) -> None:
    tool = workshop.tool("SELECT Name FROM Länder WHERE Name LIKE :name")
    assert [row["name"] for row in workshop.run(tool, name="%")] == ["100% Land_x"]
    assert [row["name"] for row in workshop.run(tool, name="d_x")] == ["100% Land_x"]
    assert [row["name"] for row in workshop.run(tool, name="d'IV")] == ["Côte d'Ivoire"]
    assert workshop.run(tool, name="_ste") == []
    assert "no wildcards" in tool.parameters["properties"]["name"]["description"]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT Wage FROM shop", "unknown_column"),
        ("SELECT name FROM shop; SELECT 1", "statements"),
        ("DELETE FROM shop", "no_where"),
        ("SELECT name FROM shop WHERE status = :status AND shop_id < 0", "no_rows"),
        ("SELECT word, zero FROM hollow", "empty_values"),
        ("SELECT SUM(zero) AS total FROM hollow WHERE id = :id", "empty_values"),
        ("SELECT word FROM empty_one WHERE id = :id", "no_arguments"),
        ("UPDATE sale SET note = :note WHERE item = :item", "refused"),
        ("UPDATE sale SET note = :note WHERE sale_id = :id AND amount < 0 - 1", "no_change"),
        ("UPDATE sale SET item = NULL WHERE sale_id = :id", "execution"),
        ("INSERT INTO sale (shop_id, amount) VALUES (:shop_id, :amount)", "execution"),
    ],
)
def test_a_tool_that_does_not_hold_is_rejected_with_the_reason(workshop: Workshop, sql: str, code: str) -> None:
    judged = workshop.judge(sql)
    assert judged.tool is None
    assert [reason.split(":")[0] for reason in judged.reasons] == [code]


def test_the_engine_is_quoted_in_the_reason(workshop: Workshop) -> None:
    (reason,) = workshop.judge("INSERT INTO sale (shop_id, amount) VALUES (:shop_id, :amount)").reasons
    assert "item" in reason
    (reason,) = workshop.judge("UPDATE sale SET note = :note WHERE item = :item").reasons
    assert "at most 20" in reason


def test_duplicates_are_known_by_what_they_do_and_names_are_told_apart(workshop: Workshop) -> None:
    first = workshop.judge("SELECT name FROM shop WHERE status = :status", "list_shops")
    taken = {first.statement_digest or "": first.name}
    again = workshop.judge("SELECT s.Name FROM shop s WHERE :which = s.status", "find_shops", taken)
    assert again.reasons == ("duplicate: It does the same as list_shops.",)
    renamed = workshop.judge("SELECT name FROM shop WHERE rank = :rank", "list_shops", taken)
    assert renamed.name == "list_shops_by_rank"
    stuck = workshop.judge("SELECT name FROM shop ORDER BY rank", "list_shops", taken)
    assert stuck.reasons[0].startswith("duplicate_name: ")


@pytest.mark.parametrize(
    ("given", "sql", "name"),
    [
        ("GetShop!", "SELECT name FROM shop WHERE shop_id = :id", "get_shop"),
        ("shops by status", "SELECT name FROM shop WHERE status = :s", "get_shops_by_status"),
        ("get_shop", "DELETE FROM sale WHERE sale_id = :id", "delete_shop"),
        ("Verkäufe löschen", "DELETE FROM sale WHERE sale_id = :id", "delete_verkaeufe_loeschen"),
        ("2nd", "SELECT name FROM shop WHERE shop_id = :id", "get_tool_2nd"),
        ("add_sale", "INSERT INTO sale (item) VALUES (:item)", "add_sale"),
    ],
)
def test_names_are_made_legal_and_say_what_happens(workshop: Workshop, given: str, sql: str, name: str) -> None:
    assert workshop.tool(sql, given).name == name


def test_the_spec_says_what_may_be_passed(workshop: Workshop) -> None:
    tool = workshop.tool("SELECT name FROM shop WHERE status = :status AND rank >= :least LIMIT :limit")
    parameters = tool.parameters
    assert parameters["properties"]["status"]["enum"] == ["closed", "open"]
    assert parameters["properties"]["least"]["type"] == "integer"
    assert parameters["properties"]["limit"] | {"description": ""} == {
        "type": "integer",
        "minimum": 1,
        "maximum": 25,
        "default": 10,
        "description": "",
    }
    assert parameters["required"] == ["status", "least"]
    assert tool.spec["function"]["description"] == "Gives what a test asks for."
    assert len(workshop.run(tool, status="open", least=0)) == 10


def test_only_essential_parameters_are_required(workshop: Workshop) -> None:
    add = workshop.tool("INSERT INTO sale (shop_id, item, amount, note) VALUES (:shop, :item, :amount, :note)")
    assert add.parameters["required"] == ["shop", "item"]
    assert workshop.run(add, shop=1, item="cap") == 1
    keep = workshop.tool("UPDATE sale SET item = :item, note = COALESCE(:note, note) WHERE sale_id = :id")
    assert keep.parameters["required"] == ["item", "id"]
    filtered = workshop.tool("SELECT item FROM sale WHERE sale_id = :id AND (:on IS NULL OR sold_on = :on)")
    assert filtered.parameters["required"] == ["id"]
    assert filtered.parameters["properties"]["on"]["format"] == "date"
    assert workshop.run(filtered, id=2) == [{"item": "pen"}]


def test_a_list_parameter_has_bounds(workshop: Workshop) -> None:
    tool = workshop.tool("SELECT item FROM sale WHERE sale_id IN (:ids)")
    schema = tool.parameters["properties"]["ids"]
    assert (schema["type"], schema["items"], schema["minItems"], schema["maxItems"]) == (
        "array",
        {"type": "integer"},
        1,
        10,
    )
    assert len(workshop.run(tool, ids=[1, 2])) == 2


def test_an_entity_has_one_type_wherever_it_is_stored(workshop: Workshop) -> None:
    """shop_id is stored as 3.0 in shop and as the text '3' in sale: it is the integer 3 for who calls."""
    shops = workshop.tool("SELECT shop_id, name FROM shop WHERE name LIKE :name")
    sales = workshop.tool("SELECT sale_id, shop_id, amount FROM sale WHERE shop_id = :shop_id")
    assert sales.parameters["properties"]["shop_id"]["type"] == "integer"
    assert shops.output_schema["items"]["properties"]["shop_id"]["type"] == ["integer", "null"]
    assert repr(workshop.run(shops, name="Dlpha")[0]["shop_id"]) == "3"
    rows = workshop.run(sales, shop_id=3)
    assert {repr(row["shop_id"]) for row in rows} == {"3"}
    assert [row["amount"] for row in rows] == ["many", "33"]
    assert [(field.table, field.column) for field in sales.outputs] == [
        ("sale", "sale_id"),
        ("sale", "shop_id"),
        ("sale", "amount"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM sale WHERE shop_id = :shop_id AND item = :item",
        "SELECT s.name, COUNT(*) AS n, AVG(rank) AS mean FROM shop s JOIN sale x ON x.shop_id = s.shop_id"
        " GROUP BY s.name HAVING COUNT(*) >= :least",
        "SELECT CAST(SUM(CASE WHEN item = :item THEN 1 ELSE 0 END) AS REAL) / NULLIF(COUNT(*), 0) AS share FROM sale",
        'SELECT l.Name, s.item FROM Länder l LEFT JOIN pair p ON p.a = l."Land Nr" LEFT JOIN sale s ON s.sale_id = p.b',
        "SELECT item FROM sale WHERE sold_on BETWEEN :first AND :last ORDER BY sold_on LIMIT :limit",
        "WITH busy AS (SELECT shop_id AS s, COUNT(*) AS n FROM sale GROUP BY shop_id)"
        " SELECT name, n FROM shop JOIN busy ON busy.s = shop.shop_id WHERE shop.status = :status",
        "SELECT item FROM sale WHERE shop_id = (SELECT shop_id FROM shop WHERE name = :shop)",
        "SELECT item FROM sale x WHERE EXISTS (SELECT 1 FROM shop WHERE shop_id = x.shop_id AND status = :status)",
        "SELECT DISTINCT status FROM shop UNION SELECT item FROM sale",
    ],
)
def test_results_fit_the_output_schema_for_arguments_of_any_row(workshop: Workshop, sql: str) -> None:
    tool = workshop.tool(sql)
    validator = jsonschema_rs.validator_for(tool.output_schema)
    arguments_validator = jsonschema_rs.validator_for(tool.parameters)
    drawn = draw_bindings(tool, workshop.database, workshop.base, random.Random("drawing"), 6)
    assert drawn
    found = 0
    for arguments in drawn:
        arguments_validator.validate(arguments)
        rows = workshop.run(tool, **arguments)
        found += bool(rows)
        for result in [rows] if tool.returns == "rows" else rows:
            validator.validate(result)
    assert found == len(drawn)


def test_drawn_arguments_hold_together_and_repeat(workshop: Workshop) -> None:
    tool = workshop.tool("SELECT sale_id FROM sale WHERE shop_id = :shop AND item = :item AND sold_on >= :from_day")
    once = draw_bindings(tool, workshop.database, workshop.base, random.Random("1:x"), 8)
    assert once == draw_bindings(tool, workshop.database, workshop.base, random.Random("1:x"), 8)
    assert once != draw_bindings(tool, workshop.database, workshop.base, random.Random("2:x"), 8)
    assert all(workshop.run(tool, **arguments) for arguments in once)


def test_a_pair_is_added_that_is_not_there(workshop: Workshop) -> None:
    judged = workshop.judge("INSERT INTO pair (a, b) VALUES (:a, :b)", "add_pair")
    assert judged.tool is not None, judged.reasons
    assert judged.tool.parameters["required"] == ["a", "b"]
    assert judged.arguments is not None
    assert judged.arguments != {"a": 1, "b": 1}


def test_verification_leaves_the_base_as_it_was(workshop: Workshop) -> None:
    before = workshop.base.run("SELECT COUNT(*) AS n FROM sale", {}).rows
    assert workshop.judge("DELETE FROM sale WHERE sale_id = :id").tool is not None
    assert workshop.base.run("SELECT COUNT(*) AS n FROM sale", {}).rows == before
