"""One rate for many processes: each takes what it may send in blocks from a database, so that no call waits for one.

A row of `rate_leases` is a token bucket: it fills at the endpoint's rate and holds three seconds' worth. A process asks
for a block of what it may send in two seconds, on a thread of its own and before it has used the last one up. So a
minute sees at most what the endpoint allows and five seconds' worth, however many processes there are; each asks the
database a few times a second at most, however many calls it makes. What is left of a block goes back at the end.

The table is made where it is missing. SQLite serves the processes of one machine; several machines need PostgreSQL,
whose clock then counts.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Column, Connection, Engine, Float, MetaData, String, Table, create_engine, event, func, select
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from turnwright.models.errors import EndpointUnavailable, ModelSetupError

_HELD_SECONDS = 3.0
"""What the shared bucket holds."""
_BLOCK_SECONDS = 2.0
"""What all processes together hold."""
_PATIENCE_SECONDS = 30.0
"""How long the database may be away before the calls that wait for it fail."""
_AGAIN_SECONDS = 0.5

_log = logging.getLogger("turnwright.rates")

_METADATA = MetaData()
_LEASES = Table(
    "rate_leases",
    _METADATA,
    Column("name", String(512), primary_key=True),
    Column("level", Float(), nullable=False),
    Column("at", Float(), nullable=False),
)


class Leases:
    """The rates that processes share through one database.

    Raises:
        ModelSetupError: the URL is none, or the database cannot be reached; the message holds no password.
    """

    def __init__(self, url: str, processes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = max(1, processes)
        self._clock = clock
        self._rates: dict[str, LeasedRate] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="turnwright-rates")
        try:
            self._engine = _connect(url)
            _METADATA.create_all(self._engine, checkfirst=True)
        except (SQLAlchemyError, ImportError) as error:
            if not _made_by_another(error):
                raise ModelSetupError(f"the database of shared rates cannot be used: {_name(error)}") from None

    def open(self, per_minute: float, name: str) -> "LeasedRate":
        """The rate of that name, in units a minute; the same object for the same name."""
        if name not in self._rates:
            self._rates[name] = LeasedRate(self, per_minute, name, self._processes, self._thread, self._clock)
        return self._rates[name]

    def grant(self, name: str, per_minute: float, amount: float, least: float = 1.0) -> tuple[float, float]:
        """Takes up to `amount` from the shared bucket, but not less than `least`; a negative amount gives back.

        Returns:
            What was granted, and where that is nothing the seconds until it is worth asking again.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        per_second, held = per_minute / 60, max(1.0, per_minute / 60 * _HELD_SECONDS)
        try:
            with self._engine.begin() as connection:
                return _grant(connection, name[:512], per_second, held, amount, least)
        except IntegrityError:  # another process made the row at the same moment
            with self._engine.begin() as connection:
                return _grant(connection, name[:512], per_second, held, amount, least)

    def close(self) -> None:
        """Gives back what is left of the blocks; may be called twice."""
        rates, self._rates = self._rates, {}
        self._thread.shutdown(wait=True, cancel_futures=True)
        for rate in rates.values():
            try:
                rate.give_back()
            except SQLAlchemyError as error:
                _log.warning("what is left of %s was not given back: %s", rate.name, _name(error))
        self._engine.dispose()


