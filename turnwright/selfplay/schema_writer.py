"""The embedded schema writer: the result of one tool, from its name, description and parameters in the view."""

import re
from typing import Any

from turnwright.selfplay.request import Request, read_blocks
from turnwright.selfplay.service_view import FIGURES, ServiceView, ViewTool, read_service
from turnwright.selfplay.words import CREATE_VERBS, READ_VERBS
from turnwright.tools.effects import tell_effect
from turnwright.tools.naming import singular, snake_case, split_words, to_words

_SETTLED = re.compile(r"\.(\w+) (?:is|comes back as) .*?; write (string|integer|number|boolean)\b")
_FIELDS = 7
_ECHOED = 3
"""Parameters that come back."""
_RETURNED = re.compile(r"\breturns?(?: their| its| the)? ([\w ,-]+)", re.IGNORECASE)
_ARTICLES = frozenset("a an the their its of and or one what whether about with all".split())


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.OutputDraft. At the mistake rate a field has another type than is settled."""
    view = read_service(request)
    (asked,) = request.blocks["tool"]
    tool = next((tool for tool in view.tools if tool.name == asked), ViewTool(str(asked), "", ()))
    fields = _list_fields(view, tool)[:_FIELDS]
    problems: list[str] = read_blocks(request.messages[-1]["content"]).get("problems", [])
    mended = bool(problems)
    for name, kind in (match.groups() for problem in problems for match in _SETTLED.finditer(problem)):
        fields = [{**field, "type": kind} if field["name"] == name else field for field in fields]
    rng = request.rng_for(request.messages[-1]["content"], request.body.get("seed"))
    if not mended and rng.random() < request.mistake_rate:
        first = fields[0]
        fields[0] = {**first, "type": "integer" if first["type"] == "string" else "string"}
    return {"kind": "array" if tool.lists else "object", "fields": fields}


def _list_fields(view: ServiceView, tool: ViewTool) -> list[dict[str, Any]]:
    """What identifies the thing, what the tool is for, what was asked for, and for a write what is true afterwards."""
    made: dict[str, dict[str, Any]] = {}

    def add(name: str, kind: str, description: str) -> None:
        key = snake_case(name)
        made.setdefault(key, _field(key, view.type_of(key, kind), description))

    noun = singular(tool.noun)
    words = split_words(tool.name)
    known = {str(part["name"]): part for part in tool.parameters}
    id_name = snake_case(f"{noun}_id")
    writes = tell_effect(tool.name, tool.description) == "write"
    if tool.lists or (writes and tool.verb in CREATE_VERBS) or id_name in known:
        add(id_name, "string", f"Identifies the {noun}.")
    about = [word for word in words if word not in READ_VERBS]
    figure = next((word for word in reversed(words) if singular(word) in FIGURES), None)
    if figure is not None and not writes:
        add("_".join(about) or "value", "number", f"The {' '.join(about) or 'value'} that was asked for.")
    for word in _read_returned(tool.description):
        add(word, _guess_kind(word), f"The {to_words(word).lower()} of the {noun}.")
    if not writes and figure is None:
        add(f"{noun}_name", "string", f"What the {noun} is called.")
        add(f"{noun}_details", "string", f"What is known about the {noun}, in a sentence.")
    for name, part in list(known.items())[:_ECHOED]:
        kind = part.get("type")
        if name not in {"limit", "query", "offset", "page"} and kind in ("string", "integer", "number", "boolean"):
            made.setdefault(snake_case(name), _field(snake_case(name), kind, f"The {to_words(name).lower()} as given."))
    if writes:
        add(f"{noun}_status", "string", f"State of the {noun} after the call, such as done or refused.")
    return list(made.values())


def _read_returned(description: str) -> list[str]:
    """The things that a description says come back: `Returns ids, names and towns` gives name and town."""
    match = _RETURNED.search(description)
    if match is None:
        return []
    parts = re.split(r",| and ", match.group(1))
    names = ["_".join(word for word in split_words(part) if word not in _ARTICLES) for part in parts]
    return [
        singular(name) for name in names if 2 < len(name) <= 30 and name.count("_") < 3 and not name.startswith("id")
    ][:3]


def _guess_kind(name: str) -> str:
    last = split_words(name)[-1:] or [""]
    return "number" if last[0] in FIGURES - {"time", "level", "number"} else "string"


def _field(name: str, kind: str, description: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "items": "none", "description": description}
