"""A small lending library with hand-written tools, for tests of plans: deep chains, dates, amounts, a closed set."""

import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.databases import Database
from schemas.replies import SqlToolDraft
from schemas.rows import SeedRow, ToolsetRow
from schemas.sources import SqlSource
from schemas.tools import SqlTool
from turnwright.environments.base import SqlBase, open_base
from turnwright.sources.sql import collect_seed
from turnwright.storage.store import Store
from turnwright.tools.drafts import judge_draft
from turnwright.tools.entity_types import EntityTypes

SCHEMA = """
CREATE TABLE branch (branch_id INTEGER PRIMARY KEY, branch_name TEXT UNIQUE, city TEXT, opened TEXT);
CREATE TABLE member (
    member_id INTEGER PRIMARY KEY, name TEXT UNIQUE, email TEXT, home_town TEXT,
    branch_id INTEGER REFERENCES branch(branch_id), level TEXT CHECK (level IN ('basic', 'gold', 'student'))
);
CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT UNIQUE, author TEXT, pages INTEGER, price REAL);
CREATE TABLE loan (
    loan_id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES member(member_id),
    book_id INTEGER REFERENCES book(book_id), lent_on TEXT, days INTEGER, fee REAL
);
CREATE TABLE reservation (
    reservation_id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES member(member_id),
    book_id INTEGER REFERENCES book(book_id), placed_on TEXT NOT NULL
);
"""

DRAFTS = [
    (
        "find_members",
        "Find members by part of their name.",
        "SELECT member_id, name, home_town FROM member WHERE name LIKE '%' || :name || '%'",
    ),
    (
        "get_member",
        "Get the e-mail, home town and level of one member by ID.",
        "SELECT member_id, name, email, home_town, level, branch_id FROM member WHERE member_id = :member_id",
    ),
    (
        "find_books",
        "Find books by part of their title.",
        "SELECT book_id, title, author FROM book WHERE title LIKE '%' || :title || '%'",
    ),
    (
        "get_book",
        "Get the pages and price of one book.",
        "SELECT book_id, title, pages, price FROM book WHERE book_id = :book_id",
    ),
    (
        "find_branch",
        "Find a branch by its name.",
        "SELECT branch_id, branch_name, city FROM branch WHERE branch_name = :branch_name",
    ),
    (
        "get_branch",
        "Get the city and opening date of a branch by ID.",
        "SELECT branch_id, branch_name, city, opened FROM branch WHERE branch_id = :branch_id",
    ),
    (
        "list_member_loans",
        "List the loans of a member with the books' titles.",
        "SELECT l.loan_id, b.title, l.lent_on, l.days, l.fee FROM loan l JOIN book b ON b.book_id = l.book_id "
        "WHERE l.member_id = :member_id",
    ),
    (
        "get_loan",
        "Get the details of one loan.",
        "SELECT loan_id, lent_on, days, fee, book_id FROM loan WHERE loan_id = :loan_id",
    ),
    (
        "find_loan",
        "Find the loan of a book by a member on a date.",
        "SELECT loan_id, fee FROM loan WHERE member_id = :member_id AND book_id = :book_id AND lent_on = :lent_on",
    ),
    (
        "list_longest_books",
        "List the books with the most pages.",
        "SELECT title, pages FROM book ORDER BY pages DESC LIMIT :limit",
    ),
    (
        "count_loans_by_town",
        "Count the loans of each home town with at least a number of loans.",
        "SELECT m.home_town, COUNT(*) AS loan_count FROM loan l JOIN member m ON m.member_id = l.member_id "
        "GROUP BY m.home_town HAVING COUNT(*) >= :min_loans",
    ),
    (
        "get_author_pages",
        "Get the average pages of an author's books.",
        "SELECT AVG(pages) AS average_pages FROM book WHERE author = :author",
    ),
    (
        "list_cheap_books",
        "List the books that cost at most a price.",
        "SELECT title, price FROM book WHERE price <= :max_price",
    ),
    (
        "update_member_email",
        "Change the e-mail of a member.",
        "UPDATE member SET email = :email WHERE member_id = :member_id",
    ),
    (
        "update_member_level",
        "Change the level of a member.",
        "UPDATE member SET level = :level WHERE member_id = :member_id",
    ),
    (
        "move_member",
        "Move a member to another branch.",
        "UPDATE member SET branch_id = :branch_id WHERE member_id = :member_id",
    ),
    (
        "create_book",
        "Add a new book.",
        "INSERT INTO book (book_id, title, author, pages, price) VALUES ((SELECT MAX(book_id) + 1 FROM book), "
        ":title, :author, :pages, :price)",
    ),
    (
        "create_reservation",
        "Reserve a book for a member.",
        "INSERT INTO reservation (reservation_id, member_id, book_id, placed_on) VALUES ((SELECT "
        "MAX(reservation_id) + 1 FROM reservation), :member_id, :book_id, :placed_on)",
    ),
    (
        "delete_loan",
        "Delete one loan.",
        "DELETE FROM loan WHERE loan_id = :loan_id",
    ),
]

