"""A small football database where clubs are reached by several keys, with hand-written tools, for tests of labels."""

import random
import sqlite3
from pathlib import Path

from library_world import FIRST, LAST, LibraryWorld

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.databases import Database
from schemas.replies import SqlToolDraft
from schemas.rows import ToolsetRow
from schemas.sources import SqlSource
from schemas.tools import SqlTool
from turnwright.environments.base import open_base
from turnwright.sources.sql import collect_seed
from turnwright.storage.store import Store
from turnwright.tools.drafts import judge_draft
from turnwright.tools.entity_types import EntityTypes

SCHEMA = """
CREATE TABLE city (city_id INTEGER PRIMARY KEY, name TEXT UNIQUE, country TEXT);
CREATE TABLE club (
    club_id INTEGER PRIMARY KEY, name TEXT UNIQUE, capacity INTEGER, city_id INTEGER NOT NULL REFERENCES city(city_id)
);
CREATE TABLE player (
    player_id INTEGER PRIMARY KEY, name TEXT UNIQUE, club_id INTEGER NOT NULL REFERENCES club(club_id),
    captain_id INTEGER REFERENCES player(player_id), goals INTEGER
);
CREATE TABLE transfer (
    transfer_id INTEGER PRIMARY KEY, code TEXT UNIQUE, player_id INTEGER NOT NULL REFERENCES player(player_id),
    from_club_id INTEGER NOT NULL REFERENCES club(club_id), to_club_id INTEGER NOT NULL REFERENCES club(club_id),
    fee INTEGER
);
"""
_JOINED = (
    "FROM transfer t JOIN club f ON f.club_id = t.from_club_id JOIN club s ON s.club_id = t.to_club_id "
    "JOIN city x ON x.city_id = f.city_id JOIN city y ON y.city_id = s.city_id"
)

DRAFTS = {
    "find_players": (
        "Find players by part of their name.",
        "SELECT player_id, name FROM player WHERE name LIKE '%' || :name || '%'",
    ),
    "find_clubs": (
        "Find clubs by part of their name.",
        "SELECT club_id, name FROM club WHERE name LIKE '%' || :name || '%'",
    ),
    "get_transfer": (
        "Get one transfer by its code.",
        f"SELECT t.transfer_id, f.name AS seller, s.name AS buyer, x.name AS a, y.name AS b {_JOINED} "
        "WHERE t.code = :code",
    ),
    "list_transfers_by_clubs": (
        "List the transfers from one club to another.",
        f"SELECT t.code, t.fee {_JOINED} WHERE f.name = :seller AND s.name = :buyer",
    ),
    "list_transfers_of_seller": (
        "List the transfers of a club.",
        "SELECT code, fee FROM transfer WHERE from_club_id = :club_id",
    ),
    "find_transfer": (
        "Find one transfer by its code.",
        "SELECT transfer_id, to_club_id FROM transfer WHERE code = :code",
    ),
    "get_player": (
        "Get one player with the captain and the club.",
        "SELECT p.name, p.goals, c.name AS captain, c.goals AS captain_goals, k.name AS club FROM player p "
        "JOIN player c ON c.player_id = p.captain_id JOIN club k ON k.club_id = p.club_id "
        "WHERE p.player_id = :player_id",
    ),
    "list_players_by_captain": (
        "List the players of a captain.",
        "SELECT p.name, p.goals FROM player p JOIN player c ON c.player_id = p.captain_id WHERE c.name = :captain",
    ),
    "move_transfer": (
        "Change the club that a transfer goes to.",
        "UPDATE transfer SET to_club_id = :club_id WHERE code = :code",
    ),
}


def open_football(folder: Path, *names: str) -> LibraryWorld:
    """The football world with the named tools."""
    _build(folder / "football.sqlite")
    source = SqlSource(kind="sql", url=f"sqlite:///{folder / 'football.sqlite'}")
    config = RunConfig(name="football", seed=3, sources=[source], dialogues=50)
    store = Store(folder / "store")
    seed_row = collect_seed(source, 0, 0, store)
    database = Database.model_validate_json(seed_row.content)
    base = open_base(seed_row, source, store, config)
    types = EntityTypes(database, base)
    tools: list[SqlTool] = []
    for name in names:
        draft = SqlToolDraft(name=name, description=DRAFTS[name][0], sql=DRAFTS[name][1])
        judged = judge_draft(draft, database, base, types, config.tools, random.Random(1), accepted={})
        assert judged.tool is not None, (name, judged.reasons)
        tools.append(judged.tool)
    text = canonical_json([tool.model_dump() for tool in tools])
    toolset = ToolsetRow(
        id=content_id("toolset", text), seed_id=seed_row.id, domain=seed_row.domain, tool_ids=list(names), tools=text
    )
    return LibraryWorld(config, seed_row, database, base, tuple(tools), toolset)


def _build(path: Path) -> None:
    rng = random.Random(9)
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    for number, city in enumerate(["Aston", "Brill", "Corve", "Dunmow", "Elstow", "Frome"], start=1):
        connection.execute("INSERT INTO city VALUES (?, ?, ?)", (number, city, rng.choice(["Avaland", "Borduria"])))
        values = (number, f"{city} Rovers", 5000 + 731 * number, number)
        connection.execute("INSERT INTO club VALUES (?, ?, ?, ?)", values)
    for number, (first, last) in enumerate(zip(FIRST, LAST, strict=True), start=1):
        captain = None if number <= 3 else rng.randint(1, 3)
        values = (number, f"{first} {last}", rng.randint(1, 6), captain, 3 * number)
        connection.execute("INSERT INTO player VALUES (?, ?, ?, ?, ?)", values)
        seller, buyer = rng.sample(range(1, 7), 2)
        values = (number, f"T{100 + number}", number, seller, buyer, 1000 + 37 * number)
        connection.execute("INSERT INTO transfer VALUES (?, ?, ?, ?, ?, ?)", values)
    connection.commit()
    connection.close()
