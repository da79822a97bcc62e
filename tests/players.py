"""A small world for tests of the embedded players: tools over one SQLite database, and the loop between the players."""

import json
import random
import sqlite3
from typing import Any

import prompts
from turnwright.selfplay import assistant, user_simulator
from turnwright.selfplay.request import Request

ROWS = [
    (1, "Nick Price", "Zimbabwe", 1478557, 1),
    (2, "Paul Azinger", "United States", 1458456, 3),
    (3, "Greg Norman", "Australia", 1359653, 5),
    (4, "David Frost", "South Africa", 1030717, 1),
]
CLUBS = [
    (1, "Arsenal", "Arsène Wenger", "Nike"),
    (3, "Blackburn Rovers", "Sam Allardyce", "Umbro"),
    (5, "Chelsea", "Guus Hiddink", "adidas"),
]
ID = "ID of the {}. Other tools return it."
TOOLS: dict[str, tuple[str, dict[str, tuple[str, str]], str]] = {
    "search_players_by_name": (
        "Find players whose name contains a text. Returns their ids and what is known of each.",
        {"player_name": ("string", "Text to find in the name of the player: a word or part of one.")},
        "SELECT player_id, name, country FROM player WHERE name LIKE '%' || :player_name || '%'",
    ),
    "get_player": (
        "Get all details of one player by its player ID.",
        {"player_id": ("integer", ID.format("player"))},
        "SELECT * FROM player WHERE player_id = :player_id",
    ),
    "search_clubs_by_name": (
        "Find clubs whose name contains a text. Returns their ids and what is known of each.",
        {"club_name": ("string", "Text to find in the name of the club: a word or part of one.")},
        "SELECT club_id, name, manager FROM club WHERE name LIKE '%' || :club_name || '%'",
    ),
    "get_club": (
        "Get all details of one club.",
        {"club_id": ("integer", ID.format("club"))},
        "SELECT * FROM club WHERE club_id = :club_id",
    ),
    "list_players_of_club": (
        "List the players of one club, given the club's key.",
        {"club_id": ("integer", ID.format("club"))},
        "SELECT player_id, name, earnings FROM player WHERE club_id = :club_id ORDER BY player_id",
    ),
    "list_players_by_country": (
        "List the players of one country.",
        {"country": ("string", "Country of the player.")},
        "SELECT player_id, name, earnings FROM player WHERE country = :country ORDER BY player_id",
    ),
    "count_players_by_country": (
        "Count the players of each country.",
        {},
        "SELECT country, COUNT(*) AS player_count FROM player GROUP BY country ORDER BY country",
    ),
    "update_player_earnings": (
        "Set the earnings of one player, chosen by its player ID.",
        {"player_id": ("integer", ID.format("player")), "earnings": ("number", "New earnings of the player.")},
        "UPDATE player SET earnings = :earnings WHERE player_id = :player_id",
    ),
    "create_player": (
        "Add a new player.",
        {
            "player_name": ("string", "Name of the player to be added."),
            "country": ("string", "Country of the player to be added."),
            "earnings": ("number", "Earnings of the player to be added."),
            "club_id": ("integer", ID.format("club")),
        },
        "INSERT INTO player (name, country, earnings, club_id) VALUES (:player_name, :country, :earnings, :club_id)",
    ),
    "delete_player": (
        "Delete one player by its player ID.",
        {"player_id": ("integer", ID.format("player"))},
        "DELETE FROM player WHERE player_id = :player_id",
    ),
}
SPECS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {key: {"type": kind, "description": text} for key, (kind, text) in parameters.items()},
                "required": list(parameters),
                "additionalProperties": False,
            },
        },
    }
    for name, (description, parameters, _) in TOOLS.items()
]
NOBODY = {
    "name": "Ada Byron",
    "occupation": "florist",
    "patience": "normal",
    "precision": "normal",
    "language_register": "neutral",
}


