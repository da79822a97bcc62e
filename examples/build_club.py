"""Builds examples/club.sqlite: clubs, players, transfers and matches of a small football league, all invented.

Run `python examples/build_club.py` to make the file again; the same code gives the same rows.
"""

import random
import sqlite3
from datetime import date, timedelta
from pathlib import Path

SCHEMA = """
CREATE TABLE city (
    city_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL,
    population INTEGER NOT NULL
);
CREATE TABLE club (
    club_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    city_id INTEGER NOT NULL REFERENCES city (city_id),
    manager TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    sponsor TEXT,
    founded INTEGER NOT NULL,
    budget_million REAL NOT NULL
);
CREATE TABLE player (
    player_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    club_id INTEGER NOT NULL REFERENCES club (club_id),
    position TEXT NOT NULL CHECK (position IN ('goalkeeper', 'defender', 'midfielder', 'forward')),
    nationality TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    shirt_number INTEGER NOT NULL,
    earnings INTEGER NOT NULL,
    wins_count INTEGER NOT NULL,
    email TEXT
);
CREATE TABLE transfer (
    transfer_id INTEGER PRIMARY KEY,
    player_id INTEGER NOT NULL REFERENCES player (player_id),
    from_club_id INTEGER REFERENCES club (club_id),
    to_club_id INTEGER NOT NULL REFERENCES club (club_id),
    fee_million REAL NOT NULL,
    signed_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('agreed', 'completed', 'cancelled'))
);
CREATE TABLE "match" (
    match_id INTEGER PRIMARY KEY,
    home_club_id INTEGER NOT NULL REFERENCES club (club_id),
    away_club_id INTEGER NOT NULL REFERENCES club (club_id),
    played_on TEXT NOT NULL,
    home_goals INTEGER NOT NULL,
    away_goals INTEGER NOT NULL,
    attendance INTEGER,
    competition TEXT NOT NULL CHECK (competition IN ('league', 'cup', 'friendly'))
);
CREATE VIEW club_squad AS
    SELECT club.name AS club, COUNT(*) AS players, SUM(player.earnings) AS total_earnings
    FROM club JOIN player ON player.club_id = club.club_id GROUP BY club.club_id;
"""

CITIES = [
    ("Halvør", "Norway", 284_000),
    ("Port Aldane", "Ireland", 121_500),
    ("Vermeil", "France", 467_200),
    ("Sankt Orla", "Denmark", 93_800),
    ("Castrella", "Spain", 612_900),
    ("Brückstadt", "Germany", 348_100),
]
CLUB_WORDS = "Rovers Athletic Union Wanderers Sporting Albion Racing Harriers Dynamo Victoria".split()
MANUFACTURERS = ["Nordra", "Kestrel", "Veloce", "Atlas Sport"]
SPONSORS = ["Fjordbank", "Luma Energy", "Cargo Nine", "Bellweather Tea", "Orbit Mobile", None]
FIRST = (
    "Maria Nina Ingrid Sofía Aoife Camille Lena Freja Hanna Lucía Marta Elise Tove Greta Niamh Paula Agnes Julia Sigrid"
).split()
LAST = (
    "Silva Petrov Halvorsen Moreau Brennan Krause Lindqvist Navarro Okafor Bianchi Sørensen Dubois Vogel Castillo"
    " Murphy Nowak Eriksen Fontaine Keller Romero"
).split()
NATIONS = "Norway Ireland France Denmark Spain Germany Italy Nigeria Poland".split()
POSITIONS = ["goalkeeper", "defender", "midfielder", "forward"]
CLUBS = len(CLUB_WORDS)


def _clubs(rng: random.Random, managers: list[str]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, word in enumerate(CLUB_WORDS):
        name = f"{CITIES[number % 6][0]} {word}"
        founded, budget = rng.randint(1889, 1974), round(rng.uniform(4, 60), 1)
        kit, sponsor = rng.choice(MANUFACTURERS), rng.choice(SPONSORS)
        rows.append((number + 1, name, number % 6 + 1, managers[number], kit, sponsor, founded, budget))
    return rows


def _players(rng: random.Random, names: list[str]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, name in enumerate(names):
        squad, shirt = number % CLUBS + 1, number // CLUBS + 1
        born = date(1988, 1, 1) + timedelta(days=rng.randint(0, 6000))
        email = None if rng.random() < 0.2 else f"{name.split()[0].lower()}.{number}@players.example"
        earnings, wins = rng.randrange(60, 2600) * 500, rng.randint(0, 40)
        position, nation = POSITIONS[shirt % 4], rng.choice(NATIONS)
        rows.append((number + 1, name, squad, position, nation, born.isoformat(), shirt, earnings, wins, email))
    return rows


def _transfers(rng: random.Random, players: int) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, player in enumerate(rng.sample(range(1, players + 1), 40)):
        target = (player - 1) % CLUBS + 1
        origin = None if rng.random() < 0.15 else rng.choice([club for club in range(1, CLUBS + 1) if club != target])
        signed = date(2023, 1, 5) + timedelta(days=rng.randint(0, 900))
        status = rng.choices(["completed", "agreed", "cancelled"], [6, 3, 1])[0]
        fee = round(rng.uniform(0.1, 9.5), 2)
        rows.append((number + 1, player, origin, target, fee, signed.isoformat(), status))
    return rows


def _matches(rng: random.Random) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for home in range(1, CLUBS + 1):
        for away in range(1, CLUBS + 1):
            if home == away:
                continue
            played = date(2024, 8, 10) + timedelta(days=rng.randint(0, 280))
            attendance = None if rng.random() < 0.05 else rng.randrange(900, 24_000)
            competition = rng.choices(["league", "cup", "friendly"], [7, 2, 1])[0]
            goals = rng.randint(0, 5), rng.randint(0, 4)
            rows.append((len(rows) + 1, home, away, played.isoformat(), *goals, attendance, competition))
    return rows


def build(path: Path) -> None:
    """Writes the database, replacing what was there."""
    rng = random.Random("club")
    people = rng.sample([f"{first} {last}" for first in FIRST for last in LAST], CLUBS + 120)
    tables = {
        "city": [(number + 1, *city) for number, city in enumerate(CITIES)],
        "club": _clubs(rng, people[:CLUBS]),
        "player": _players(rng, people[CLUBS:]),
        "transfer": _transfers(rng, 120),
        "match": _matches(rng),
    }
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        for table, rows in tables.items():
            places = ", ".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)  # noqa: S608


if __name__ == "__main__":
    build(Path(__file__).parent / "club.sqlite")