FIRST = (
    "Nina Omar Lucia Pavel Greta Hugo Ines Jonas Karla Leo Mira Noah Olga Piet Rosa Sven Tara Ugo Vera Willem".split()
)
LAST = (
    "Petrov Haddad Marin Novak Lind Costa Duarte Weber Kovac Rossi Blum Ferri Ivanova Smit Vidal Berg Roy Sala Toth"
    " Prins".split()
)
NOUNS = (
    "Harbour Orchard Lantern Glacier Compass Violin Meadow Anchor Beacon Canyon Desert Ember Falcon Garden"
    " Island".split()
)
TOWNS = ["Lisbon", "Oslo", "Graz", "Ghent", "Turin"]


def build_database(path: Path) -> None:
    rng = random.Random(5)
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    for number, name in enumerate(["North Gate", "River Side", "Old Market", "Station Hall"], start=1):
        connection.execute(
            "INSERT INTO branch VALUES (?, ?, ?, ?)", (number, name, TOWNS[number], f"19{70 + number}-05-{10 + number}")
        )
    for number in range(20):
        name = f"{FIRST[number]} {LAST[number]}"
        email = f"{FIRST[number]}.{LAST[number]}@mail.example".lower()
        values = (
            number + 101,
            name,
            email,
            rng.choice(TOWNS),
            rng.randint(1, 4),
            rng.choice(["basic", "gold", "student"]),
        )
        connection.execute("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?)", values)
    for number, noun in enumerate(NOUNS):
        values = (
            number + 501,
            f"The {noun} {rng.choice(['Years', 'Road', 'Letters'])}",
            rng.choice(LAST[:6]),
            90 + 37 * number,
            7.5 + number * 1.25,
        )
        connection.execute("INSERT INTO book VALUES (?, ?, ?, ?, ?)", values)
    for number in range(60):
        day = f"2023-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        values = (
            number + 9001,
            rng.randint(101, 120),
            rng.randint(501, 515),
            day,
            rng.randint(3, 40),
            round(rng.uniform(0.5, 9), 2),
        )
        connection.execute("INSERT INTO loan VALUES (?, ?, ?, ?, ?, ?)", values)
    for number in range(8):
        day = f"2023-12-{rng.randint(1, 28):02d}"
        connection.execute(
            "INSERT INTO reservation VALUES (?, ?, ?, ?)",
            (number + 1, rng.randint(101, 120), rng.randint(501, 515), day),
        )
    connection.commit()
    connection.close()


@dataclass(frozen=True)
class LibraryWorld:
    """Everything that a plan needs."""

    config: RunConfig
    seed_row: SeedRow
    database: Database
    base: SqlBase
    tools: tuple[SqlTool, ...]
    toolset: ToolsetRow

    def tool(self, name: str) -> SqlTool:
        return next(tool for tool in self.tools if tool.name == name)


def open_library(folder: Path, names: set[str] | None = None) -> LibraryWorld:
    """The library with all its tools, or only those named."""
    build_database(folder / "library.sqlite")
    source = SqlSource(kind="sql", url=f"sqlite:///{folder / 'library.sqlite'}")
    config = RunConfig(name="library", seed=3, sources=[source], dialogues=200)
    store = Store(folder / "store")
    seed_row = collect_seed(source, 0, 0, store)
    database = Database.model_validate_json(seed_row.content)
    base = open_base(seed_row, source, store, config)
    types = EntityTypes(database, base)
    tools: list[SqlTool] = []
    for name, description, sql in DRAFTS:
        draft = SqlToolDraft(name=name, description=description, sql=sql)
        judged = judge_draft(draft, database, base, types, config.tools, random.Random(1), accepted={})
        assert judged.tool is not None, (name, judged.reasons)
        tools.append(judged.tool)
    chosen = tuple(tool for tool in tools if names is None or tool.name in names)
    text = canonical_json([tool.model_dump() for tool in chosen])
    toolset = ToolsetRow(
        id=content_id("toolset", text),
        seed_id=seed_row.id,
        domain=seed_row.domain,
        tool_ids=[tool.name for tool in chosen],
        tools=text,
    )
    return LibraryWorld(config, seed_row, database, base, chosen, toolset)
