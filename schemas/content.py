"""Canonical JSON and the content hashes made of it.

Two values that are equal as JSON have the same canonical text, whatever the order of their keys, so an id made
here is the same on every machine, in every shard and in every run.
"""

import hashlib
from typing import Annotated, Any

import orjson

JsonText = Annotated[str, "json"]
"""A column that holds JSON as text: Arrow's inferred structs would turn missing keys into nulls."""

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def canonical_json(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no white space, UTF-8."""
    return orjson.dumps(value, option=_OPTIONS).decode()


def digest(value: Any) -> str:
    """SHA-256 (64 hex digits) of a value's canonical JSON."""
    return hashlib.sha256(orjson.dumps(value, option=_OPTIONS)).hexdigest()


def content_id(prefix: str, value: Any) -> str:
    """A row id: `prefix` and the first 16 hex digits of the digest, as in `tool_1f0c…`."""
    return f"{prefix}_{digest(value)[:16]}"
