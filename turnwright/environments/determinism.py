"""Pins what is not deterministic in SQL: `random()` and the current time, also inside views, triggers and defaults.

SQLite: the built-in functions are replaced on each connection. What they give depends on the dialogue's seed, its
reference time and the number of writes before the statement, and on nothing else, so that a statement that is replayed
does the same. PostgreSQL: see environments/postgres_statements.py; there such functions are refused or computed.
"""

import random
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

FIXED_TIME = "2025-01-01T12:00:00"
"""What counts as now where no dialogue says otherwise: introspection and tool verification."""

_MOST_RANDOM_BYTES = 1024
_TIME_FUNCTIONS = {"date": 0, "time": 0, "datetime": 0, "julianday": 0, "unixepoch": 0, "strftime": 1}
"""Position of the time value among the arguments."""
_ZONES = ("localtime", "utc")


@lru_cache(maxsize=4096)
def sqlite_time(reference_time: str) -> str:
    """An ISO 8601 time as SQLite's functions read it, in UTC.

    Raises:
        ValueError: it is not ISO 8601.
    """
    moment = datetime.fromisoformat(reference_time)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Pins:
    """What the replaced functions of one connection answer with; set anew before each statement."""

    now: str = sqlite_time(FIXED_TIME)
    _draws: str = "0:0"
    _rng: random.Random | None = None

    def set(self, seed: str, reference_time: str, position: int) -> None:
        """Pins one statement: `position` is the number of writes before it."""
        self.now = sqlite_time(reference_time)
        self._draws, self._rng = f"{seed}:{position}", None

    @property
    def rng(self) -> random.Random:
        """What the statement draws from; made when it first does, because few do."""
        if self._rng is None:
            self._rng = random.Random(self._draws)
        return self._rng


_LOCAL = threading.local()


def compute_natively(sql: str, values: Sequence[Any]) -> Any:
    """One value computed by SQLite's own functions, on a connection of the thread that nothing was replaced on.

    Raises:
        sqlite3.Error: SQLite cannot compute it.
    """
    calculator: sqlite3.Connection | None = getattr(_LOCAL, "calculator", None)
    if calculator is None:
        calculator = sqlite3.connect(":memory:", check_same_thread=False)
        _LOCAL.calculator = calculator
    return calculator.execute(sql, values).fetchone()[0]


def pin_functions(connection: sqlite3.Connection, pins: Pins) -> None:
    """Replaces the time and random functions of a connection.

    A zone modifier (`localtime`, `utc`) is left out: a dialogue's zone is UTC on every machine. The built-in functions
    still do the arithmetic.
    """

    def compute(name: str, place: int, arguments: tuple[Any, ...]) -> Any:
        values = list(arguments)
        if len(values) == place:
            values.append("now")
        if len(values) > place and isinstance(values[place], str) and values[place].strip().lower() == "now":
            values[place] = pins.now
        head, modifiers = values[: place + 1], values[place + 1 :]
        kept = [item for item in modifiers if not (isinstance(item, str) and item.strip().lower() in _ZONES)]
        marks = ", ".join("?" * len(head + kept))
        return compute_natively(f"SELECT {name}({marks})", head + kept)

    for name, place in _TIME_FUNCTIONS.items():

        def pinned(*arguments: Any, name: str = name, place: int = place) -> Any:
            return compute(name, place, arguments)

        # Deterministic for SQLite, because the built-in ones may stand in indexes and generated columns.
        connection.create_function(name, -1, pinned, deterministic=True)
    connection.create_function("current_timestamp", 0, lambda: pins.now, deterministic=True)
    connection.create_function("current_date", 0, lambda: pins.now[:10], deterministic=True)
    connection.create_function("current_time", 0, lambda: pins.now[11:], deterministic=True)
    connection.create_function("random", 0, lambda: pins.rng.getrandbits(64) - 2**63)

    def pinned_bytes(size: Any) -> bytes:
        return _random_bytes(pins, size)

    connection.create_function("randomblob", 1, pinned_bytes)


def _random_bytes(pins: Pins, size: Any) -> bytes:
    count = size if isinstance(size, int) else 1
    if count > _MOST_RANDOM_BYTES:
        raise ValueError("too many random bytes")
    return pins.rng.randbytes(max(1, count))
