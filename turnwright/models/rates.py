"""A rate per minute that an endpoint allows."""

from typing import Protocol


class Rate(Protocol):
    """What may be taken when. Used on the engine's loop only; nothing here blocks."""

    def seconds_until(self, now: float, amount: float) -> float:
        """How long until `amount` may be taken, or until it is worth asking again."""
        ...

    def take(self, now: float, amount: float) -> None:
        """Takes `amount`."""
        ...

    def correct(self, amount: float) -> None:
        """Takes what an estimate was short of, or gives back what it was over."""
        ...


class RateSource(Protocol):
    """Opens the rate of that name, in units a minute."""

    def __call__(self, per_minute: float, name: str, /) -> Rate:
        """The rate; one of a name that is open already is the same."""
        ...


class TokenBucket:
    """Fills at a steady rate; holds six seconds' worth, so no minute sees much more. Time is an argument."""

    def __init__(self, per_minute: float, name: str = "") -> None:
        self.name = name
        self._per_second = per_minute / 60
        self._capacity = max(1.0, per_minute / 10)
        self._level = self._capacity
        self._at: float | None = None

    def seconds_until(self, now: float, amount: float) -> float:
        """How long until `amount` may be taken; more than the bucket holds may be taken when it is full."""
        self._fill(now)
        return max(0.0, (min(amount, self._capacity) - self._level) / self._per_second)

    def take(self, now: float, amount: float) -> None:
        """Takes `amount`; the level may fall below zero, which later calls wait for."""
        self._fill(now)
        self._level -= amount

    def correct(self, amount: float) -> None:
        """Takes what an estimate was short of, or gives back what it was over."""
        self._level = min(self._capacity, self._level - amount)

    def _fill(self, now: float) -> None:
        if self._at is not None:
            self._level = min(self._capacity, self._level + (now - self._at) * self._per_second)
        self._at = now
