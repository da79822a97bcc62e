"""Replies of the embedded endpoint in OpenAI's chat format: whole, streamed, or spoilt by an ordered fault."""

from collections.abc import Iterator
from typing import Any

import orjson

from turnwright.selfplay.request import Request

_CREATED = 1_700_000_000
"""Stands for the time of creation: a reply is a function of the request, so that it cannot hold the time of day."""


def count_tokens(text: str | bytes) -> int:
    """Tokens of a text, near enough: four characters each."""
    return (len(text) + 3) // 4


def build_completion(request: Request, message: dict[str, Any]) -> dict[str, Any]:
    """The chat completion that carries `message`."""
    calls: list[dict[str, Any]] = message.get("tool_calls") or []
    written = (message.get("content") or "") + "".join(
        call["function"]["name"] + call["function"]["arguments"] for call in calls
    )
    prompt, completion = count_tokens(request.canonical), count_tokens(written) + 1
    return {
        "id": f"chatcmpl-{request.digest[:24]}",
        "object": "chat.completion",
        "created": _CREATED,
        "model": request.body.get("model") or "selfplay",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, **message},
                "logprobs": None,
                "finish_reason": "tool_calls" if calls else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }


def spoil_completion(completion: dict[str, Any], kind: str) -> bool:
    """Makes a content fault (`malformed`, `truncated`, `empty`) of a good completion, in place.

    Returns:
        Whether anything changed: prose cannot be malformed JSON.
    """
    choice = completion["choices"][0]
    message = choice["message"]
    calls: list[dict[str, Any]] = message.get("tool_calls") or []
    content = message["content"] or ""
    if kind == "empty":
        message["content"] = ""
        message.pop("tool_calls", None)
        choice["finish_reason"] = "stop"
        return True
    if kind == "malformed" and not calls and not content.lstrip().startswith("{"):
        return False
    if calls:
        arguments = calls[-1]["function"]["arguments"]
        calls[-1]["function"]["arguments"] = arguments[: max(1, len(arguments) * 2 // 3)].rstrip("}")
    elif kind == "malformed":
        message["content"] = content.rstrip().removesuffix("}").replace('":', '"', 1)
    else:
        message["content"] = content[: len(content) // 2]
    if kind == "truncated":
        choice["finish_reason"] = "length"
    return True


def stream_completion(completion: dict[str, Any], *, usage: bool) -> Iterator[bytes]:
    """The same completion as server-sent events, `[DONE]` last."""
    choice = completion["choices"][0]
    message = choice["message"]
    head = {key: completion[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        chunk = head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        return b"data: " + orjson.dumps(chunk) + b"\n\n"

    yield event({"role": "assistant", "content": "" if message["content"] is not None else None})
    content = message["content"] or ""
    for start in range(0, len(content), 40):
        yield event({"content": content[start : start + 40]})
    for index, call in enumerate(message.get("tool_calls") or []):
        yield event({"tool_calls": [{"index": index, **call}]})
    yield event({}, choice["finish_reason"])
    if usage:
        yield b"data: " + orjson.dumps(head | {"choices": [], "usage": completion["usage"]}) + b"\n\n"
    yield b"data: [DONE]\n\n"
