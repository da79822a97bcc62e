"""What the embedded endpoint sees of a call: the request body, nothing else."""

import hashlib
import json
import random
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

_BLOCK = re.compile(r'<data name="(\w+)">\n(.*?)\n</data>', re.DOTALL)
_DELIVERY = ("stream", "stream_options")
"""Fields that say how a reply is sent, not what it says: the streamed reply equals the whole one."""


class NotUnderstood(ValueError):
    """A request that the player of its role cannot answer; the endpoint says why, with status 400."""


def read_blocks(text: str) -> dict[str, Any]:
    """The delimited JSON blocks of one message, by name."""
    return {name: json.loads(content) for name, content in _BLOCK.findall(text)}


@dataclass(frozen=True)
class Request:
    """One chat request, and the only sources of chance that a reply may use."""

    body: dict[str, Any]
    """The request as it was posted."""
    seed: int
    """Seed of the embedded endpoint."""
    mistake_rate: float
    """Chance of a deliberate mistake, per dialogue of a simulated assistant."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, oldest first."""
        return self.body["messages"]

    @property
    def tools(self) -> list[dict[str, Any]]:
        """OpenAI function specs offered, possibly none."""
        return self.body.get("tools") or []

    @property
    def role(self) -> str:
        """The role to play: the name of the JSON Schema asked for, or `assistant` where none is."""
        response_format: dict[str, Any] = self.body.get("response_format") or {}
        schema: dict[str, Any] = response_format.get("json_schema") or {}
        return str(schema.get("name") or "assistant")

    @cached_property
    def blocks(self) -> dict[str, Any]:
        """The JSON blocks of all messages; a later block replaces an earlier one of the same name."""
        merged: dict[str, Any] = {}
        for message in self.messages:
            if isinstance(message.get("content"), str):
                merged |= read_blocks(message["content"])
        return merged

    @cached_property
    def canonical(self) -> bytes:
        """The one text of the body: sorted keys, without the fields that only say how the reply is sent."""
        body = {key: value for key, value in self.body.items() if key not in _DELIVERY}
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the canonical body."""
        return hashlib.sha256(self.canonical).hexdigest()

    @cached_property
    def rng(self) -> random.Random:
        """Chance that depends on the whole body: differs from call to call."""
        return self.rng_for(self.digest)

    def rng_for(self, *parts: Any) -> random.Random:
        """Chance that depends on `parts` alone: the same for every call of a dialogue that has the same parts."""
        text = json.dumps([self.seed, *parts], sort_keys=True, default=str)
        return random.Random(hashlib.sha256(text.encode()).digest())
