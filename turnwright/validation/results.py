"""The rule about results: a tool gives what its output schema promises."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import jsonschema_rs
import orjson

from schemas.findings import Finding
from schemas.tools import Tool
from turnwright.rollout.toolset_memory import once_per_toolset
from turnwright.validation.documents import parse_document
from turnwright.validation.trajectory import Trajectory

_MOST_CHARACTERS = 300
_SHORT = 1000
"""Characters up to which it is remembered what is wrong with a result."""


def check_results(trajectory: Trajectory) -> Iterator[Finding]:
    """`invalid_result`, `unreadable_result`: a successful result that its output schema does not allow, or no JSON.

    Errors have a form of their own, and what code spoilt on purpose is left out.
    """
    schemas = _write_schemas(trajectory.tools)
    for record in trajectory.calls:
        schema = schemas.get(record.tool)
        if schema is None or record.error is not None or record.fault:
            continue
        examine = _examine_short if len(record.result) <= _SHORT else _examine
        code, problem = examine(schema, record.result)
        if problem is not None:
            yield _find(code, f"{record.tool}: {problem}", record.message)


def _examine(schema: bytes, result: str) -> tuple[str, str | None]:
    """What is wrong with a result, or none, and the code of such a finding."""
    try:
        value = parse_document(result)
    except ValueError as error:
        return "unreadable_result", str(error)[:_MOST_CHARACTERS]
    if isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"error", "message"}:
        return "invalid_result", None
    return "invalid_result", _first_problem(_compile(schema), value)


@lru_cache(maxsize=1024)
def _examine_short(schema: bytes, result: str) -> tuple[str, str | None]:
    """The same; over a database results come back in dialogue after dialogue."""
    return _examine(schema, result)


def _first_problem(validator: jsonschema_rs.Validator | None, value: Any) -> str | None:
    if validator is None:
        return None
    try:
        if validator.is_valid(value):
            return None
        error = next(iter(validator.iter_errors(value)), None)
    except (ValueError, RecursionError) as error:
        return f"the result cannot be checked: {str(error)[:_MOST_CHARACTERS]}"
    if error is None:
        return None
    path = ".".join(str(part) for part in error.instance_path)
    text = f"{path}: {error.message}" if path else error.message
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


@once_per_toolset
def _write_schemas(tools: Sequence[Tool]) -> Mapping[str, bytes]:
    """The output schemas of the tools that have one, as text; of two tools of a name the last counts."""
    by_name = {tool.name: tool for tool in tools}
    return {name: orjson.dumps(tool.output_schema) for name, tool in by_name.items() if tool.output_schema}


@lru_cache(maxsize=1024)
def _compile(schema: bytes) -> jsonschema_rs.Validator | None:
    """The validator of an output schema; none where the schema itself is broken, which is no dialogue's fault."""
    try:
        return jsonschema_rs.validator_for(orjson.loads(schema), offline=True)
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def _find(code: str, explanation: str, message: int) -> Finding:
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault="environment", blocks=True)
