"""What a call that wrote has done: which things it touched, what it set, what it made and what it took away."""

from dataclasses import dataclass
from typing import Any, cast

from turnwright.environments.simulation.agreement import as_number
from turnwright.environments.simulation.field_names import (
    Family,
    family_of,
    identified_kind,
    is_free_text,
    nouns_of,
    strip_new,
    words_of,
)
from turnwright.environments.simulation.records import (
    Entity,
    Record,
    SimulatedCall,
    flatten,
    list_named_entities,
)

_REFUSED = frozenset("failed failure error denied declined rejected refused invalid unsuccessful".split())
_FLAGS = ("success", "ok", "succeeded", "successful", "is_success")


@dataclass(frozen=True)
class WriteEffect:
    """What one successful write changed, as far as its name, its arguments and its result tell."""

    family: Family
    target: Entity | None
    """The thing that it was about."""
    created: Entity | None
    """The thing that it made: the target, where no argument and no earlier result named it."""
    touched: frozenset[Entity]
    """Everything that it may have changed: what the arguments or the result name."""
    values: dict[str, Any]
    """Fields of the target that the arguments set."""
    within: frozenset[Entity]
    """For a deletion: what the thing was taken out of; empty where it is gone altogether."""


def succeeded(call: SimulatedCall) -> bool:
    """Whether a result says that the call did what it was to do."""
    if call.error is not None:
        return False
    if call.value is False:
        return False
    if not isinstance(call.value, dict):
        return True
    content = cast("dict[str, Any]", call.value)
    if any(content.get(flag) is False for flag in _FLAGS):
        return False
    if content.get("error"):
        return False
    said = content.get("status", content.get("result"))
    return not (isinstance(said, str) and any(word in _REFUSED for word in words_of(said)))


def read_effect(call: SimulatedCall, known: frozenset[Entity]) -> WriteEffect | None:
    """What `call` changed; none for reads and for writes that failed. `known` is what was there before."""
    if call.tool.effect != "write" or not succeeded(call):
        return None
    family = family_of(call.tool.name)
    named = call.named
    own = next((record for record in call.records if not record.listed and not record.entity.by_name), None)
    created = _find_created(family, own, named, known)
    target = created or _find_target(call, own, named)
    touched = {*named.values(), *list_named_entities(call.arguments)}
    if own is not None:
        touched |= {own.entity, *own.around}
    if target is not None:
        touched.add(target)
    within: frozenset[Entity] = frozenset()
    if family == "delete" and target is not None:
        within = frozenset(named.values()) - {target}
    values = _list_values(call, family, target, created) if target is not None else {}
    if own is not None and own.entity == target:
        values = {_find_field(name, own.fields): value for name, value in values.items()}
    return WriteEffect(family, target, created, frozenset(touched), values, within)


def _find_field(argument: str, fields: dict[str, Any]) -> str:
    """The field that an argument sets: that of its name, or the only one that ends like it (`shipping_address`)."""
    if argument in fields:
        return argument
    ending = words_of(argument)
    alike = [name for name in fields if ending and words_of(name)[-len(ending) :] == ending]
    return alike[0] if len(alike) == 1 else argument


def _find_created(
    family: Family, own: Record | None, named: dict[str, Entity], known: frozenset[Entity]
) -> Entity | None:
    """The thing that the result identifies and that nobody has named before."""
    if own is None or own.own is None or own.entity in known or "+" in own.entity.kind:
        return None
    if family in ("set", "delete"):
        return None
    by_argument = own.entity in named.values()
    # A caller may choose the identifier itself; other actions on a thing by its identifier do not make it.
    return own.entity if not by_argument or family == "create" else None


def _find_target(call: SimulatedCall, own: Record | None, named: dict[str, Entity]) -> Entity | None:
    nouns = nouns_of(call.tool.name)
    matching = [entity for entity in named.values() if entity.kind in nouns]
    matching.sort(key=lambda entity: nouns.index(entity.kind))
    if matching:
        return matching[0]
    if len(named) == 1:
        only = next(iter(named.values()))
        # `delete_review(order_id)` takes away a review, whose identifier is not known.
        return only if family_of(call.tool.name) != "delete" else None
    return own.entity if own is not None and own.own is not None else None


def _list_values(call: SimulatedCall, family: Family, target: Entity, created: Entity | None) -> dict[str, Any]:
    """The fields of the target that the arguments set.

    Only where the name of the tool says that it sets or makes: `add_stock(quantity=5)` does not make the quantity 5.
    Numbers that a thing is made with are its own only where they can be nothing else, so they count in updates alone.
    """
    if family != "set" and created is None:
        return {}
    values: dict[str, Any] = {}
    # Among other values identifiers only say which (`update_grade(student_id, course_id, grade)`); alone they are set.
    which = created is None and any(identified_kind(name) is None for name in call.arguments)
    for path, value in flatten(call.arguments):
        name = path.rpartition(".")[2]
        kind = identified_kind(name)
        if value is None or (kind is not None and (which or kind in ("", target.kind))):
            continue
        if isinstance(value, list) and any(isinstance(item, dict | list) for item in cast("list[Any]", value)):
            continue
        if is_free_text(name) and created is None and family != "set":
            continue
        if created is not None and family != "create" and as_number(value) is not None and kind is None:
            continue
        head, _, rest = path.partition(".")
        values[f"{strip_new(head)}.{rest}" if rest else strip_new(head)] = value
    return values
