"""Reads the arguments of a tool call and checks them against the tool's JSON Schema before anything runs."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

import jsonschema_rs
import orjson

from schemas.content import canonical_json
from schemas.messages import ToolError, ToolResult
from schemas.tools import Side, Tool
from turnwright.rollout.toolset_memory import once_per_toolset

_MESSAGE_LENGTH = 300


class BadArguments(ValueError):
    """A call that must not reach the environment, with what the model is told about it."""

    def __init__(self, error: ToolError) -> None:
        super().__init__(error.message)
        self.error = error


def error_result(error: ToolError) -> ToolResult:
    """The result that a model is given for a call that failed."""
    value = {"error": error.kind, "message": error.message}
    return ToolResult(text=orjson.dumps(value).decode(), value=value, error=error)


def parse_json_object(text: str) -> dict[str, Any]:
    """The object that `text` holds.

    Stricter than json.loads: no NaN or Infinity, no key twice, no text that is not Unicode, no integer beyond 64 bits,
    because none of these means the same to a database, a trainer and a server. Blank text is the empty object: servers
    write it for tools without parameters.

    Raises:
        ValueError: `text` holds anything else; the message says what, without machine detail.
    """
    if not text.strip():
        return {}
    plain = _read_plain(text)
    if plain is not None:
        return plain
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise ValueError("not valid JSON: nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("they are not a JSON object")
    try:
        orjson.dumps([[[[[[[[value]]]]]]]])  # leaves room for what such a value is later nested in
    except TypeError as error:
        raise ValueError(f"a value cannot be represented: {error}") from error
    return cast("dict[str, Any]", value)


def _read_plain(text: str) -> dict[str, Any] | None:
    """The object that a text holds, where it is written as it would be written again, up to spaces; else none.

    Then no key stands there twice, and no number is another one than it says. Most arguments are written so.
    """
    try:
        value = orjson.loads(text)
        again = orjson.dumps([[[[[[[[value]]]]]]]])[8:-8]  # leaves room for what such a value is later nested in
    except (orjson.JSONDecodeError, TypeError):
        return None
    if not isinstance(value, dict) or again.replace(b" ", b"") != text.encode().replace(b" ", b""):
        return None
    return cast("dict[str, Any]", value)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"not valid JSON: {name} is not a number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("not valid JSON: a key stands there twice")
    return value


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)


class ArgumentChecker:
    """The tools of a dialogue with their compiled validators. Immutable after construction, so threads may share it."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self._validators = {tool.name: _compile(canonical_json(tool.parameters)) for tool in tools}

    def check(self, name: str, text: str) -> dict[str, Any]:
        """The arguments of a call, checked.

        Raises:
            BadArguments: no such tool is offered, or the arguments do not fit its schema.
        """
        validator = self._validators.get(name)
        if validator is None:
            offered = ", ".join(sorted(self.tools))
            raise BadArguments(ToolError(kind="unknown_tool", message=f"There is no tool {name!r}. Tools: {offered}."))
        try:
            arguments = parse_json_object(text)
        except ValueError as error:
            raise BadArguments(
                ToolError(kind="invalid_arguments", message=f"The arguments cannot be read: {error}.")
            ) from error
        if validator.is_valid(arguments):
            return arguments
        message = "; ".join(sorted(_describe(error) for error in validator.iter_errors(arguments)))
        raise BadArguments(ToolError(kind="invalid_arguments", message=_shorten(message)))


@once_per_toolset
def check_by_side(tools: Sequence[Tool]) -> Mapping[Side, ArgumentChecker]:
    """A checker for each side of a dialogue: to the one side the tools of the other do not exist."""
    sides: tuple[Side, ...] = ("assistant", "user")
    return {side: ArgumentChecker([tool for tool in tools if tool.side == side]) for side in sides}


@lru_cache(maxsize=2048)
def _compile(schema: str) -> jsonschema_rs.Validator:
    """The validator of a schema, shared by all dialogues with that tool."""
    return jsonschema_rs.validator_for(orjson.loads(schema), offline=True)


def _describe(error: jsonschema_rs.ValidationError) -> str:
    path = ".".join(str(part) for part in error.instance_path)
    return f"{path}: {error.message}" if path else error.message


def _shorten(text: str) -> str:
    return text if len(text) <= _MESSAGE_LENGTH else text[: _MESSAGE_LENGTH - 1] + "…"
