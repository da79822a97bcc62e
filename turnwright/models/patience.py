"""How long a reply usually takes, and a second request for one that takes far longer.

An endpoint that hangs on one request in a hundred would otherwise hold a dialogue for the whole of `timeout_seconds`.
When a call takes much longer than almost all calls of its role, the same request is sent once more beside it, and the
first reply counts. A call that is merely slow loses nothing by that, whichever of the two is first.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_LEAST_REPLIES = 20
"""Before so many of a role's replies have come, nothing is known."""
_REMEMBERED = 400
_TIMES = 2.5
"""Overdue after so many times what 99 of 100 replies take …"""
_LEAST_SECONDS = 1.0
"""… and never before."""
_GROWTH = 2.0
"""How much longer each further request is waited for, should the second one hang as well."""
_MOST_TRIES = 8
"""Further requests of a call, those that failed included; then it waits for what is in flight."""
_LOOK_SECONDS = 0.25
_SPARE_SHARE, _LEAST_SPARES = 0.1, 4
"""Most further requests in flight, as a share of the calls in flight, and where these are few."""


@dataclass(eq=False)
class _Call:
    """A call in flight."""

    role: str
    send: Callable[[], Coroutine[Any, Any, Any]]
    may_send: Callable[[], bool]
    timeout: asyncio.Timeout
    sent: float
    """When the first request was sent."""
    tries: int = 0
    spares: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])
    """Further requests in flight."""
    winner: asyncio.Task[Any] | None = None
    """The further request that was answered before the first."""


@dataclass
class Patience:
    """The latencies of one model, by role, and the calls in flight. Used on the engine's loop only."""

    _seen: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])
    _flying: set[_Call] = field(default_factory=set[_Call])
    _timer: asyncio.TimerHandle | None = None

    def limit(self, role: str) -> float:
        """Seconds after which a call is overdue; infinite while too little is known."""
        seen = self._seen.get(role)
        if seen is None or len(seen) < _LEAST_REPLIES:
            return math.inf
        return max(_LEAST_SECONDS, _TIMES * sorted(seen)[int(0.99 * len(seen))])

    async def run(self, role: str, send: Callable[[], Coroutine[Any, Any, T]], may_send: Callable[[], bool]) -> T:
        """What `send` gives; it is called again when the call is overdue, if `may_send` then allows it.

        Raises:
            Whatever the first `send` raises; a further request that fails is forgotten.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        call = _Call(role, send, may_send, asyncio.timeout(None), started)
        self._flying.add(call)
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_SECONDS, self._look)
        try:
            async with call.timeout:
                result = await send()
            self._seen.setdefault(role, deque(maxlen=_REMEMBERED)).append(loop.time() - started)
            return result
        except TimeoutError:
            if call.winner is None:
                raise
            return call.winner.result()
        finally:
            self._flying.discard(call)
            for spare in call.spares:
                spare.cancel()

    def _look(self) -> None:
        """Sends again what is overdue. One look at all calls costs less than a timer for each."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_LOOK_SECONDS, self._look) if self._flying else None
        limits = {role: self.limit(role) for role in {call.role for call in self._flying}}
        now = loop.time()
        most = max(_LEAST_SPARES, int(_SPARE_SHARE * len(self._flying)))
        room = most - sum(len(call.spares) for call in self._flying)
        for call in sorted(self._flying, key=lambda call: call.sent):
            if room <= 0:
                return  # when so many are late, the endpoint is slow, and more requests would not help it
            overdue = now - call.sent > limits[call.role] * _GROWTH ** len(call.spares)
            if overdue and call.winner is None and call.tries < _MOST_TRIES and call.may_send():
                room -= 1
                call.tries += 1
                call.spares.add(spare := loop.create_task(call.send()))
                spare.add_done_callback(lambda spare, call=call: self._settle(call, spare))

    def _settle(self, call: _Call, spare: asyncio.Task[Any]) -> None:
        """Ends the first request in favour of a further one that was answered; one that failed is forgotten."""
        call.spares.discard(spare)
        if spare.cancelled() or spare.exception() is not None:
            return
        if call in self._flying and call.winner is None:
            call.winner = spare
            call.timeout.reschedule(asyncio.get_running_loop().time())
