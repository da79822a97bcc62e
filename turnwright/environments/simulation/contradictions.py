"""What a result says against what is known: other values, lost writes, things that are gone or should be there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from schemas.content import canonical_json
from schemas.simulation import Contradiction
from turnwright.environments.simulation.absences import find_absences
from turnwright.environments.simulation.agreement import agree, as_number, numbers_agree, same_kind
from turnwright.environments.simulation.facts import Facts, key_of
from turnwright.environments.simulation.field_names import (
    family_of,
    identified_kind,
    is_free_text,
    is_lasting,
    nouns_of,
    strip_new,
    time_role,
    words_of,
)
from turnwright.environments.simulation.records import (
    Entity,
    Path,
    Record,
    SimulatedCall,
    flatten,
    id_key,
)
from turnwright.environments.simulation.writes import WriteEffect, read_effect

_GONE = frozenset("deleted removed cancelled canceled inactive archived closed void terminated".split())


def find_contradictions(call: SimulatedCall, facts: Facts) -> list[Contradiction]:
    """What in a result cannot be, given the facts so far; the facts are not changed."""
    if call.error is not None:
        return list(find_absences(call, facts))
    records = call.records
    effect = read_effect(call, facts.known)
    found = [
        *_check_asked(call, records),
        *_check_moved(call, facts),
        *_check_repeated(records),
        *_check_made(call, records, facts),
    ]
    for record in records:
        found += _check_values(record, call, facts, effect)
        found += _check_deleted(record, call, facts, effect)
    if effect is None and call.tool.effect == "read":
        found += find_absences(call, facts)
    return found


def _check_values(
    record: Record, call: SimulatedCall, facts: Facts, effect: WriteEffect | None
) -> Iterator[Contradiction]:
    """`contradicts_earlier`, `changed_type`, `lost_write`: a field has one value until a write changes it."""
    changed = effect is not None and record.entity in effect.touched
    for name, value in record.fields.items():
        if effect is not None and record.entity == effect.target and name in effect.values:
            if not agree_written(effect.values[name], value):
                text = (
                    f"{record.entity}: {name} is {_show(value)}, but this call sets it to {_show(effect.values[name])}"
                )
                yield _replace("lost_write", record, name, text, effect.values[name])
            continue
        known = facts.values.get(key_of(record, name, call, facts))
        if known is None or (changed and not _survives(name, known.source, effect)):
            continue
        if changed and any(value == given for _, given in flatten(call.arguments)):
            continue  # what the call was given may be meant for a field of another name
        if known.source != "result":
            if not agree_written(known.value, value):
                text = (
                    f"{record.entity}: {name} is {_show(value)}, but call {known.call} set it to {_show(known.value)}"
                )
                yield _replace("lost_write", record, name, text, known.value)
        elif is_free_text(name) or (record.entity.by_name and isinstance(value, list)):
            continue
        elif not same_kind(known.value, value) and known.tool == call.tool.name:
            text = f"{record.entity}: {name} is {_show(value)}, in call {known.call} it was {_show(known.value)}"
            yield _replace("changed_type", record, name, text, known.value)
        elif isinstance(value, list) and known.tool != call.tool.name:
            continue  # one tool may tell a part of what another tells
        elif not agree(known.value, value) and time_role(name) != "updated":
            text = f"{record.entity}: {name} is {_show(value)}, but call {known.call} told {_show(known.value)}"
            yield _replace("contradicts_earlier", record, name, text, known.value)


def agree_written(written: Any, value: Any) -> bool:
    """Whether a value that comes back is the one that was written; nothing at all is not."""
    if value is None:
        return written is None
    if isinstance(written, str) and isinstance(value, str) and len(written) > 40:
        return agree(written, value) or written.startswith(value.rstrip("….")) or value.startswith(written)
    return agree(written, value)


def _survives(name: str, source: str, effect: WriteEffect | None) -> bool:
    """Whether a fact about a thing still holds in the result of a write that touched it."""
    if effect is None or is_lasting(name):
        return True
    return effect.family == "set" and source != "result" and time_role(name) is None


def _check_deleted(
    record: Record, call: SimulatedCall, facts: Facts, effect: WriteEffect | None
) -> Iterator[Contradiction]:
    """`deleted_returns`: what was taken away does not come back, unless it says itself that it is gone."""
    if record.own is None or effect is not None:
        return
    if any(isinstance(value, str) and set(words_of(value)) & _GONE for value in record.fields.values()):
        return
    if record.fields.get("deleted") is True or record.fields.get("is_deleted") is True:
        return
    for (entity, within), made in facts.deleted.items():
        around = record.parents | frozenset(call.named.values())
        if entity == record.entity and within <= around | record.around:
            text = f"{record.entity} was deleted in call {made}"
            yield Contradiction(
                code="deleted_returns", path=record.path, explanation=text, remedy="remove" if record.listed else "none"
            )


def _check_asked(call: SimulatedCall, records: Sequence[Record]) -> Iterator[Contradiction]:
    """`other_record`, `filter_ignored`: a result is about what was asked for, and a list keeps to its filters."""
    named = call.named
    for record in records:
        top = len(record.path) == 0
        if top and record.own is not None and "+" not in record.own:
            asked = next((entity for entity in named.values() if entity.kind == record.entity.kind), None)
            if asked is not None and asked != record.entity and not _is_pair(named, record.entity.kind):
                text = f"asked for {asked}, the result is about {record.entity}"
                yield _replace("other_record", record, record.own, text, asked.shown)
        if call.tool.effect == "read" and not record.parents and (top or record.listed):
            yield from _check_filters(call, record)


def _check_filters(call: SimulatedCall, record: Record) -> Iterator[Contradiction]:
    properties = call.tool.parameters.get("properties")
    for name, wanted in call.arguments.items():
        value = record.fields.get(name)
        if value is None or wanted is None or isinstance(wanted, list | dict) or isinstance(value, list):
            continue
        schema = properties.get(name) if isinstance(properties, dict) else None  # pyright: ignore
        closed = isinstance(schema, dict) and "enum" in schema
        reference = identified_kind(name) is not None
        if (reference and id_key(value) != id_key(wanted)) or (closed and not agree(value, wanted)):
            if str(wanted).casefold() in ("all", "any"):
                continue
            text = f"{record.entity}: {name} is {_show(value)}, asked for {_show(wanted)}"
            remedy = "remove" if record.listed else "replace"
            path = record.path if record.listed else (*record.path, name)
            yield Contradiction(
                code="filter_ignored",
                path=path,
                explanation=text,
                remedy=remedy,
                truth=wanted if not record.listed else None,
            )


def _is_pair(named: Mapping[str, Entity], kind: str) -> bool:
    """Whether the arguments name several things of a kind: `from_account_id` and `to_account_id`."""
    return sum(entity.kind == kind for entity in named.values()) > 1


def _check_repeated(records: Sequence[Record]) -> Iterator[Contradiction]:
    """`repeated_id`: no two records of a list have one identifier and say different things."""
    groups: dict[tuple[Path, Entity], Record] = {}
    for record in records:
        if not record.listed or record.own is None:
            continue
        place = (record.path[:-1], record.entity)
        first = groups.setdefault(place, record)
        if first is not record and first.fields != record.fields:
            differing = [n for n, v in record.fields.items() if n in first.fields and not agree(v, first.fields[n])]
            if differing:
                text = f"two records are {record.entity}, with different {', '.join(differing[:3])}"
                yield Contradiction(code="repeated_id", path=record.path, explanation=text)


def _check_made(call: SimulatedCall, records: Sequence[Record], facts: Facts) -> Iterator[Contradiction]:
    """`repeated_id`: what is made gets an identifier that nothing has."""
    own = records[0] if records and not records[0].listed else None
    if own is None or own.own is None or call.tool.effect != "write" or family_of(call.tool.name) != "create":
        return
    nouns, named = nouns_of(call.tool.name), call.named
    about = own.entity.kind == nouns[0] if own.entity.kind in nouns else own.entity in facts.created
    if about and own.entity in facts.seen and own.entity not in named.values():
        text = f"{own.entity} is there since call {facts.seen[own.entity]}; what is made needs an identifier of its own"
        yield Contradiction(code="repeated_id", path=(*own.path, own.own), explanation=text)


def _check_moved(call: SimulatedCall, facts: Facts) -> Iterator[Contradiction]:
    """`wrong_sum`: what is left after an amount was moved is what was there before, with the amount added or taken."""
    amount = as_number(call.arguments.get("amount"))
    if call.tool.effect != "write" or amount is None or not isinstance(call.value, dict):
        return
    content = cast("dict[str, Any]", call.value)
    sides = list(call.named.values())
    known = [facts.values.get((frozenset({entity}), "balance")) for entity in sides]
    starts = [number for fact in known if fact is not None and (number := as_number(fact.value)) is not None]
    told = next((name for name in content if strip_new(name) in ("balance", "remaining_balance")), None)
    left = as_number(content[told]) if told else None
    if told is None or left is None or not starts or len(starts) < len(sides):
        return
    before = next((name for name in ("previous_balance", "old_balance", "balance_before") if name in content), None)
    start = as_number(content[before]) if before else None
    if before and start is not None and not any(numbers_agree(start, number) for number in starts):
        text = f"{before} is {start}, call {min(fact.call for fact in known if fact)} told {starts[0]}"
        yield Contradiction(
            code="contradicts_earlier", path=(before,), explanation=text, remedy="replace", truth=starts[0]
        )
    fees = sum(as_number(value) or 0 for name, value in content.items() if "fee" in words_of(name))
    readings = [number + sign * amount - part for number in starts for sign in (-1, 1) for part in (0, fees)]
    if not any(numbers_agree(float(left), float(reading)) for reading in readings):
        grows = start is not None and left > start
        truth = round(starts[0] + amount if grows else starts[0] - amount - fees, 2)
        text = f"{told} is {left}, {starts[0]} and {amount} do not make it"
        yield Contradiction(code="wrong_sum", path=(told,), explanation=text, remedy="replace", truth=truth)


def _replace(code: Any, record: Record, name: str, text: str, truth: Any) -> Contradiction:
    path = (*record.path, *name.split("."))
    return Contradiction(code=code, path=path, explanation=text, remedy="replace", truth=truth)


def _show(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
