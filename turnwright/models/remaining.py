"""How many calls a dialogue still needs, when its length was only guessed."""

import math


def expect_remaining(estimate: float, made: int, longest: float = math.inf) -> float:
    """Expected number of calls after `made`, for a chain estimated at `estimate` calls, right to within a half.

    The length L lies between 2/3 and 2 of the estimate (and is not over `longest`), short ones being likelier by 1/L. A
    chain that outlives its estimate is likely to be a long one: its priority falls slowly instead of to nothing, and
    the run does not end on the few that were underestimated. At least 1.
    """
    upper = min(longest + 1, 2 * estimate)
    lower = max(estimate / 1.5, made + 0.5)
    if upper <= lower:
        return 1.0
    return max(1.0, (upper - lower) / math.log(upper / lower) - made)
