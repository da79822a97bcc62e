"""From a drafted specification to a tool: what prompts only ask for is enforced here (UO, tool specs and expansion).

What can be put right without the writer is put right: an `enum` over an open-ended set is dropped, lists get a limit,
what a description calls optional is. The rest is rejected with a reason that the writer can act on.
"""

import re
from typing import Any, Final

from schemas.config import RunConfig
from schemas.replies import ParameterDraft, SpecDraft
from schemas.seeds import SeedTool
from schemas.tools import SpecTool
from turnwright.tools.effects import tell_effect
from turnwright.tools.naming import snake_case, split_words
from turnwright.tools.rejection import Rejection
from turnwright.tools.spec_check import check_spec
from turnwright.tools.spec_naming import check_tool_name, check_usefulness
from turnwright.tools.tool_spec import DEFAULT_LIMIT, LISTED

MOST_VALUES: Final = 10
"""Values that a closed set may have."""
MOST_REQUIRED: Final = 5
"""Parameters that a written tool may insist on: only essential ones are required."""
_OPEN = frozenset(
    "address airline album artist author bank book brand car city color colour company country customer date department"
    " destination director email file filename genre hotel id ingredient keyword language location make manufacturer"
    " merchant model movie name organization origin person phone place player product query region restaurant school"
    " song state store street symbol tag team text ticker time timezone title topic town university url user username"
    " venue zip zipcode".split()
)
"""Last words of parameters whose values nobody can list."""
_OPTIONAL = re.compile(
    r"\b(?:optional|optionally|default(?:s)?(?: is| to)?|if not (?:given|provided|specified))\b", re.I
)
_PAGING = frozenset("limit offset page cursor sort order per_page page_size sort_by order_by max_results".split())
_LIMITS = frozenset("limit max_results page_size per_page top count number_of_results num_results".split())
_LISTING = frozenset({"search", "list", "find", "rank", "recommend"})
_LONGEST = 600
_SHORTEST = 12


def build_tool(draft: SpecDraft, config: RunConfig) -> SpecTool:
    """The tool that a draft stands for, without an output schema.

    Raises:
        Rejection: `name`, `trivial`, `description`, `parameter`, `too_many_required`, or what the check of
            specifications from outside says.
    """
    # What is not wanted needs no better name.
    check_usefulness(draft.name, draft.description)
    name = check_tool_name(draft.name)
    description = " ".join(draft.description.split())[:_LONGEST]
    if len(description) < _SHORTEST:
        raise Rejection("description", f"Describe in a sentence what {name} does and what it returns.")
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in draft.parameters:
        key = snake_case(parameter.name, fallback="value")
        if key in properties:
            raise Rejection("parameter", f"{name} has two parameters called {key}.")
        properties[key] = _describe(parameter, key, name)
        if parameter.required and not _is_optional(parameter, key):
            required.append(key)
    if len(required) > MOST_REQUIRED:
        raise Rejection(
            "too_many_required",
            f"{name} insists on {len(required)} parameters; require at most {MOST_REQUIRED}, those without which there "
            "is nothing to do.",
        )
    effect = tell_effect(name, description)
    if effect == "read" and is_listing(name):
        _limit_results(properties, config.tools.list_limit)
    if effect == "write" and not properties:
        raise Rejection("parameter", f"{name} changes something, but no parameter says what.")
    function = {
        "name": name,
        "description": description if description.endswith((".", "!", "?")) else f"{description}.",
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }
    made = check_spec(
        SeedTool(spec={"type": "function", "function": function}, effect=effect, origin=f"draft {name}"), frozenset()
    )
    if isinstance(made, tuple):
        code, _, explanation = made[0].partition(": ")
        raise Rejection(code, explanation)
    return made


def is_listing(name: str) -> bool:
    """Whether a tool of that name gives a list: its result is an array, and it takes a limit."""
    words = split_words(name)
    return bool(words) and words[0] in _LISTING


def _describe(parameter: ParameterDraft, key: str, tool: str) -> dict[str, Any]:
    description = " ".join(parameter.description.split())[:_LONGEST]
    if not description:
        raise Rejection("parameter", f"Describe the parameter {key} of {tool}.")
    if parameter.type == "array":
        items = "string" if parameter.items == "none" else parameter.items
        return {
            "type": "array",
            "items": {"type": items},
            "minItems": 1,
            "maxItems": LISTED,
            "description": description,
        }
    part: dict[str, Any] = {"type": parameter.type, "description": description}
    values = list(dict.fromkeys(" ".join(value.split()) for value in parameter.values if value.strip()))
    if parameter.type == "string" and is_closed_set(key, values):
        part["enum"] = values
    return part


def is_closed_set(name: str, values: list[str]) -> bool:
    """Whether these are all the values that there can be: few, and not names of things in the world."""
    words = split_words(name)
    if not 2 <= len(values) <= MOST_VALUES or (words and words[-1] in _OPEN):
        return False
    # Proper names: `Berlin`, `New York`. A closed set is written `pending`, `EUR` or `one_way`.
    proper = sum(value[:1].isupper() and not value.isupper() and value[1:].islower() for value in values)
    spaced = sum(" " in value and value[:1].isupper() for value in values)
    return proper + spaced < len(values) or (words[-1:] in (["status"], ["type"], ["category"], ["level"], ["day"]))


def _is_optional(parameter: ParameterDraft, key: str) -> bool:
    return key in _PAGING or bool(_OPTIONAL.search(parameter.description))


def _limit_results(properties: dict[str, Any], most: int) -> None:
    for name in sorted(_LIMITS & set(properties)):
        if properties[name]["type"] in ("integer", "number"):
            properties[name] = {
                "type": "integer",
                "minimum": 1,
                "maximum": most,
                "default": min(DEFAULT_LIMIT, most),
                "description": properties[name]["description"],
            }
            return
    properties.setdefault(
        "limit",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": most,
            "default": min(DEFAULT_LIMIT, most),
            "description": "Most results to return.",
        },
    )
