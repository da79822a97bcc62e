"""Counts and sums inside one result: what code can work out itself, a model need not be right about.

A figure counts as wrong only where no usual reading gives it. A total may be the sum of the lines, or of their prices
by quantity, with or without the tax, shipping, fees and discounts that stand beside it, and without cancelled lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, cast

from schemas.simulation import Contradiction
from turnwright.environments.simulation.agreement import as_number
from turnwright.environments.simulation.field_names import words_of
from turnwright.environments.simulation.records import Path
from turnwright.tools.naming import singular

_COUNTS = frozenset({"count", "num", "number"})
_COUNTED = frozenset("result results item items record records match matches entry entries row rows".split())
_SUMS = frozenset("total subtotal sum".split())
_MONEY = frozenset(
    "total subtotal amount price cost charge charges fee value sum revenue spent due paid balance payment".split()
)
_NO_SUMS = frozenset(
    "balance average avg mean min max lowest highest limit previous lifetime remaining rating score points tax "
    "discount shipping year month outstanding available pages page budget target goal".split()
)
_ADDED = frozenset("tax taxes vat shipping delivery fee fees tip gratuity surcharge service handling postage".split())
_TAKEN = frozenset("discount discounts rebate coupon credit deduction savings voucher".split())
_RATES = frozenset("rate percent percentage pct".split())
_PIECES = ("quantity", "qty", "units", "count")
_UNIT_PRICES = ("unit_price", "price_per_unit", "price_each", "price", "unit_cost", "unitPrice")
_LINE_TOTALS = ("line_total", "subtotal", "total_price", "total", "total_cost", "amount", "item_total", "lineTotal")
_PARTIAL = frozenset("page pages next offset cursor more limit truncated".split())
_VOID = frozenset("cancelled canceled refunded returned void failed declined reversed rejected".split())
_MOST_ITEMS = 500
_CENT = 0.011


def find_miscounts(value: Any) -> list[Contradiction]:
    """`wrong_count` and `wrong_sum` in a result, inner objects first, each with the figure that is right.

    Inner figures come first because outer ones are made of them: whoever puts them right does it in this order and
    looks again.
    """
    return list(_look(value, ()))


def _look(value: Any, path: Path) -> Iterator[Contradiction]:
    if isinstance(value, list):
        for position, item in enumerate(cast("list[Any]", value)):
            yield from _look(item, (*path, position))
    elif isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        for name, child in content.items():
            yield from _look(child, (*path, name))
        yield from _check_line(content, path)
        yield from _check_change(content, path)
        lists = {
            name: cast("list[Any]", child)
            for name, child in content.items()
            if isinstance(child, list) and len(cast("list[Any]", child)) <= _MOST_ITEMS
        }
        if lists and not any(word in _PARTIAL for name in content for word in words_of(name)):
            yield from _check_counts(content, lists, path)
            yield from _check_sums(content, lists, path)


def _check_line(content: Mapping[str, Any], path: Path) -> Iterator[Contradiction]:
    """A line of an order: price by quantity."""
    pieces = next((n for name in _PIECES if (n := _number(content.get(name))) is not None), None)
    price = next((n for name in _UNIT_PRICES if (n := _number(content.get(name))) is not None), None)
    total = next((name for name in _LINE_TOTALS if _number(content.get(name)) is not None), None)
    if pieces is None or price is None or total is None or any(isinstance(child, list) for child in content.values()):
        return
    told = _number(content[total])
    readings = _with_extras([pieces * price], content)
    if told is not None and readings and not _fits(told, readings, 1):
        yield _wrong("wrong_sum", (*path, total), told, readings[0], f"{pieces:g} at {price:g}")


def _check_change(content: Mapping[str, Any], path: Path) -> Iterator[Contradiction]:
    """A balance before and after: the difference is the amount that was moved, with or without a fee."""
    before = _first(content, ("previous_balance", "old_balance", "balance_before", "starting_balance"))
    after = _first(content, ("new_balance", "balance_after", "updated_balance", "current_balance"))
    moved = _first(content, ("amount", "amount_deposited", "amount_withdrawn", "deposit", "withdrawal"))
    if before is None or after is None or moved is None:
        return
    start, end, amount = (float(content[name]) for name in (before, after, moved))
    fee = sum(abs(n) for name in content if "fee" in words_of(name) and (n := _number(content[name])) is not None)
    readings = [start + sign * amount + part for sign in (1, -1) for part in (0.0, fee, -fee)]
    if not _fits(end, readings, 1):
        up = abs(end - start - abs(amount)) < abs(end - start + abs(amount))
        truth = start + abs(amount) if up else start - abs(amount)
        yield _wrong("wrong_sum", (*path, after), end, truth, f"{start:g} and {amount:g}")


def _check_counts(content: Mapping[str, Any], lists: Mapping[str, list[Any]], path: Path) -> Iterator[Contradiction]:
    for name, told in content.items():
        words = words_of(name)
        if not isinstance(told, int) or isinstance(told, bool) or not words:
            continue
        counted = _list_counted(words, lists)
        if counted is None:
            continue
        items = lists[counted]
        readings = {len(items), sum(int(_pieces(item)) for item in items)}
        if told not in readings:
            text = f"{name} is {told}, {counted} has {len(items)}"
            yield Contradiction(
                code="wrong_count", path=(*path, name), explanation=text, remedy="replace", truth=len(items)
            )


def _list_counted(words: Sequence[str], lists: Mapping[str, list[Any]]) -> str | None:
    """The list that a field counts, if it counts one."""
    only = next(iter(lists)) if len(lists) == 1 else None
    if words in (("count",), ("total", "count"), ("total", "results"), ("num", "results"), ("result", "count")):
        return only
    if words == ("total",) and only is not None:
        # Beside lines with prices a total is money.
        objects = [cast("dict[str, Any]", item) for item in lists[only] if isinstance(item, dict)]
        return only if not any(_money_fields(item) or _PIECES[0] in item for item in objects) else None
    rest = [singular(word) for word in words if word not in _COUNTS and word not in ("of", "total")]
    if len(rest) == len(words):
        return None
    for list_name in lists:
        if rest == [singular(word) for word in words_of(list_name)]:
            return list_name
    generic = only is not None and all(word in _COUNTED for word in rest) and any(word in _COUNTS for word in words)
    return only if generic and words_of(only or "")[-1:] != ("ids",) else None


def _check_sums(content: Mapping[str, Any], lists: Mapping[str, list[Any]], path: Path) -> Iterator[Contradiction]:
    for name, value in content.items():
        told, words = _number(value), words_of(name)
        if told is None or not _is_sum(words):
            continue
        sums: list[float] = []
        if len(lists) == 1 and not next(iter(lists.values())):
            sums.append(0.0)
        for items in lists.values():
            objects = [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
            if objects and len(objects) == len(items):
                sums += _sum_readings(objects, words)
        if not sums:
            continue
        readings = sums if "subtotal" in words else _with_extras(sums, content)
        count = max(len(items) for items in lists.values())
        if readings and not _fits(told, readings, count):
            truth = sums[0] if "subtotal" in words else _expected_total(sums[0], content)
            yield _wrong("wrong_sum", (*path, name), told, truth, f"{len(next(iter(lists.values())))} lines")


def _is_sum(words: Sequence[str]) -> bool:
    if not words or any(word in _NO_SUMS for word in words):
        return False
    return any(word in _SUMS for word in words) and (len(words) == 1 or any(word in _MONEY for word in words))


def _sum_readings(objects: Sequence[dict[str, Any]], words: Sequence[str]) -> list[float]:
    """What lines may add up to, the likeliest first; nothing where their money is not known."""
    live = [item for item in objects if not _is_void(item)]
    readings: list[float] = []
    for chosen in (objects, live):
        per_line = [_line_amount(item) for item in chosen]
        if per_line and all(amount is not None for amount in per_line):
            readings.append(round(sum(amount for amount in per_line if amount is not None), 6))
        fields = {field for item in chosen for field in _money_fields(item)}
        for field in sorted(fields, key=lambda field: (field != " ".join(words).replace(" ", "_"), field)):
            amounts = [_number(item.get(field)) for item in chosen]
            if all(amount is not None for amount in amounts):
                readings.append(round(sum(amount for amount in amounts if amount is not None), 6))
    return readings


def _line_amount(item: Mapping[str, Any]) -> float | None:
    for name in _LINE_TOTALS:
        if (amount := _number(item.get(name))) is not None:
            return amount
    pieces = next((n for name in _PIECES if (n := _number(item.get(name))) is not None), None)
    price = next((n for name in _UNIT_PRICES if (n := _number(item.get(name))) is not None), None)
    if price is None:
        return None
    return price * (pieces if pieces is not None else 1)


def _money_fields(item: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, value in item.items()
        if _number(value) is not None and any(word in _MONEY for word in words_of(name))
    ]


def _is_void(item: Mapping[str, Any]) -> bool:
    return any(isinstance(value, str) and set(words_of(value)) & _VOID for value in item.values())


def _extras(content: Mapping[str, Any]) -> tuple[list[float], bool]:
    """What is added to and taken from a sum beside it; whether there is something that cannot be worked out."""
    amounts: list[float] = []
    unclear = False
    for name, value in content.items():
        words = words_of(name)
        number = _number(value)
        adds, takes = any(word in _ADDED for word in words), any(word in _TAKEN for word in words)
        if not (adds or takes):
            continue
        if number is None:
            unclear = unclear or isinstance(value, dict | list) or (isinstance(value, str) and bool(value))
        elif any(word in _RATES for word in words):
            unclear = unclear or number != 0
        elif number:
            amounts.append(-abs(number) if takes else number)
    return amounts, unclear


def _with_extras(sums: Sequence[float], content: Mapping[str, Any]) -> list[float]:
    """Each sum with any of the extras; nothing where an extra cannot be worked out."""
    amounts, unclear = _extras(content)
    if unclear or len(amounts) > 6:
        return []
    chosen = [part for size in range(len(amounts) + 1) for part in combinations(amounts, size)]
    return [base + sum(part) for base in sums for part in chosen]


def _expected_total(base: float, content: Mapping[str, Any]) -> float:
    return base + sum(_extras(content)[0])


def _pieces(item: Any) -> float:
    content = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    return next((n for name in _PIECES if (n := _number(content.get(name))) is not None), 1.0)


def _first(content: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if _number(content.get(name)) is not None), None)


def _number(value: Any) -> float | None:
    """A number, not a text that is one: what is told as text is not reckoned with."""
    if isinstance(value, str):
        return None
    number = as_number(value)
    return None if number is None else float(number)


def _fits(told: float, readings: Sequence[float], lines: int) -> bool:
    slack = _CENT * max(1, lines)
    return any(abs(told - reading) <= slack for reading in readings)


def _wrong(code: Any, path: Path, told: float, truth: float, grounds: str) -> Contradiction:
    exact = round(truth, 2)
    figure: int | float = int(exact) if exact == int(exact) and told == int(told) else exact
    text = f"{path[-1]} is {told:g}, {grounds} make {figure:g}"
    return Contradiction(code=code, path=path, explanation=text, remedy="replace", truth=figure)
