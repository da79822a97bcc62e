"""How many calls a dialogue still needs, when its length was only guessed."""

import math

_CAUTION = 0.75
"""A run ends with the chains that turn out long, so a chain counts for what three of four like it do not exceed: 1.056
of the ideal time in the median instead of 1.067 by the expected length (benchmarks/schedule.py)."""


def expect_remaining(estimate: float, made: int, longest: float = math.inf) -> float:
    """Number of calls after `made` that a chain is to be granted, estimated at `estimate` calls to within a half.

    The length L lies between 2/3 and 2 of the estimate (and is not over `longest`), short ones being likelier by 1/L;
    what is given is the third quartile. A chain that outlives its estimate is likely to be a long one: its priority
    falls slowly instead of to nothing, and the run does not end on the few that were underestimated. At least 1.
    """
    upper = min(longest + 1, 2 * estimate)
    lower = max(estimate / 1.5, made + 0.5)
    if upper <= lower:
        return 1.0
    return max(1.0, lower * (upper / lower) ** _CAUTION - made)
