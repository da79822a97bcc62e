"""Single argument values: that fit a comparison, that a column could newly hold, that a parameter's schema allows."""

import random
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from schemas.databases import Column


def value_for(operator: str, value: Any, pool: Sequence[Any], rng: random.Random) -> Any:
    """A value for which `value <operator> it` holds."""
    if value is None:
        return None
    if operator == "like":
        words = re.findall(r"\w{3,}", str(value))
        return rng.choice(words) if words else str(value)
    same = [item for item in pool if type(item) is type(value)]
    lower, higher = sorted({item for item in same if item < value}), sorted({item for item in same if item > value})
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if operator == "<":
        return higher[0] if higher else value + 1 if numeric else f"{value}z"
    if operator == ">":
        return lower[-1] if lower else value - 1 if numeric else ""
    if operator == "<=":
        return rng.choice([value, *higher])
    if operator == ">=":
        return rng.choice([*lower, value])
    if operator == "!=":
        others = [item for item in same if item != value]
        return rng.choice(others) if others else None
    return value


def invent_value(column: Column, pool: Sequence[Any], rng: random.Random, *, unlike: bool) -> Any:
    """A value in the image of the ones in `pool`; with `unlike` one that is not among them.

    None where there is nothing to go by.
    """
    if not pool:
        return {"integer": 1, "number": 1.5, "boolean": True}.get(
            column.json_type, "2024-03-01" if column.format == "date" else "New"
        )
    value = rng.choice(pool)
    if isinstance(value, bool) or (not unlike and not isinstance(value, str)):
        return value
    if isinstance(value, int):
        return max(item for item in pool if isinstance(item, int)) + rng.randint(1, 9)
    if isinstance(value, float):
        return round(value * 1.1 + 1, 2)
    if not unlike or not isinstance(value, str):
        return value
    if column.format in {"date", "date-time"}:
        later = date.fromisoformat(max(str(item) for item in pool)[:10]) + timedelta(days=rng.randint(1, 60))
        return later.isoformat() + value[10:]
    for _ in range(20):
        made = _mix(value, str(rng.choice(pool)), rng)
        if made not in pool:
            return made
    return f"{value} {rng.randint(100, 999)}"


def _mix(one: str, other: str, rng: random.Random) -> str:
    """Words of two values; for a single word its digits, or its last letter, are changed."""
    first, second = one.split(), other.split()
    if len(first) > 1 and len(second) > 1:
        return " ".join([first[0], *second[1:]])
    if any(letter.isdigit() for letter in one):
        return "".join(rng.choice("0123456789") if letter.isdigit() and i else letter for i, letter in enumerate(one))
    return (
        one[:-1] + rng.choice("abcdefghijklmnopqrstuvwxyz")
        if one.islower()
        else one[:-1] + rng.choice("ABCDEFGHIJKLMNOPRSTUVWXYZ")
    )


def is_type(value: Any, json_type: str) -> bool:
    """Whether a stored value is of a JSON type; SQLite stores booleans as integers."""
    kinds: dict[str, tuple[type, ...]] = {
        "integer": (int,),
        "number": (int, float),
        "string": (str,),
        "boolean": (bool, int),
    }
    return isinstance(value, kinds.get(json_type, (object,))) and (
        json_type == "boolean" or not isinstance(value, bool)
    )


def convert_value(value: Any, schema: dict[str, Any]) -> Any:
    """A stored value as the parameter takes it: a reference may be stored as another type than its key has."""
    kind = schema.get("type")
    if kind == "string" and not isinstance(value, str):
        return str(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind in {"integer", "number"} and isinstance(value, str):
        try:
            return int(value) if kind == "integer" else float(value)
        except ValueError:
            return value
    return value


def fits_schema(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value has the type and is in the enum of a parameter's schema."""
    if schema.get("type") == "array":
        return all(fits_schema(item, schema["items"]) for item in value)
    if "enum" in schema and value not in schema["enum"]:
        return False
    return is_type(value, str(schema.get("type")))
