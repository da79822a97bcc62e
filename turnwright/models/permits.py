"""Permits: one per call, never per dialogue, and no barrier anywhere.

Thousands of dialogues may wait; a free permit goes to the one with most calls still to make, because the run is as
long as its longest chain. Used on the engine's loop only, so nothing here is locked.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from turnwright.models.concurrency import AdaptiveLimit
from turnwright.models.errors import ModelError
from turnwright.models.rates import RateSource, TokenBucket

_START = 64
"""Calls in flight at first, where the config allows so many; above, the limit has to prove itself."""
_PAUSE_AFTER = 8
"""Failures without a reply between them after which an endpoint is left alone for a while; never fewer than its limit.

Failures come back faster than replies, so some of every batch that is let in are heard of before the first reply.
"""
_CLOSED_AFTER = 4
"""The same, half as patient, for `Retry-After` to be meant for everyone and not for the one call that got it."""

CallOutcome = Literal["ok", "overload", "broken", "answered", "cancelled"]
"""`answered`: the endpoint works, but the reply was an error about the request."""


@dataclass
class Lane:
    """One endpoint root: what is in flight there and how it has been doing."""

    url: str
    capacity: AdaptiveLimit
    in_flight: int = 0
    latency: float | None = None
    """Smoothed seconds a reply takes."""
    paused_until: float = 0.0
    failures: int = 0
    failing_since: float | None = None
    """First failure after the last reply; None while it works."""
    successes: int = 0

    @property
    def cost(self) -> float:
        """Expected wait of one more call, relative to other lanes: by this, load follows speed."""
        return (self.in_flight + 1) * (self.latency or 1e-3) / self.capacity.limit


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one call to one endpoint root."""

    lane: Lane
    started: float
    tokens: int
    """Tokens taken from the rate beforehand."""


@dataclass(order=True, slots=True)
class _Waiter:
    rank: tuple[float, int]
    granted: "asyncio.Future[Permit]" = field(compare=False)
    tokens: int = field(compare=False)


class Ceiling:
    """The most calls in flight over all endpoints of a run."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self.pools: list[Permits] = []

    def release(self) -> None:
        """One call ended; whoever has waited with most to do goes first."""
        self.in_flight -= 1
        for pool in sorted(self.pools, key=Permits.urgency):
            pool.grant()


class Permits:
    """The permits of one model on one or several endpoint roots."""

    def __init__(
        self,
        urls: Sequence[str],
        ceiling: Ceiling,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        rates: RateSource = TokenBucket,
        name: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lanes = [Lane(url, AdaptiveLimit(ceiling.limit, min(_START, ceiling.limit))) for url in urls]
        self._ceiling = ceiling
        ceiling.pools.append(self)
        self._clock = clock
        self._requests = rates(requests_per_minute, f"requests {name}") if requests_per_minute else None
        self._tokens = rates(tokens_per_minute, f"tokens {name}") if tokens_per_minute else None
        self._waiting: list[_Waiter] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Calls that want a permit."""
        return len(self._waiting)

    def urgency(self) -> tuple[float, int]:
        """Rank of the first in line; smaller goes first."""
        return self._waiting[0].rank if self._waiting else (float("inf"), 0)

    def failing_for(self) -> float:
        """Seconds since every lane has stopped working; 0 while one works."""
        since = [lane.failing_since for lane in self.lanes]
        known = [moment for moment in since if moment is not None]
        return self._clock() - max(known) if len(known) == len(since) else 0.0

    async def acquire(self, remaining: float, tokens: int = 0) -> Permit:
        """Waits for leave to send one call; `remaining` is the expected number of calls that its unit still needs."""
        waiter = _Waiter((-remaining, next(self._order)), asyncio.get_running_loop().create_future(), tokens)
        heapq.heappush(self._waiting, waiter)
        self.grant()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled() and waiter.granted.exception() is None:
                self.release(waiter.granted.result(), "cancelled")
            raise

    def release(
        self, permit: Permit, outcome: CallOutcome, *, tokens: int = 0, retry_after: float | None = None
    ) -> None:
        """Gives a permit back and says what became of the call; `tokens` are those it really used."""
        now, lane = self._clock(), permit.lane
        lane.in_flight -= 1
        if outcome in ("ok", "answered"):
            lane.failures, lane.failing_since = 0, None
        if outcome == "ok":
            lane.successes += 1
            seconds = now - permit.started
            lane.latency = seconds if lane.latency is None else 0.9 * lane.latency + 0.1 * seconds
            lane.capacity.record_success(now, saturated=bool(self._waiting))
            if self._tokens:
                self._tokens.correct(tokens - permit.tokens)
        elif outcome in ("overload", "broken"):
            self._record_failure(lane, permit.started, now)
            if outcome == "overload":
                lane.capacity.record_overload(now, permit.started)
            if retry_after and lane.failures >= max(_CLOSED_AFTER, lane.capacity.limit // 2):
                lane.paused_until = max(lane.paused_until, now + retry_after)
        self._ceiling.release()

    def fail_waiting(self, error: Exception) -> None:
        """Ends all waiting: the endpoint is gone. Whoever comes later starts with a clean record."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.granted.done():
                waiter.granted.set_exception(error)
        for lane in self.lanes:
            lane.failures, lane.failing_since = 0, None

    def grant(self) -> None:
        """Hands out what can be handed out now."""
        while self._waiting:
            if self._waiting[0].granted.done():
                heapq.heappop(self._waiting)
                continue
            if self._ceiling.in_flight >= self._ceiling.limit:
                return
            now = self._clock()
            lane = self._pick(now)
            if lane is None:
                pauses = [lane.paused_until - now for lane in self.lanes if lane.paused_until > now]
                if pauses:
                    self._grant_later(min(pauses))
                return
            waiter = self._waiting[0]
            try:
                wait = max(
                    self._requests.seconds_until(now, 1) if self._requests else 0.0,
                    self._tokens.seconds_until(now, waiter.tokens) if self._tokens else 0.0,
                )
            except ModelError as error:
                self.fail_waiting(error)
                return
            if wait > 0:
                self._grant_later(wait)
                return
            heapq.heappop(self._waiting)
            if self._requests:
                self._requests.take(now, 1)
            if self._tokens:
                self._tokens.take(now, waiter.tokens)
            lane.in_flight += 1
            self._ceiling.in_flight += 1
            waiter.granted.set_result(Permit(lane, now, waiter.tokens))

    def _pick(self, now: float) -> Lane | None:
        free = [lane for lane in self.lanes if lane.in_flight < lane.capacity.limit and lane.paused_until <= now]
        return min(free, key=lambda lane: lane.cost) if free else None

    def _record_failure(self, lane: Lane, started: float, now: float) -> None:
        if lane.failing_since is None:
            lane.failing_since = now
        if started >= lane.paused_until:  # those sent before a pause say nothing about after it
            lane.failures += 1
            patience = max(_PAUSE_AFTER, lane.capacity.limit)
            if lane.failures >= patience:
                lane.paused_until = now + min(5.0, 0.1 * 2 ** min(6, lane.failures - patience))

    def _grant_later(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds + 1e-3, self.grant)
