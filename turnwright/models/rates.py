"""A rate per minute that an endpoint allows."""


class TokenBucket:
    """Fills at a steady rate; holds six seconds' worth, so no minute sees much more. Time is an argument."""

    def __init__(self, per_minute: float) -> None:
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
