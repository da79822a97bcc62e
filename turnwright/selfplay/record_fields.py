"""Which field of a record a parameter means: by the thing that it identifies, by its name, by what it refers to."""

from typing import Any

from turnwright.selfplay.argument_filling import convert_value
from turnwright.selfplay.offered_tools import OfferedTool, Parameter
from turnwright.selfplay.words import say_value, split_name, squeeze, stem

_BARE_KEYS = frozenset({"id", "nr", "no", "code", "key", "number"})
_KEY_WORDS = frozenset(stem(word) for word in _BARE_KEYS)


def read_field(parameter: Parameter, tool: OfferedTool | None, row: dict[str, Any], words: frozenset[str]) -> Any:
    """The value in a record that a parameter means, or none.

    Args:
        parameter: asks for a value.
        tool: gave the record, where that is known.
        row: the record.
        words: telling stems of the request.
    """
    found: Any = None
    if parameter.identifies:
        for entity in dict.fromkeys((parameter.entity, parameter.named_entity)):
            keys = [name for name in row if _is_key_of(name, entity)]
            if not keys and tool is not None and entity and entity == tool.head:
                first = [name for name in row if split_name(name)[-1:] == ("id",)][:1]
                keys = [name for name in row if squeeze(name) in _BARE_KEYS] or first
            found = next((row[name] for name in keys if row[name] is not None), None)
            if found is not None:
                break
    if found is None:
        found = _read_same_name(parameter, tool, row, words)
    if found is None and parameter.identifies and not (tool is not None and parameter.entity <= tool.head):
        found = next((row[name] for name in row if _refers_to(name, parameter.entity) and row[name] is not None), None)
    return None if found is None or isinstance(found, dict | list) else type_value(parameter, found)


def _read_same_name(parameter: Parameter, tool: OfferedTool | None, row: dict[str, Any], words: frozenset[str]) -> Any:
    wanted = parameter.squeezed
    for name, value in row.items():
        own = squeeze(name)
        if value is None or (own in _BARE_KEYS and not _is_about(tool, parameter, words)):
            continue
        if own == wanted:
            return value
        if parameter.identifies and len(own) > 3 and len(wanted) > 3 and (wanted.endswith(own) or own.endswith(wanted)):
            return value
    return None


def _is_about(tool: OfferedTool | None, parameter: Parameter, words: frozenset[str]) -> bool:
    """Whether a bare `id` of this tool's records can be the one meant: both speak of the same thing."""
    return tool is None or bool(tool.name_words & (parameter.entity or words))


def type_value(parameter: Parameter, value: Any) -> Any:
    """`value` as an argument of the parameter's type, or none where it cannot be one."""
    if parameter.kind == "string" and not parameter.choices:
        return value if isinstance(value, str) else say_value(value)
    return convert_value(parameter, say_value(value))


def _refers_to(name: str, entity: frozenset[str]) -> bool:
    """Whether a field is called after the thing that it points at: `continent` of a country."""
    own = frozenset(stem(word) for word in split_name(name))
    return bool(entity) and (
        own == entity or (len(own) == 1 and len(entity) == 1 and len(min(own)) > 4 and min(entity).endswith(min(own)))
    )


def _is_key_of(name: str, entity: frozenset[str]) -> bool:
    """Whether a field is the identifier of a thing: `employee_id` of `employee`."""
    words = [stem(word) for word in split_name(name)]
    return bool(entity) and len(words) > 1 and words[-1] in _KEY_WORDS and frozenset(words[:-1]) == entity
