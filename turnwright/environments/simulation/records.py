"""The things that a result speaks of: each JSON object with what identifies it, its fields, and what it stands in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from schemas.tools import Tool
from turnwright.environments.simulation.agreement import as_number, fold
from turnwright.environments.simulation.field_names import identified_kind, is_context, listed_kind, nouns_of, words_of
from turnwright.tools.naming import singular

DEEPEST = 24
"""Levels of a result; one that is deeper is not looked at but refused."""
MOST_NODES = 20_000
"""Values in a result, of any kind."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Entity:
    """One thing of the simulated world. Two are the same if kind and key are."""

    kind: str
    """In words, singular: `order`; two joined with `+` where only both together identify it."""
    key: str
    """Its identifier in the form that comparison uses."""
    shown: Any = field(compare=False, hash=False, default=None)
    """Its identifier as it was given."""
    by_name: bool = False
    """It has no identifier and goes by its name."""

    def __str__(self) -> str:
        return f"{self.kind or 'record'} {self.shown}"


@dataclass(frozen=True)
class Record:
    """One object of a result."""

    entity: Entity
    fields: dict[str, Any]
    """Its scalars and lists of scalars; those of inner objects that are no things of their own under dotted names."""
    path: Path
    parents: frozenset[Entity]
    """What it is a part of, within the result."""
    around: frozenset[Entity]
    """The things that the call's arguments and the record's own references name, itself left out."""
    own: str | None
    """The field that identifies it; none where the arguments do."""
    listed: bool
    """One of several in a list."""


@dataclass(frozen=True)
class SimulatedCall:
    """One call of a simulated tool with its result."""

    tool: Tool
    arguments: Mapping[str, Any]
    value: Any
    """The result; what the error says does not count."""
    error: str | None = None
    """Kind of the error, where there is no result."""

    @cached_property
    def named(self) -> dict[str, Entity]:
        """The things that the arguments name, by argument."""
        return list_argument_entities(self.tool, self.arguments)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The things that the result speaks of, outer ones first."""
        found: list[Record] = []
        _walk(self, self.value, (), "", frozenset(), self.named, found)
        return tuple(found)


def is_within_bounds(value: Any) -> bool:
    """Whether a JSON value is neither too deep nor too large to be looked at."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST or seen > MOST_NODES:
            return False
        if isinstance(node, dict):
            waiting.extend((child, depth + 1) for child in cast("dict[str, Any]", node).values())
        elif isinstance(node, list):
            waiting.extend((child, depth + 1) for child in cast("list[Any]", node))
    return True


def id_key(value: Any) -> str | None:
    """An identifier in the form that comparison uses: 5 and "5" are the same; none where it is no identifier."""
    if value is None or isinstance(value, bool | list | dict) or value == "":
        return None
    number = as_number(value)
    if number is not None and number == int(number):
        return str(int(number))
    return str(value).strip().casefold()


def name_entity(field_name: str, value: Any, default_kind: str = "") -> Entity | None:
    """The thing that a field identifies, if it identifies one."""
    kind, key = identified_kind(field_name), id_key(value)
    return None if kind is None or key is None else Entity(kind or default_kind, key, value)


def list_argument_entities(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Entity]:
    """The things that the arguments of a call name, by argument; a bare `id` is of the kind that the tool is about."""
    nouns = nouns_of(tool.name)
    found = {name: name_entity(name, value, nouns[0] if nouns else "") for name, value in sorted(arguments.items())}
    return {name: entity for name, entity in found.items() if entity is not None}


def list_named_entities(arguments: Mapping[str, Any]) -> list[Entity]:
    """The things that arguments name in lists of identifiers and inside nested objects, at any depth."""
    found: list[Entity] = []
    waiting: list[tuple[str, Any, bool]] = [(name, value, False) for name, value in sorted(arguments.items())]
    while waiting:
        name, value, inner = waiting.pop()
        if isinstance(value, dict):
            waiting += [(key, child, True) for key, child in sorted(cast("dict[str, Any]", value).items())]
        elif isinstance(value, list):
            kind = listed_kind(name)
            for item in cast("list[Any]", value):
                key = id_key(item) if kind else None
                if kind and key is not None:
                    found.append(Entity(kind, key, item))
                elif isinstance(item, dict):
                    waiting.append((name, cast("Any", item), True))
        elif inner and (entity := name_entity(name, value)) is not None:
            found.append(entity)
    return found


