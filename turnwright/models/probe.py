"""Is an endpoint up, does it know the model, what can it do: for the preflight of a run and for `doctor`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

from schemas.endpoints import EndpointModel
from turnwright.models.dispatch import refusal_hint
from turnwright.models.endpoint import Endpoint
from turnwright.models.failures import Failure, read_body

_PROBE_SECONDS = 15.0

ProbeStatus = Literal["ok", "unreachable", "refused", "not_an_api", "wrong_model"]

_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "probe",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"ok": {"type": "boolean"}},
            "required": ["ok"],
            "additionalProperties": False,
        },
    },
}
_TOOL = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time of day in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@dataclass(frozen=True)
class Probe:
    """What a look at one endpoint root found."""

    url: str
    status: ProbeStatus
    message: str
    """What happened; empty where all is well."""
    hint: str
    """What to do about it."""
    models: tuple[str, ...]
    """Models that the endpoint lists, if it does."""

    @property
    def is_ok(self) -> bool:
        """The endpoint can be used."""
        return self.status == "ok"


async def probe_endpoint(url: str, model: str | None = None, *, api_key: str | None = None) -> Probe:
    """Looks at one endpoint root: `GET /models`, and one short call only where that leaves the model in doubt."""
    endpoint = Endpoint(url, api_key=api_key, timeout_seconds=_PROBE_SECONDS)
    try:
        return await _probe(endpoint, url, model)
    finally:
        await endpoint.close()


async def probe_model(model: EndpointModel, environment: Mapping[str, str]) -> list[Probe]:
    """Looks at every endpoint root of a configured model.

    Raises:
        ModelSetupError: the key's variable is not set.
    """
    from turnwright.models.models import resolve_key

    key = resolve_key(model, environment)
    return [await probe_endpoint(url, model.name, api_key=key) for url in model.urls]


async def probe_features(url: str, model: str, *, api_key: str | None = None) -> dict[str, bool]:
    """What one model can do, by three short calls: `json_schema`, `tools`, `parallel_tool_calls`, `logprobs`.

    Raises:
        Failure: the endpoint cannot be reached or refuses the key.
    """
    endpoint = Endpoint(url, api_key=api_key, timeout_seconds=4 * _PROBE_SECONDS)
    try:
        shaped = await _ask(endpoint, model, 'Reply with {"ok": true}.', {"response_format": _SCHEMA})
        called = await _ask(
            endpoint, model, "What time is it in Oslo and in Lima?", {"tools": [_TOOL], "parallel_tool_calls": True}
        )
        scored = await _ask(endpoint, model, "Say yes.", {"logprobs": True})
    finally:
        await endpoint.close()
    made = len(cast(list[Any], (called or {}).get("message", {}).get("tool_calls") or []))
    return {
        "json_schema": shaped is not None and _is_object(shaped["message"].get("content")),
        "tools": made > 0,
        "parallel_tool_calls": made > 1,
        "logprobs": bool((scored or {}).get("logprobs")),
    }


async def _probe(endpoint: Endpoint, url: str, model: str | None) -> Probe:
    listed: tuple[str, ...] = ()
    try:
        status, body = await endpoint.get("/models")
        listed = _listed_models(status, body)
    except Failure as failure:
        if failure.status not in (404, 405):  # some servers have no list of models
            return _to_probe(url, failure)
    if model is None or model in listed:
        return Probe(url, "ok", "", "", listed)
    try:
        status, body = await endpoint.post("/chat/completions", _body(model, "Say yes.", {"max_tokens": 16}))
        read_body(status, body)
    except Failure as failure:
        if failure.kind in ("overload", "timeout"):
            return Probe(url, "ok", "", "", listed)  # busy, and the model list did not object
        if failure.kind == "rejected" and "model" not in failure.message.lower():
            return Probe(url, "ok", "", "", listed)  # it knows the model, it dislikes this short call
        if failure.status in (400, 404, 422) and (listed or "model" in failure.message.lower()):
            hint = f"it serves {', '.join(listed[:8])}" if listed else "check the model's name"
            return Probe(url, "wrong_model", f"{url} does not serve {model!r}: {failure.message}", hint, listed)
        return _to_probe(url, failure)
    return Probe(url, "ok", "", "", listed)


def _to_probe(url: str, failure: Failure) -> Probe:
    status: ProbeStatus = "unreachable"
    hint = "start the endpoint, or check base_url"
    if failure.kind == "refused":
        status, hint = "refused", refusal_hint(failure)
        if failure.status in (404, 405):
            status = "not_an_api"
    elif "HTML" in failure.message or "not JSON" in failure.message:
        status, hint = "not_an_api", "base_url leads to a web page; it usually ends in /v1"
    return Probe(url, status, f"{url}: {failure.message}", hint, ())


def _listed_models(status: int, body: bytes) -> tuple[str, ...]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        what = "an HTML page" if body.lstrip()[:1] == b"<" else "text that is not JSON"
        raise Failure("broken", f"HTTP {status} with {what} instead of a list of models", status) from None
    fields = cast(dict[str, Any], value) if isinstance(value, dict) else {"data": value}
    rows: Any = fields.get("data") or fields.get("models") or []
    if not isinstance(rows, list):
        return ()
    items = [cast(dict[str, Any], row) for row in cast(list[Any], rows) if isinstance(row, dict)]
    return tuple(str(item.get("id") or item.get("name") or "") for item in items)


def _body(model: str, text: str, extra: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"model": model, "messages": [{"role": "user", "content": text}], **extra})


async def _ask(endpoint: Endpoint, model: str, text: str, extra: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first choice of a short call; None where the endpoint rejects what it asks for."""
    try:
        status, body = await endpoint.post("/chat/completions", _body(model, text, {"max_tokens": 128, **extra}))
        choices: Sequence[dict[str, Any]] = read_body(status, body)["choices"]
        return choices[0]
    except Failure as failure:
        if failure.kind == "rejected" or failure.status in (500, 501):
            return None
        raise


def _is_object(content: Any) -> bool:
    try:
        return isinstance(orjson.loads(content), dict) if isinstance(content, str) else False
    except orjson.JSONDecodeError:
        return False
