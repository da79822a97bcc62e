"""The SQL tool writer: one growing conversation, feedback on each round, and a whole seed prepared with the player."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.config import RunConfig
from schemas.messages import Message
from schemas.replies import REPLIES, Reply, SqlToolDraft, SqlToolDrafts
from schemas.rows import SeedRow
from schemas.settings import ToolSettings
from schemas.sources import SqlSource
from schemas.tools import SqlTool
from schemas.vocabulary import Role
from turnwright.environments.base import SqlBase, open_base
from turnwright.models.errors import BudgetSpent, ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.models.scripted import Line, ScriptedModels
from turnwright.selfplay import question_writer, sql_tool_writer
from turnwright.selfplay.request import Request, read_blocks
from turnwright.sources.sql import collect_seed
from turnwright.storage.store import Store
from turnwright.tools.preparation import BATCH, PreparedTools, prepare_tools

DATA = os.environ.get("TURNWRIGHT_TEST_DATA")
SCHEMA = """
CREATE TABLE club (club_id INTEGER PRIMARY KEY, name TEXT UNIQUE, region TEXT);
CREATE TABLE player (
    player_id INTEGER PRIMARY KEY, name TEXT UNIQUE, country TEXT, earnings REAL,
    club_id INTEGER REFERENCES club(club_id)
);
CREATE TABLE badge (badge_id INTEGER PRIMARY KEY, label TEXT);
CREATE TABLE player_badge (
    player_id INTEGER REFERENCES player(player_id), badge_id INTEGER REFERENCES badge(badge_id),
    PRIMARY KEY (player_id, badge_id)
);
"""


@dataclass
class PlayerModels:
    """Has the interface of `Models`; the embedded players answer, without a server in between."""

    mistake_rate: float = 0.0
    requests: list[tuple[Role, tuple[Message, ...]]] = field(default_factory=list[tuple[Role, tuple[Message, ...]]])

    async def structured(
        self, role: Role, messages: Sequence[Message], *, draw: int = 0, unit: str = "", remaining: float = 1.0
    ) -> StructuredReply[Reply]:
        """The player's reply."""
        del unit, remaining
        self.requests.append((role, tuple(messages)))
        body: dict[str, Any] = {"messages": list(messages), "seed": draw}
        request = Request(body=body, seed=0, mistake_rate=self.mistake_rate)
        player = question_writer.reply if role == "question_writer" else sql_tool_writer.reply
        value = REPLIES[role].model_validate(player(request))
        key = f"{role}-{len(self.requests)}"
        reply = ModelReply(value.model_dump_json(), (), None, "stop", 1, 1, key, "selfplay", False)
        return StructuredReply(value, (reply,), False)


@dataclass(frozen=True)
class World:
    """A seed with its base."""

    seed: SeedRow
    base: SqlBase
    config: RunConfig

    def prepare(self, models: Any, **settings: Any) -> PreparedTools:
        config = self.config.model_copy(update={"tools": ToolSettings(**settings)})
        return asyncio.run(prepare_tools(self.seed, self.base, cast(Models, models), config))


def open_world(file: Path, folder: Path) -> World:
    config = RunConfig(name="tools", seed=7, sources=[SqlSource(kind="sql", url=f"sqlite:///{file}")])
    store = Store(folder / "store")
    seed = collect_seed(config.sources[0], 0, 7, store)
    return World(seed, open_base(seed, config.sources[0], store, config), config)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    file = folder / "club.sqlite"
    connection = sqlite3.connect(file)
    connection.executescript(SCHEMA)
    connection.executemany("INSERT INTO club VALUES (?, ?, ?)", [(i, f"Club {i}", "north") for i in range(1, 5)])
    players = [(i, f"Player {chr(64 + i)}son", ["Chile", "Peru"][i % 2], 100.0 * i, i % 4 + 1) for i in range(1, 13)]
    connection.executemany("INSERT INTO player VALUES (?, ?, ?, ?, ?)", players)
    connection.executemany("INSERT INTO badge VALUES (?, ?)", [(1, "captain"), (2, "veteran")])
    connection.executemany("INSERT INTO player_badge VALUES (?, ?)", [(1, 1), (2, 2), (3, 2)])
    connection.commit()
    connection.close()
    made = open_world(file, folder)
    yield made
    made.base.close()


