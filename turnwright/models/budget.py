"""Hard caps: when one is reached no new call is sent; calls in flight are finished and kept."""

import time
from collections.abc import Callable

from schemas.settings import Budget
from turnwright.models.errors import BudgetSpent
from turnwright.models.usage import Usage


class BudgetGuard:
    """Compares what was used with the config's caps.

    Replies from the journal cost nothing; the time cap holds for new calls.
    """

    def __init__(
        self,
        budget: Budget,
        usage: Usage,
        *,
        elsewhere: Callable[[], Usage] = Usage,
        began: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts to watch.

        Args:
            budget: the caps.
            usage: what this process uses.
            elsewhere: what other processes of the run have used, as far as is known.
            began: when the run began, in seconds since the epoch; default: now.
            clock: gives seconds; their beginning does not matter.
        """
        self._budget = budget
        self._usage = usage
        self._elsewhere = elsewhere
        self._clock = clock
        self._started = clock() - (0.0 if began is None else max(0.0, time.time() - began))

    def check(self) -> None:
        """Allows one more call.

        Raises:
            BudgetSpent: a cap is reached.
        """
        budget = self._budget
        if budget.tokens is not None:
            tokens = self._usage.tokens + self._elsewhere().tokens
            if tokens >= budget.tokens:
                raise BudgetSpent(f"budget.tokens is spent: {tokens} of {budget.tokens} tokens", cap="tokens")
        if budget.cost_usd is not None:
            here, there = self._usage.cost_usd, self._elsewhere().cost_usd
            if here is not None and there is not None and here + there >= budget.cost_usd:
                raise BudgetSpent(
                    f"budget.cost_usd is spent: ${here + there:.4f} of ${budget.cost_usd:g}", cap="cost_usd"
                )
        if budget.minutes is not None:
            minutes = (self._clock() - self._started) / 60
            if minutes >= budget.minutes:
                raise BudgetSpent(
                    f"budget.minutes is spent: {minutes:.1f} of {budget.minutes:g} minutes", cap="minutes"
                )
