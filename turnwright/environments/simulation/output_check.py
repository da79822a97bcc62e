"""Whether a simulated result fits its tool's output schema."""

from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from schemas.content import canonical_json
from schemas.tools import Tool
from turnwright.environments.simulation.agreement import read_moment
from turnwright.environments.simulation.records import is_within_bounds

_MOST_PROBLEMS = 5


def find_misfits(tool: Tool, value: Any) -> list[str]:
    """What about a result does not fit the tool's output schema, as `field: what`; empty where all does.

    Formats count, with one liberty: a `date-time` needs no offset. References outside the schema are never fetched.
    """
    if not is_within_bounds(value):
        return ["the result is too deep or too large"]
    validator = _compile(canonical_json(tool.output_schema))
    if validator is None:
        return []
    found: list[str] = []
    for error in validator.iter_errors(value):
        path = ".".join(str(part) for part in error.instance_path)
        found.append(f"{path}: {error.message}"[:300] if path else error.message[:300])
        if len(found) == _MOST_PROBLEMS:
            break
    return sorted(found)


@lru_cache(maxsize=2048)
def _compile(schema: str) -> jsonschema_rs.Validator | None:
    """The validator of a schema; none for one that is none itself: then every result fits."""
    try:
        return jsonschema_rs.validator_for(
            orjson.loads(schema),
            validate_formats=True,
            formats={"date-time": _is_moment},
            retriever=_refuse_reference,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return None


def _is_moment(text: str) -> bool:
    moment = read_moment(text)
    return moment is not None and moment[1]


def _refuse_reference(uri: str) -> Any:
    raise ValueError(f"{uri} is outside the schema")
