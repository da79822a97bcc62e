"""How many calls an endpoint takes at once, learnt from what it does.

The limit rises while throughput rises and halves when the endpoint is overloaded. Failures that are just as frequent at
half the load are not caused by load: such a share is tolerated from then on, or random faults would starve the run.
"""

import math
from dataclasses import dataclass

_MIN_WINDOW = 16
_RISE = 1.03
"""Throughput has to grow by more than noise for another raise."""
_HOLD_WINDOWS = 10
"""Windows after a raise that brought nothing, before the next try."""
_CLEAR_SHARE = 0.25
"""Overloads beyond this share of a window are the load's fault whatever came before."""
_FORGET_WINDOWS = 20
_EXPECTED = 4.0
"""A halving is judged when, at the share of overloads before it, so many more were to be expected: that none comes is
then hardly chance."""


@dataclass
class AdaptiveLimit:
    """The limit of one endpoint. Pure: time is an argument."""

    ceiling: int
    limit: int
    _started: float | None = None
    _done: int = 0
    _overloads: int = 0
    _saturated: bool = False
    _best: float = 0.0
    _previous: int = 0
    _hold: int = 0
    _knee: int = 0
    _threshold: int | None = None
    _halved_at: float = float("-inf")
    _before_halving: int = 0
    _judge_after: int = 0
    _tolerated: float = 0.0
    _clean: int = 0

    def record_success(self, now: float, *, saturated: bool) -> None:
        """One reply; `saturated` says that calls were waiting for a permit."""
        self._begin(now)
        self._done += 1
        self._saturated |= saturated
        self._end_window(now)

    def record_overload(self, now: float, started: float) -> bool:
        """One 429, 503 or timeout of a call sent at `started`; returns whether the limit was halved for it."""
        if started < self._halved_at:
            return False  # sent at a load that has been halved since
        self._begin(now)
        self._overloads += 1
        window = max(_MIN_WINDOW, 2 * self.limit, self._done + self._overloads)
        if self._before_halving:
            halve = self._overloads > _CLEAR_SHARE * window
        elif self._tolerated:
            halve = self._overloads > 2 + max(_CLEAR_SHARE, self._tolerated) * window
        else:
            halve = True
        if not halve:
            self._end_window(now)
            return False
        if not self._before_halving:
            # Overloads come back at once, replies later: as many calls as the limit allows are still out.
            share = self._overloads / max(self._done + self._overloads, self.limit)
            self._judge_after = math.ceil(_EXPECTED / share)
        self._before_halving = max(self._before_halving, self.limit)
        self.limit = max(1, self.limit // 2)
        self._halved_at = now
        self._best, self._knee = 0.0, 0
        self._reset()
        return True

    def _begin(self, now: float) -> None:
        if self._started is None:
            self._started = now

    def _reset(self) -> None:
        self._started, self._done, self._overloads, self._saturated = None, 0, 0, False

    def _end_window(self, now: float) -> None:
        events = max(_MIN_WINDOW, 2 * self.limit, self._judge_after if self._before_halving else 0)
        if self._done + self._overloads < events or self._started is None:
            return
        throughput = self._done / max(1e-6, now - self._started)
        share = self._overloads / (self._done + self._overloads)
        saturated = self._saturated
        self._reset()
        if self._before_halving:
            self._judge_halving(share)
        else:
            self._clean = 0 if share else self._clean + 1
            if self._clean >= _FORGET_WINDOWS:
                self._tolerated = 0.0
            if saturated:
                self._adjust(throughput)

    def _judge_halving(self, share: float) -> None:
        """After one window at half the load: was it the load?"""
        before, self._before_halving = self._before_halving, 0
        if share:
            self._tolerated = max(self._tolerated, min(0.5, 2 * share))
            self.limit = before
            self._threshold = None  # an earlier halving that seemed to help met the same faults by chance
        else:
            self._threshold = before

    def _adjust(self, throughput: float) -> None:
        if self._hold:
            self._hold -= 1
            self._best = 0.0
            return
        if self._best and throughput <= self._best * _RISE:
            if self._knee:
                self.limit = self._previous
            else:
                self._knee = self.limit  # one step beyond the knee stays: it hides the client's turnaround
            self._hold = _HOLD_WINDOWS
            return
        if self._best:
            self._knee = 0
        if self.limit >= self.ceiling:
            return
        self._best, self._previous = throughput, self.limit
        near = self._threshold is not None and self.limit * 4 >= self._threshold * 3
        step = max(1, self.limit // 16) if near else max(1, self.limit // 4 if self._threshold else self.limit)
        self.limit = min(self.ceiling, self.limit + step)
