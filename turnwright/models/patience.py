"""How long a reply may take before the call is given up for dead, learnt from the replies that came.

An endpoint that hangs on one request in a hundred would otherwise hold a dialogue for the whole of `timeout_seconds`.
A call is given up when it takes much longer than almost all calls of its role. One that is merely slow gets four times
as long at each new try, until only `timeout_seconds` counts.
"""

import asyncio
import math
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

_LEAST_REPLIES = 50
"""Before so many of a role's replies have come, nothing is known."""
_REMEMBERED = 400
_TIMES = 8.0
"""Given up after so many times what 99 of 100 replies take …"""
_LEAST_SECONDS = 2.0
"""… and never before."""
_GROWTH = 4.0
_LOOK_SECONDS = 0.5


class GivenUp(Exception):
    """The call took far longer than others of its kind."""

    def __init__(self, waited: float, usual: float) -> None:
        super().__init__(f"no reply for {waited:.1f} s, where 99 of 100 take at most {usual:.1f} s")


@dataclass(eq=False)
class _Call:
    """A call in flight."""

    role: str
    tries: int
    started: float
    timeout: asyncio.Timeout
    given_up: GivenUp | None = None


@dataclass
class Patience:
    """The latencies of one model, by role, and the calls in flight. Used on the engine's loop only."""

    _seen: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])
    _flying: set[_Call] = field(default_factory=set[_Call])
    _timer: asyncio.TimerHandle | None = None

    def limit(self, role: str, tries: int = 0) -> float:
        """Seconds that a call may take which has failed `tries` times; infinite while too little is known."""
        usual = self.usual(role)
        return math.inf if usual is None else max(_LEAST_SECONDS, _TIMES * usual) * _GROWTH**tries

    def usual(self, role: str) -> float | None:
        """Seconds within which 99 of 100 replies of a role come; None while too little is known."""
        seen = self._seen.get(role)
        if seen is None or len(seen) < _LEAST_REPLIES:
            return None
        return sorted(seen)[int(0.99 * len(seen))]

    @contextmanager
    def watch(self, role: str, tries: int) -> Generator[asyncio.Timeout]:
        """Gives the timeout that the body is to run under, and expires it when the body takes too long.

        Raises:
            GivenUp: in place of the TimeoutError, where this was the reason.
        """
        loop = asyncio.get_running_loop()
        call = _Call(role, tries, loop.time(), asyncio.timeout(None))
        self._flying.add(call)
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_SECONDS, self._look)
        try:
            yield call.timeout
        except TimeoutError:
            if call.given_up is not None:
                raise call.given_up from None
            raise
        else:
            self._seen.setdefault(role, deque(maxlen=_REMEMBERED)).append(loop.time() - call.started)
        finally:
            self._flying.discard(call)

    def _look(self) -> None:
        """Gives up what is overdue. One look at all calls twice a second costs less than a timer for each."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_LOOK_SECONDS, self._look) if self._flying else None
        limits = {role: self.usual(role) for role in {call.role for call in self._flying}}
        now = loop.time()
        for call in self._flying:
            usual = limits[call.role]
            if usual is None or call.given_up is not None:
                continue
            if now - call.started > max(_LEAST_SECONDS, _TIMES * usual) * _GROWTH**call.tries:
                call.given_up = GivenUp(now - call.started, usual)
                call.timeout.reschedule(now)
