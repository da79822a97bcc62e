"""What the roles of a stateless dialogue are shown of tools, calls and results; see docs/architecture.md."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from schemas.content import canonical_json
from schemas.goals import PlannedCall
from schemas.stateless import FieldLink
from schemas.tools import Tool
from turnwright.stateless.plans import EarlierCall, list_literals, list_references
from turnwright.tools.parameter_labels import label_parameter
from turnwright.tools.tool_text import first_sentence, list_fields, list_own_descriptions

_SHOWN = 1_200
"""Most characters of one result that a role is shown."""
_LONGEST_FIELDS = 40


def view_plan_tools(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """`{name, description, parameters, returns: {field: type}}` of each tool; parameters are their JSON Schema."""
    return [
        {
            "name": tool.name,
            "description": own,
            "parameters": tool.parameters,
            "returns": {
                name: part.get("type", "any")
                for name, part in list(list_fields(tool.output_schema).items())[:_LONGEST_FIELDS]
            },
        }
        for tool, own in zip(tools, list_own_descriptions(tools), strict=True)
    ]


def view_links(links: Sequence[FieldLink]) -> list[dict[str, str]]:
    """`{field: tool.field, fills: tool.parameter}` of each edge of the dataflow graph."""
    return [{"field": f"{link.source}.{link.field}", "fills": f"{link.target}.{link.parameter}"} for link in links]


def view_exchanges(said: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """`{user, assistant}` of each request and its answer."""
    return [{"user": request, "assistant": answer} for request, answer in said]


def view_earlier(earlier: Sequence[EarlierCall]) -> list[dict[str, Any]]:
    """`{id, tool, arguments, result}` of each call of the turns before; results are JSON text, cut."""
    return [
        {
            "id": known.call.id,
            "tool": known.call.tool,
            "arguments": dict(known.arguments),
            "result": _cut(canonical_json(known.value)),
        }
        for known in earlier
    ]


def view_done(made: EarlierCall) -> dict[str, Any]:
    """`{does, arguments, result}` of a call of this turn; the result is JSON text, cut."""
    return {
        "does": first_sentence(made.tool.description),
        "arguments": dict(made.arguments),
        "result": _cut(canonical_json(made.value)),
    }


def view_wish(call: PlannedCall, tools: Mapping[str, Tool], own_turn: Set[str]) -> dict[str, Any]:
    """`{does, details: [{label, value}], takes: [{label, from}]}` of a call that the user asks for; no tool's name.

    `from` is `this request` for a result of one of the calls `own_turn`, else `earlier`.
    """
    tool = tools[call.tool]
    own = dict(zip(tools, list_own_descriptions(list(tools.values())), strict=True))
    return {
        "does": first_sentence(own[call.tool]),
        "details": view_details(call, tool),
        "takes": [
            {
                # People point at the thing, not at its id.
                "label": label_parameter(tool.name, name).removesuffix(" ID").removesuffix(" IDs"),
                "from": "this request" if identifier in own_turn else "earlier",
            }
            for name, identifier, _ in list_references(call)
        ],
    }


def view_details(call: PlannedCall, tool: Tool) -> list[dict[str, Any]]:
    """`{label, value}` of each literal of a call."""
    return [{"label": label_parameter(tool.name, name), "value": value} for name, value in list_literals(call)]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
