"""What a failed request means: whether to try again, and who has to hear of it."""

import email.utils
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

FailureKind = Literal["overload", "timeout", "broken", "refused", "overflow", "rejected"]
"""`overload` (429, 503), `timeout` and `broken` (connections, other 5xx, bodies that are no reply) are infrastructure:
tried again. `refused`: key, permission, model or path. `overflow`: context length. `rejected`: other 4xx, about this
request."""

_OVERFLOW = re.compile(
    r"context[ _-]?(length|window|size)|maximum (context|prompt|input)|too many (input )?tokens|prompt is too long|"
    r"exceeds? the (available |model's )?context|input is too long|reduce the length",
    re.IGNORECASE,
)
_KEYLIKE = re.compile(r"\b(sk|key|gsk|hf|nvapi)[-_][A-Za-z0-9*_-]{6,}")


@dataclass(eq=False)
class Failure(Exception):
    """One request that gave no usable reply."""

    kind: FailureKind
    message: str
    """What happened, without secrets."""
    status: int | None = None
    """HTTP status; None where no answer came."""
    retry_after: float | None = None
    """Seconds that the endpoint asks to wait."""
    field: str = ""
    """Request field that the endpoint blames, where it names one in `error.param`."""

    def __str__(self) -> str:
        return self.message

    @property
    def is_infrastructure(self) -> bool:
        """Worth another try."""
        return self.kind in ("overload", "timeout", "broken")


def classify_status(status: int, body: bytes, headers: Mapping[str, str]) -> Failure:
    """The failure that an HTTP error answer stands for."""
    text, code, field = _read_error(body)
    message = f"HTTP {status}: {text}" if text else f"HTTP {status}"
    wait = read_retry_after(headers)
    if status in (429, 503, 529):
        if code == "insufficient_quota":
            return Failure("refused", message, status)
        return Failure("overload", message, status, wait)
    if status in (408, 504, 524):
        return Failure("timeout", message, status, wait)
    if status == 413 or code in ("context_length_exceeded", "exceed_context_size_error"):
        return Failure("overflow", message, status)
    if status in (401, 402, 403, 404, 405, 407):
        return Failure("refused", message, status)
    if status >= 500 or status in (409, 421, 425) or status < 400:
        return Failure("broken", message, status, wait)
    if _OVERFLOW.search(text):
        return Failure("overflow", message, status)
    if _is_html(body):
        return Failure("broken", message, status)  # a proxy's page says nothing about the request
    return Failure("rejected", message, status, field=field)


def read_body(status: int, body: bytes) -> dict[str, Any]:
    """The reply in a successful answer's body: an object with at least one choice that has a message.

    Raises:
        Failure: it is HTML, cut off, not JSON, an error in a 200, or has no choices.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        what = "an HTML page" if _is_html(body) else f"{len(body)} bytes that are not JSON"
        raise Failure("broken", f"HTTP {status} with {what} instead of a reply", status) from None
    reply = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    choices = reply.get("choices")
    first = cast(list[Any], choices)[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(cast(dict[str, Any], first).get("message"), dict):
        text, code, _ = _read_error(body)
        if code == "context_length_exceeded" or _OVERFLOW.search(text):
            raise Failure("overflow", text, status)
        raise Failure("broken", f"HTTP {status} without a reply: {text or 'no choices'}", status)
    return reply


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait, at most ten minutes; None where it does not say."""
    milliseconds = headers.get("retry-after-ms")
    value = headers.get("retry-after")
    try:
        if milliseconds is not None:
            return min(600.0, max(0.0, float(milliseconds) / 1000))
        if value is not None:
            return min(600.0, max(0.0, float(value)))
    except ValueError:
        pass  # Retry-After may be a date
    moment = email.utils.parsedate_tz(value) if value else None
    return None if moment is None else min(600.0, max(0.0, email.utils.mktime_tz(moment) - time.time()))


def redact(text: str, secret: str | None = None) -> str:
    """`text` without the key, or anything that looks like one."""
    if secret:
        text = text.replace(secret, "***")
    return _KEYLIKE.sub("***", text)


def _is_html(body: bytes) -> bool:
    return body[:256].lstrip()[:1] == b"<"


def _read_error(body: bytes) -> tuple[str, str, str]:
    """`(message, code, field)` of an error body, the message short and without keys."""
    code = field = ""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = "an HTML page" if _is_html(body) else body[:300].decode("utf-8", "replace")
    else:
        error: Any = value
        if isinstance(value, dict):
            fields = cast(dict[str, Any], value)
            error = fields.get("error", fields.get("detail", fields.get("message", "")))
        if isinstance(error, dict):
            fields = cast(dict[str, Any], error)
            code = str(fields.get("code") or fields.get("type") or "")
            field = str(fields.get("param") or "")
            text = str(fields.get("message") or "")
        else:
            text = error if isinstance(error, str) else orjson.dumps(error).decode()
    return redact(" ".join(text.split())[:300]), code, field
