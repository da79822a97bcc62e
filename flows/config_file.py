"""Reading a RunConfig from YAML, and saying exactly what is wrong with one that cannot be read."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError

from schemas.config import RunConfig

_LONGEST_VALUE = 60


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names file, field, value and what is allowed."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.file = file
        self.problems = list(problems)
        several = [f"{file} has {len(problems)} problems", *(f"  {problem}" for problem in problems)]
        super().__init__("\n".join(several) if len(problems) > 1 else f"{file}: {problems[0]}")


def load_config(file: Path, overrides: Iterable[str] = ()) -> RunConfig:
    """The configuration in a YAML file, with `a.b=value` overrides laid over it.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or holds something that is not allowed.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(str(file), [_describe_missing(file)]) from None
    except IsADirectoryError:
        raise ConfigError(str(file), ["is a folder, must be a YAML file"]) from None
    except UnicodeDecodeError:
        raise ConfigError(str(file), ["is not UTF-8 text, must be a YAML file"]) from None
    except OSError as error:
        raise ConfigError(str(file), [f"cannot be read: {error.strerror}"]) from error
    content = _parse_yaml(text, str(file))
    if not isinstance(content, dict):
        raise ConfigError(str(file), ["must hold a mapping of fields, as in `name: club`"])
    for override in overrides:
        _apply_override(cast("dict[str, Any]", content), override)
    return check_config(content, str(file))


