"""Reads JSON that somebody else wrote: every text gives a value or a reason, whatever it holds."""

import json
import re
from typing import Any, cast

import orjson

_SURROGATES = re.compile("[\ud800-\udfff]")
_FAILS = ("error", "exception", "traceback", "failed")
_BEGINNING = 200
"""Characters in which a text's first word is looked for."""
_MOST_TEXT = 16_000_000
"""Characters of a document that are read as JSON."""


def read_document(text: str) -> Any:
    """The value of a JSON text; the text itself where it is no JSON, is nested too deeply, or is longer than 16 MB.

    NaN and Infinity are read as Python does, half a surrogate pair becomes U+FFFD, of a key given twice the last
    counts.
    """
    try:
        return parse_document(text)
    except ValueError:
        return clean_text(text)


def read_error(value: Any) -> str | None:
    """The kind of the error that a result is, or none: a member `error` that says something makes an object one."""
    if not isinstance(value, dict):
        return None
    error = cast("dict[str, Any]", value).get("error")
    return str(error)[:80] if error else None


def is_error(value: Any) -> bool:
    """Whether a result made elsewhere says that the call failed: in a member for it, or by how its text begins.

    Our own results say so in one form only, which `read_error` reads.
    """
    if isinstance(value, str):
        return value[:_BEGINNING].lstrip(" \t\r\n\"'[{(<").casefold().startswith(_FAILS)
    if not isinstance(value, dict):
        return False
    fields = cast("dict[str, Any]", value)
    return any(fields.get(name) for name in ("error", "exception", "errors"))


def parse_document(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or is too long; the message says which.
    """
    if len(text) > _MOST_TEXT:
        raise ValueError(f"longer than {_MOST_TEXT:,} characters")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        value = json.loads(text)
        # Written again and read by the strict reader: no half pairs are left, and the depth is one that all code can
        # walk.
        plain = _SURROGATES.sub("\ufffd", json.dumps(value, ensure_ascii=False))
        return json.loads(plain)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def clean_text(text: str) -> str:
    """`text` without halves of surrogate pairs, which no file can hold."""
    return _SURROGATES.sub("\ufffd", text)