class LeasedRate:
    """This process's part of a shared rate; see turnwright.models.rates.Rate. Asks ahead, and never blocks."""

    def __init__(
        self,
        leases: Leases,
        per_minute: float,
        name: str,
        processes: int,
        thread: ThreadPoolExecutor,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.block = max(1.0, per_minute / 60 * _BLOCK_SECONDS / processes)
        """What is asked for at once."""
        self._leases = leases
        self._per_minute = per_minute
        self._thread = thread
        self._clock = clock
        self._lock = threading.RLock()
        self._level = 0.0
        self._asking = False
        self._not_before = 0.0
        self._failing_since: float | None = None

    def seconds_until(self, now: float, amount: float) -> float:
        """How long until `amount` may be taken, or until it is worth asking again.

        Raises:
            EndpointUnavailable: the database has been away for too long.
        """
        needed = min(amount, self.block)
        with self._lock:
            if self._failing_since is not None and now - self._failing_since > _PATIENCE_SECONDS:
                raise EndpointUnavailable(
                    f"the database of shared rates has not answered for {now - self._failing_since:.0f} s",
                    hint="start it, or check the variable that workers.rates_url_env names; then run again",
                )
            if self._level - amount < self.block / 2 and not self._asking and now >= self._not_before:
                self._asking = True
                self._thread.submit(self._ask, max(self.block, self.block + amount - self._level))
            if self._level >= needed:
                return 0.0
            return max(0.01, self._not_before - now)

    def take(self, now: float, amount: float) -> None:  # noqa: ARG002 the protocol's signature
        """Takes `amount`; the level may fall below zero, which the next blocks make good."""
        self.correct(amount)

    def correct(self, amount: float) -> None:
        """Takes what an estimate was short of, or gives back what it was over."""
        with self._lock:
            self._level -= amount

    def give_back(self) -> None:
        """Returns what is left to the shared bucket.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        with self._lock:
            left, self._level = self._level, 0.0
        if left:
            self._leases.grant(self.name, self._per_minute, -left)

    def _ask(self, amount: float) -> None:
        try:
            # Half a block at least: where much is asked for, crumbs would be a query for each call.
            granted, wait = self._leases.grant(self.name, self._per_minute, amount, max(1.0, self.block / 2))
        except SQLAlchemyError as error:
            _log.warning("no lease of %s: %s", self.name, _name(error))
            with self._lock:
                now = self._clock()
                self._failing_since = now if self._failing_since is None else self._failing_since
                self._not_before, self._asking = now + _AGAIN_SECONDS, False
            return
        with self._lock:
            self._failing_since = None
            self._level += granted
            self._not_before, self._asking = self._clock() + wait, False


def find_database(url_env: str | None, folder: str, *, is_local: bool) -> str:
    """URL of the database that a run's processes share rates through.

    Args:
        url_env: name of the environment variable that holds it; None: an SQLite file.
        folder: where that file is.
        is_local: whether all processes are on this machine, so that a file can serve them.

    Raises:
        ModelSetupError: the variable is unset, or there is none where one is needed.
    """
    if url_env is not None:
        url = os.environ.get(url_env, "").strip()
        if not url:
            raise ModelSetupError(f"workers.rates_url_env names {url_env}, but that environment variable is not set")
        return url
    if not is_local:
        raise ModelSetupError(
            "requests_per_minute and tokens_per_minute of processes on several machines are kept in a database: set "
            "workers.rates_url_env to the name of a variable that holds the URL of a PostgreSQL database"
        )
    return f"sqlite:///{folder}/rates.sqlite"


def _connect(url: str) -> Engine:
    if not url.startswith("sqlite"):
        # The driver that is installed, for a URL that names none.
        url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
        return create_engine(url, pool_size=1, max_overflow=1, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 20, "check_same_thread": False})

    # The driver would begin a transaction only at the first write: two readers would then overwrite each other.
    @event.listens_for(engine, "connect")
    def own_transactions(connection: object, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # pyright: ignore[reportAttributeAccessIssue]
        # What a crash of the machine loses is a few seconds' worth of a rate.
        connection.execute("PRAGMA synchronous = OFF")  # pyright: ignore[reportAttributeAccessIssue]

    @event.listens_for(engine, "begin")
    def lock_at_once(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _grant(
    connection: Connection, name: str, per_second: float, held: float, amount: float, least: float
) -> tuple[float, float]:
    now = _read_clock(connection)
    found = select(_LEASES.c.level, _LEASES.c.at).where(_LEASES.c.name == name).with_for_update()
    row = connection.execute(found).first()
    level = held if row is None else min(held, float(row.level) + max(0.0, now - float(row.at)) * per_second)
    least = min(amount, least, held)
    granted = amount if amount < 0 else min(amount, level) if level >= least else 0.0
    level = min(held, level - granted)
    if row is None:
        connection.execute(_LEASES.insert().values(name=name, level=level, at=now))
    else:
        connection.execute(_LEASES.update().where(_LEASES.c.name == name).values(level=level, at=now))
    return granted, 0.0 if granted else (least - level) / per_second


def _read_clock(connection: Connection) -> float:
    if connection.dialect.name == "sqlite":
        return time.time()
    return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def _made_by_another(error: Exception) -> bool:
    return "already exists" in str(error) and not isinstance(error, ArgumentError)


def _name(error: Exception) -> str:
    """What went wrong, in one line and without the statement or the URL, which may hold a password."""
    cause = getattr(error, "orig", None)
    return f"{type(error).__name__}: {str(cause).splitlines()[0]}" if cause and str(cause) else type(error).__name__
