"""Whether a specification from outside can be offered to a model, and what of it can be mended without a doubt.

Mended, because only one reading is possible: parameters that are missing altogether (a function without any), a
missing `type: object` of parameters, local `$ref`s (replaced by what they refer to), draft-4 `exclusiveMinimum: true`,
a list of `items`, a name required twice, vendor fields (`x-…`, `x_…`), white space around a description. Everything
else is rejected with reasons: a `tuple` may be a list of any length or of one, a name that is not legal may be what its
callers rely on.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, cast

import jsonschema_rs
import orjson

from schemas.content import canonical_json
from schemas.seeds import SeedTool
from schemas.tools import SpecTool
from turnwright.tools.effects import tell_effect
from turnwright.tools.json_schema import ReferenceProblem, change_parts, inline_references, walk_schema
from turnwright.tools.rejection import Rejection

MOST_BYTES: Final = 32_768
"""Largest specification, as JSON: a whole toolset of them stands in every request."""
LONGEST_DESCRIPTION: Final = 4_096
"""Characters of a function's description."""
MOST_REASONS: Final = 8
"""Reasons that one tool is rejected with."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PARAMETER = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_MEANT = {
    "dict": "object",
    "map": "object",
    "hashmap": "object",
    "json": "object",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "int": "integer",
    "long": "integer",
    "str": "string",
    "text": "string",
    "char": "string",
    "date": "string",
    "datetime": "string",
    "uuid": "string",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "arraylist": "array",
    "none": "null",
}
_SHAPING = ("anyOf", "oneOf", "allOf", "not", "enum", "const", "items", "prefixItems", "if")
_DIALECT = frozenset({"$schema", "$id", "id", "$anchor", "$comment", "$vocabulary"})


def check_spec(seed_tool: SeedTool, taken: AbstractSet[str]) -> SpecTool | tuple[str, ...]:
    """The tool that a source's specification describes, or why it cannot be one.

    Args:
        seed_tool: as the source gives it.
        taken: names of the domain's accepted tools; the first of a name is kept.

    Returns:
        The tool, or reasons as `code: explanation`, at most `MOST_REASONS`. Codes: those of the source (`unreadable`,
        …), `not_a_function`, `missing_name`, `illegal_name`, `duplicate_name`, `missing_description`, `too_large`,
        `invalid_parameters`, `unknown_type`, `illegal_parameter`, `unknown_required`, `broken_reference`,
        `remote_reference`, `invalid_schema`, and `output_…` for the same in the output schema. A tool whose source
        does not tell its effect reads if its name begins with a word that only reads, and writes otherwise.
    """
    if seed_tool.problem is not None:
        return (seed_tool.problem,)
    try:
        function = _unwrap(seed_tool.spec)
        size = len(orjson.dumps(function))
        if size > MOST_BYTES:
            raise Rejection(
                "too_large", f"The specification has {size:,} bytes; at most {MOST_BYTES:,} can be offered."
            )
    except Rejection as rejection:
        return (rejection.reason,)
    except (TypeError, RecursionError):
        return ("not_a_function: The specification holds values that JSON cannot, or is nested too deeply.",)
    reasons = [*_find_name_problems(function.get("name"), taken), *_find_description_problems(function)]
    parameters: dict[str, Any] = {}
    output: dict[str, Any] = {}
    try:
        parameters = _complete_parameters(function.get("parameters"))
        parameters = _normalise(parameters)
        reasons += _find_parameter_problems(parameters)
    except Rejection as rejection:
        reasons.append(rejection.reason)
    if seed_tool.output_schema is not None:
        try:
            output = _normalise(seed_tool.output_schema)
            reasons += [f"output_{reason}" for reason in _find_schema_problems(output, "the result")]
            if len(canonical_json(output)) > MOST_BYTES:
                reasons.append(f"output_too_large: The output schema has more than {MOST_BYTES:,} characters.")
        except Rejection as rejection:
            reasons.append(f"output_{rejection.reason}")
    if reasons:
        return tuple(dict.fromkeys(reasons))[:MOST_REASONS]
    name = str(function["name"])
    description = str(function["description"]).strip()
    return SpecTool(
        name=name,
        spec={
            "type": "function",
            "function": {"name": name, "description": description, "parameters": parameters},
        },
        output_schema=output,
        effect=seed_tool.effect or tell_effect(name, description),
    )


def _unwrap(spec: Any) -> dict[str, Any]:
    if not isinstance(spec, dict):
        raise Rejection("not_a_function", "The specification is not a JSON object.")
    given = cast("dict[str, Any]", spec)
    function = given.get("function") if "function" in given else given
    if not isinstance(function, dict) or given.get("type", "function") != "function":
        raise Rejection("not_a_function", "Write {type: function, function: {name, description, parameters}}.")
    return cast("dict[str, Any]", function)


def _find_name_problems(name: Any, taken: AbstractSet[str]) -> Iterator[str]:
    if name is None or name == "":
        yield "missing_name: The function has no name."
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        yield (
            f"illegal_name: {_show(name)} cannot be the name of a function; use 1 to 64 letters, digits, `_` and `-`."
        )
    elif name in taken:
        yield f"duplicate_name: The domain already has a tool {name}; the first one is kept."


def _find_description_problems(function: Mapping[str, Any]) -> Iterator[str]:
    description = function.get("description")
    if not isinstance(description, str) or not description.strip():
        yield "missing_description: Say in a sentence what the function does and returns."
    elif len(description) > LONGEST_DESCRIPTION:
        yield (
            f"too_large: The description has {len(description):,} characters; at most {LONGEST_DESCRIPTION:,} are shown"
            " to a model."
        )


def _complete_parameters(parameters: Any) -> dict[str, Any]:
    if parameters is None or parameters == {}:
        return {"type": "object", "properties": {}}
    if not isinstance(parameters, dict):
        raise Rejection("invalid_parameters", "`parameters` is not a JSON Schema of type object.")
    own = cast("dict[str, Any]", parameters)
    kind = own.get("type")
    if kind == "object":
        return own if "properties" in own else {**own, "properties": {}}
    if kind is None and "$ref" in own:
        return own
    if kind is None and not any(key in own for key in _SHAPING):
        if "properties" not in own:
            raise Rejection("invalid_parameters", "`parameters` has neither `type` nor `properties`.")
        return {"type": "object", **own}
    if kind is None:
        raise Rejection("invalid_parameters", "`parameters` has no type; arguments are one object: write type object.")
    if isinstance(kind, str) and kind not in _TYPES:
        raise Rejection("unknown_type", _explain_type("parameters", kind))
    raise Rejection("invalid_parameters", f"`parameters` has the type {_show(kind)}; arguments are one object.")


def _normalise(schema: dict[str, Any]) -> dict[str, Any]:
    """A copy with references replaced, vendor fields left out and draft-4 forms in those of draft 2020-12."""
    try:
        inlined = inline_references(schema, schema)
        return cast("dict[str, Any]", _modernise(inlined))
    except ReferenceProblem as problem:
        raise Rejection(problem.code, problem.explanation) from None


def _modernise(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    own = cast("dict[str, Any]", schema)
    made = {key: value for key, value in own.items() if not key.startswith(("x-", "x_")) and key not in _DIALECT}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound in made:
            made[exclusive] = made.pop(bound)
    required = made.get("required")
    if isinstance(required, list) and all(isinstance(name, str) for name in cast("list[Any]", required)):
        made["required"] = list(dict.fromkeys(cast("list[str]", required)))
    if isinstance(made.get("items"), list):
        made["prefixItems"] = made.pop("items")
        if "additionalItems" in made:
            made["items"] = made.pop("additionalItems")
    return change_parts(made, _modernise)


def _find_parameter_problems(parameters: dict[str, Any]) -> Iterator[str]:
    if parameters.get("type") != "object":
        yield "invalid_parameters: `parameters` refers to something that is no schema of type object."
        return
    properties = parameters.get("properties", {})
    if not isinstance(properties, dict):
        yield "invalid_schema: `properties` is not an object that describes each parameter."
        return
    named = cast("dict[str, Any]", properties)
    for name in sorted(named):
        if not _PARAMETER.fullmatch(name):
            yield (
                f"illegal_parameter: {_show(name)} cannot be the name of a parameter; use 1 to 64 letters, digits, `_`,"
                " `.` and `-`."
            )
    required = parameters.get("required", [])
    if isinstance(required, list):
        texts = [name for name in cast("list[Any]", required) if isinstance(name, str)]
        unknown = sorted({_show(name) for name in texts if name not in named})
        if unknown:
            yield f"unknown_required: {', '.join(unknown[:5])} required but not described under `properties`."
    yield from _find_schema_problems(parameters, "parameters")


def _find_schema_problems(schema: dict[str, Any], what: str) -> Iterator[str]:
    found = False
    for place, part in walk_schema(schema):
        kinds = part.get("type")
        for kind in cast("list[Any]", kinds) if isinstance(kinds, list) else [kinds]:
            if isinstance(kind, str) and kind not in _TYPES:
                found = True
                yield f"unknown_type: {_explain_type(place or what, kind)}"
    if found:
        return
    try:
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.validator_for(schema, retriever=_refuse)
    except jsonschema_rs.ValidationError as error:
        place = ".".join(str(step) for step in error.instance_path) or what
        yield f"invalid_schema: {_shorten(place)}: {_shorten(_first_line(error.message), 200)}"
    except (ValueError, TypeError, RecursionError) as error:
        yield f"invalid_schema: {what}: {_shorten(_first_line(str(error)), 200)}"


def _explain_type(place: str, kind: str) -> str:
    meant = _MEANT.get(kind.lower()) or next((known for known in _TYPES if known == kind.lower()), None)
    advice = f"; write {meant} if that is meant" if meant else "; leave `type` out if any value will do"
    return f"{_shorten(place)} has the type {_show(kind)}, which JSON Schema does not know{advice}."


def _refuse(uri: str) -> Any:
    # A specification is data from outside: it must not make a run open connections or files.
    raise ValueError(f"refers to {_shorten(uri)}, outside of the schema")


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return _shorten(repr(value))


def _shorten(text: str, longest: int = 80) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
