"""One JSON type per entity, over the parameters and outputs of tools that are known by their specifications.

(UO, output schemas: the first type given to an entity is canonical for every later output and parameter; an input that
comes back keeps its type.) An entity is what a name of several words says (`user_id`, `departure_date`), or one like
 `timestamp`; `id` alone belongs to what its tool is about. The SQL tools' counterpart is entity_types.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from schemas.tools import Tool
from turnwright.tools.naming import singular, split_words
from turnwright.tools.spec_naming import VERBS
from turnwright.tools.tool_text import list_fields, list_properties

MOST_SHOWN = 60
"""Settled types that a writer is shown."""
_ALONE = frozenset("timestamp email isbn currency uuid username".split())
"""Single words that mean the same wherever they stand."""
_NUMBERS = frozenset({"integer", "number"})


@dataclass(frozen=True)
class Use:
    """An entity at one place of one tool."""

    entity: str
    """Its words, singular: `user id`."""
    kind: str
    """JSON type; `integer` and `number` are both `number`, a list is `array of` its items' type."""
    place: str
    """`get_user.user_id`, for messages."""
    written: str
    """The type as it stands there."""


@dataclass
class EntityCanon:
    """The types that entities were first given. Grows as tools are noted, in the order of noting."""

    first: dict[str, Use] = field(default_factory=dict[str, Use])

    def note(self, tool: Tool) -> None:
        """Makes the types of a tool canonical where their entities have none yet."""
        for use in list_uses(tool):
            self.first.setdefault(use.entity, use)

    def find_conflicts(self, tool: Tool) -> list[str]:
        """What of a tool has another type than it was given before, in words that its writer can act on."""
        problems: list[str] = []
        for use in list_uses(tool):
            known = self.first.get(use.entity)
            if known is not None and known.kind != use.kind:
                problems.append(
                    f"{use.place} is {use.written}, but {known.place} is {known.written}; write {known.written}"
                )
        return list(dict.fromkeys(problems))

    def list_types(self, tool: Tool | None = None) -> dict[str, str]:
        """Entity -> settled type, for the eyes of a writer: at most `MOST_SHOWN`.

        With a tool, those that it uses or that share a word with its name or parameters come first.
        """
        ranked = sorted(self.first.values(), key=lambda use: use.entity)
        if tool is not None:
            own = {use.entity for use in list_uses(tool)}
            words = {singular(word) for word in split_words(f"{tool.name} {' '.join(own)}")} - VERBS
            ranked.sort(key=lambda use: (use.entity not in own, not words & set(use.entity.split())))
        return {use.entity.replace(" ", "_"): use.written for use in ranked[:MOST_SHOWN]}


def list_uses(tool: Tool) -> Iterator[Use]:
    """The entities of a tool: its parameters first, then the fields of its result."""
    yield from _list_parts(tool.name, list_properties(tool.parameters))
    yield from _list_parts(tool.name, list_fields(tool.output_schema))


def find_changed_inputs(tool: Tool) -> list[str]:
    """Parameters that come back in the result as another type."""
    fields = list_fields(tool.output_schema)
    problems: list[str] = []
    for name, part in list_properties(tool.parameters).items():
        given, returned = read_kind(part), read_kind(fields.get(name, {}))
        if given and returned and given != returned:
            wanted, made = _read_written(part, given), _read_written(fields[name], returned)
            problems.append(f"{tool.name}.{name} comes back as {made}, but is asked for as {wanted}; write {wanted}")
    return problems


def name_entity(name: str, tool_name: str) -> str | None:
    """The entity that a parameter or field stands for; none for words that mean something else in each tool."""
    words = split_words(name)
    if words and words[-1] == "ids":
        words[-1] = "id"
    elif words:
        words[-1] = singular(words[-1])
    if words == ["id"]:
        subject = split_words(tool_name)
        nouns = subject[1:] if subject and subject[0] in VERBS else subject
        # `list_user_orders` gives the ids of orders.
        return f"{singular(nouns[-1])} id" if nouns else None
    if len(words) > 1 or (words and words[0] in _ALONE):
        return " ".join(words)
    return None


def read_kind(part: Mapping[str, Any]) -> str | None:
    """The one JSON type of a schema, leaving `null` aside; none where it allows several, or does not tell."""
    declared = part.get("type")
    kinds = cast("list[Any]", declared if isinstance(declared, list) else [declared])
    known = [kind for kind in kinds if isinstance(kind, str) and kind != "null"]
    if len(known) != 1:
        return None
    if known[0] == "array":
        items = part.get("items")
        inner = read_kind(cast("dict[str, Any]", items)) if isinstance(items, dict) else None
        return f"array of {inner}" if inner else "array"
    return "number" if known[0] in _NUMBERS else known[0]


def _list_parts(tool_name: str, parts: Mapping[str, Mapping[str, Any]]) -> Iterator[Use]:
    for name, part in parts.items():
        entity, kind = name_entity(name, tool_name), read_kind(part)
        if entity is None or kind is None:
            continue
        several = split_words(name)[-1:] != entity.split()[-1:]
        if several and kind.startswith("array of "):
            kind = kind.removeprefix("array of ")
        elif several and kind == "array":
            continue
        yield Use(entity, kind, f"{tool_name}.{name}", _read_written(part, kind))


def _read_written(part: Mapping[str, Any], kind: str) -> str:
    """`integer` or `number` where numbers are meant, of a list its items' type."""
    declared = part.get("type")
    items = part.get("items")
    if declared == "array" and kind != "array" and isinstance(items, dict):
        return _read_written(cast("dict[str, Any]", items), kind)
    kinds = cast("list[Any]", declared if isinstance(declared, list) else [declared])
    return next((str(one) for one in kinds if one != "null"), kind)
