"""The rule about results: a tool gives what its output schema promises."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

import jsonschema_rs
import orjson

from schemas.findings import Finding
from turnwright.validation.documents import parse_document
from turnwright.validation.trajectory import Trajectory

_MOST_CHARACTERS = 300


def check_results(trajectory: Trajectory) -> Iterator[Finding]:
    """`invalid_result`, `unreadable_result`: a successful result that its output schema does not allow, or no JSON.

    Errors have a form of their own, and what code spoilt on purpose is left out.
    """
    for record in trajectory.calls:
        tool = trajectory.by_name.get(record.tool)
        if tool is None or not tool.output_schema or record.error is not None or record.fault:
            continue
        try:
            value = parse_document(record.result)
        except ValueError as error:
            yield _find("unreadable_result", f"{record.tool}: {str(error)[:_MOST_CHARACTERS]}", record.message)
            continue
        if isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"error", "message"}:
            continue
        problem = _first_problem(_compile(orjson.dumps(tool.output_schema)), value)
        if problem is not None:
            yield _find("invalid_result", f"{record.tool}: {problem}", record.message)


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


@lru_cache(maxsize=4096)
def _compile(schema: bytes) -> jsonschema_rs.Validator | None:
    """The validator of an output schema; none where the schema itself is broken, which is no dialogue's fault."""
    try:
        return jsonschema_rs.validator_for(orjson.loads(schema), offline=True)
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def _find(code: str, explanation: str, message: int) -> Finding:
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault="environment", blocks=True)
