"""What the players of planner and back-translator read from their prompts: tools, what fills what, earlier calls."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from turnwright.selfplay.request import Request
from turnwright.tools.parameter_labels import label_parameter
from turnwright.tools.tool_text import first_sentence

_IRREGULAR = {"has": "have", "does": "do", "goes": "go", "is": "be"}
_SAID = re.compile(r"(?:ches|shes|sses|xes|zes)$")


@dataclass(frozen=True)
class PlanTool:
    """A tool as it stands in the block `tools`."""

    name: str
    description: str
    parameters: dict[str, dict[str, Any]]
    required: tuple[str, ...]

    @property
    def deed(self) -> str:
        """What it does, as a person says it after `please`."""
        return say_deed(first_sentence(self.description))

    def label(self, parameter: str) -> str:
        """What a person calls a parameter."""
        return label_parameter(self.name, parameter)


@dataclass(frozen=True)
class PlanView:
    """The tools of a dialogue."""

    tools: dict[str, PlanTool]
    fills: dict[tuple[str, str], tuple[tuple[str, str], ...]]
    """Tool and parameter -> tool and field of what can fill it."""

    def sources(self, tool: str, parameter: str) -> tuple[tuple[str, str], ...]:
        """Tool and field of each result that can fill a parameter."""
        return self.fills.get((tool, parameter), ())


@dataclass(frozen=True)
class Known:
    """A call of an earlier turn."""

    id: str
    tool: str
    arguments: dict[str, Any]
    result: str


def read_view(request: Request) -> PlanView:
    """The tools and links of a request; the same text is read once."""
    return _read_view(json.dumps([request.blocks["tools"], request.blocks["links"]]))


@lru_cache(maxsize=128)
def _read_view(content: str) -> PlanView:
    tools, links = json.loads(content)
    fills: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for link in links:
        source, _, field = str(link["field"]).rpartition(".")
        target, _, parameter = str(link["fills"]).rpartition(".")
        fills.setdefault((target, parameter), []).append((source, field))
    return PlanView(
        {str(tool["name"]): _read_tool(tool) for tool in tools}, {key: tuple(value) for key, value in fills.items()}
    )


def _read_tool(tool: dict[str, Any]) -> PlanTool:
    schema = cast("dict[str, Any]", tool["parameters"])
    properties = cast("dict[str, Any]", schema.get("properties") or {})
    parts = {name: cast("dict[str, Any]", part) for name, part in properties.items() if isinstance(part, dict)}
    required = [str(name) for name in cast("list[Any]", schema.get("required") or []) if name in parts]
    return PlanTool(str(tool["name"]), str(tool["description"]), parts, tuple(required))


def read_earlier(request: Request) -> list[Known]:
    """The calls of the turns before."""
    earlier: list[dict[str, Any]] = request.blocks.get("earlier") or []
    return [Known(str(call["id"]), str(call["tool"]), call["arguments"], str(call["result"])) for call in earlier]


def next_ids(request: Request) -> Iterator[str]:
    """Ids of the calls of this turn."""
    number = int(re.sub(r"\D", "", str(request.blocks["next_id"])) or 1)
    while True:
        yield f"c{number}"
        number += 1


def say_deed(description: str) -> str:
    """A description as an imperative: `Finds the parcels.` is `find the parcels`."""
    words = description.strip().rstrip(".").split()
    if not words:
        return "do this"
    verb = words[0].lower()
    if verb in _IRREGULAR:
        verb = _IRREGULAR[verb]
    elif verb.endswith("ies") and len(verb) > 4:
        verb = verb[:-3] + "y"
    elif _SAID.search(verb):
        verb = verb[:-2]
    elif verb.endswith("s") and not verb.endswith(("ss", "us")):
        verb = verb[:-1]
    return " ".join([verb, *words[1:]]).replace('"', "'")


def write_value(value: Any) -> str:
    """A literal as a plan has it: as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
