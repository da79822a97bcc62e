"""Confidence intervals of shares."""

import math

_Z = 1.959963984540054
"""Of the normal distribution, for 95 %."""


def wilson_interval(count: float, total: int) -> tuple[float, float]:
    """The 95 % interval of a share after Wilson (1927); 0 to 1 where nothing was counted.

    It stays inside 0 to 1, and says something where the share is 0 or 1, as the shares of rare slips are.
    """
    if total <= 0:
        return 0.0, 1.0
    share, square = count / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == total else min(1.0, middle + half)
    return round(low, 6), round(high, 6)
