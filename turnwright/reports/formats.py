"""Numbers as people read them."""

from turnwright.statistics.table1 import Spread


def format_count(value: float | None) -> str:
    """`12,840`; a dash where there is no figure."""
    return "–" if value is None else f"{value:,.0f}"


def format_number(value: float | None, digits: int = 2) -> str:
    """`3.45`; a dash where there is no figure."""
    return "–" if value is None else f"{value:,.{digits}f}"


def format_share(value: float | None) -> str:
    """`17.7 %`; a dash where there is no figure."""
    return "–" if value is None else f"{100 * value:.1f} %"


def format_seconds(value: float | None) -> str:
    """`0.64 s`, `3 min 20 s`, `2 h 5 min`."""
    if value is None:
        return "–"
    if value < 120:
        return f"{value:.3g} s"
    minutes, seconds = divmod(round(value), 60)
    if minutes < 120:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def format_cost(value: float | None) -> str:
    """`$1.25`; below a cent the first two figures that count."""
    if value is None:
        return "unknown"
    return f"${value:,.2f}" if value >= 0.01 or value == 0 else f"${value:.2g}"


def format_spread(spread: Spread) -> str:
    """`3.95 (89)`: mean and maximum, as in table 1 of UO."""
    return f"{spread.mean:.2f} ({spread.maximum})" if spread.samples else "–"


def format_words(identifier: str) -> str:
    """An identifier as words: `user_oriented_executed` becomes `user oriented executed`."""
    return identifier.replace("_", " ")
