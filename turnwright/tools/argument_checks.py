"""Whether arguments fit a tool's specification, for code that makes calls of its own."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from schemas.content import canonical_json
from schemas.tools import Tool

_LONGEST = 200


def find_argument_problem(tool: Tool, arguments: Mapping[str, Any]) -> str | None:
    """The first thing that is wrong with the arguments of a call, or none."""
    return find_problem(tool.parameters, dict(arguments))


def find_problem(schema: Mapping[str, Any], value: Any) -> str | None:
    """The first thing about a value that its JSON Schema forbids, or none. A schema that means nothing forbids all."""
    validator = _compile(canonical_json(dict(schema)))
    if validator is None:
        return "the schema cannot be compiled"
    error = next(iter(validator.iter_errors(value)), None)
    if error is None:
        return None
    path = ".".join(str(part) for part in error.instance_path)
    return f"{path}: {error.message}"[:_LONGEST].removeprefix(": ")


@lru_cache(maxsize=2048)
def _compile(schema: str) -> jsonschema_rs.Validator | None:
    try:
        return jsonschema_rs.validator_for(orjson.loads(schema), offline=True)
    except ValueError:
        return None
