"""One entry of the call journal: a reply as an endpoint gave it, or its last word that there will be none."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, cast

import orjson

from turnwright.models.errors import RequestRejected
from turnwright.models.failures import Failure
from turnwright.models.request import ChatRequest


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One reply as the endpoint gave it, and what the call was for."""

    key: str
    role: str
    unit: str
    draw: int
    model: str
    endpoint: str
    message: dict[str, Any]
    """The `message` of the first choice, unchanged."""
    finish_reason: str | None
    prompt_tokens: int | None
    """As the endpoint counted; None where it did not say."""
    completion_tokens: int | None
    cached_tokens: int | None = None
    """Prompt tokens that the endpoint's prefix cache served, where it says."""
    prefixes: tuple[tuple[int, str], ...] = ()
    """Message boundaries of the prompt, see `ChatRequest.prefixes`."""
    kind: str = "reply"
    """`reply`; `overflow` or `rejected` for a request that the endpoint will never answer; `capability` for a missing
    feature."""
    detail: str = ""
    """For the other kinds: what the endpoint said."""


_RECORDED = tuple(name for name in JournalEntry.__slots__ if name != "key")
_read_recorded = attrgetter(*_RECORDED)


def encode_entry(entry: JournalEntry) -> bytes:
    """The entry without its key, as JSON."""
    fields = zip(_RECORDED, _read_recorded(entry), strict=True)
    return orjson.dumps({name: value for name, value in fields if value is not None and value != "" and value != ()})


def decode_entry(key: bytes, payload: bytes) -> JournalEntry:
    """The entry that was encoded."""
    fields: dict[str, Any] = orjson.loads(payload)
    return JournalEntry(
        key=key.hex(),
        role=fields.get("role", ""),
        unit=fields.get("unit", ""),
        draw=fields.get("draw", 0),
        model=fields.get("model", ""),
        endpoint=fields.get("endpoint", ""),
        message=fields.get("message", {}),
        finish_reason=fields.get("finish_reason"),
        prompt_tokens=fields.get("prompt_tokens"),
        completion_tokens=fields.get("completion_tokens"),
        cached_tokens=fields.get("cached_tokens"),
        prefixes=tuple((int(size), str(digest)) for size, digest in fields.get("prefixes", ())),
        kind=fields.get("kind", "reply"),
        detail=fields.get("detail", ""),
    )


def make_entry(request: ChatRequest, body: Mapping[str, Any]) -> JournalEntry:
    """What is kept of an answer: the first choice, and what was counted."""
    choice = _mapping(cast(list[Any], body["choices"])[0])
    usage = _mapping(body.get("usage"))
    cached = _mapping(usage.get("prompt_tokens_details")).get("cached_tokens")
    if cached is None:
        cached = _mapping(body.get("timings")).get("cache_n")  # llama.cpp
    finish = choice.get("finish_reason")
    return JournalEntry(
        key=request.key,
        role=request.role,
        unit=request.unit,
        draw=request.draw,
        model=request.model,
        endpoint=request.endpoint,
        message=_mapping(choice.get("message")),
        finish_reason=finish if isinstance(finish, str) else None,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(cached),
        prefixes=request.prefixes,
    )


def make_refusal(request: ChatRequest, failure: Failure) -> JournalEntry:
    """The endpoint's last word on a request, kept so that a rebuild ends the same way.

    Raises:
        RequestRejected: a server error, which another server or a newer version may not have: not kept.
    """
    if failure.kind == "rejected" and (failure.status or 0) >= 500:
        raise RequestRejected(f"{request.role}: {failure.message}", problem=failure.message)
    return JournalEntry(
        key=request.key,
        role=request.role,
        unit=request.unit,
        draw=request.draw,
        model=request.model,
        endpoint=request.endpoint,
        message={},
        finish_reason=None,
        prompt_tokens=0,
        completion_tokens=0,
        prefixes=request.prefixes,
        kind=failure.kind,
        detail=failure.message,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
