"""Whether a claim is a way to write the value of a cell."""

from collections.abc import Iterable
from functools import lru_cache
from typing import cast

from turnwright.validation.grounding.claims import Claim, read_claims
from turnwright.validation.grounding.known import Day
from turnwright.validation.grounding.plain_text import compose, fold, key_of, list_words
from turnwright.validation.grounding.records import Scalar

_LARGEST = 1e300
"""No prose tells a larger number, and no float holds it."""


def excuse_number(value: object) -> str:
    """A number in the form in which `excuse` holds it."""
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def excuse(claims: Iterable[Claim], scalars: Iterable[Scalar]) -> frozenset[str]:
    """Values in the form in which they can be compared with a claim."""
    told = {key_of(claim.text) for claim in claims} | {
        excuse_number(claim.value) for claim in claims if claim.kind == "number"
    }
    given = {key_of(each) if isinstance(each, str) else excuse_number(each) for each in scalars if each is not None}
    return frozenset(told | given)


def tells(claim: Claim, cell: Scalar) -> bool:
    """Whether a claim is a way to write a value."""
    if isinstance(cell, bool) or cell is None:
        return False
    if isinstance(cell, str):
        if key_of(claim.text) == key_of(cell) or key_of(cell).startswith(key_of(claim.text) + " "):
            return True
        return any(_same_claim(claim, other) for other in _read_cell(cell))
    if claim.kind == "date":
        return cast("Day", claim.value)[0] == cell
    if claim.kind != "number":
        return key_of(claim.text) == str(cell)
    if abs(cell) > _LARGEST:
        return False
    value = cast("float", claim.value)
    options = [(value, claim.half)]
    if claim.scaled is not None:
        options.append((claim.scaled, 0.05))
    if claim.unit is not None and claim.unit.name == "percent":
        options.append((value / 100, claim.half / 100))
    for option, half in options:
        distance = min(abs(option - cell), abs(option + cell))
        if distance <= 1e-9 * max(1.0, abs(cell)):
            return True
        rounds = claim.loose or not float(cell).is_integer()
        if rounds and distance <= half * (1 + 1e-9) and distance <= 0.05 * abs(cell):
            return True
    return False


def is_kin(claim: Claim, cell: Scalar) -> bool:
    """Whether a value is of the kind that a claim states: a number, a day, a time, a code, an address."""
    if isinstance(cell, str):
        text = _read_cell(cell)
        return len(text) == 1 and text[0].kind == claim.kind and len(text[0].text) == len(cell.strip())
    return claim.kind == "number" and cell is not None and not isinstance(cell, bool)


def _same_claim(first: Claim, second: Claim) -> bool:
    if first.kind != second.kind:
        return False
    if first.kind == "date":
        days = {cast("Day", second.value), second.other or cast("Day", second.value)}
        for year, month, day in (cast("Day", first.value), first.other or cast("Day", first.value)):
            if any(
                m == month and (year in (None, y) or y is None) and (day in (None, d) or d is None) for y, m, d in days
            ):
                return True
        return False
    return first.value == second.value


@lru_cache(maxsize=2048)
def _read_cell(cell: str) -> tuple[Claim, ...]:
    text = compose(cell[:400])
    folded = fold(text)
    return tuple(read_claims(text, folded, list_words(folded)))
