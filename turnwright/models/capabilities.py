"""What an endpoint cannot do, learnt from its first refusal that names the field, and how requests are put instead.

Nothing is probed beforehand: an endpoint of full capability costs no extra call, another one costs one refused call a
feature. What was learnt stands in the journal, so a later run does not ask again.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import orjson

from schemas.content import canonical_json
from turnwright.models.entry import JournalEntry
from turnwright.models.failures import Failure
from turnwright.models.journal import Journal
from turnwright.models.request import ChatRequest, join_body

Feature = Literal["response_format", "tools", "parallel_tool_calls", "seed", "max_tokens", "temperature", "top_p"]

_NAMED: dict[Feature, re.Pattern[str]] = {
    "parallel_tool_calls": re.compile(r"parallel[_ ]tool|parallel[_ ]function", re.IGNORECASE),
    "response_format": re.compile(
        r"response[_ ]format|json[_ ]schema|structured[_ ]output|guided|grammar|constrained|text\.format", re.IGNORECASE
    ),
    "tools": re.compile(
        r"\btools?\b|tool[_ -](choice|call|use)|function[_ -]?call|tool-call-parser|enable-auto-tool-choice",
        re.IGNORECASE,
    ),
    "max_tokens": re.compile(r"max_tokens|max_completion_tokens", re.IGNORECASE),
    "temperature": re.compile(r"temperature", re.IGNORECASE),
    "top_p": re.compile(r"top_p", re.IGNORECASE),
    "seed": re.compile(r"\bseed\b", re.IGNORECASE),
}
"""In the order in which they are looked for: the particular before the general."""

_REFUSING = re.compile(
    r"unsupported|not support|unknown|unrecognized|unexpected|not (permitted|allowed|available|implemented|enabled)|"
    r"extra (inputs|fields)|invalid|requires?|does not|cannot|must be|only",
    re.IGNORECASE,
)


class Capabilities:
    """The features that one model on one endpoint lacks."""

    def __init__(self, endpoint: str, model: str, journal: Journal | None) -> None:
        self._endpoint = endpoint
        self._model = model
        self._journal = journal
        self.missing: set[Feature] = set()
        for feature in _NAMED:
            if journal is not None and journal.get(self._key(feature)) is not None:
                self.missing.add(feature)

    def body(self, request: ChatRequest) -> bytes:
        """The bytes to send: the request as it is, or put without what the endpoint lacks."""
        if not self.missing:
            return request.content
        return adapt_body(request, self.missing)

    def blamed_feature(self, request: ChatRequest, failure: Failure, tried: frozenset[Feature]) -> Feature | None:
        """The feature of `request` that a refusal names, if it is one that can be done without.

        `tried` holds what was already left out of the refused request.
        """
        if failure.kind != "rejected":
            return None
        used = self._used(request) - tried
        for feature in _NAMED:
            if failure.field and failure.field.split(".")[0].split("[")[0] == feature and feature in used:
                return feature
        if not _REFUSING.search(failure.message):
            return None
        for feature, pattern in _NAMED.items():
            if feature in used and pattern.search(failure.message):
                return feature
        return None

    async def record_missing(self, feature: Feature, failure: Failure) -> None:
        """Remembers, durably, that the endpoint lacks a feature."""
        if feature in self.missing:
            return
        self.missing.add(feature)
        if self._journal is not None:
            await self._journal.append(
                JournalEntry(
                    key=self._key(feature),
                    role="",
                    unit="",
                    draw=0,
                    model=self._model,
                    endpoint=self._endpoint,
                    message={},
                    finish_reason=None,
                    prompt_tokens=0,
                    completion_tokens=0,
                    kind="capability",
                    detail=f"no {feature}: {failure.message}",
                )
            )

    def _key(self, feature: Feature) -> str:
        return hashlib.sha256(f"capability\0{self._endpoint}\0{self._model}\0{feature}".encode()).hexdigest()

    @staticmethod
    def _used(request: ChatRequest) -> set[Feature]:
        used: set[Feature] = {feature for feature in _NAMED if feature in request.tail}
        if request.tools:
            used.add("tools")
        return used


def adapt_body(request: ChatRequest, missing: set[Feature]) -> bytes:
    """The request without the features in `missing`, asked for in words where that is possible."""
    head, tail, messages = dict(request.head), dict(request.tail), list(request.messages)
    for feature in ("seed", "parallel_tool_calls", "temperature", "top_p"):
        if feature in missing:
            tail.pop(feature, None)
    if "max_tokens" in missing and "max_tokens" in tail:
        tail["max_completion_tokens"] = tail.pop("max_tokens")
    if "tools" in missing and "tools" in head:
        specs = cast(list[dict[str, Any]], head.pop("tools"))
        tail.pop("parallel_tool_calls", None)
        messages = _spell_out_tools(messages, specs)
    if "response_format" in missing and "response_format" in tail:
        asked = cast(dict[str, Any], tail.pop("response_format"))
        messages = _add_to_system(
            messages,
            "Reply with one JSON value and nothing else. It must fit this JSON Schema:\n"
            + orjson.dumps(asked["json_schema"]["schema"]).decode(),
        )
    return join_body(head, [orjson.dumps(message) for message in messages], tail)


def _add_to_system(messages: Sequence[Mapping[str, Any]], text: str) -> list[Mapping[str, Any]]:
    """Messages with `text` at the end of the system message, so that it is part of the shared prefix."""
    if messages and messages[0].get("role") == "system":
        first = {**messages[0], "content": f"{messages[0].get('content') or ''}\n\n{text}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _spell_out_tools(messages: Sequence[Mapping[str, Any]], specs: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """The conversation for a model without tool calling: tools, calls and results as text."""
    listed = "\n".join(canonical_json(spec["function"]) for spec in specs)
    spelled = _add_to_system(
        messages,
        "You can call these functions, one JSON description a line:\n"
        f"{listed}\n"
        'To call one, write <tool_call>{"name": ..., "arguments": {...}}</tool_call> and wait for its result, '
        "which comes in a <tool_response> block.",
    )
    result: list[Mapping[str, Any]] = []
    for message in spelled:
        if message.get("role") == "tool":
            block = f"<tool_response>\n{message.get('content') or ''}\n</tool_response>"
            if result and result[-1].get("role") == "user" and str(result[-1]["content"]).endswith("</tool_response>"):
                block = f"{result.pop()['content']}\n{block}"
            result.append({"role": "user", "content": block})
        elif message.get("tool_calls"):
            calls = cast(list[dict[str, Any]], message["tool_calls"])
            texts = [
                f'<tool_call>{{"name": {orjson.dumps(call["function"]["name"]).decode()}, '
                f'"arguments": {call["function"]["arguments"] or "{}"}}}</tool_call>'
                for call in calls
            ]
            said = [str(message["content"])] if message.get("content") else []
            result.append({"role": "assistant", "content": "\n".join(said + texts)})
        else:
            result.append(message)
    return result
