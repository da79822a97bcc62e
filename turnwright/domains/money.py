"""Money in dollars, kept to the cent."""

from collections.abc import Iterable


def cents(amount: float) -> int:
    """An amount in whole cents."""
    return round(amount * 100)


def dollars(amount: int) -> float:
    """Cents as dollars."""
    return amount / 100


def add_up(amounts: Iterable[float]) -> float:
    """The sum, exact to the cent."""
    return dollars(sum(cents(amount) for amount in amounts))
