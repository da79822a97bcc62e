"""What should be there and is not: things refused as unknown, left out of a list, or lost from it."""

from collections.abc import Iterator
from typing import Any, cast

from schemas.content import canonical_json
from schemas.simulation import Contradiction
from turnwright.environments.simulation.agreement import agree, json_kind
from turnwright.environments.simulation.facts import Facts
from turnwright.environments.simulation.field_names import is_paging, nouns_of, words_of
from turnwright.environments.simulation.records import Entity, Path, SimulatedCall


def find_absences(call: SimulatedCall, facts: Facts) -> Iterator[Contradiction]:
    """`known_missing` and `created_missing` in what a read gives, be it an error, nothing, or a list."""
    if call.tool.effect != "read":
        return
    if call.error is not None:
        yield from _check_refusal(call, facts)
        return
    yield from _check_nothing(call, facts)
    yield from _check_lists(call, facts)


def _check_refusal(call: SimulatedCall, facts: Facts) -> Iterator[Contradiction]:
    """`known_missing`, `created_missing`: what is there is not refused as unknown."""
    if call.error == "not_found" and call.tool.effect == "read":
        yield from _missing(call, facts)


def _check_nothing(call: SimulatedCall, facts: Facts) -> Iterator[Contradiction]:
    """The same where the result is empty instead of an error."""
    if call.value is None or call.value == {}:
        yield from _missing(call, facts)


def _missing(call: SimulatedCall, facts: Facts) -> Iterator[Contradiction]:
    named = call.named
    nouns = nouns_of(call.tool.name)
    if len(named) != 1:
        return
    entity = next(iter(named.values()))
    gone = any(other == entity for other, _ in facts.deleted)
    # Of another kind of thing there may be none for it: an order without an invoice.
    if entity.kind in nouns[:1] and entity in facts.seen and not gone:
        made = facts.created.get(entity)
        if made is not None:
            text = f"{entity} was made in call {made} and must be there"
            yield Contradiction(code="created_missing", path=(), explanation=text)
        elif any(entity in owners for owners, _ in facts.values):
            text = f"{entity} was there in call {facts.seen[entity]} and nothing took it away"
            yield Contradiction(code="known_missing", path=(), explanation=text)


def _check_lists(call: SimulatedCall, facts: Facts) -> Iterator[Contradiction]:
    """`created_missing`, `known_missing`: a list has what was made for it, and what it had, unless that was touched."""
    if any(is_paging(name) for name in call.arguments) or _is_partial(call.value):
        return
    outer = [record for record in call.records if record.listed and not record.parents]
    here = {record.entity for record in outer}
    arguments = canonical_json(dict(call.arguments))
    before = facts.listings.get((call.tool.name, arguments))
    gone = {entity for entity, _ in facts.deleted}
    if before is not None:
        for entity in sorted(before.members - here - gone, key=str):
            if facts.touched.get(entity, 0) <= before.call:
                text = f"{entity} was in this list in call {before.call} and nothing took it away"
                yield Contradiction(code="known_missing", path=(), explanation=text)
    if find_list(call.value) is None and not outer:
        return
    kind = _plain_noun(call)
    for entity, made in facts.created.items():
        if entity.kind == kind and entity not in here and entity not in gone and _belongs(entity, call, facts, made):
            text = f"{entity} was made in call {made} and is missing from the list"
            yield Contradiction(code="created_missing", path=(), explanation=text)


def _belongs(entity: Entity, call: SimulatedCall, facts: Facts, made: int) -> bool:
    """Whether a thing that was made has to be in a list that was asked for with these arguments, for all code knows."""
    if facts.touched.get(entity, made) > made:
        return False
    named = call.named
    around = facts.references.get(entity, set())
    for name, wanted in call.arguments.items():
        if wanted is None:
            continue
        if name in named:
            if named[name] not in around:
                return False
            continue
        told = facts.values.get((frozenset({entity}), name))
        if told is None or told.value is None or not agree(told.value, wanted) or json_kind(wanted) == "array":
            return False
    return True


def find_list(value: Any) -> tuple[Path, list[Any]] | None:
    """The list that a result is, or the only one that it wraps, with its place."""
    if isinstance(value, list):
        return (), cast("list[Any]", value)
    if isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        lists = [(name, cast("list[Any]", child)) for name, child in content.items() if isinstance(child, list)]
        if len(lists) == 1:
            return (lists[0][0],), lists[0][1]
    return None


def _plain_noun(call: SimulatedCall) -> str:
    """What a list is of, without the things that it belongs to: `upcoming orders` keeps its word, they are not all."""
    owners = {word for entity in call.named.values() for word in entity.kind.split()}
    phrase = (nouns_of(call.tool.name) or ("",))[0]
    words = phrase.split()
    return " ".join(word for position, word in enumerate(words) if word not in owners or position == len(words) - 1)


def _is_partial(value: Any) -> bool:
    """Whether a result says that it is a part of something longer."""
    if not isinstance(value, dict):
        return False
    names = {word for name in value for word in words_of(str(name))}  # pyright: ignore
    return bool(names & {"page", "pages", "next", "offset", "cursor", "more", "limit", "truncated"})