QUESTIONS = {"questions": [f"What does player number {word} earn?" for word in "abcdefghijklmnopqrstuvwx"]}
GOOD = SqlToolDraft(name="list_players", description="List the players.", sql="SELECT player_id, name FROM player")
BAD = SqlToolDraft(name="get_wage", description="Get a wage.", sql="SELECT wage FROM player")


def drafts(*tools: SqlToolDraft) -> SqlToolDrafts:
    return SqlToolDrafts(tools=list(tools))


def script(*rounds: Line) -> ScriptedModels:
    return ScriptedModels({"question_writer": [QUESTIONS], "sql_tool_writer": rounds})


def outcomes(made: PreparedTools, unit: str) -> list[str]:
    return [row.outcome for row in made.ledger if row.unit == unit]


def test_the_conversation_only_grows_and_tells_what_became_of_the_drafts(world: World) -> None:
    models = script(drafts(GOOD, BAD), *[drafts()] * 5)
    made = world.prepare(models)
    requests = models.requests_of("sql_tool_writer")
    assert len(requests) == 6
    for before, after in pairwise(requests):
        assert after.messages[: len(before.messages)] == before.messages
        assert [message["role"] for message in after.messages[len(before.messages) :]] == ["assistant", "user"]
    first, second = (read_blocks(request.messages[-1]["content"] or "") for request in requests[:2])
    assert first.keys() == {"database", "questions", "shapes", "wanted"}
    assert len(first["questions"]) == BATCH
    assert second["feedback"]["accepted"] == ["list_players"]
    assert second["feedback"]["rejected"][0]["name"] == "get_wage"
    assert "unknown_column" in second["feedback"]["rejected"][0]["reason"]
    assert set(second["questions"]).isdisjoint(first["questions"])
    assert [row.accepted for row in made.tool_specs] == [True, False]


def test_a_writer_that_repeats_itself_begins_afresh_and_is_told_what_is_there(world: World) -> None:
    models = script(drafts(GOOD), drafts(GOOD), drafts(BAD), *[drafts()] * 3)
    made = world.prepare(models)
    requests = models.requests_of("sql_tool_writer")
    assert [len(request.messages) for request in requests] == [2, 4, 2, 4, 6, 8]
    afresh = read_blocks(requests[2].messages[-1]["content"] or "")
    assert afresh.keys() == {"database", "present", "questions", "shapes", "wanted"}
    assert afresh["present"] == ["list_players"]
    mending = read_blocks(requests[3].messages[-1]["content"] or "")
    assert mending["feedback"]["rejected"][0]["name"] == "get_wage"
    assert [row.accepted for row in made.tool_specs] == [True, False, False]


def test_every_draft_is_a_row_and_a_unit_of_the_ledger(world: World) -> None:
    made = world.prepare(script(drafts(GOOD, BAD), *[drafts(GOOD)] * 5))
    assert [row.reasons[0].split(":")[0] if row.reasons else "" for row in made.tool_specs] == [
        "",
        "unknown_column",
        *["duplicate"] * 5,
    ]
    assert len({row.id for row in made.tool_specs}) == 7
    assert outcomes(made, "tool") == ["accepted", *["rejected"] * 6]
    assert outcomes(made, "question_set") == ["accepted"]
    assert outcomes(made, "toolset") == ["accepted"]
    accepted = made.tool_specs[0]
    assert json.loads(accepted.example_arguments) == {}
    assert len(json.loads(accepted.example_result)) == 12
    assert accepted.model_calls == ["scripted-sql_tool_writer-0"]
    assert set(accepted.question_ids) == {question.id for question in made.questions[:BATCH]}
    assert made.tool_specs[1].tool == "null"


