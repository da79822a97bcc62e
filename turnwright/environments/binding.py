"""From a tool's arguments to the parameters of its statement.

Rollout has checked the arguments against the tool's JSON Schema before. What is refused here is what no statement can
bind: objects, lists outside `in`, numbers that are not finite, text that cannot be stored.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from schemas.tools import SqlTool

MOST_LISTED = 100
"""Longest list that may stand behind `IN`."""

_TOKEN = re.compile(
    r"""
      '(?:[^']|'')*'              # text
    | "(?:[^"]|"")*"              # quoted names
    | `(?:[^`]|``)*`
    | --[^\n]*                    # comments
    | /\*.*?(?:\*/|\Z)
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | ::                          # a cast of PostgreSQL
    | (?<![\w:]):(?P<name>[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


class BindingError(ValueError):
    """An argument that cannot be bound. The message is for the model that made the call."""


@dataclass(frozen=True)
class Bound:
    """A statement with `:named` parameters and a scalar for each of them."""

    sql: str
    parameters: dict[str, Any]


@lru_cache(maxsize=4096)
def find_parameters(sql: str) -> tuple[str, ...]:
    """The names behind `:`, each once, in order; text, quoted names, comments and casts are passed over."""
    names = (match["name"] for match in _TOKEN.finditer(sql) if match["name"])
    return tuple(dict.fromkeys(names))


def _scalar(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise BindingError(f"{name} is too large a number")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BindingError(f"{name} must be a finite number")
        return value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BindingError(f"{name} holds text that cannot be encoded") from None
        if "\0" in value:
            raise BindingError(f"{name} holds a NUL character")
        return value
    raise BindingError(f"{name} must be a single value, not {'a list' if isinstance(value, list) else 'an object'}")


def _argument(tool: SqlTool, name: str, arguments: Mapping[str, Any]) -> Any:
    if name in arguments:
        return arguments[name]
    declared = tool.parameters.get("properties", {})
    schema: dict[str, Any] = declared.get(name, {})
    if "default" in schema:
        return schema["default"]
    if name in declared and name not in tool.parameters.get("required", []):
        return None
    raise BindingError(f"{name} is required")


def bind_arguments(tool: SqlTool, arguments: Mapping[str, Any]) -> Bound:
    """The tool's statement with a value for each parameter.

    An argument that is left out takes the default of the tool's spec; without one an optional parameter is NULL. A list
    behind `IN (:name)` becomes as many parameters as it has items.

    Raises:
        BindingError: an argument is missing, unknown or of a kind that cannot be bound.
    """
    listed = {binding.name for binding in tool.bindings if binding.operator == "in"}
    wanted = find_parameters(tool.sql)
    unknown = arguments.keys() - wanted - tool.parameters.get("properties", {}).keys()
    if unknown:
        raise BindingError(f"unknown argument {', '.join(sorted(unknown))}")
    parameters: dict[str, Any] = {}
    expanded: dict[str, str] = {}
    for name in wanted:
        value = _argument(tool, name, arguments)
        if name in listed and isinstance(value, list):
            items = cast(list[Any], value)
            if not 1 <= len(items) <= MOST_LISTED:
                raise BindingError(f"{name} must hold 1 to {MOST_LISTED} values")
            for index, item in enumerate(items):
                parameters[f"{name}__{index}"] = _scalar(name, item)
            expanded[name] = ", ".join(f":{name}__{index}" for index in range(len(items)))
        else:
            parameters[name] = _scalar(name, value)
    return Bound(_expand(tool.sql, expanded), parameters)


def _expand(sql: str, expanded: Mapping[str, str]) -> str:
    if not expanded:
        return sql
    return _TOKEN.sub(lambda match: expanded.get(match["name"] or "", match[0]), sql)


def check_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters given by code, each a scalar that can be bound.

    Raises:
        BindingError: one of them is not.
    """
    return {name: _scalar(name, value) for name, value in parameters.items()}


def format_placeholders(sql: str) -> str:
    """`:name` as psycopg's `%(name)s`, with every other percent sign doubled."""
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(sql):
        parts.append(sql[end : match.start()].replace("%", "%%"))
        parts.append(f"%({match['name']})s" if match["name"] else match[0].replace("%", "%%"))
        end = match.end()
    parts.append(sql[end:].replace("%", "%%"))
    return "".join(parts)