def flatten(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects with dotted names; lists are leaves."""
    for name, child in value.items():
        if isinstance(child, dict):
            yield from flatten(cast("dict[str, Any]", child), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _walk(
    call: SimulatedCall,
    value: Any,
    path: Path,
    noun: str,
    parents: frozenset[Entity],
    named: Mapping[str, Entity],
    found: list[Record],
) -> None:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        own = _own_field_of_list(call, items, noun, named)
        for position, item in enumerate(items):
            if isinstance(item, dict):
                _take(call, cast("dict[str, Any]", item), (*path, position), noun, parents, named, found, own, True)
    elif isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        own = _own_field(call, content, noun, named)
        _take(call, content, path, noun, parents, named, found, own, False)


def _take(
    call: SimulatedCall,
    content: dict[str, Any],
    path: Path,
    noun: str,
    parents: frozenset[Entity],
    named: Mapping[str, Entity],
    found: list[Record],
    own: str | None,
    listed: bool,
) -> None:
    entity = _identify(call, content, path, noun, named, own, listed)
    inside, nouns = parents, nouns_of(call.tool.name)
    if entity is not None:
        references = {e for name, value in content.items() if (e := name_entity(name, value)) is not None}
        around = frozenset({*named.values(), *references} - {entity})
        fields = {name: value for name, value in _plain_fields(content) if name != own}
        found.append(Record(entity, fields, path, parents, around, own, listed))
        inside = parents | {entity}
    for name, child in content.items():
        if isinstance(child, dict | list):
            inner = singular(" ".join(words_of(name)))
            # `list_orders` may wrap them, as in `{customer_id, orders: [...]}`: they are still what it is about.
            _walk(call, child, (*path, name), inner, parents if inner in nouns else inside, named, found)


def _plain_fields(content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            if not any(identified_kind(key) is not None for key in inner):
                yield from ((f"{name}.{path}", leaf) for path, leaf in flatten(inner) if not _has_objects(leaf))
        elif not _has_objects(value):
            yield name, value


def _has_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict | list) for item in cast("list[Any]", value))


def _identify(
    call: SimulatedCall,
    content: dict[str, Any],
    path: Path,
    noun: str,
    named: Mapping[str, Entity],
    own: str | None,
    listed: bool,
) -> Entity | None:
    nouns = nouns_of(call.tool.name)
    about = noun or (nouns[0] if nouns else "")
    if own is not None:
        if "+" in own:
            names = own.split("+")
            keys = [id_key(content.get(name)) or "" for name in names]
            kinds = "+".join(identified_kind(name) or about for name in names)
            return Entity(kinds, "|".join(keys), " / ".join(str(content.get(name)) for name in names))
        return name_entity(own, content[own], about)
    if not listed and not path and named:
        return _about_arguments(call, nouns, named)
    name = _name_field(content, about)
    if name is not None:
        return Entity(about, fold(str(content[name])), content[name], by_name=True)
    return None


def _about_arguments(call: SimulatedCall, nouns: Sequence[str], named: Mapping[str, Entity]) -> Entity | None:
    """What a single object without an identifier is about: the one thing that the arguments name, or all of them."""
    matching = [entity for entity in named.values() if entity.kind in nouns]
    entities = matching[:1] if matching else list(named.values())
    if len(entities) == 1 and (matching or not any(is_context(name) for name in call.arguments)):
        # `get_balance(account_id)`: what it tells belongs to the account, under the tool's own name.
        return entities[0]
    if not entities:
        return None
    kinds, keys = "+".join(e.kind for e in entities), "|".join(e.key for e in entities)
    return Entity(f"{call.tool.name}:{kinds}", keys, " / ".join(str(e.shown) for e in entities))


def _name_field(content: dict[str, Any], about: str) -> str | None:
    for name in ("name", "title", f"{about.replace(' ', '_')}_name", "full_name"):
        value = content.get(name)
        if isinstance(value, str) and value.strip():
            return name
    return None


def _own_field(call: SimulatedCall, content: dict[str, Any], noun: str, named: Mapping[str, Entity]) -> str | None:
    """The field that identifies an object; two joined with `+` where only both do."""
    kinds = {
        name: kind
        for name, value in content.items()
        if (kind := identified_kind(name)) is not None and id_key(value) is not None
    }
    if not kinds:
        return None
    bare = next((name for name, kind in kinds.items() if kind == ""), None)
    if bare is not None:
        return bare
    wanted = (noun,) if noun else nouns_of(call.tool.name)
    for about in wanted:
        for name, kind in kinds.items():
            if kind == about or (about and (about.endswith(f" {kind}") or kind.endswith(f" {about}"))):
                return name
    if len(kinds) == 1:
        return next(iter(kinds))
    asked = {entity.key for entity in named.values()}
    in_arguments = [name for name in kinds if id_key(content[name]) in asked]
    fresh = [name for name in kinds if name not in in_arguments]
    likely = fresh if call.tool.effect == "write" else in_arguments
    if len(likely) == 1 and not noun:
        return likely[0]
    return next(iter(kinds))


def _own_field_of_list(call: SimulatedCall, items: Sequence[Any], noun: str, named: Mapping[str, Entity]) -> str | None:
    """The field that identifies each object of a list: of a list of pairs no single one does.

    `[{student_id: 3, course_id: 1}, {student_id: 3, course_id: 2}]` is neither about students nor about courses.
    """
    objects = [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
    fields = {_own_field(call, content, noun, named) for content in objects}
    if len(fields) != 1:
        return None
    own = fields.pop()
    if own is None:
        return None
    kind = identified_kind(own)
    others = [
        name for name in objects[0] if name != own and identified_kind(name) is not None and identified_kind(own) != ""
    ]
    values = [id_key(content.get(own)) for content in objects]
    if len(set(values)) == len(values) or not others:
        return own
    asked = {entity.key for entity in named.values()}
    if set(values) <= asked:
        # The history of one parcel: that is what was asked for, and each item of it has a parcel_history_id of its own.
        for name in others:
            keys = [id_key(content.get(name)) for content in objects]
            if (identified_kind(name) or "").startswith(f"{kind} ") and len({*keys, None}) > len(keys):
                return name
    expected = kind is not None and kind in ((noun,) if noun else nouns_of(call.tool.name)[:1])
    pairs = [tuple(id_key(content.get(name)) for name in (own, *others)) for content in objects]
    if expected or len(set(pairs)) != len(pairs):
        return own
    return "+".join((own, *others))