def test_a_failed_round_costs_that_round_only(world: World) -> None:
    made = world.prepare(script(drafts(GOOD), MalformedReply("no JSON"), *[drafts()] * 4))
    assert outcomes(made, "tool") == ["accepted", "failed"]
    failed = next(row for row in made.ledger if row.outcome == "failed")
    assert failed.boundary == "endpoint"
    assert failed.reasons == ["malformed_reply: no JSON"]


def test_a_conversation_that_no_longer_fits_ends(world: World) -> None:
    models = script(drafts(GOOD), ContextOverflow("too long"))
    made = world.prepare(models)
    assert outcomes(made, "tool") == ["accepted", "failed"]
    assert models.left("sql_tool_writer") == 0
    assert len(made.toolsets) == 1


def test_without_questions_there_are_no_tools_and_the_ledger_says_why(world: World) -> None:
    models = ScriptedModels({"question_writer": [MalformedReply("no"), MalformedReply("no")]})
    made = world.prepare(models)
    assert outcomes(made, "question_set") == ["failed"]
    assert outcomes(made, "toolset") == ["rejected"]
    assert not made.tool_specs


def test_a_spent_budget_is_not_taken_for_a_bad_reply(world: World) -> None:
    with pytest.raises(BudgetSpent):
        world.prepare(script(drafts(GOOD), BudgetSpent("tokens", cap="tokens")))


def test_there_are_no_more_tools_than_asked_for(world: World) -> None:
    counted = SqlToolDraft(name="count_players", description="Count them all.", sql="SELECT COUNT(*) AS n FROM player")
    made = world.prepare(script(drafts(GOOD, counted)), per_domain=1)
    assert [row.accepted for row in made.tool_specs] == [True, False]
    assert made.tool_specs[1].reasons[0].startswith("enough: ")


def test_the_player_covers_the_shapes_and_every_tool_holds(world: World) -> None:
    made = world.prepare(PlayerModels())
    accepted = [SqlTool.model_validate_json(row.tool) for row in made.tool_specs if row.accepted]
    assert len(accepted) == len(made.tool_specs) >= 20
    names = {tool.name for tool in accepted}
    assert {"search_players_by_name", "get_player", "update_player_earnings", "create_player"} <= names
    assert {"count_players_by_club", "list_badges_of_player", "delete_player_badge"} <= names
    assert {tool.verb for tool in accepted} == {"select", "insert", "update", "delete"}
    statements = " ".join(tool.sql for tool in accepted)
    shapes = ("GROUP BY", "LIKE", "LIMIT :limit", "CASE WHEN", "NULLIF", "BETWEEN")
    assert [part for part in shapes if part not in statements] == []
    assert not any("_" in tool.description for tool in accepted)


def test_the_player_repeats_no_tool_and_mends_what_it_spoilt(world: World) -> None:
    made = world.prepare(PlayerModels(mistake_rate=0.5))
    rejected = {row.name for row in made.tool_specs if not row.accepted}
    accepted = [row.name for row in made.tool_specs if row.accepted]
    assert rejected
    assert len(accepted) == len(set(accepted))
    assert rejected & set(accepted)
    assert not any(row.reasons[0].startswith("duplicate") for row in made.tool_specs if row.reasons)


def test_the_same_seed_gives_the_same_rows(world: World) -> None:
    assert world.prepare(PlayerModels(0.1)) == world.prepare(PlayerModels(0.1))


@pytest.mark.skipif(DATA is None, reason="TURNWRIGHT_TEST_DATA is not set")
@pytest.mark.parametrize("name", ["soccer_3", "de_wine_1", "datasette_fixtures", "cre_Theme_park"])
def test_real_databases_give_verified_tools(name: str, tmp_path: Path) -> None:
    made_world = open_world(Path(DATA or "") / "spider" / f"{name}.sqlite", tmp_path)
    try:
        made = made_world.prepare(PlayerModels(mistake_rate=0.06))
    finally:
        made_world.base.close()
    accepted = [row for row in made.tool_specs if row.accepted]
    assert len(accepted) >= 16
    assert sum(row.effect == "write" for row in accepted) >= 2
    assert len(made.questions) >= 20
    assert made.toolsets
    assert len(made.ledger) == 1 + len(made.tool_specs) + len(made.toolsets)
