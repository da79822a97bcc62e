"""How a stored value becomes a JSON value, and how results become the text that a model reads.

Binary content is never shown: a result says `<binary, 12 bytes>` in its place, a state difference its digest. Dates
and times become ISO 8601 text, decimals numbers, NaN and infinities null. Text that is not UTF-8 is decoded with
replacement characters.
"""

import datetime
import decimal
import hashlib
import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import orjson

from schemas.content import canonical_json, digest
from schemas.goals import RowChange


def decode_text(content: bytes) -> str:
    """Stored text, whatever its bytes are."""
    return content.decode("utf-8", "replace")


def _plain_number(value: decimal.Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    whole = value == value.to_integral_value()
    if whole and cast(int, value.as_tuple().exponent) >= 0 and abs(value) < 2**63:
        return int(value)
    return float(value)


def _content(value: Any) -> bytes:
    return bytes(value)


def json_value(value: Any) -> Any:
    """A value from a database driver as a JSON value."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<binary, {len(_content(value))} bytes>"
    if isinstance(value, decimal.Decimal):
        return _plain_number(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID | datetime.timedelta):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(item) for item in cast(Iterable[Any], value)]
    return str(value)


def exact_value(value: Any) -> Any:
    """A value for a state difference: as `json_value`, but binary content by its digest and 25.0 as 25."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"sha256:{hashlib.sha256(_content(value)).hexdigest()}"
    plain = json_value(value)
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < 2**53:
        return int(plain)
    return plain


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Column names that can be the keys of one object: the second `id` becomes `id_2`."""
    taken: set[str] = set()
    result: list[str] = []
    for name in names:
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name}_{count}"
        taken.add(unique)
        result.append(unique)
    return tuple(result)


def json_text(value: Any) -> str:
    """Compact JSON, keys in the order of the columns, non-ASCII kept."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def pair_rows(
    table: str,
    key: Sequence[str],
    before: Iterable[Mapping[str, Any]],
    after: Iterable[Mapping[str, Any]],
) -> list[RowChange]:
    """The changes of one table, from the rows only the base has and the rows only the new state has.

    Rows are paired by primary key; without one a row is its whole content, and equal rows cancel out one by one.
    """

    def identify(row: Mapping[str, Any]) -> str:
        return canonical_json([row[name] for name in key] if key else dict(row))

    old: dict[str, list[dict[str, Any]]] = {}
    for row in before:
        old.setdefault(identify(row), []).append(dict(row))
    changes: list[RowChange] = []
    for row in after:
        matches = old.get(identify(row))
        match = matches.pop() if matches else None
        if match is None or match != dict(row):
            changes.append(RowChange(table=table, before=match, after=dict(row)))
    changes.extend(RowChange(table=table, before=row, after=None) for rows in old.values() for row in rows)
    return changes


def sort_changes(changes: Iterable[RowChange]) -> list[RowChange]:
    """The one order of a set of changes, whatever order the writes had."""
    return sorted(changes, key=lambda change: (change.table, canonical_json([change.before, change.after])))


def digest_state(base_digest: str, changes: Sequence[RowChange]) -> str:
    """Digest of a state: the base's own where no row differs."""
    if not changes:
        return base_digest
    return digest({"base": base_digest, "changes": [change.model_dump() for change in changes]})
