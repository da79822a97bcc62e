"""Hard caps: when one is reached no new call is sent; calls in flight are finished and kept."""

import time
from collections.abc import Callable

from schemas.config import Budget
from turnwright.models.errors import BudgetSpent
from turnwright.models.usage import Usage


class BudgetGuard:
    """Compares what was used with the config's caps.

    Replies from the journal cost nothing; the time cap holds for new calls.
    """

    def __init__(self, budget: Budget, usage: Usage, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self._usage = usage
        self._clock = clock
        self._started = clock()

    def check(self) -> None:
        """Allows one more call.

        Raises:
            BudgetSpent: a cap is reached.
        """
        budget = self._budget
        if budget.tokens is not None and self._usage.tokens >= budget.tokens:
            raise BudgetSpent(f"budget.tokens is spent: {self._usage.tokens} of {budget.tokens} tokens", cap="tokens")
        if budget.cost_usd is not None:
            cost = self._usage.cost_usd
            if cost is not None and cost >= budget.cost_usd:
                raise BudgetSpent(f"budget.cost_usd is spent: ${cost:.4f} of ${budget.cost_usd:g}", cap="cost_usd")
        if budget.minutes is not None:
            minutes = (self._clock() - self._started) / 60
            if minutes >= budget.minutes:
                raise BudgetSpent(
                    f"budget.minutes is spent: {minutes:.1f} of {budget.minutes:g} minutes", cap="minutes"
                )
