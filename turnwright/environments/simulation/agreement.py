"""Whether two values that a tool gave can both be true of the same thing."""

import datetime
import math
import re
from typing import Any, cast

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)
_NUMERIC = re.compile(r"[-+]?\d+(?:\.\d+)?")
_CENT = 0.005


def agree(first: Any, second: Any) -> bool:
    """Whether both values may stand for the same thing.

    Numbers agree by value and to half a cent, a number and its text, a day and a moment of that day, texts without
    case, spaces and punctuation. Values of kinds that cannot be held against each other agree: that the shape of a
    result differs from tool to tool is no contradiction. Null is "not told" and agrees with everything.
    """
    if first is None or second is None:
        return True
    if isinstance(first, bool) or isinstance(second, bool):
        return not (isinstance(first, bool) and isinstance(second, bool)) or first == second
    one, two = as_number(first), as_number(second)
    if one is not None and two is not None:
        return numbers_agree(one, two)
    if isinstance(first, str) and isinstance(second, str):
        return _texts_agree(first, second)
    if isinstance(first, list) and isinstance(second, list):
        return _lists_agree(cast("list[Any]", first), cast("list[Any]", second))
    return True


def numbers_agree(first: float, second: float) -> bool:
    """Equality of numbers; where one has a fraction, to half a cent."""
    if isinstance(first, int) and isinstance(second, int):
        return first == second
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=_CENT + 1e-9)


def same_kind(first: Any, second: Any) -> bool:
    """Whether two values are of one JSON type, whole and other numbers being one; null is of any."""
    return first is None or second is None or json_kind(first) == json_kind(second)


def json_kind(value: Any) -> str:
    """The JSON type of a value; `number` for both kinds."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "null"


def as_number(value: Any) -> int | float | None:
    """A number, or the number that a text is."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) and len(value) < 32 and _NUMERIC.fullmatch(value.strip()):
        text = value.strip()
        return float(text) if "." in text else int(text)
    return None


def read_moment(value: Any) -> tuple[datetime.datetime, bool, bool] | None:
    """The moment that an ISO text names, in UTC where it has an offset; whether it has a time; whether an offset."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    match = _ISO.fullmatch(value.strip())
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(match[n] or 0) for n in range(1, 7))
        moment = datetime.datetime(year, month, day, hour, minute, second)
        return _to_utc(moment, match[7]), match[4] is not None, match[7] is not None
    except (ValueError, OverflowError):
        return None


def _to_utc(moment: datetime.datetime, offset: str | None) -> datetime.datetime:
    if offset is None or offset in ("Z", "z"):
        return moment
    digits = offset[1:].replace(":", "")
    shift = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return moment - shift if offset[0] == "+" else moment + shift


def fold(text: str) -> str:
    """A text without case, spaces and punctuation; texts of nothing else stay as they are."""
    return re.sub(r"[\W_]+", "", text.casefold()) or text.strip()


def _texts_agree(first: str, second: str) -> bool:
    if fold(first) == fold(second):
        return True
    one, two = read_moment(first), read_moment(second)
    if one is not None and two is not None:
        if one[1] and two[1]:
            # An offset on one side only leaves open which moment the other side means.
            return one[0] == two[0] if one[2] == two[2] else abs(one[0] - two[0]) <= datetime.timedelta(hours=14)
        return one[0].date() == two[0].date()
    clocks = _read_clock(first), _read_clock(second)
    if clocks[0] is not None and clocks[1] is not None:
        return clocks[0] == clocks[1]
    # One in words, one as a date: which day `next Friday` is, code does not know.
    return one is not None or two is not None


def _read_clock(text: str) -> tuple[int, int, int] | None:
    match = _CLOCK.fullmatch(text.strip()) if len(text) < 16 else None
    if match is None:
        return None
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    return hour, int(match[2]), int(match[3] or 0)


def _lists_agree(first: list[Any], second: list[Any]) -> bool:
    if any(isinstance(item, dict | list) for item in (*first, *second)):
        return True
    if len(first) != len(second):
        return False
    left = list(second)
    for item in first:
        found = next((n for n, other in enumerate(left) if agree(item, other)), None)
        if found is None:
            return False
        del left[found]
    return True