def check_config(content: Any, file: str) -> RunConfig:
    """Validates the content of a configuration.

    Raises:
        ConfigError: it holds something that is not allowed.
    """
    try:
        return RunConfig.model_validate(content)
    except ValidationError as error:
        problems = [
            _describe(cast("Mapping[str, Any]", problem), content) for problem in error.errors(include_url=False)
        ]
        raise ConfigError(file, list(dict.fromkeys(problems))) from None


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key given twice: the first value would be lost without a word."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)  # pyright: ignore[reportUnknownVariableType]
        if isinstance(key, str | int | float | bool) or key is None:
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
    return cast("dict[Any, Any]", loader.construct_mapping(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _parse_yaml(text: str, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        context = f" ({error.context})" if error.context else ""
        raise ConfigError(where, [f"{place}{error.problem or 'is not YAML'}{context}"]) from None
    except yaml.YAMLError as error:
        raise ConfigError(where, [f"is not YAML: {error}"]) from None


def _apply_override(content: dict[str, Any], override: str) -> None:
    path, sign, text = override.partition("=")
    where = f"--set {override}"
    steps = path.strip().split(".")
    if not sign or not all(steps):
        raise ConfigError(where, ["must be of the form a.b=value, as in --set limits.turns=40"])
    value = _parse_yaml(text, where)
    target: Any = content
    for position, step in enumerate(steps[:-1]):
        key = _find_key(target, step, ".".join(steps[:position]), where)
        # `model: selfplay` is a short form, and a mapping may not be there yet: a field below it opens the long one.
        if isinstance(target, dict):
            mapping = cast("dict[Any, Any]", target)
            mapping[key] = {"kind": "selfplay"} if mapping.get(key) == "selfplay" else mapping.get(key, {})
        target = cast("Any", target[key])
    target[_find_key(target, steps[-1], ".".join(steps[:-1]), where)] = value


def _find_key(target: Any, step: str, place: str, where: str) -> str | int:
    if isinstance(target, list):
        length = len(cast("list[Any]", target))
        if not step.isdigit() or int(step) >= length:
            raise ConfigError(where, [f"{place} is a list of {length}; {step!r} is not a position in it, from 0"])
        return int(step)
    if not isinstance(target, dict):
        raise ConfigError(where, [f"{place} is {_show(target)}, which has no fields"])
    # Keys of a mix of counts are numbers in YAML: `tasks_per_dialogue.2=1.0` must meet the key 2.
    return int(step) if step.isdigit() and step not in target else step


def _describe(problem: Mapping[str, Any], content: Any) -> str:
    path, kind = _resolve_place(
        problem["loc"], content, names_a_field=problem["type"] in ("missing", "extra_forbidden")
    )
    place = ".".join(str(step) for step in path)
    value = problem.get("input")
    match problem["type"]:
        case "extra_forbidden":
            known = _list_keys(path[:-1], content)
            hint = _suggest(path[-1], known) or f"; known keys: {', '.join(known)}"
            return f"{place}: unknown key{hint}"
        case "missing":
            return f"{place}: is missing"
        case "union_tag_invalid":
            return (
                f"{place}: kind {_show(problem['ctx']['tag'])} is not known; must be {problem['ctx']['expected_tags']}"
            )
        case "union_tag_not_found":
            return f"{place}: needs a field kind"
        case _:
            message = str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
            message = message.replace("String should match pattern", "must match the pattern")
            if problem["type"] == "literal_error":
                message += _suggest(value, re.findall(r"'([^']*)'", problem["ctx"]["expected"]))
            name = f"key of {place}" if kind == "key" else place
            shown = [] if isinstance(value, dict | list) else [_show(value)]
            return _mask(": ".join([name, *shown, message] if name else [message]))


def _resolve_place(location: Sequence[Any], content: Any, *, names_a_field: bool) -> tuple[list[str | int], str]:
    """The path as it stands in the file: Pydantic also names the branch of a union that it took.

    Args:
        location: Pydantic's path.
        content: what was validated.
        names_a_field: the last step is a field that is missing or unknown, so it need not be found in the content.
    """
    path: list[str | int] = []
    kind = "value"
    current = content
    for position, step in enumerate(location):
        if step == "[key]":
            kind = "key"
            path.pop()
            continue
        if isinstance(current, dict):
            mapping = cast("dict[Any, Any]", current)
            key = step if step in mapping else _number(step) if _number(step) in mapping else None
            if key is not None:
                path.append(key)
                current = mapping[key]
                continue
        if isinstance(current, list) and isinstance(step, int) and step < len(cast("list[Any]", current)):
            path.append(step)
            current = cast("list[Any]", current)[step]
            continue
        if position == len(location) - 1 and names_a_field:
            path.append(step)
    return path, kind


def _number(step: Any) -> Any:
    return int(step) if isinstance(step, str) and step.isdigit() else step


def _list_keys(path: Sequence[str | int], content: Any) -> list[str]:
    """The fields that the mapping at `path` may have."""
    kinds: list[Any] = [RunConfig]
    current = content
    for step in path:
        below: list[Any] = []
        for kind in kinds:
            field = kind.model_fields.get(step) if _is_model(kind) else None
            below.extend(_list_models(field.annotation) if field is not None else [])
        current = current[step]
        # The values of a mapping and the items of a list keep the models found for the field that holds them.
        kinds = below or kinds
    tag = cast("dict[str, Any]", current).get("kind") if isinstance(current, dict) else None
    chosen = [kind for kind in kinds if tag is not None and tag in get_args(kind.model_fields["kind"].annotation)]
    if not chosen and any(kind.__name__ == "EndpointModel" for kind in kinds):
        chosen = [kind for kind in kinds if kind.__name__ == "EndpointModel"]
    return list(dict.fromkeys(name for kind in chosen or kinds for name in kind.model_fields))


def _list_models(annotation: Any) -> list[Any]:
    if _is_model(annotation):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _list_models(argument)]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _suggest(given: Any, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(given), known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _mask(text: str) -> str:
    """A URL without its user and password, wherever it stands in a message."""
    return re.sub(r"//[^/\s'\"]*@", "//***@", text)


def _show(value: Any) -> str:
    text = _mask(repr(value))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _describe_missing(file: Path) -> str:
    folder = file.parent
    names = sorted(path.name for path in folder.glob("*.y*ml")) if folder.is_dir() else []
    close = difflib.get_close_matches(file.name, names, n=1)
    return "does not exist" + (f"; did you mean {folder / close[0]}?" if close else "")