class World:
    """The database of one dialogue, and the calls made on it."""

    def __init__(self, faults: dict[str, list[str]] | None = None) -> None:
        self.faults = faults or {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.connection = sqlite3.connect(":memory:")
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("CREATE TABLE player (player_id INTEGER PRIMARY KEY, name, country, earnings, club_id)")
        self.connection.execute("CREATE TABLE club (club_id INTEGER PRIMARY KEY, name, manager, manufacturer)")
        self.connection.executemany("INSERT INTO player VALUES (?, ?, ?, ?, ?)", ROWS)
        self.connection.executemany("INSERT INTO club VALUES (?, ?, ?, ?)", CLUBS)

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """Runs a tool; a fault of the list comes first."""
        self.calls.append((name, arguments))
        if self.faults.get(name):
            return {"error": self.faults[name].pop(0), "message": "Nothing was changed."}
        parameters, sql = TOOLS[name][1:]
        assert set(arguments) == set(parameters), (name, arguments)
        cursor = self.connection.execute(sql, arguments)
        if not sql.startswith("SELECT"):
            return {"rows_changed": cursor.rowcount}
        rows = [dict(row) for row in cursor.fetchall()]
        if name.startswith("get"):
            return rows[0] if rows else {"error": "not_found", "message": "There is no such record."}
        return rows

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database holds."""
        return [tuple(row) for row in self.connection.execute(sql).fetchall()]


class Chat:
    """A conversation with the assistant player."""

    def __init__(
        self, world: World | None = None, *, seed: int = 0, mistake_rate: float = 0.0, now: str = "noon"
    ) -> None:
        self.world = world or World()
        self.seed = seed
        self.mistake_rate = mistake_rate
        self.messages: list[dict[str, Any]] = [
            {"role": "system", "content": f"You help with golf players. It is {now}."}
        ]

    def say(self, text: str) -> str:
        """Says something to the assistant, lets it work, and returns what it says in the end."""
        self.messages.append({"role": "user", "content": text})
        for _ in range(12):
            body = {"model": "selfplay", "messages": self.messages, "tools": SPECS}
            reply = assistant.reply(Request(json.loads(json.dumps(body)), self.seed, self.mistake_rate))
            self.messages.append({"role": "assistant", **reply})
            calls = reply.get("tool_calls")
            if not calls:
                return str(reply["content"])
            for call in calls:
                result = self.world.call(call["function"]["name"], json.loads(call["function"]["arguments"]))
                self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)})
        raise AssertionError("the assistant does not come to an end")

    @property
    def steps(self) -> int:
        """Assistant messages with calls."""
        return sum(1 for message in self.messages if message.get("tool_calls"))

    def said(self, role: str) -> list[str]:
        """What one side said."""
        return [message["content"] for message in self.messages if message["role"] == role and message["content"]]


def make_goal(*tasks: tuple[str, dict[str, Any]], behaviour: str | None = None) -> dict[str, Any]:
    """The goal block of the user simulator; a task is its description and its known details."""
    return {
        "tasks": [
            {
                "description": text,
                "known_details": [{"label": label, "value": value} for label, value in details.items()],
            }
            for text, details in tasks
        ],
        "behaviour": behaviour,
    }


class User:
    """The user player of one dialogue."""

    def __init__(self, goal: dict[str, Any], persona: dict[str, Any] | None = None, *, seed: int = 0) -> None:
        system = prompts.render("user_simulator", "system", persona=persona or NOBODY, goal=goal)
        self.seed = seed
        self.messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": prompts.render("user_simulator", "user", not_asked=[])},
        ]

    def hear(self, text: str | None = None) -> tuple[str, bool]:
        """The next message of the person, and whether it ends the dialogue."""
        if text is not None:
            self.messages.append({"role": "user", "content": text})
        reply = user_simulator.reply(Request({"messages": self.messages}, self.seed, 0.0))
        self.messages.append({"role": "assistant", "content": json.dumps(reply)})
        return reply["user_message"], reply["is_task_complete"]


def play(
    goal: dict[str, Any], world: World | None = None, *, seed: int = 0, persona: dict[str, Any] | None = None
) -> Chat:
    """A whole dialogue between the two players."""
    user, chat = User(goal, persona, seed=seed), Chat(world, seed=seed)
    text, done = user.hear()
    for _ in range(25):
        answer = chat.say(text)
        if done:
            return chat
        text, done = user.hear(answer)
    raise AssertionError("the user does not come to an end")


def draw_persona(seed: int) -> dict[str, Any]:
    """A persona of any kind."""
    rng = random.Random(seed)
    return NOBODY | {
        "patience": rng.choice(["low", "normal", "high"]),
        "precision": rng.choice(["vague", "normal", "exact"]),
        "language_register": rng.choice(["casual", "neutral", "formal"]),
    }
